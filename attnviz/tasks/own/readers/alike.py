"""Files for validation and test that are read like the one to train on, though laid out in another way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attnviz.errors import InputError
from attnviz.tasks.own.readers.decoding import unified
from attnviz.tasks.own.readers.delimited import Layout, Separator, tables
from attnviz.tasks.own.readers.json_lines import is_json
from attnviz.tasks.own.readers.named_columns import named_columns

__all__ = ["read_alike"]


def read_alike(text: str, first: Layout, said: Mapping[str, Any], most: int) -> dict[str, Any]:
    """Return how to read a table with the columns of another one: by their names where both have them, else as said.

    The separator is the table's own: one may be a workbook, the other TSV or JSON lines.

    Args:
        text: the table.
        first: layout of the other one, settled.
        said: how that one is read.
        most: records at most.

    Raises:
        DataNoColumnNamed: JSON lines without the names of the other table's columns.
        DataTooManyColumns, DataJsonLine: JSON lines that cannot be read.

    Example:
        >>> from attnviz.tasks.own.readers.labelled_rows import labelled_layout
        >>> read_alike("label\\ttext\\n1\\tgood", labelled_layout("text,label\\ngood,1"), {"header": "auto"}, 9)
        {'separator': 'tab', 'header': 'yes', 'text_column': 2, 'label_column': 1}
    """
    text = unified(text)
    columns = {name: int(place) for name, place in first.taken.items() if name.endswith("_column")}
    if first.header is not None:
        names = {name: first.header.cell(place) for name, place in columns.items()}
        if all(name and not name.isdecimal() for name in names.values()):
            try:
                found = named_columns(text, names, dict.fromkeys(columns, ()), most)
            except InputError:  # no such columns, or several of that name
                if is_json(text):  # which has them in no order
                    raise
                found = {}
            if found:
                return found
    possible = tables(text, most + 1)
    separator: Separator = said["separator"] if said.get("separator") in possible else "auto"
    if first.header is not None and possible:
        label = [*columns.values()][-1]
        rows = possible.get(separator) or next(iter(possible.values()))
        if rows[0].cell(label) in {record.cell(label) for record in first.records}:
            return {**said, "separator": separator, "header": "no"}  # the first line is data
    return {**said, "separator": separator}
