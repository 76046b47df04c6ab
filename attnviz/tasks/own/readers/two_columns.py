"""Two columns of a table that somebody brought, such as texts and labels: which they are, and is there a header."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from attnviz.errors import (
    DataBlank,
    DataColumns,
    DataColumnsUnclear,
    DataEmpty,
    DataJsonLine,
    DataLineTooLong,
    DataNested,
    DataRagged,
    DataSameColumn,
    DataSeparatorUnclear,
    DataTooMany,
    DataUnclear,
)
from attnviz.errors.base import Why
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
from attnviz.tasks.own.readers.json_lines import is_json_list

__all__ = ["TwoColumns", "texts_in"]

INVISIBLE = ("Cc", "Cf", "Zs")  # categories of characters, such as a blank without width


class Said(NamedTuple):
    """Columns that were said, counted from 1; 0: told by the data."""

    first: int
    second: int


@dataclass(frozen=True)
class TwoColumns:
    """Names and limits of two columns, known before there are data.

    Attributes:
        names: name of the choice of each column -> what a header calls it, in small letters.
        most: records at most.
        swapped: whether the data would do with the two columns the other way round; called with the records and the
            columns.
        header: called with the records and the second column, where a header does not name both: whether there is one.

    Example:
        >>> reader = TwoColumns({"a": ("first",), "b": ("second",)}, 9, lambda *_: False, lambda *_: "no")
        >>> reader.layout("second;first\\n1;2", "auto", "auto", 0, 0).taken
        {'separator': 'semicolon', 'a': 2, 'b': 1, 'header': 'yes'}
    """

    names: Mapping[str, tuple[str, ...]]
    most: int
    swapped: Callable[[list[Record], int, int], bool]
    header: Callable[[list[Record], int], Header]

    def layout(self, text: str, separator: Separator, header: Header, *columns: int) -> Layout:
        """Determine the layout of a table.

        Args:
            text: CSV; with tabs, semicolons or another separator likewise, or JSON lines.
            separator: between columns. "auto": tabs where they make a table, else the only one that does.
            header: the first line names the columns.
            columns: the two of them, counted from 1. 0: the one that is named so, else the first or second of two.

        Raises:
            DataEmpty: there is no record.
            DataColumns, DataRagged: there is one column, a line without those that are read, or with more than the
                first.
            InputError: of `attnviz.tasks.own.readers.delimited.records`.
        """
        said, (first, second) = Said(*columns), self.names
        text, taken, rows = unified(text), dict[str, str | int](), list[Record]()
        try:
            if is_json_list(text):
                raise DataJsonLine(1, Why("json-list"))
            taken["separator"], rows = self._separated(text, separator)
            if taken["separator"] == "json":
                header = "yes"
            if not rows:
                raise DataEmpty
            if len(rows[0].cells) < 2:
                raise DataColumns(rows[0].line, 1)
            _check_widths(rows)
            given = {first: said.first, second: said.second, "header": header}
            taken |= {name: value for name, value in given.items() if value not in (0, "auto")}
            taken[first], taken[second] = found = self._columns(rows, header, said)
            _check_widths(rows, max(found))
            named = self._named(rows[0]) is not None
            taken["header"] = header if header != "auto" else "yes" if named else self.header(rows, found[1])
        except DataUnclear as unclear:
            if rows and header == "yes":
                return Layout(rows[1:], taken, rows[0], unclear)
            return Layout(rows or self._rows(text, "none"), taken, unclear=unclear)
        return Layout(rows[1:], taken, rows[0]) if taken["header"] == "yes" else Layout(rows, taken)

    def _rows(self, text: str, separator: Separator) -> list[Record]:
        """Return the records that are not blank; one more than there may be, for a header."""
        try:
            return [record for record in records(text, separator, self.most + 1) if record.width]
        except DataTooMany as error:
            raise DataTooMany(error.line, self.most) from error

    def _separated(self, text: str, separator: Separator) -> tuple[Separator, list[Record]]:
        """Return the separator, and the records it makes."""
        if separator != "auto":
            return separator, self._rows(text, separator)
        possible = tables(text, self.most + 1)
        if "tab" in possible:
            return "tab", possible["tab"]
        named = [name for name, rows in possible.items() if self._named(rows[0]) is not None]
        names = named if len(named) == 1 else [*possible]
        if len(names) == 1:
            return names[0], possible[names[0]]
        if names:
            raise DataSeparatorUnclear(names, text.strip().split("\n", 1)[0])
        first = text.lstrip().split("\n", 1)[0]
        counts: dict[Separator, int] = {
            "comma": first.count(","),
            "tab": first.count("\t"),
            "semicolon": first.count(";"),
        }
        likely = max(counts, key=counts.__getitem__)  # nothing makes a table: the error names the line
        return likely, self._rows(text, likely)

    def _named(self, record: Record) -> tuple[int, int] | None:
        """Return the columns of a header that names both, each once."""
        cells = [cell.strip().lower() for cell in record.cells]
        first, second = (
            [place for place, cell in enumerate(cells, 1) if cell in names] for names in self.names.values()
        )
        return (first[0], second[0]) if len(first) == 1 == len(second) else None

    def _columns(self, rows: list[Record], header: Header, said: Said) -> tuple[int, int]:
        """Return the two columns: those that are said, named, or the only two, in this order."""
        for name, place in zip(self.names, said, strict=True):
            chosen(name, place, rows)
        if said.first and said.first == said.second:
            raise DataSameColumn(said.first)
        if said.first and said.second:
            return said
        named = self._named(rows[0]) if header != "no" else None
        if named is not None and said.first in (0, named[0]) and said.second in (0, named[1]):
            return named
        columns = used_columns(rows)
        wanted = [name for name, place in zip(self.names, said, strict=True) if not place]
        unclear = DataColumnsUnclear(column_names(rows, columns), wanted)
        if len(columns) == 1:
            raise DataColumns(rows[0].line, 1)
        if len(columns) > 2 or not {*said} <= {0, *columns}:
            raise unclear
        left, right = columns
        if said.first or said.second:
            first = said.first or (right if said.second == left else left)
            return first, said.second or (right if said.first == left else left)
        if self.swapped(rows, right, left):
            raise unclear
        return left, right


def texts_in(record: Record, places: Mapping[str, int], most: int, refused: type[str]) -> tuple[str, ...]:
    """Return the texts of a record, white space of all kinds made one blank.

    Args:
        places: columns that are read, counted from 1, by what they hold, such as "label".
        most: characters of a text at most.
        refused: kind of cells that are no text; see `attnviz.tasks.own.readers.json_lines`.

    Raises:
        DataNested: a cell of that kind.
        DataBlank: an empty cell.
        DataLineTooLong: a text of more characters.
    """
    texts = []
    for name, place in places.items():
        text = " ".join(record.cell(place).split())
        if all(unicodedata.category(sign) in INVISIBLE for sign in text):
            raise DataBlank(record.line, name)
        if isinstance(record.cells[place - 1], refused):
            raise DataNested(record.line, name, text)
        if len(text) > most:
            raise DataLineTooLong(record.line, len(text), most)
        texts.append(text)
    return tuple(texts)


def _check_widths(rows: list[Record], least: int = 0) -> None:
    """Refuse a record with more columns than the first one, or without those that are read."""
    width = len(rows[0].cells)
    for record in rows:
        if record.width > width or len(record.cells) < least:
            raise DataColumns(record.line, record.width) if width == 2 else DataRagged(record.line, record.width, width)
