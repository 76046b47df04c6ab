"""Texts and their labels, from a CSV file that somebody brought."""

from __future__ import annotations

from typing import Any, NamedTuple

from attnviz.errors import (
    DataBlank,
    DataColumns,
    DataColumnsUnclear,
    DataEmpty,
    DataHeaderUnclear,
    DataLineTooLong,
    DataRagged,
    DataSameColumn,
    DataSeparatorUnclear,
    DataTooMany,
    DataUnclear,
)
from attnviz.tasks.own.readers.decoding import unified
from attnviz.tasks.own.readers.delimited import (
    Header,
    Layout,
    Record,
    Separator,
    chosen,
    column_names,
    records,
    tables,
    used_columns,
)

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
    columns = (int(layout.taken["text_column"]), int(layout.taken["label_column"]))
    if len(layout.records) > MOST_ROWS:
        raise DataTooMany(layout.records[MOST_ROWS].line, MOST_ROWS)
    rows = [_row(record, columns) for record in layout.records]
    if not rows:
        raise DataEmpty
    return rows


def labelled_layout(
    text: str, separator: Separator = "auto", header: Header = "auto", text_column: int = 0, label_column: int = 0
) -> Layout:
    """Determine the layout of texts and labels, from the settings and the data.

    Args:
        text: CSV; with tabs, semicolons or another separator likewise.
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
    text, taken, rows = unified(text), dict[str, str | int](), list[Record]()
    try:
        taken["separator"], rows = _separated(text, separator)
        if not rows:
            raise DataEmpty
        if len(rows[0].cells) < 2:
            raise DataColumns(rows[0].line, 1)
        _check_widths(rows)
        said = {"text_column": text_column, "label_column": label_column, "header": header}
        taken |= {name: value for name, value in said.items() if value not in (0, "auto")}
        columns = taken["text_column"], taken["label_column"] = _columns(rows, header, text_column, label_column)
        _check_widths(rows, max(columns))
        taken["header"] = header if header != "auto" else _header(rows, columns[1])
    except DataUnclear as unclear:
        return Layout(rows or _rows(text, "none"), taken, unclear=unclear)
    return Layout(rows[1:], taken, rows[0]) if taken["header"] == "yes" else Layout(rows, taken)


def _rows(text: str, separator: Separator) -> list[Record]:
    """Return the records that are not blank; one more than there may be texts, for a header."""
    return [record for record in records(text, separator, MOST_ROWS + 1) if record.width]


def _separated(text: str, separator: Separator) -> tuple[Separator, list[Record]]:
    """Return the separator, and the records it makes."""
    if separator != "auto":
        return separator, _rows(text, separator)
    possible = tables(text, MOST_ROWS + 1)
    if "tab" in possible:
        return "tab", possible["tab"]
    named = [name for name, rows in possible.items() if _named(rows[0]) is not None]
    names = named if len(named) == 1 else [*possible]
    if len(names) == 1:
        return names[0], possible[names[0]]
    if names:
        raise DataSeparatorUnclear(names, text.strip().split("\n", 1)[0])
    first = text.lstrip().split("\n", 1)[0]
    counts: dict[Separator, int] = {"comma": first.count(","), "tab": first.count("\t"), "semicolon": first.count(";")}
    likely = max(counts, key=counts.__getitem__)  # nothing makes a table: the error names the line
    return likely, _rows(text, likely)


def _named(record: Record) -> tuple[int, int] | None:
    """Return the columns "text" and "label" of a header that names both, each once."""
    cells = [cell.strip().lower() for cell in record.cells]
    if cells.count(TEXT) == 1 == cells.count(LABEL):
        return cells.index(TEXT) + 1, cells.index(LABEL) + 1
    return None


def _columns(rows: list[Record], header: Header, text: int, label: int) -> tuple[int, int]:
    """Return the columns of texts and labels: those that are said, named, or the only two, in this order."""
    for name, place in (("text_column", text), ("label_column", label)):
        chosen(name, place, rows)
    if text and text == label:
        raise DataSameColumn(text)
    if text and label:
        return text, label
    named = _named(rows[0]) if header != "no" else None
    if named is not None and text in (0, named[0]) and label in (0, named[1]):
        return named
    columns = used_columns(rows)
    wanted = [name for name, place in (("text_column", text), ("label_column", label)) if not place]
    unclear = DataColumnsUnclear(column_names(rows, columns), wanted)
    if len(columns) == 1:
        raise DataColumns(rows[0].line, 1)
    if len(columns) > 2 or not {text, label} <= {0, *columns}:
        raise unclear
    first, second = columns
    if text or label:
        return (text or (second if label == first else first)), (label or (second if text == first else first))
    if _can_be(rows, second, first):
        raise unclear
    return first, second


def _can_be(rows: list[Record], text: int, label: int) -> bool:
    """Whether the data would do with these columns: enough texts and labels, and not too many labels."""
    texts, labels = ({record.cell(place) for record in rows[1:]} for place in (text, label))
    return len(texts) >= LEAST_TEXTS and LEAST_LABELS <= len(labels) <= MOST_LABELS


def _header(rows: list[Record], label: int) -> Header:
    """Whether the first line is a header: not where its label is one of others as well."""
    if _named(rows[0]) is not None:
        return "yes"
    if len(rows) == 1 or rows[0].cell(label) in {record.cell(label) for record in rows[1:]}:
        return "no"
    raise DataHeaderUnclear(" | ".join(cell.strip() for cell in rows[0].cells))


def _check_widths(rows: list[Record], least: int = 0) -> None:
    """Refuse a record with more columns than the first one, or without those that are read."""
    width = len(rows[0].cells)
    for record in rows:
        if record.width > width or len(record.cells) < least:
            raise DataColumns(record.line, record.width) if width == 2 else DataRagged(record.line, record.width, width)


def _row(record: Record, columns: tuple[int, int]) -> Row:
    row = Row(*(" ".join(record.cell(place).split()) for place in columns))
    for name, value in row._asdict().items():
        if not value:
            raise DataBlank(record.line, name)
        if len(value) > MOST_CHARACTERS:
            raise DataLineTooLong(record.line, len(value), MOST_CHARACTERS)
    return row
