"""Text in columns."""

from __future__ import annotations

import pytest

from attnviz.cli.text import columns, pad, printable, shorten, shown, width


@pytest.mark.parametrize(("text", "size"), [("", 0), ("Q K V", 5), ("你好", 4), ("e\u0301", 1), ("ａb", 3)])
def test_width_is_what_a_terminal_shows(text: str, size: int) -> None:
    assert width(text) == size
    assert width(pad(text, 9)) == width(pad(text, 9, right=True)) == 9


def test_nothing_moves_the_cursor() -> None:
    assert printable("a\x1b[31m\x07\u202e\udcff中 b") == "a\\x1b[31m\\x07\\u202e\\udcff中 b"
    assert shown(" a\n\t") == "␣a↵\\t"


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [("attention", 9, "attention"), ("attention", 8, "attenti…"), ("注意力机制", 6, "注意…"), ("ab", 1, "…")],
)
def test_long_texts_are_cut_to_columns(text: str, limit: int, short: str) -> None:
    assert shorten(text, limit) == short
    assert width(short) <= limit


def test_cells_stand_below_each_other() -> None:
    rows = [["你", "7", "short"], ["abc", "1,000", "as long as it likes"], ["x", "an error in place of the rest"]]
    assert columns(rows, right=[1]) == [
        "你       7  short",
        "abc  1,000  as long as it likes",
        "x    an error in place of the rest",
    ]
    assert columns([]) == []
