"""What people paste becomes numbers, or an error that names the table, the row and the cell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz import errors
from attnviz.calculator.parse import as_csv, as_numpy, decode, read_table

TABLE = ((1.0, 2.5), (-3.0, 0.0004))


@pytest.mark.parametrize(
    "text",
    [
        "np.array([[1, 2.5], [-3, 4e-4]])",
        "X = np.array([[1, 2.5], [-3, 4e-4]], dtype=np.float32)",
        "numpy.asarray([[1, 2.5],\n [-3, 4e-4]])",
        "array([[ 1.e+00,  2.5e+00],\n       [-3.e+00,  4.e-04]])",
        "torch.tensor([[1, 2.5], [-3, 4e-4]], dtype=torch.float64, device='cpu');",
        "tensor([[1.0, 2.5], [-3.0, 0.0004]])",
        "[[1, 2.5], [-3, 4e-4]]",
        "((1, 2.5), (-3, 4e-4))",
        "[[ 1.      2.5   ]\n [-3.      0.0004]]",
        "1,2.5\n-3,4e-4\n",
        "1, 2.5\r\n-3, 4e-4",
        '"1","2.5"\n"-3","4e-4"',
        "1\t2.5\n-3\t4e-4",
        "1;2.5\n-3;4e-4",
        "1 2.5\n\n-3   4e-4",
        "\ufeff1,2.5\n−3,4e-4",
    ],
)
def test_what_people_paste(text: str) -> None:
    assert read_table("X", text) == TABLE


def test_one_row_and_one_number() -> None:
    assert read_table("q", "[1, 2, 3]") == ((1.0, 2.0, 3.0),)
    assert read_table("q", "7") == ((7.0,),)


@pytest.mark.parametrize(
    ("text", "error", "details"),
    [
        ("", errors.TableEmpty, {"table": "W_Q"}),
        (" \n\n ", errors.TableEmpty, {}),
        ("[]", errors.TableEmpty, {}),
        ("[[], []]", errors.TableEmpty, {}),
        ("np.array([])", errors.TableEmpty, {}),
        ("1,2\n3,x", errors.CellNotNumber, {"table": "W_Q", "row": 2, "column": 2, "cell": "x"}),
        ("a,b\n1,2", errors.CellNotNumber, {"row": 1, "column": 1}),
        ("1,,2", errors.CellNotNumber, {"row": 1, "column": 2, "cell": ""}),
        ("1_000", errors.CellNotNumber, {}),
        ("[[1, None]]", errors.CellNotNumber, {"cell": "None", "column": 2}),
        ("[[1, 2j]]", errors.CellNotNumber, {}),
        ("[[True]]", errors.CellNotNumber, {}),
        ("1,nan", errors.CellOutside, {"column": 2}),
        ("[[1, np.nan], [3, 4]]", errors.CellOutside, {"row": 1, "column": 2}),
        ("[[1, -inf]]", errors.CellOutside, {"cell": "-inf"}),
        ("1e7", errors.CellOutside, {"limit": 1_000_000}),
        ("1e999", errors.CellOutside, {}),
        ("1,2\n3", errors.TableRagged, {"row": 2, "cells": 1, "expected": 2}),
        ("[[1], [2, 3]]", errors.TableRagged, {"row": 2, "cells": 2, "expected": 1}),
        ("[[[1]]]", errors.TableUnreadable, {}),
        ("[1, [2]]", errors.TableUnreadable, {}),
        ("[[1, 2], [3", errors.TableUnreadable, {"table": "W_Q"}),
        ("[__import__('os').system('true')]", errors.TableUnreadable, {}),
        ("np.array(open('x'))", errors.CellNotNumber, {}),
        ("[" * 5000, errors.TableUnreadable, {}),
        ("\n".join(["1"] * 65), errors.TableTooLarge, {"rows": 65, "columns": 1, "limit": 64}),
        (",".join(["1"] * 65), errors.TableTooLarge, {"rows": 1, "columns": 65}),
        ("1" * 500_000, errors.TableTooLarge, {}),
    ],
)  # fmt: skip
def test_what_is_no_table_says_where(text: str, error: type[errors.AttnvizError], details: dict[str, object]) -> None:
    with pytest.raises(error) as raised:
        read_table("W_Q", text)
    assert details.items() <= raised.value.details.items()


def test_errors_say_in_words() -> None:
    with pytest.raises(errors.CellNotNumber, match=r"W_K, row 2, column 1: abc is not a number"):
        read_table("W_K", "1\nabc")
    with pytest.raises(errors.TableRagged, match=r"X, row 3: 1 cells, but the first row has 2"):
        read_table("X", "1,2\n3,4\n5")


@given(st.lists(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3), min_size=1, max_size=5))
def test_what_is_copied_reads_back_the_same(rows: list[list[float]]) -> None:
    table = tuple(tuple(value + 0.0 for value in row) for row in rows)
    assert read_table("X", as_csv(table)) == table
    assert read_table("X", as_numpy(table)) == table
    assert read_table("X", repr(np.array(table).tolist())) == table
    assert np.array_equal(eval(as_numpy(table), {"np": np}), np.array(table))  # noqa: S307 - our own text


def test_numpy_prints_what_is_read() -> None:
    table = np.array([[0.5, -1.25, 3.0], [1e-3, 2.0, -0.125]])
    assert read_table("X", repr(table)) == tuple(map(tuple, table.tolist()))
    assert read_table("X", str(table)) == tuple(map(tuple, table.tolist()))


def test_a_file_that_is_no_text() -> None:
    assert decode("a.csv", "\ufeff1,2".encode()) == "1,2"
    for raw in ("1,ü".encode("latin-1"), "1,2".encode("utf-16"), b"PK\x03\x04\x00\xff"):
        with pytest.raises(errors.FileEncoding, match=r"a\.csv"):
            decode("a.csv", raw)
