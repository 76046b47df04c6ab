"""Errors of numbers that attention cannot be computed from."""

from __future__ import annotations

from attnviz.errors.base import AttnvizError

__all__ = [
    "CalculatorError", "CellNotNumber", "CellOutside", "FileEncoding", "FileNotProblem", "OddWidth", "ShapesDoNotFit",
    "TableEmpty", "TableRagged", "TableTooLarge", "TableUnreadable", "ValueOutside",
]  # fmt: skip


class CalculatorError(AttnvizError, ValueError):
    """Numbers that attention cannot be computed from; rows and columns are counted from 1."""


class TableUnreadable(CalculatorError):
    table: str
    given: str


class TableEmpty(CalculatorError):
    table: str


class TableTooLarge(CalculatorError):
    table: str
    rows: int
    columns: int
    limit: int


class TableRagged(CalculatorError):
    table: str
    row: int
    cells: int
    expected: int


class CellNotNumber(CalculatorError):
    table: str
    row: int
    column: int
    cell: str


class CellOutside(CalculatorError):
    """A number is not finite, or so large that what is computed from it would not be."""

    table: str
    row: int
    column: int
    cell: str
    limit: int


class ShapesDoNotFit(CalculatorError):
    first: str
    first_shape: str
    second: str
    second_shape: str
    rule: str


class ValueOutside(CalculatorError):
    name: str
    value: str
    expected: str


class OddWidth(CalculatorError):
    """Sines and cosines come in pairs, so they need an even width."""

    positions: str
    width: str
    value: int


class FileEncoding(CalculatorError):
    name: str


class FileNotProblem(CalculatorError):
    name: str
    reason: str
