"""Tables while they are being edited: cells as people typed them, and the sizes that make them fit.

A table that grows gets zeros; one that is new begins as the identity, so that it changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from attnviz.calculator.parse import SIDE, Cells, written
from attnviz.calculator.problem import Matrix

__all__ = ["Sizes", "cells_of", "fitted", "sizes_of"]


@dataclass(frozen=True)
class Sizes:
    """Sizes that the tables share; see the legend of `attnviz.calculator.problem`.

    Attributes:
        queries: T, or Tq.
        keys: Tk; the same as the queries where X is given.
        d_model: width of X.
        heads: H.
        d_k: width of one head's queries and keys.
        d_v: width of one head's values.
        d_att: width inside the additive scoring function.
        d_out: width after W_O.
    """

    queries: int
    keys: int
    d_model: int
    heads: int
    d_k: int
    d_v: int
    d_att: int
    d_out: int

    def shapes(self) -> dict[str, tuple[int, int]]:
        """Return the rows and columns of every table."""
        asked, read = self.heads * self.d_k, self.heads * self.d_v
        return {
            "x": (self.queries, self.d_model),
            "w_q": (self.d_model, asked),
            "w_k": (self.d_model, asked),
            "w_v": (self.d_model, read),
            "q": (self.queries, asked),
            "k": (self.keys, asked),
            "v": (self.keys, read),
            "p": (self.queries, self.d_model),
            "a_q": (self.d_att, self.d_k),
            "a_k": (self.d_att, self.d_k),
            "a_v": (1, self.d_att),
            "w_o": (read, self.d_out),
        }

    def within(self) -> Sizes:
        """Return the same, cut so that no table is larger than the limit."""
        heads = min(self.heads, SIDE)
        most = SIDE // heads
        sizes = {
            name: max(1, min(getattr(self, name), SIDE)) for name in ("queries", "keys", "d_model", "d_att", "d_out")
        }
        return replace(self, heads=heads, d_k=max(1, min(self.d_k, most)), d_v=max(1, min(self.d_v, most)), **sizes)


def cells_of(matrix: Matrix) -> Cells:
    """Return the numbers as they are typed."""
    return tuple(tuple(map(written, row)) for row in matrix)


def sizes_of(tables: Mapping[str, Cells], given: str, heads: int, first: str = "") -> Sizes:
    """Return the sizes that tables have; where they differ, those of the table `first` count.

    Args:
        given: "x" or "qkv".
        heads: H; 1 where the table `first` has columns that cannot be shared among so many.
        first: name of a table.
    """
    if first in ("w_q", "w_k", "w_v", "q", "k", "v") and _columns(tables, first, 1) % heads:
        heads = 1
    if first == "w_o" and _rows(tables, first, 1) % heads:
        heads = 1
    of_x = given == "x"
    query, value = ("w_q", "w_v") if of_x else ("q", "v")
    queries = _rows(tables, "x" if of_x else "q", 3)
    d_model = _columns(tables, "x", 3)
    d_v = max(1, _columns(tables, value, d_model) // heads)
    sizes = Sizes(
        queries=queries,
        keys=queries if of_x else _rows(tables, "k", queries),
        d_model=d_model,
        heads=heads,
        d_k=max(1, _columns(tables, query, d_model) // heads),
        d_v=d_v,
        d_att=_rows(tables, "a_q", _columns(tables, query, d_model) // heads),
        d_out=_columns(tables, "w_o", d_model if of_x else heads * d_v),
    )
    if first in tables:
        sizes = _as(sizes, first, _rows(tables, first, 1), _columns(tables, first, 1))
    return sizes.within()


def _as(sizes: Sizes, name: str, rows: int, columns: int) -> Sizes:
    """Return the sizes of one table put in place of what they were."""
    own: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
        "x": (("queries", "keys"), ("d_model",)),
        "p": (("queries", "keys"), ("d_model",)),
        "w_q": (("d_model",), ("d_k",)),
        "w_k": (("d_model",), ("d_k",)),
        "w_v": (("d_model",), ("d_v",)),
        "q": (("queries",), ("d_k",)),
        "k": (("keys",), ("d_k",)),
        "v": (("keys",), ("d_v",)),
        "a_q": (("d_att",), ("d_k",)),
        "a_k": (("d_att",), ("d_k",)),
        "a_v": ((), ("d_att",)),
        "w_o": (("d_v",), ("d_out",)),
    }
    by_rows, by_columns = own[name]
    if name in ("w_q", "w_k", "w_v", "q", "k", "v"):
        columns = max(1, columns // sizes.heads)
    if name == "w_o":
        rows = max(1, rows // sizes.heads)
    return replace(sizes, **dict.fromkeys(by_rows, rows), **dict.fromkeys(by_columns, columns))


def fitted(tables: Mapping[str, Cells], sizes: Sizes, used: Iterable[str]) -> dict[str, Cells]:
    """Return all tables, those that are used cut or filled up to their shapes.

    Example:
        >>> sizes = Sizes(queries=2, keys=2, d_model=2, heads=1, d_k=2, d_v=2, d_att=2, d_out=2)
        >>> fitted({"x": (("5",),)}, sizes, ["x", "w_q"])
        {'x': (('5', '0'), ('0', '0')), 'w_q': (('1', '0'), ('0', '1'))}
    """
    shapes = sizes.shapes()
    return {**tables, **{name: _fit(name, tables.get(name), *shapes[name]) for name in used}}


def _fit(name: str, cells: Cells | None, rows: int, columns: int) -> Cells:
    def cell(i: int, j: int) -> str:
        if cells is not None:
            return cells[i][j] if i < len(cells) and j < len(cells[i]) else "0"
        if name == "p":
            return "0"
        return "1" if name == "a_v" or i == j else "0"

    return tuple(tuple(cell(i, j) for j in range(columns)) for i in range(rows))


def _rows(tables: Mapping[str, Cells], name: str, otherwise: int) -> int:
    return len(tables[name]) if tables.get(name) else otherwise


def _columns(tables: Mapping[str, Cells], name: str, otherwise: int) -> int:
    return len(tables[name][0]) if tables.get(name) else otherwise
