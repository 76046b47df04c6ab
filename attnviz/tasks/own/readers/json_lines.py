"""JSON lines: an object a line, read as the records of a table whose first record names the columns."""

from __future__ import annotations

import json
import re
from typing import Any

from attnviz.bounded import parse_json, reason
from attnviz.errors import DataJsonLine, DataTooManyColumns
from attnviz.errors.base import Why

__all__ = ["TURN", "Nested", "Several", "is_json", "is_json_list", "json_cell", "json_rows"]

TURN = "|"
"""Separator of the turns of a dialogue."""


class Several(str):
    """A list of values as turns: a text of its own where turns are read, and no label."""


class Nested(Several):
    """An object, or a list with lists or objects in it, as JSON: no text to learn."""


def is_json(text: str) -> bool:
    """Whether the first line that is not blank is a JSON object.

    Example:
        >>> is_json('{"source": "a", "target": "b"}'), is_json("{a},b")
        (True, False)
    """
    first = text.strip().split("\n", 1)[0]
    try:
        return first.startswith("{") and isinstance(parse_json(first), dict)
    except ValueError:
        return False


def is_json_list(text: str) -> bool:
    """Whether a text is one JSON list of objects, and not an object a line.

    Example:
        >>> is_json_list('[\\n {"text": "a"}]'), is_json_list("[a],b")
        (True, False)
    """
    return re.match(r"\s*\[\s*\{", text) is not None


def json_rows(text: str, most_columns: int) -> list[tuple[int, list[str]]]:
    """Return the names of the columns, then the cells of each line, [] for a blank one; with the lines' numbers.

    Raises:
        DataJsonLine: a line is not an object.
        DataTooManyColumns: the objects have more names than that.

    Example:
        >>> json_rows('{"a": 1.0, "b": ["hi", "yes"]}\\n\\n{"b": "no"}', 10)
        [(1, ['a', 'b']), (1, ['1', 'hi | yes']), (2, []), (3, ['', 'no'])]
    """
    lines = [(number, _object(line, number)) for number, line in enumerate(text.split("\n"), 1)]
    names: dict[str, None] = {}
    for number, values in lines:
        names |= dict.fromkeys(values)
        if len(names) > most_columns:
            raise DataTooManyColumns(number, len(names), most_columns)
    first = next((number for number, values in lines if values), 1)
    rows = [(n, [json_cell(values.get(name)) for name in names] if values else []) for n, values in lines]
    return [(first, [*names]), *rows]


def json_cell(value: Any) -> str:
    """Return a value as text: whole numbers without a decimal point, a list as turns (`Several`), others as `Nested`.

    Example:
        >>> [json_cell(value) for value in (5.0, True, None, ["a", "b"], {"a": [1]})]
        ['5', 'true', '', 'a | b', '{"a": [1]}']
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dict) or (isinstance(value, list) and any(isinstance(each, dict | list) for each in value)):
        return Nested(json.dumps(value, ensure_ascii=False))
    if isinstance(value, list):
        return Several(f" {TURN} ".join(map(json_cell, value)))
    return "" if value is None else str(value)


def _object(line: str, number: int) -> dict[str, Any]:
    if not line.strip():
        return {}
    try:
        values = parse_json(line)
    except ValueError as error:
        raise DataJsonLine(number, reason(error)) from error
    if not isinstance(values, dict):
        raise DataJsonLine(number, Why("no-object"))
    return values
