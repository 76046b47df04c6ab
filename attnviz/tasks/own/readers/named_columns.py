"""The columns of a table by the names that its header gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attnviz.errors import DataColumnsUnclear, DataNoColumnNamed
from attnviz.tasks.own.readers.delimited import Record, column_names, tables

__all__ = ["named_columns"]


def named_columns(
    content: str, said: Mapping[str, str], usual: Mapping[str, Sequence[str]], most: int
) -> dict[str, str | int]:
    """Return how to read a table whose columns are named: its separator, that it has a header, and the columns.

    Args:
        content: the table.
        said: the name or the number of each column, by the choice that takes its number; "": told by the header.
        usual: what a header calls each column, in small letters, by the same choice.
        most: records at most.

    Returns:
        Choices of a reader; of a table whose header does not tell all columns, the numbers alone.

    Raises:
        DataNoColumnNamed: a name that was said is no column.
        DataColumnsUnclear: several columns have a name.

    Example:
        >>> named_columns("id;review;class\\n1;good;5", {"a": "Review", "b": ""}, {"a": (), "b": ("class",)}, 9)
        {'separator': 'semicolon', 'header': 'yes', 'a': 2, 'b': 3}
    """
    numbers = {choice: int(name) for choice, name in said.items() if name.isdecimal()}
    if len(numbers) == len(said):
        return {**numbers}
    possible = tables(content, most + 1)
    for separator, rows in possible.items():
        places = {choice: _place(rows, choice, name, usual[choice]) for choice, name in said.items()}
        if all(places.values()):
            return {"separator": separator, "header": "yes", **{choice: place or 0 for choice, place in places.items()}}
    for choice, name in said.items():
        there = any(_place(rows, choice, name, ()) for rows in possible.values())
        if name and possible and not there:
            rows = next(iter(possible.values()))
            raise DataNoColumnNamed(name, column_names(rows, list(range(1, len(rows[0].cells) + 1))))
    return {**numbers}


def _place(rows: list[Record], choice: str, name: str, usual: Sequence[str]) -> int | None:
    """Return the column of a name, or its number; of the first usual name where none is said.

    Raises:
        DataColumnsUnclear: several columns have the name.
    """
    if name.isdecimal():
        return int(name)
    cells = [cell.strip().lower() for cell in rows[0].cells]
    wanted = next((each.lower() for each in ([name] if name else usual) if each.lower() in cells), None)
    places = [place for place, cell in enumerate(cells, 1) if cell == wanted]
    if len(places) > 1:
        raise DataColumnsUnclear(column_names(rows, places), [choice])
    return places[0] if places else None
