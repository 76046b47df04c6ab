"""Texts and their labels, from a CSV file that somebody brought."""

from __future__ import annotations

from typing import Any, NamedTuple

from attnviz.errors import DataEmpty, DataHeaderUnclear, DataTooMany
from attnviz.tasks.own.readers.delimited import Header, Layout, Record, Separator
from attnviz.tasks.own.readers.json_lines import Several
from attnviz.tasks.own.readers.two_columns import TwoColumns, texts_in

__all__ = ["LEAST_LABELS", "MOST_LABELS", "MOST_ROWS", "Row", "labelled_layout", "read_labelled"]

TEXT, LABEL = "text", "label"
MOST_ROWS = 20_000
MOST_CHARACTERS = 10_000  # of a text
LEAST_TEXTS = 20
LEAST_LABELS, MOST_LABELS = 2, 20


class Row(NamedTuple):
    """A text, white space of all kinds made one blank, and its label."""

    text: str
    label: str


def read_labelled(text: str, **reading: Any) -> list[Row]:
    """Read texts and labels from a table.

    Args:
        text: CSV; with tabs, semicolons or another separator likewise.
        reading: what is said of it; see `labelled_layout`.

    Raises:
        DataUnclear: the data do not tell one of these choices.
        DataEmpty: there is no row.
        DataColumns, DataRagged: a line without these columns, or with more than the first line has.
        DataBlank: an empty text or label.
        DataNested: a list or an object in its place.
        DataLineTooLong: a text of more than 10,000 characters.
        DataTooMany: more than 20,000 rows.
        InputError: of `attnviz.tasks.own.readers.delimited.records`.

    Example:
        >>> read_labelled('text,label\\n"good, very good",positive\\nbad,negative')
        [Row(text='good, very good', label='positive'), Row(text='bad', label='negative')]
        >>> read_labelled("id;review;stars\\n1;good;5", header="yes", text_column=2, label_column=3)
        [Row(text='good', label='5')]
    """
    layout = labelled_layout(text, **reading).settled()
    places = {name: int(layout.taken[f"{name}_column"]) for name in Row._fields}
    if len(layout.records) > MOST_ROWS:
        raise DataTooMany(layout.records[MOST_ROWS].line, MOST_ROWS)
    rows = [Row(*texts_in(record, places, MOST_CHARACTERS, Several)) for record in layout.records]
    if not rows:
        raise DataEmpty
    return rows


def labelled_layout(
    text: str, separator: Separator = "auto", header: Header = "auto", text_column: int = 0, label_column: int = 0
) -> Layout:
    """Determine the layout of texts and labels, from the settings and the data.

    Args:
        text: CSV; with tabs, semicolons or another separator likewise, or JSON lines.
        separator: between columns. "auto": tabs where they make a table, else the only one that does.
        header: the first line names the columns. "auto": it does where it has "text" and "label"; it does not where its
            label comes again below.
        text_column: counted from 1. 0: the one named "text", else the first of two.
        label_column: counted from 1. 0: the one named "label", else the second of two.

    Raises:
        DataEmpty: there is no record.
        DataColumns, DataRagged: there is one column, a line without those that are read, or with more than the first.
        InputError: of `attnviz.tasks.own.readers.delimited.records`.
    """
    reader = TwoColumns({"text_column": (TEXT,), "label_column": (LABEL,)}, MOST_ROWS, _can_be, _header)
    return reader.layout(text, separator, header, text_column, label_column)


def _can_be(rows: list[Record], text: int, label: int) -> bool:
    """Whether the data would do with these columns: enough texts and labels, and not too many labels."""
    texts, labels = ({record.cell(place) for record in rows[1:]} for place in (text, label))
    return len(texts) >= LEAST_TEXTS and LEAST_LABELS <= len(labels) <= MOST_LABELS


def _header(rows: list[Record], label: int) -> Header:
    """Whether the first line is a header: not where its label is one of others as well."""
    if len(rows) == 1 or rows[0].cell(label) in {record.cell(label) for record in rows[1:]}:
        return "no"
    raise DataHeaderUnclear(" | ".join(cell.strip() for cell in rows[0].cells))
