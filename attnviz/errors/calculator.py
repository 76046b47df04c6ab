"""Errors of numbers that attention cannot be computed from."""

from __future__ import annotations

from attnviz.errors.base import AttnvizError

__all__ = [
    "CalculatorError",
    "CellNotNumber",
    "CellOutside",
    "FileEncoding",
    "FileNotProblem",
    "OddWidth",
    "ShapesDoNotFit",
    "TableEmpty",
    "TableRagged",
    "TableTooLarge",
    "TableUnreadable",
    "ValueOutside",
]


class CalculatorError(AttnvizError, ValueError):
    """Numbers that attention cannot be computed from; rows and columns are counted from 1."""

    code = "calculator"


class TableUnreadable(CalculatorError):
    """What was typed or pasted is neither a NumPy array, nor nested lists, nor rows of cells."""

    code = "table_unreadable"

    def __init__(self, table: str, given: str) -> None:
        super().__init__(
            f"{table}: {given!r} is no table. Paste np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]], CSV, "
            "or cells of a spreadsheet.",
            table=table,
            given=given,
        )


class TableEmpty(CalculatorError):
    """There is no number in a table."""

    code = "table_empty"

    def __init__(self, table: str) -> None:
        super().__init__(f"{table} is empty: it needs at least one row with one number.", table=table)


class TableTooLarge(CalculatorError):
    """More rows or columns than the calculator takes."""

    code = "table_too_large"

    def __init__(self, table: str, rows: int, columns: int, limit: int) -> None:
        super().__init__(
            f"{table} is {rows:,} × {columns:,}: at most {limit} × {limit} numbers are taken here. "
            "Longer sequences belong in the Explorer.",
            table=table,
            rows=rows,
            columns=columns,
            limit=limit,
        )


class TableRagged(CalculatorError):
    """The rows of a table are of different lengths."""

    code = "table_ragged"

    def __init__(self, table: str, row: int, cells: int, expected: int) -> None:
        super().__init__(
            f"{table}, row {row}: {cells} cells, and {expected} in the first row. All rows must be equally long.",
            table=table,
            row=row,
            cells=cells,
            expected=expected,
        )


class CellNotNumber(CalculatorError):
    """A cell that is no number."""

    code = "cell_not_number"

    def __init__(self, table: str, row: int, column: int, cell: str) -> None:
        super().__init__(
            f"{table}, row {row}, column {column}: {cell!r} is no number. Type one such as 0.5 or -2e-3.",
            table=table,
            row=row,
            column=column,
            cell=cell,
        )


class CellOutside(CalculatorError):
    """A number that is not finite, or so large that what is computed from it would not be."""

    code = "cell_outside"

    def __init__(self, table: str, row: int, column: int, cell: str, limit: int) -> None:
        super().__init__(
            f"{table}, row {row}, column {column}: {cell} is not a finite number between -{limit:,} and {limit:,}.",
            table=table,
            row=row,
            column=column,
            cell=cell,
            limit=limit,
        )


class ShapesDoNotFit(CalculatorError):
    """Two tables that do not go together; the rule names the sizes that must be the same."""

    code = "shapes_do_not_fit"

    def __init__(self, first: str, first_shape: str, second: str, second_shape: str, rule: str) -> None:
        super().__init__(
            f"{first} is {first_shape} and {second} is {second_shape}, which does not fit: {rule}.",
            first=first,
            first_shape=first_shape,
            second=second,
            second_shape=second_shape,
            rule=rule,
        )


class ValueOutside(CalculatorError):
    """A setting that cannot be that."""

    code = "value_outside"

    def __init__(self, name: str, value: str, expected: str) -> None:
        super().__init__(f"{name} cannot be {value}: {expected}.", name=name, value=value, expected=expected)


class OddWidth(CalculatorError):
    """Sines and cosines come in pairs, so what they are added to, or what they turn, has an even width."""

    code = "odd_width"

    def __init__(self, positions: str, width: str, value: int) -> None:
        super().__init__(
            f"{positions} positions work on pairs of dimensions: {width} = {value} must be even.",
            positions=positions,
            width=width,
            value=value,
        )


class FileEncoding(CalculatorError):
    """A file that is not text in UTF-8."""

    code = "file_encoding"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not UTF-8 text: save it as CSV (UTF-8) and hand it in again.", name=name)


class FileNotProblem(CalculatorError):
    """A file that was not saved by the calculator, or was changed since."""

    code = "file_not_problem"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} cannot be opened as a calculation: {reason}.", name=name, reason=reason)
