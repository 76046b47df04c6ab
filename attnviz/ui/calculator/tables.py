"""The tables of the calculator in the browser: edited cell by cell, pasted, or from a file; copied as NumPy or CSV."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st
from torch import Tensor

from attnviz import locale
from attnviz.calculator.parse import decode, read_cells, to_numbers, written
from attnviz.calculator.problem import TITLES
from attnviz.calculator.tables import cells_of
from attnviz.errors import AttnvizError, CellNotNumber, CellOutside, TableUnreadable
from attnviz.ui.calculator.state import CalculatorState
from attnviz.ui.frame.address import notice_error
from attnviz.ui.frame.language import current
from attnviz.ui.frame.state import page_state

__all__ = ["edit_tables", "result_table", "show_tables", "take_edits"]

LARGEST_FILE = 1_000_000  # bytes

ROLES = {
    **dict.fromkeys(("q", "w_q", "a_q"), "query"),
    **dict.fromkeys(("k", "w_k", "a_k"), "key"),
    **dict.fromkeys(("v", "w_v"), "value"),
}

BY_TOKEN = ("x", "p", "q", "k", "v")
"""Tables with a row for each token."""

LETTERS = {
    "x": "T × d_model",
    "w_q": "d_model × H·d_k",
    "w_k": "d_model × H·d_k",
    "w_v": "d_model × H·d_v",
    "q": "Tq × H·d_k",
    "k": "Tk × H·d_k",
    "v": "Tk × H·d_v",
    "p": "T × d_model",
    "a_q": "d_att × d_k",
    "a_k": "d_att × d_k",
    "a_v": "1 × d_att",
    "w_o": "H·d_v × d_out",
}

_tables = st.components.v2.component("attnviz.tables", js=(Path(__file__).parent / "tables.js").read_text("utf-8"))


def edit_tables(wrong: AttnvizError | None) -> None:
    """Show the tables that the choices use; the cell that an error is about is marked."""
    state = page_state(CalculatorState)
    named = _labels(state)
    shown = [
        {
            "name": name,
            "title": TITLES[name],
            "role": ROLES.get(name, ""),
            "letters": LETTERS[name],
            "cells": state.tables.get(name) or (("",),),
            "editable": True,
            **({"rows": named} if named and name in BY_TOKEN else {}),
            "problem": _place(wrong, TITLES[name]),
        }
        for name in state.used()
    ]
    _show(shown, CalculatorState.edits.key, on_edits_change=lambda: None)


def _labels(state: CalculatorState) -> list[str]:
    """Return the names of all tokens; none, where nobody named any, or queries and keys are not the same ones."""
    names, sizes = state.names, state.sizes()
    if not names or sizes.queries != sizes.keys:
        return []
    return [*names[: sizes.queries], *(f"x{i}" for i in range(len(names) + 1, sizes.queries + 1))]


def _place(wrong: AttnvizError | None, title: str) -> dict[str, int] | None:
    if not isinstance(wrong, CellNotNumber | CellOutside) or wrong.table != title:
        return None
    return {"row": wrong.row - 1, "column": wrong.column - 1}


def take_edits() -> None:
    """Take over what was typed, pasted or handed in; call it before anything reads the tables."""
    state = page_state(CalculatorState)
    for edit in state.edits.value.get("edits") or []:
        if edit.get("name") in TITLES and edit["sequence"] > state.confirmed:
            state.confirmed = edit["sequence"]
            try:
                _take(edit)
            except AttnvizError as error:
                notice_error(error)


def _take(edit: Mapping[str, Any]) -> None:
    name, state = edit["name"], page_state(CalculatorState)
    if "value" in edit:
        rows = [list(row) for row in state.tables.get(name, (("",),))]
        row, column = int(edit["row"]), int(edit["column"])
        if 0 <= row < len(rows) and 0 <= column < len(rows[row]):  # it may have become smaller since
            rows[row][column] = str(edit["value"]).strip()[:40]
            state.set_table(name, tuple(map(tuple, rows)))
        return
    text = str(edit["text"]) if "text" in edit else _file(str(edit.get("file")), str(edit.get("bytes")))
    state.set_table(name, cells_of(to_numbers(TITLES[name], read_cells(TITLES[name], text))))
    state.pasted = name


def _file(filename: str, content: str) -> str:
    try:
        return decode(filename, base64.b64decode(content, validate=True))
    except binascii.Error as error:
        raise TableUnreadable(filename, "") from error


def result_table(name: str, title: str, values: Tensor, rows: Sequence[str], role: str = "") -> dict[str, Any]:
    """Computed numbers as a table that can be copied."""
    numbers = values.tolist()
    return {
        "name": name,
        "title": title,
        "role": role,
        "letters": "",
        "cells": [[f"{value + 0.0:.3g}" for value in row] for row in numbers],
        "full": [[written(float(f"{value + 0.0:.8g}")) for value in row] for row in numbers],
        "rows": list(rows),
        "editable": False,
    }


def show_tables(tables: Sequence[Mapping[str, Any]], key: str) -> None:
    """Show tables that are not edited."""
    _show(tables, key)


def _show(tables: Sequence[Mapping[str, Any]], key: str, **events: Any) -> None:
    _tables(
        key=key,
        data={
            "tables": list(tables),
            "strings": locale.strings(current(), "calculator.table."),
            "confirmed": page_state(CalculatorState).confirmed,
            "largest": LARGEST_FILE,
        },
        **events,
    )
