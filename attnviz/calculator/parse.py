"""Tables from what people paste: NumPy, nested lists, CSV, cells of a spreadsheet. Nothing pasted is run."""

from __future__ import annotations

import ast
import csv
import io
import math
import re
from collections.abc import Sequence

from attnviz.calculator.problem import SIDE, Matrix
from attnviz.errors import (
    CellNotNumber,
    CellOutside,
    FileEncoding,
    TableEmpty,
    TableRagged,
    TableTooLarge,
    TableUnreadable,
)

__all__ = ["LARGEST", "SIDE", "as_csv", "as_numpy", "decode", "read_cells", "read_table", "to_numbers", "written"]

LARGEST = 1_000_000
"""Absolute value of the largest number: products of these stay finite through every step."""

MAX_TEXT = 400_000  # characters; 64 × 64 numbers at full precision take a fifth of it

_CALL = re.compile(
    r"^\s*(?:[\w.]+\s*=\s*)?(?:(?:np|numpy|torch)\s*\.\s*)?(?:array|asarray|tensor|matrix)\s*\(", re.ASCII
)
_NO_NUMBER = re.compile(r"([-+]?)(?:\b(?:np|torch|math)\.)?\b(nan|inf)\b")
_OPTIONS = re.compile(r",\s*(?:dtype|device|requires_grad)\s*=\s*[\w.'\"]+\s*", re.ASCII)

Cells = tuple[tuple[str, ...], ...]


def read_table(name: str, text: str) -> Matrix:
    """Return the numbers in a text.

    Args:
        text: np.array([[1, 2]]), torch.tensor([[1, 2]]), [[1, 2]], or rows of cells between commas, semicolons, tabs
            or spaces.

    Raises:
        CalculatorError: the text is no table of numbers; the message names the table, the row and the cell.

    Example:
        >>> read_table("X", "np.array([[1, 2], [3, 4]])") == read_table("X", "1, 2\\n3, 4") == ((1.0, 2.0), (3.0, 4.0))
        True
    """
    return to_numbers(name, read_cells(name, text))


def read_cells(name: str, text: str) -> Cells:
    """Return the cells of a text as they are written; a single row of a list is one row.

    Raises:
        TableUnreadable: it looks like Python and is none.
        TableEmpty: there is nothing in it.
        TableTooLarge: there is too much in it.
    """
    if not text.strip():
        raise TableEmpty(name)
    if len(text) > MAX_TEXT:
        raise TableTooLarge(name, text.count("\n") + 1, MAX_TEXT, SIDE)
    inner = _without_call(text)
    rows = _listed(name, inner) if inner.lstrip().startswith(("[", "(")) else _separated(name, inner)
    if not rows or not any(rows):
        raise TableEmpty(name)
    return rows


def _without_call(text: str) -> str:
    """np.array(...) without its name, its options and its brackets."""
    text = text.strip().lstrip("\ufeff").rstrip(";").strip()
    call = _CALL.match(text)
    if call is None or not text.endswith(")"):
        return text
    return _OPTIONS.sub("", text[call.end() : -1] + ",").rstrip().rstrip(",")


def _listed(name: str, text: str) -> Cells:
    """Read nested lists as Python writes them, or as NumPy prints them, without commas."""
    if "," not in text:
        text = re.sub(r"(?<=[\d.\]])\s+(?=[-+\d.\[])", ", ", text)
    text = _NO_NUMBER.sub(r"'\1\2'", text)  # names to Python; refused below, each at its place
    try:
        found = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise TableUnreadable(name, _beginning(text)) from error
    rows = found if isinstance(found, list | tuple) else [found]
    if not any(isinstance(row, list | tuple) for row in rows):
        rows = [rows]  # one row
    deeper = (list, tuple, dict, set)
    if any(not isinstance(row, list | tuple) or any(isinstance(cell, deeper) for cell in row) for row in rows):
        raise TableUnreadable(name, _beginning(text))
    return tuple(tuple(str(cell) for cell in row) for row in rows)


def _separated(name: str, text: str) -> Cells:
    """Read rows of cells, separated by tabs, semicolons, commas or spaces: the first of these that occurs."""
    lines = [line for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n") if line.strip()]
    separator = next((mark for mark in "\t;," if any(mark in line for line in lines)), None)
    if separator is None:
        return tuple(tuple(line.split()) for line in lines)
    try:
        read = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=separator, skipinitialspace=True))
    except csv.Error as error:
        raise TableUnreadable(name, _beginning(text)) from error
    return tuple(tuple(cell.strip() for cell in row) for row in read)


def _beginning(text: str) -> str:
    return text.strip()[:40]


def to_numbers(name: str, cells: Sequence[Sequence[str]]) -> Matrix:
    """Turn cells into numbers.

    Raises:
        TableEmpty, TableTooLarge, TableRagged, CellNotNumber, CellOutside: as they say.
    """
    if not cells or not cells[0]:
        raise TableEmpty(name)
    widest = max(map(len, cells))
    if len(cells) > SIDE or widest > SIDE:
        raise TableTooLarge(name, len(cells), widest, SIDE)
    for index, row in enumerate(cells, 1):
        if len(row) != len(cells[0]):
            raise TableRagged(name, index, len(row), len(cells[0]))
    return tuple(tuple(_number(name, i, j, cell) for j, cell in enumerate(row, 1)) for i, row in enumerate(cells, 1))


def _number(name: str, row: int, column: int, cell: str) -> float:
    text = cell.strip().replace("−", "-")
    try:
        value = float(text.replace("_", "?"))  # Python would read 1_0 as ten
    except ValueError:
        raise CellNotNumber(name, row, column, cell) from None
    if not math.isfinite(value) or abs(value) > LARGEST:
        raise CellOutside(name, row, column, cell, LARGEST)
    return value + 0.0  # never -0


def decode(name: str, raw: bytes) -> str:
    """Return the text of a file.

    Raises:
        FileEncoding: it is not UTF-8.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileEncoding(name) from None
    if "\0" in text:
        raise FileEncoding(name)
    return text


def written(value: float) -> str:
    """Return the shortest text that reads back as the same number.

    Example:
        >>> written(1.0), written(0.1), written(-2.5e-07)
        ('1', '0.1', '-2.5e-07')
    """
    return repr(value).removesuffix(".0")


def as_numpy(matrix: Sequence[Sequence[float]]) -> str:
    """Return a matrix as NumPy reads it.

    Example:
        >>> as_numpy(((1.0, 0.5), (0.0, 2.0)))
        'np.array([[1, 0.5], [0, 2]])'
    """
    rows = ", ".join("[" + ", ".join(map(written, row)) + "]" for row in matrix)
    return f"np.array([{rows}])"


def as_csv(matrix: Sequence[Sequence[float]]) -> str:
    """Return a matrix as spreadsheets read it."""
    return "\n".join(",".join(map(written, row)) for row in matrix)
