"""Problems that do not fit together say which tables, and both shapes."""

from __future__ import annotations

from typing import Any

import pytest

from attnviz import errors
from attnviz.calculator import PRESETS, Problem
from attnviz.calculator.presets import identity

SELF = PRESETS["self"]  # X 3 × 4, W_Q and W_K 4 × 3, W_V 4 × 2


def ones(rows: int, columns: int) -> tuple[tuple[float, ...], ...]:
    return ((1.0,) * columns,) * rows


def made(tables: dict[str, Any], **choices: Any) -> Problem:
    return Problem({**SELF.tables, **tables}, **choices)


@pytest.mark.parametrize(
    ("tables", "choices", "first", "second"),
    [
        ({"w_q": ones(3, 3)}, {}, ("X", "3 × 4"), ("W_Q", "3 × 3")),
        ({"w_v": ones(5, 2)}, {}, ("X", "3 × 4"), ("W_V", "5 × 2")),
        ({"w_k": ones(4, 5)}, {}, ("W_Q", "4 × 3"), ("W_K", "4 × 5")),
        ({"p": ones(3, 3)}, {"positions": "learned"}, ("X", "3 × 4"), ("P", "3 × 3")),
        ({"w_o": ones(3, 4)}, {"project": True}, ("W_V", "4 × 2"), ("W_O", "3 × 4")),
        ({"w_o": ones(2, 5)}, {"project": True, "residual": True}, ("X", "3 × 4"), ("W_O", "2 × 5")),
        ({}, {"residual": True}, ("X", "3 × 4"), ("W_V", "4 × 2")),
        ({"q": ones(2, 3), "k": ones(5, 4), "v": ones(5, 1)}, {"given": "qkv"}, ("Q", "2 × 3"), ("K", "5 × 4")),
        ({"q": ones(2, 3), "k": ones(5, 3), "v": ones(4, 1)}, {"given": "qkv"}, ("K", "5 × 3"), ("V", "4 × 1")),
        (
            {"a_q": ones(2, 3), "a_k": ones(2, 7), "a_v": ones(1, 2)},
            {"scoring": "additive"},
            ("W_k", "2 × 7"),
            ("W_K", "4 × 3"),
        ),
        (
            {"a_q": ones(2, 3), "a_k": ones(5, 3), "a_v": ones(1, 2)},
            {"scoring": "additive"},
            ("W_q", "2 × 3"),
            ("W_k", "5 × 3"),
        ),
        (
            {"a_q": ones(2, 3), "a_k": ones(2, 3), "a_v": ones(2, 2)},
            {"scoring": "additive"},
            ("w_v", "2 × 2"),
            ("W_k", "2 × 3"),
        ),
    ],
)
def test_shapes_that_do_not_fit(
    tables: dict[str, Any], choices: dict[str, Any], first: tuple[str, str], second: tuple[str, str]
) -> None:
    with pytest.raises(errors.ShapesDoNotFit) as raised:
        made(tables, **choices)
    details = raised.value.details
    assert (details["first"], details["first_shape"]) == first
    assert (details["second"], details["second_shape"]) == second
    assert all(word in str(raised.value) for word in (*first, *second))


@pytest.mark.parametrize(
    ("choices", "name"),
    [
        ({"heads": 2}, "H"),
        ({"heads": 0}, "H"),
        ({"temperature": 0.0}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"scale": 1e9}, "scale"),
        ({"window": 0}, "window"),
        ({"padding": (3,)}, "padding"),
        ({"scoring": "cosine"}, "scoring"),
        ({"given": "y"}, "given"),
    ],
)
def test_settings_that_cannot_be(choices: dict[str, Any], name: str) -> None:
    with pytest.raises(errors.ValueOutside) as raised:
        made({}, **choices)
    assert raised.value.details["name"] == name


def test_typed_queries_have_no_x_to_add_to() -> None:
    tables = PRESETS["five"].tables
    for choices in ({"residual": True}, {"positions": "sinusoidal"}, {"positions": "learned"}):
        with pytest.raises(errors.ValueOutside):
            Problem(tables, given="qkv", **choices)  # type: ignore[arg-type]


def test_sines_and_cosines_need_pairs() -> None:
    with pytest.raises(errors.OddWidth, match="d_k must be even, not 3"):
        made({}, positions="rotary")
    with pytest.raises(errors.OddWidth, match="d_model must be even, not 3"):
        Problem(PRESETS["one-hot"].tables, positions="sinusoidal")


def test_a_missing_table_is_empty() -> None:
    with pytest.raises(errors.TableEmpty, match="W_O"):
        made({}, project=True)


def test_tables_that_are_not_used_are_dropped() -> None:
    assert set(made({"w_o": identity(2)}).tables) == {"x", "w_q", "w_k", "w_v"}


def test_the_default_scale_is_that_of_one_head() -> None:
    assert PRESETS["multi-head"].multiplier == pytest.approx(2**-0.5)
    assert PRESETS["one-hot"].multiplier == 1
    assert PRESETS["additive"].multiplier == 1
