"""One column of numbers, from a CSV file that somebody brought."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from attnviz.errors import (
    DataColumnsUnclear,
    DataDecimalUnclear,
    DataHeaderUnclear,
    DataRagged,
    DataSeparatorUnclear,
    DataTooMany,
    DataUnclear,
    EmptyText,
    InputError,
    SeriesMissing,
    SeriesNotNumber,
    SeriesTooLong,
    SeriesUnits,
)
from attnviz.tasks.own.readers.decoding import unified
from attnviz.tasks.own.readers.delimited import (
    SIGNS,
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
from attnviz.tasks.own.readers.written_numbers import DECIMALS, Decimal, Number, is_missing, read_number

__all__ = [
    "DECIMAL_SIGNS",
    "MISSING",
    "MOST_POINTS",
    "Column",
    "DecimalSign",
    "Missing",
    "older_reading",
    "read_column",
    "series_layout",
]

DecimalSign = Literal["auto", "point", "comma"]
Missing = Literal["refuse", "drop", "interpolate"]
DECIMAL_SIGNS: tuple[DecimalSign, ...] = get_args(DecimalSign)
MISSING: tuple[Missing, ...] = get_args(Missing)

MOST_POINTS = 20_000


class Column(NamedTuple):
    """A column of numbers.

    Attributes:
        name: its header, "" without one.
        values: values in the order of the lines.
        unit: the sign beside each of them, such as "%" or "€", "" without one.
    """

    name: str
    values: tuple[float, ...]
    unit: str = ""


def read_column(text: str, **reading: Any) -> Column:
    """Read one column of numbers from a CSV text; other columns, such as dates, may stand beside it.

    Args:
        reading: settings of `series_layout`.

    Raises:
        EmptyText: nothing but white space.
        DataUnclear: the data do not tell one of these choices.
        SeriesNotNumber: names the line, which has no finite number where the others have one.
        SeriesMissing: values are missing.
        SeriesUnits: not all values have the same sign beside them.
        SeriesTooLong: more lines than are taken.
        InputError: of `attnviz.tasks.own.readers.delimited.records`.

    Example:
        >>> read_column("day;degrees\\n2024-01-01;3,5\\n2024-01-02;-1\\n")
        Column(name='degrees', values=(3.5, -1.0), unit='')
        >>> read_column("price\\n1.234 €\\n950 €", decimal="comma")
        Column(name='price', values=(1234.0, 950.0), unit='€')
    """
    layout = series_layout(text, **reading).settled()
    place, sign = int(layout.taken["value_column"]), layout.taken["decimal"]
    body = layout.records
    if len(body) > MOST_POINTS:
        raise SeriesTooLong(len(body), MOST_POINTS)
    numbers = [_number(record, place, "comma" if sign == "comma" else "point") for record in body]
    unit = _unit(numbers, body, place)
    values = _complete([None if each is None else each.value for each in numbers], layout.taken["missing"])
    name = "" if layout.header is None else layout.header.cell(place)
    return Column(name, values, unit)


def older_reading(text: str) -> dict[str, Any]:
    """The choices that say how a text was read before there were any: tabs, else semicolons, else commas separated.

    Example:
        >>> older_reading("day;price\\n2024-01-01;3,5\\n")
        {'separator': 'semicolon', 'header': 'yes', 'value_column': 2, 'decimal': 'comma'}
    """
    text = unified(text)
    separator: Separator = next((each for each in ("tab", "semicolon", "comma") if SIGNS[each] in text), "none")
    rows = _rows(text.rstrip(), separator)
    named = len(rows) > 1 and not any(
        _looks_like_number(rows[0].cell(place)) for place in range(1, len(rows[0].cells) + 1)
    )
    first = rows[1 if named else 0]
    place = next(place for place in range(1, len(first.cells) + 1) if _looks_like_number(first.cell(place)))
    commas = separator != "comma" and any("," in record.cell(place) for record in rows[1:])
    return {
        "separator": separator,
        "header": "yes" if named else "no",
        "value_column": place,
        "decimal": "comma" if commas else "point",
    }


def series_layout(
    text: str,
    separator: Separator = "auto",
    header: Header = "auto",
    value_column: int = 0,
    decimal: DecimalSign = "auto",
    missing: Missing = "refuse",
) -> Layout:
    """Determine the layout of a column of numbers, from the settings and the data.

    Args:
        separator: between columns. "auto": tabs, else semicolons, where they make a table; else commas, unless each
            line may be one number with a comma as well.
        header: the first line names the columns. "auto": where its cell begins with a letter, or has no digit.
        value_column: which one, counted from 1. 0: the only one with numbers.
        decimal: sign of numbers. "auto": the one by which all of them can be read; a point where commas separate.
        missing: "refuse" cells without a value, "drop" their lines, or "interpolate": a straight line between the
            values around them.

    Raises:
        EmptyText: nothing but white space.
        SeriesNotNumber: no column has numbers.
        DataRagged: a record is wider than the first.
        InputError: of `attnviz.tasks.own.readers.delimited.records`.
    """
    text = unified(text)
    if not text.strip():
        raise EmptyText
    taken: dict[str, str | int] = {}
    rows: list[Record] = []
    first: Record | None = None
    try:
        taken["separator"], rows = _separated(text, separator)
        place = taken["value_column"] = chosen("value_column", value_column, rows) or _number_column(rows)
        taken["header"] = header if header != "auto" else _header(rows, place)
        if taken["header"] == "yes":
            first, rows = rows[0], rows[1:]
        taken["decimal"] = decimal if decimal != "auto" else _decimal(rows, place, str(taken["separator"]))
        gaps = [record for record in rows if is_missing(record.cell(place))]
        if gaps and missing == "refuse":
            raise SeriesMissing(len(gaps), gaps[0].line, gaps[0].cell(place))
    except DataUnclear as unclear:
        return Layout(rows or records(text, "none", 2 * MOST_POINTS), taken, first, unclear)
    return Layout(rows, {**taken, "missing": missing}, first)


def _separated(text: str, separator: Separator) -> tuple[Separator, list[Record]]:
    """Return the separator, and the records it makes."""
    if separator != "auto":
        return separator, _rows(text, separator)
    possible = tables(text, 2 * MOST_POINTS)
    order: tuple[Separator, ...] = ("tab", "semicolon", "pipe", "comma")
    first = text.strip().split("\n", 1)[0]
    single = _is_one_column(text)
    name: Separator = next((each for each in order if each in possible), "none")
    if name == "comma" and single:
        raise DataSeparatorUnclear(["comma", "none"], first)
    if name == "none" and not single:  # the error names the line that does not fit
        name = next((each for each in order if SIGNS[each] in first), "none")
    return name, _rows(text, name)


def _rows(text: str, separator: Separator) -> list[Record]:
    """The records; where there are several columns a blank line is none, in a single one it is a missing value."""
    try:
        rows = records(text, separator, 2 * MOST_POINTS)
    except DataTooMany:
        raise SeriesTooLong(text.count("\n"), MOST_POINTS) from None
    if not rows:
        raise EmptyText
    width = len(rows[0].cells)
    if width > 1:
        rows = [record for record in rows if record.width]
    wide = next((record for record in rows if record.width > width), None)
    if wide is not None:
        raise DataRagged(wide.line, wide.width, width)
    return rows


def _is_one_column(text: str) -> bool:
    """Whether every line, but for a header, can be one number by itself."""
    try:
        rows = [record.cell(1) for record in records(text, "none", 2 * MOST_POINTS)]
    except InputError:  # too many lines, or too long ones: whoever reads them says so
        return False
    return all(is_missing(cell) or any(read_number(cell, sign) for sign in DECIMALS) for cell in rows[1:] or rows)


def _number_column(rows: list[Record]) -> int:
    """Return the only column of which at least half are numbers, the first line left out."""
    body = rows[1:] or rows
    columns = used_columns(rows)
    numeric = [place for place in columns if 2 * _count_numbers(body, place) >= len(body)]
    if len(numeric) > 1:
        raise DataColumnsUnclear(column_names(rows, numeric), ["value_column"])
    numeric = numeric or [place for place in columns if _count_numbers(body, place)]
    if len(numeric) != 1:
        raise SeriesNotNumber(body[0].line, body[0].cell(columns[-1] if columns else 1))
    return numeric[0]


def _count_numbers(rows: list[Record], place: int) -> int:
    return sum(any(read_number(record.cell(place), sign) for sign in DECIMALS) for record in rows)


def _header(rows: list[Record], place: int) -> Header:
    """Whether the first line is a header: a number is none, a name without digits or with a letter in front is one."""
    first = rows[0].cell(place)
    if len(rows) == 1 or _looks_like_number(first):
        return "no"
    is_name = first[:1].isalpha() or not any(character.isdigit() for character in first)
    if is_missing(first) or not is_name:
        raise DataHeaderUnclear(" | ".join(rows[0].cells))
    return "yes"


def _looks_like_number(cell: str) -> bool:
    """Whether a cell is a number, be it none that can be used."""
    try:
        float(cell)
    except ValueError:
        return any(read_number(cell, sign) for sign in DECIMALS)
    return not is_missing(cell)


def _decimal(rows: list[Record], place: int, separator: str) -> Decimal:
    """Return the decimal sign by which all numbers can be read; who separates by commas writes points."""
    cells = [(record.line, record.cell(place)) for record in rows if not is_missing(record.cell(place))]
    if separator == "comma" and not any("," in cell for _, cell in cells):
        return "point"
    read = {sign: [read_number(cell, sign) for _, cell in cells] for sign in DECIMALS}
    possible = [sign for sign in DECIMALS if None not in read[sign]]
    if len(possible) == 1:
        return possible[0]
    if not possible:  # the line that cannot be read is named; by the sign that reads the most of them
        return max(DECIMALS, key=lambda sign: sum(each is not None for each in read[sign]))
    for (line, cell), point, comma in zip(cells, read["point"], read["comma"], strict=True):
        if point is not None and comma is not None and point.value != comma.value:
            raise DataDecimalUnclear(line, cell, point.value, comma.value)
    return "point"


def _number(record: Record, place: int, decimal: Decimal) -> Number | None:
    cell = record.cell(place)
    if is_missing(cell):
        return None
    number = read_number(cell, decimal)
    if number is None:
        raise SeriesNotNumber(record.line, cell)
    return number


def _unit(numbers: Sequence[Number | None], rows: list[Record], place: int) -> str:
    """Return the sign beside all numbers."""
    known = [(each, record) for each, record in zip(numbers, rows, strict=True) if each is not None]
    for number, record in known:
        if number.unit != known[0][0].unit:
            raise SeriesUnits(record.line, record.cell(place), known[0][1].cell(place))
    return known[0][0].unit if known else ""


def _complete(values: Sequence[float | None], missing: str | int) -> tuple[float, ...]:
    """Return the values, with what is to become of those that are missing."""
    known = [(index, value) for index, value in enumerate(values) if value is not None]
    if missing != "interpolate" or not known:
        return tuple(value for _, value in known)
    places, given = zip(*known, strict=True)
    return tuple(np.interp(range(len(values)), places, given).tolist())
