"""Linear functionals of a step, pulled back through a forward pass to what the steps before it made.

How much each writing gives to a number is the functional that the number is of it. A key's row mean reads all rows of a
stream, but through the few dimensions of one head: so a functional is kept as a product of two small matrices where it
can be, and as the few rows that it reads at all. Nothing is run forward for it, and nothing is kept for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

import torch
from torch import Tensor

__all__ = ["Columns", "Pulled"]


class Columns:
    """A matrix (r, m), computed when somebody first looks."""

    def __init__(self, make: Callable[[], Tensor]) -> None:
        self._make = make

    @cached_property
    def value(self) -> Tensor:
        """The matrix."""
        return self._make()

    def then(self, change: Callable[[Tensor], Tensor]) -> Columns:
        """Return another one that is made of it."""
        return Columns(lambda: change(self.value))


@dataclass(frozen=True, eq=False)
class Pulled:
    """E functionals of a tensor, which is N rows of m numbers: functional e of x is the sum of G_e * x, G_e (N, m).

    Attributes:
        shape: of the tensor; N is the product of all axes but the last.
        rows: (E, n, m): G of the rows that are read; with columns (E, n, r), and G = rows @ columns.
        at: numbers (n,) of the rows that are read; None: all N.
        columns: (r, m), or None.
    """

    shape: torch.Size
    rows: Tensor
    at: Tensor | None = None
    columns: Columns | None = None

    @classmethod
    def of(cls, dense: Tensor) -> Pulled:
        """Return functionals that are given whole: (E, *shape)."""
        shape = dense.shape[1:]
        whole = dense.reshape(len(dense), *_matrix(shape))
        used = (whole != 0).any(0)
        at, columns = used.any(1).nonzero().flatten(), used.any(0).nonzero().flatten()
        return cls(shape, whole[:, at][:, :, columns], at).spread(columns, whole.shape[-1])

    @classmethod
    def at_rows(
        cls,
        shape: torch.Size,
        place: tuple[int, int],
        rows: Tensor | list[int],
        given: Tensor,
        columns: Columns | None = None,
    ) -> Pulled:
        """Return functionals of some rows (B, H, T, m) of one place in the batch and one head: given (E, n, m).

        Args:
            columns: (r, m); given is (E, n, r) then.
        """
        first = (place[0] * shape[1] + place[1]) * shape[2]
        return cls(shape, given, first + torch.as_tensor(rows), columns)

    @property
    def grid(self) -> Tensor:
        """G of the rows that are read (E, n, m)."""
        return self.rows if self.columns is None else self.rows @ self.columns.value.to(self.rows.dtype)

    @property
    def dense(self) -> Tensor:
        """G of all rows, in the shape of the tensor: (E, *shape)."""
        n_rows, width = _matrix(self.shape)
        whole = self.grid
        if self.at is not None:
            whole = whole.new_zeros(len(whole), n_rows, width).index_add_(1, self.at, whole)
        return whole.reshape(len(whole), *self.shape)

    def read(self, value: Tensor) -> Tensor:
        """Return what is read of something that has the N rows (N, ...)."""
        if self.at is None:
            return value
        begin = int(self.at[0]) if len(self.at) else 0
        end = begin + len(self.at)
        return value[begin:end] if torch.equal(self.at, torch.arange(begin, end)) else value.index_select(0, self.at)

    def matrix(self, weight: Tensor) -> Pulled:
        """Return the functionals of x that these are of x @ weight.T."""
        shape, weight = torch.Size((*self.shape[:-1], weight.shape[1])), weight.to(self.rows.dtype)
        n_given, inner = self.rows.shape[0] * self.rows.shape[1], self.rows.shape[-1]
        if n_given <= inner:  # fewer than the columns
            return replace(self, shape=shape, rows=self.grid @ weight, columns=None)
        columns = (
            Columns(lambda: weight)
            if self.columns is None
            else self.columns.then(lambda made: made.to(weight.dtype) @ weight)
        )
        return replace(self, shape=shape, columns=columns)

    def columnwise(self, change: Callable[[Tensor], Tensor]) -> Pulled:
        """Return the functionals after a linear change of all rows of G alike."""
        if self.columns is None:
            return replace(self, rows=change(self.rows))
        return replace(self, columns=self.columns.then(change))

    def times(self, factor: Tensor) -> Pulled:
        """Return the functionals of x that these are of x * factor, where x has their shape."""
        if factor.ndim == 0 or factor.shape[-1] == 1:
            by_row = factor.expand(*self.shape[:-1], 1).reshape(-1, 1) if factor.numel() > 1 else factor.reshape(1, 1)
            return replace(self, rows=self.rows * (self.read(by_row) if factor.numel() > 1 else by_row))
        if factor.numel() == factor.shape[-1]:
            return self.columnwise(lambda made: made * factor.flatten())
        whole = self.read(factor.expand(self.shape).reshape(_matrix(self.shape)))
        return replace(self, rows=self.grid * whole, columns=None)

    def to(self, shape: torch.Size) -> Pulled:
        """Return the functionals of x that these are of x expanded to their shape."""
        if shape == self.shape:
            return self
        if prod(shape) == prod(self.shape) and shape and shape[-1] == self.shape[-1]:
            return replace(self, shape=shape)
        if shape and prod(shape) == shape[-1] == self.shape[-1]:
            return replace(self, shape=shape, rows=self.rows.sum(1, keepdim=True), at=None)
        dense = self.dense
        spread = (len(dense), *(1,) * (len(self.shape) - len(shape)), *shape)
        return Pulled.of(dense.sum_to_size(spread).reshape(len(dense), *shape))

    def arranged(self, places: Tensor, begin: int, shape: torch.Size) -> Pulled | None:
        """Return the functionals of x that these are of its numbers in another order.

        Args:
            places: (N, m): which number of all that are given comes to each place.
            begin: number of the first of x.
            shape: of x.

        Returns:
            Functionals of x; None: they read nothing of it.
        """
        n_rows, width = _matrix(shape)
        places = self.read(places) - begin
        if not places.numel():  # they are zero
            return None
        row_of, column_of = places // width if width else places, places % width if width else places
        at, columns = row_of[:, 0], column_of[0]
        whole = bool(((places >= 0) & (places < n_rows * width)).all())
        if (
            whole
            and bool((row_of == at[:, None]).all() & (column_of == columns).all())
            and len(torch.unique(at)) == len(at)
        ):
            return replace(self, shape=shape, at=at).spread(columns, width)
        inside = (places >= 0) & (places < n_rows * width)
        if not bool(inside.any()):
            return None
        rows, row_at = _distinct(row_of[inside], n_rows)
        columns, column_at = _distinct(column_of[inside], width)
        grid = self.grid
        found = grid.new_zeros(len(grid), len(rows) * len(columns))
        found.index_add_(1, row_at * len(columns) + column_at, grid[:, inside])
        made = Pulled(shape, found.view(len(found), len(rows), len(columns)), rows)
        return made.spread(columns, width)

    def spread(self, columns: Tensor, width: int) -> Pulled:
        """Return functionals whose columns lie at these places (m,) of a wider tensor."""
        if len(columns) == width and bool((columns == torch.arange(width)).all()):
            return self
        here = self.columns or Columns(lambda: torch.eye(len(columns)))
        wider = here.then(lambda made: made.new_zeros(len(made), width).index_add_(1, columns, made))
        return replace(self, columns=wider)

    def plus(self, other: Pulled) -> Pulled:
        """Return the sums of these and others of the same tensor."""
        same = self.at is other.at or (self.at is not None and other.at is not None and torch.equal(self.at, other.at))
        if same:
            return replace(self, rows=self.grid + other.grid, columns=None)
        return Pulled.of(self.dense + other.dense)

    def met(self, value: Tensor, owner: Tensor | None = None, n: int = 1) -> Tensor:
        """Return what the functionals are of a tensor: (E, n), for each owner of its columns alone.

        Args:
            value: has the shape.
            owner: (m,) number of the owner of each column; None: all are of one.
            n: how many owners there are.
        """
        matrix = self.read(value.reshape(_matrix(self.shape))).to(self.rows.dtype)  # (n, m)
        owner = torch.zeros(matrix.shape[1], dtype=torch.long) if owner is None else owner
        if self.columns is None or len(self.rows) == 1:
            if self.columns is None:
                by_column = (self.rows * matrix).sum(1, dtype=torch.double)  # (E, m)
            else:
                by_column = ((self.rows.mT @ matrix) * self.columns.value).sum(1, dtype=torch.double)
            return by_column.new_zeros(len(by_column), n).index_add_(1, owner, by_column)
        reads, order = self.columns.value, owner.argsort(stable=True)
        matrix, reads = (matrix, reads) if n == 1 else (matrix[:, order], reads[:, order])
        sizes = owner.bincount(minlength=n).tolist()
        parts = zip(torch.split(matrix, sizes, 1), torch.split(reads, sizes, 1), strict=True)
        given = torch.stack([(one @ other.T).flatten() for one, other in parts], 1)  # (n * r, owners)
        return (self.rows.flatten(1) @ given).double()


def _matrix(shape: torch.Size) -> tuple[int, int]:
    """Return the number of rows and of columns."""
    return (prod(shape[:-1]), shape[-1]) if shape else (1, 1)


def _distinct(numbers: Tensor, limit: int) -> tuple[Tensor, Tensor]:
    """Return the different ones among numbers below a limit, in their order, and which of them each is."""
    used = torch.zeros(limit, dtype=torch.bool)
    used[numbers] = True
    return used.nonzero().flatten(), (used.cumsum(0) - 1)[numbers]
