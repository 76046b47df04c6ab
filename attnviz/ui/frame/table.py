"""A table to sort, search and export, whose rows are chosen; at most 640 pixels wide, it is a list of cards."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from attnviz.locale import listed
from attnviz.ui.frame.language import current, say

__all__ = ["ROW", "Row", "Table"]

ROW = 33  # pixels of a row
FOLDER = Path(__file__).parent

_cards = st.components.v2.component(
    "attnviz.cards", css=(FOLDER / "cards.css").read_text("utf-8"), js=(FOLDER / "cards.js").read_text("utf-8")
)


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes:
        cells: values by column; numbers and times sort as such, and what is missing is empty.
        actions: labels of what can be done with the row, by name; the first one is a button in the table.
        color: color of the edge of its card; "" for none.
        title: title of its card; "" for its first cell.
    """

    cells: Mapping[str, Any]
    actions: Mapping[str, str]
    color: str = ""
    title: str = ""


@dataclass(frozen=True)
class Table:
    """A table on a page.

    Attributes:
        key: key of its widgets.
        label: name for screen readers.
        columns: columns by the names of the cells; the first one names the row.
        choose: called with the names of the rows that a person chose.
        act: called with the name of an action and the name of its row.
        mode: how many rows can be chosen.
        most: rows that are seen at once.
    """

    key: str
    label: str
    columns: Mapping[str, ColumnConfig]
    choose: Callable[[list[str]], None]
    act: Callable[[str, str], None]
    mode: Literal["single-row", "multi-row"]
    most: int

    def show(self, rows: Mapping[str, Row], chosen: Collection[str]) -> None:
        """Place the table and the cards, of which the style sheet hides one.

        Args:
            rows: rows by name.
            chosen: names of the chosen rows; they stay chosen when other rows come or go.
        """
        with st.container(key="table"):
            self._show_table(rows, chosen)
        with st.container(key="cards"):
            self._show_cards(rows, chosen)

    def _show_table(self, rows: Mapping[str, Row], chosen: Collection[str]) -> None:
        names, state = list(rows), st.session_state
        selected = [index for index, name in enumerate(names) if name in chosen]
        given = f"{self.key}-given"
        if selected != (sorted(state[self.key]["selection"]["rows"]) if self.key in state else []):
            state[given] = selected
        if state.get(given) == selected:  # told until a person chooses: a busy browser passes over what it is told once
            state[self.key] = {"selection": {"rows": selected}}

        def choose() -> None:
            state.pop(given, None)
            self.choose([names[row] for row in state[self.key]["selection"]["rows"] if row < len(names)])

        def act() -> None:
            row = state[f"{self.key}-act"]["row"]
            if row < len(names):
                self.act(next(iter(rows[names[row]].actions)), names[row])

        button = st.column_config.ButtonColumn("", type="tertiary", width="small", key=f"{self.key}-act", on_click=act)
        st.dataframe(
            [{"act": next(iter(row.actions.values())), **row.cells} for row in rows.values()],
            key=self.key,
            height=ROW * (self.most + 1) + 2 if len(names) > self.most else "content",
            hide_index=True,
            column_order=["act", *self.columns],
            column_config={"act": button, **self.columns},
            on_select=choose,
            selection_mode=self.mode,
            placeholder="–",
            alt=self.label,
        )

    def _show_cards(self, rows: Mapping[str, Row], chosen: Collection[str]) -> None:
        key, state = f"{self.key}-cards", st.session_state
        first, *facts = self.columns
        titles = {name: row.title or row.cells[first] for name, row in rows.items()}
        cards = [
            {
                "name": name,
                "title": titles[name],
                "color": row.color,
                "isChosen": name in chosen if self.mode == "multi-row" else None,
                "facts": [fact for each in facts if (fact := _fact(self.columns[each], row.cells.get(each)))],
                "actions": row.actions,
                "spoken": {
                    action: say("page.of", what=label, which=titles[name]) for action, label in row.actions.items()
                },
            }
            for name, row in rows.items()
        ]

        def choose() -> None:
            told = state[key]["choose"]
            self.choose([name for name in rows if isinstance(told, list) and name in told])

        def act() -> None:
            told = state[key]["act"]
            for name, row in rows.items():
                for action in row.actions:
                    if told == [action, name]:
                        self.act(action, name)

        _cards(
            key=key,
            data={"lang": current(), "label": self.label, "cards": cards},
            on_choose_change=choose,
            on_act_change=act,
        )


def _fact(column: ColumnConfig, value: Any) -> dict[str, Any] | None:
    """Return a cell for the browser, which formats numbers and times itself; None where it is empty."""
    if isinstance(value, datetime):
        return {"label": column["label"], "time": value.isoformat()}
    text = listed(current(), value) if isinstance(value, list) else value
    return None if text in (None, "") else {"label": column["label"], "value": text}
