"""Tables as text: records of cells, the separator that makes them, and how a file is laid out."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Literal, NamedTuple, get_args

from attnviz.errors import (
    DataBinary,
    DataCellTooLong,
    DataNoColumn,
    DataQuote,
    DataTooMany,
    DataTooManyColumns,
    DataUnclear,
    InputError,
)
from attnviz.tasks.choice import MOST_COLUMNS
from attnviz.tasks.own.readers.json_lines import is_json, json_rows

__all__ = [
    "HEADERS",
    "MOST_COLUMNS",
    "SEPARATORS",
    "SIGNS",
    "Header",
    "Layout",
    "Record",
    "Separator",
    "chosen",
    "column_names",
    "records",
    "tables",
    "used_columns",
]

Separator = Literal["auto", "comma", "semicolon", "tab", "pipe", "json", "none"]
Header = Literal["auto", "yes", "no"]

SEPARATORS: tuple[Separator, ...] = get_args(Separator)
SIGNS: dict[Separator, str] = {"tab": "\t", "semicolon": ";", "comma": ",", "pipe": "|"}
HEADERS: tuple[Header, ...] = get_args(Header)
MOST_BLANK = 100_000  # records in a row
UNUSED = "\x1f"  # a control character, which no text has: nothing is separated


class Record(NamedTuple):
    """The cells of one record, and the line where it begins, counted from 1."""

    line: int
    cells: list[str]

    @property
    def width(self) -> int:
        """Cells up to the last one that is not blank."""
        return max((place for place, cell in enumerate(self.cells, 1) if cell.strip()), default=0)

    def cell(self, column: int) -> str:
        """A cell by its column, counted from 1, without white space around it; "" where the record is shorter."""
        return self.cells[column - 1].strip() if column <= len(self.cells) else ""


@dataclass(frozen=True)
class Layout:
    """Layout of a file.

    Attributes:
        records: below the header, or all of them.
        taken: what was said, or can be told of the data, by the name of the choice; a choice that must be said is not
            among them.
        header: the record that names the columns; None: there is none.
        unclear: the first question that the data leave open; None: none.
    """

    records: list[Record]
    taken: Mapping[str, str | int]
    header: Record | None = None
    unclear: DataUnclear | None = None

    def settled(self) -> Layout:
        """Return the layout itself, where the data leave no question open.

        Raises:
            DataUnclear: they leave one.
        """
        if self.unclear is not None:
            raise self.unclear
        return self

    @property
    def width(self) -> int:
        """Columns."""
        return max((len(record.cells) for record in self.records), default=0)


def records(text: str, separator: Separator, most: int) -> list[Record]:
    """Return the records of a text in CSV: quotation marks hold cells with separators, line breaks and "" in them.

    Blank records at the beginning and at the end are left out, and those between are kept.

    Args:
        text: its lines ended by "\\n".
        separator: not "auto"; "json": an object a line, and the first record names the columns.
        most: records at most.

    Raises:
        DataBinary: a control character.
        DataQuote: a quotation mark that is not closed.
        DataCellTooLong: a cell longer than the csv module takes.
        DataTooManyColumns: more than 1,000 cells in one record.
        DataTooMany: more records than that.
        DataJsonLine: a line is not a JSON object.

    Example:
        >>> records('a,"b, c"\\n\\nd,e,\\n', "comma", 10)
        [Record(line=1, cells=['a', 'b, c']), Record(line=2, cells=[]), Record(line=3, cells=['d', 'e', ''])]
    """
    if UNUSED in text:
        raise DataBinary(text.count("\n", 0, text.index(UNUSED)) + 1)
    found: list[Record] = []
    blank: list[Record] = []
    for line, cells in json_rows(text, MOST_COLUMNS) if separator == "json" else _csv_rows(text, separator):
        if not any(cell.strip() for cell in cells):
            blank.append(Record(line, cells))
            if len(blank) > MOST_BLANK:
                raise DataTooMany(line, most)
            continue
        found += [*(blank if found else ()), Record(line, cells)]
        blank = []
        if len(found) > most:
            raise DataTooMany(line, most)
    return found


def _csv_rows(text: str, separator: Separator) -> Iterator[tuple[int, list[str]]]:
    """Yield the line and the cells of each record."""
    reader = csv.reader(
        StringIO(_without_blank_end(text), newline=""), delimiter=SIGNS.get(separator, UNUSED), strict=True
    )
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            if "field limit" in str(error):
                raise DataCellTooLong(line, csv.field_size_limit()) from None
            raise DataQuote(line) from None
        if cells is None:
            return
        if len(cells) > MOST_COLUMNS:
            raise DataTooManyColumns(line, len(cells), MOST_COLUMNS)
        yield line, cells


def _without_blank_end(text: str) -> str:
    """Without the lines of separators alone that spreadsheets write below the data, up to a million of them."""
    end = text.find("\n", len(text.rstrip("".join(SIGNS.values()) + "\n ")))
    return text if end < 0 else text[: end + 1]


def tables(text: str, most: int) -> dict[Separator, list[Record]]:
    """The text by each separator that makes a table of it: two columns or more, and no record wider than the first.

    Where only some of these make records of one width all through, only those are kept. JSON lines are that alone.

    Example:
        >>> [*tables("a, b;1\\nc;2", 10)]
        ['semicolon']
        >>> [*tables("a, b;1\\nc, d;2", 10)]
        ['semicolon', 'comma']
    """
    if is_json(text):
        return {"json": [record for record in records(text, "json", most) if record.width]}
    found: dict[Separator, list[Record]] = {}
    for name, sign in SIGNS.items():
        if sign not in text:
            continue
        try:
            rows = [record for record in records(text, name, most) if record.width]
        except InputError:
            continue
        width = len(rows[0].cells) if rows else 0
        if width > 1 and all(record.width <= width for record in rows):
            found[name] = rows
    exact = {name: rows for name, rows in found.items() if len({len(record.cells) for record in rows}) == 1}
    return exact or found


def used_columns(rows: list[Record]) -> list[int]:
    """Columns, counted from 1, in which not everything is blank: what spreadsheets leave behind is no column."""
    width = max((record.width for record in rows), default=0)
    return [place for place in range(1, width + 1) if any(record.cell(place) for record in rows)]


def column_names(rows: list[Record], columns: list[int]) -> str:
    """Return the columns with what stands in their first record, to choose from.

    Example:
        >>> column_names([Record(1, ["id", "review"])], [1, 2])
        '1: id, 2: review'
    """
    return ", ".join(f"{place}: {_short(rows[0].cell(place))}" for place in columns)


def chosen(name: str, column: int, rows: list[Record]) -> int:
    """Return a column that was said, which must be there; 0: none was.

    Raises:
        DataNoColumn: it is not.
    """
    width = max((len(record.cells) for record in rows), default=0)
    if column > width:
        raise DataNoColumn(name, column, width)
    return column


def _short(cell: str) -> str:
    return cell if len(cell) <= 24 else cell[:23] + "…"
