"""A problem as the parameters of an address, and as a file.

An address names a preset and what differs from it: preset=one-hot&scoring=scaled_dot&X=1_0*0_1. Rows of a table stand
between "*", cells between "_": neither is escaped in an address.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from typing import Any, NamedTuple

from attnviz.bounded import parse_json
from attnviz.calculator.parse import to_numbers, written
from attnviz.calculator.presets import FIRST, PRESETS
from attnviz.calculator.problem import TITLES, VARIABLES, Matrix, Problem
from attnviz.errors import CalculatorError, FileNotProblem

__all__ = ["NAMES", "Linked", "from_json", "from_link", "to_json", "to_link"]

NONE = "none"
VERSION = 1


class _Option(NamedTuple):
    """One field of a problem, and how an address writes and reads it."""

    name: str
    write: Callable[[Any], str]
    read: Callable[[str], Any]


def _flag(text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError(text)
    return text == "1"


_ON = lambda value: "1" if value else "0"  # noqa: E731

OPTIONS: Mapping[str, _Option] = {
    "given": _Option("given", str, str),
    "scoring": _Option("scoring", str, str),
    "causal": _Option("causal", _ON, _flag),
    "window": _Option(
        "window", lambda n: NONE if n is None else str(n), lambda text: None if text == NONE else int(text)
    ),
    "padding": _Option(
        "padding",
        lambda keys: ".".join(str(key + 1) for key in keys) or NONE,
        lambda text: () if text == NONE else tuple(int(key) - 1 for key in text.split(".")),
    ),
    "scale": _Option(
        "times", lambda value: NONE if value is None else written(value), lambda t: None if t == NONE else float(t)
    ),
    "temperature": _Option("temperature", written, float),
    "heads": _Option("H", str, int),
    "positions": _Option("positions", str, str),
    "pooling": _Option("pooling", str, str),
    "project": _Option("project", _ON, _flag),
    "residual": _Option("residual", _ON, _flag),
}

NAMES = frozenset({"preset", *VARIABLES.values(), *(option.name for option in OPTIONS.values())})
"""All parameters."""


class Linked(NamedTuple):
    """Content of an address.

    Attributes:
        preset: preset that it begins with.
        problem: problem that it stands for; the preset where it cannot be read.
        wrong: parameters that cannot be read.
        error: why what it says cannot be computed; None where it can.
    """

    preset: str
    problem: Problem
    wrong: tuple[str, ...] = ()
    error: CalculatorError | None = None


def to_link(problem: Problem, preset: str = FIRST) -> dict[str, str]:
    """Return the parameters of a problem: the preset's name and what differs from it.

    Example:
        >>> to_link(PRESETS["one-hot-scaled"], "one-hot")
        {'preset': 'one-hot', 'scoring': 'scaled_dot'}
    """
    before = PRESETS[preset]
    link = {"preset": preset}
    for field, option in OPTIONS.items():
        value = getattr(problem, field)
        if value != getattr(before, field):
            link[option.name] = option.write(value)
    for name, matrix in problem.tables.items():
        if matrix != before.tables.get(name):
            link[VARIABLES[name]] = "*".join("_".join(map(written, row)) for row in matrix)
    return link


def from_link(link: Mapping[str, str]) -> Linked:
    """The problem that an address stands for, the inverse of `to_link`; parameters of other names are left alone."""
    preset = link.get("preset", FIRST)
    wrong = [] if preset in PRESETS else ["preset"]
    preset = preset if preset in PRESETS else FIRST
    values = _values(PRESETS[preset])
    tables: dict[str, Matrix] = dict(PRESETS[preset].tables)
    try:
        for field, option in OPTIONS.items():
            if option.name in link:
                try:
                    values[field] = option.read(link[option.name])
                except ValueError:
                    wrong.append(option.name)
        for name, variable in VARIABLES.items():
            if variable in link:
                cells = [row.split("_") for row in link[variable].split("*")]
                tables[name] = to_numbers(TITLES[name], cells)
        return Linked(preset, Problem(tables, **values), tuple(wrong))
    except CalculatorError as error:
        return Linked(preset, PRESETS[preset], tuple(wrong), error)


def _values(problem: Problem) -> dict[str, Any]:
    return {field.name: getattr(problem, field.name) for field in fields(problem) if field.name != "tables"}


def to_json(problem: Problem) -> str:
    """Return a problem as a file."""
    tables = {VARIABLES[name]: matrix for name, matrix in problem.tables.items()}
    content = {"attnviz": "calculator", "version": VERSION, "tables": tables}
    content |= {name: value for name, value in asdict(problem).items() if name != "tables"}
    return json.dumps(content, indent=1)


def from_json(text: str, filename: str) -> Problem:
    """Return the problem in a file, the inverse of `to_json`.

    Raises:
        CalculatorError: the file is another one, or its tables cannot be computed with.
    """
    try:
        content = parse_json(text, strict=True)
    except ValueError as error:
        raise FileNotProblem(filename, f"JSON: {error}") from error
    if not isinstance(content, dict) or content.get("attnviz") != "calculator" or content.get("version") != VERSION:
        raise FileNotProblem(filename, '"attnviz": "calculator"')
    given = content.get("tables")
    if not isinstance(given, dict):
        raise FileNotProblem(filename, '"tables"')
    tables = {name: _table(given[v], name, filename) for name, v in VARIABLES.items() if v in given}
    return Problem(tables, **{name: _checked(name, content[name], filename) for name in OPTIONS if name in content})


def _table(rows: Any, name: str, filename: str) -> Matrix:
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise FileNotProblem(filename, VARIABLES[name])
    return to_numbers(TITLES[name], [[str(cell) for cell in row] for row in rows])


def _checked(name: str, value: Any, filename: str) -> Any:
    """Return a setting of the kind that the problem has there: written and read as in an address."""
    option = OPTIONS[name]
    try:
        value = tuple(value) if name == "padding" else value
        if name in ("scale", "temperature") and value is not None:
            value = float(value)
        read = option.read(option.write(value))
    except (TypeError, ValueError, ArithmeticError) as error:
        raise FileNotProblem(filename, name) from error
    if read != value or (isinstance(value, bool) != isinstance(read, bool)):
        raise FileNotProblem(filename, name)
    return read
