"""One column of numbers, from a CSV file that somebody brought."""

from __future__ import annotations

import csv
import re
from math import isfinite
from typing import NamedTuple

from attnviz.errors import EmptyText, SeriesColumns, SeriesNotNumber, SeriesTooLong

__all__ = ["MOST_POINTS", "Column", "read_column"]

MOST_POINTS = 20_000
GREATEST = 1e12  # beyond it, squares and sums lose what single precision needs
SEPARATORS = ("\t", ";", ",")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)


class Column(NamedTuple):
    """A column of numbers.

    Attributes:
        name: its header, "" without one.
        values: in the order of the lines.
    """

    name: str
    values: tuple[float, ...]


def read_column(text: str) -> Column:
    """The one column of numbers of a CSV text; other columns, such as dates, may stand beside it.

    Columns are separated by tabs, else by semicolons, else by commas: whichever of them occurs first in this list.
    With tabs or semicolons numbers may have a decimal comma. The first line may be a header.

    Args:
        text: of the file.

    Raises:
        EmptyText: nothing but white space.
        SeriesNotNumber: names the line, which has no finite number where the others have one.
        SeriesColumns: there are several columns of numbers.
        SeriesTooLong: more lines than are taken.

    Example:
        >>> read_column("day;degrees\\n2024-01-01;3,5\\n2024-01-02;-1\\n")
        Column(name='degrees', values=(3.5, -1.0))
        >>> read_column("7\\n8")
        Column(name='', values=(7.0, 8.0))
    """
    text = text.removeprefix("\ufeff").rstrip()  # the mark some programs begin a file with
    if not text:
        raise EmptyText
    separator = next((each for each in SEPARATORS if each in text), ",")
    lines = text.splitlines()
    rows = [(line, _cells(row, separator, line)) for line, row in enumerate(lines, start=1)]
    header = rows.pop(0)[1] if len(rows) > 1 and not any(map(_looks_like_number, rows[0][1])) else ()
    if len(rows) > MOST_POINTS:
        raise SeriesTooLong(len(rows), MOST_POINTS)
    column = _column_of_numbers(*rows[0])
    values = tuple(_number(row[column] if column < len(row) else "", line) for line, row in rows)
    return Column(header[column] if column < len(header) else "", values)


def _cells(row: str, separator: str, line: int) -> tuple[str, ...]:
    """The cells of a line, without quotes; a decimal comma becomes a point where commas do not separate."""
    try:
        cells = next(csv.reader([row], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:  # a cell longer than the csv module takes
        raise SeriesNotNumber(line, row) from None
    if separator == ",":
        return tuple(cell.strip() for cell in cells)
    return tuple(re.sub(r"(?<=\d),(?=\d+$)", ".", cell.strip()) for cell in cells)


def _looks_like_number(cell: str) -> bool:
    """Whether a cell is a number, be it none that can be used: such a cell is no header."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _column_of_numbers(line: int, row: tuple[str, ...]) -> int:
    """Which cell of the first row with numbers is the one."""
    places = [place for place, cell in enumerate(row) if _looks_like_number(cell)]
    if len(places) > 1:
        raise SeriesColumns(line, len(places))
    if not places:
        raise SeriesNotNumber(line, row[-1] if row else "")
    return places[0]


def _number(cell: str, line: int) -> float:
    if not NUMBER.fullmatch(cell) or not isfinite(value := float(cell)) or abs(value) > GREATEST:
        raise SeriesNotNumber(line, cell)
    return value
