"""One side of an attention: its queries or its keys as sums of parts, each of what one part of the model wrote."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from math import prod
from typing import Final, Literal, NamedTuple

import torch
from torch import Tensor, nn

from attnviz.errors import NotSplit
from attnviz.errors.base import Why
from attnviz.why.maps import Arranged, pull
from attnviz.why.pulled import Pulled
from attnviz.why.steps import Leaves, Step, Writing, evaluate, in_order, reached, statistics, widened

__all__ = ["Group", "Ran", "Side"]

Kind = Literal["token", "position", "head", "mlp", "same for all", "bias"]
SAME: Final = "same for all"
CLOSE = 1e-4  # how far factors may be apart


class Ran(NamedTuple):
    """An attention of a pass, by the name of its site and what its queries and keys are made of."""

    site: str
    stack: str
    layer: int
    queries: str
    keys: str
    n_heads: int


class Group(NamedTuple):
    """Writings that are one part.

    Attributes:
        name: "token", "position", "same for all", "decoder.0.self:1" for a head, "decoder.0.mlp".
        writings: with the head, of a writing that all heads of a site share.
    """

    name: str
    kind: Kind
    layer: int | None
    head: int | None
    writings: tuple[tuple[Step, int | None], ...]


class Side:
    """Queries or keys of a site, or the stream that an output reads, as a linear function of writings.

    Args:
        name: of the site, for messages.
        target: step whose result it is.
        stack: name of the sequence that its rows belong to.
        ran: attentions of the pass, in their order.
        row: row of the batch.
        before: how many of the attentions ran before it.
    """

    def __init__(self, name: str, target: Step, stack: str, ran: Sequence[Ran], row: int, before: int) -> None:
        self.name, self.target, self.row = name, target, row
        self._stack, self._ran, self._before = stack, ran, before

    @cached_property
    def leaves(self) -> dict[Step, Tensor]:
        """Values of the writings."""
        return {step: widened(step.value) for step in reached(self.target) if step.value is not None}

    @property
    def statistics(self) -> tuple[nn.Module | None, ...]:
        """Modules of the numbers that are held, one a row."""
        return tuple(step.module for step in statistics(self.target))

    @cached_property
    def groups(self) -> list[Group]:
        """Parts, in the order in which they were written."""
        found: dict[str, Group] = {}
        for step in self.leaves:
            for group in self._groups_of(step):
                known = found.get(group.name)
                found[group.name] = group._replace(writings=known.writings + group.writings) if known else group
        return list(found.values())

    def _groups_of(self, step: Step) -> list[Group]:
        writing = _writing(step)
        if writing.origin == "heads":
            ran = self._ran[writing.after]
            return [
                Group(f"{ran.site}:{head}", "head", ran.layer, head, ((step, head),)) for head in range(ran.n_heads)
            ]
        kind: Kind = "token"
        if writing.origin in ("table", "constant", "bias"):
            kind = SAME if writing.function != "cat" and _same_rows(self.leaves[step], self.row) else "position"
            kind = "token" if writing.function == "cat" else kind
        last = self._ran[writing.after - 1] if writing.after else None
        if writing.origin == "made" and last is not None and last.queries == self._stack:
            return [Group(f"{last.stack}.{last.layer}.mlp", "mlp", last.layer, None, ((step, None),))]
        return [Group(kind, kind, None, None, ((step, None),))]

    def pull(self, functionals: Pulled) -> dict[Step, Pulled]:
        """Pull functionals of the target back to the writings that they read, statistics held."""
        return pull(self.target, functionals, self._tops)

    def given(self, pulled: Mapping[Step, Pulled]) -> Tensor:
        """Return what each group gives to each of E functionals: (groups, E)."""
        amounts: dict[tuple[Step, int | None], Tensor] = {}
        pulled = _multiplied(pulled)
        for step, functionals in pulled.items():
            top = self._tops.get(step)
            if top is not None:
                met = functionals.met(self._moved(step, self.leaves[step]), self._owners[step], self._n_heads(step))
                amounts.update({(step, head): met[:, head] for head in range(met.shape[1])})
            elif _writing(step).origin == "heads":
                read = functionals.dense * self.leaves[step]
                for head in range(self._n_heads(step)):
                    amounts[step, head] = self.of_head(read, step, head).double().flatten(1).sum(1)
            else:
                amounts[step, None] = functionals.met(self.leaves[step])[:, 0]
        none = torch.zeros(next((len(one.rows) for one in pulled.values()), 1), dtype=torch.double)
        return torch.stack([sum((amounts.get(one, none) for one in group.writings), none) for group in self.groups])

    def gradient(self, pulled: Mapping[Step, Pulled], step: Step) -> Tensor | None:
        """Return the gradient of the one functional at a writing, in its shape; None: it is zero."""
        found = pulled.get(step)
        if found is not None and step in self._tops:
            found = pull(self._tops[step], found, {}).get(step)
        return None if found is None else found.dense[0]

    def _n_heads(self, step: Step) -> int:
        return self.leaves[step].shape[_writing(step).head_axis]

    @cached_property
    def _paths(self) -> dict[Step, list[Step]]:
        """Steps after the context vectors of an attention that only rearrange them, one after the other."""
        readers: dict[Step, list[Step]] = {}
        for step in in_order([self.target]):
            for before in step.inputs if step.kind == "linear" else ():
                readers.setdefault(before, []).append(step)
        found = {}
        for step in self.leaves:
            path = [step]
            while len(after := readers.get(path[-1], [])) == 1 and _rearranges(after[0]):
                path.append(after[0])
            if _writing(step).origin == "heads" and len(path) > 1:
                found[step] = path[1:]
        return found

    @cached_property
    def _tops(self) -> dict[Step, Step]:
        """The last of these steps, for those whose heads own columns of it."""
        return {step: self._paths[step][-1] for step in self._owners}

    @cached_property
    def _owners(self) -> dict[Step, Tensor]:
        """Heads of the columns (m,) of what these steps make."""
        found = {}
        for step in self._paths:
            axis, n = _writing(step).head_axis, self._n_heads(step)
            numbers = torch.arange(n, dtype=torch.int16).view(
                *(n if at == axis else 1 for at in range(len(step.shape)))
            )
            moved = self._moved(step, numbers.expand(step.shape)).flatten(0, -2)
            if bool((moved == moved[:1]).all()):
                found[step] = moved[0].long()
        return found

    def _moved(self, step: Step, value: Tensor) -> Tensor:
        for after in self._paths[step]:
            assert after.run is not None  # it rearranges
            value = after.run([value])
        return value

    def of_head(self, tensor: Tensor, step: Step, head: int | None) -> Tensor:
        """Return what belongs to one head in a tensor (..., *shape of a writing); None: all of it."""
        return tensor if head is None else tensor.select(_writing(step).head_axis - len(step.shape), head)

    @cached_property
    def whole(self) -> Tensor:
        """The target, from all writings and statistics computed anew."""
        return self._anew(self.leaves)

    def removed(self, group: Group) -> Tensor:
        """Return the target without a group, statistics computed anew."""
        leaves = dict(self.leaves)
        for step, head in group.writings:
            if head is None:
                del leaves[step]
            else:
                leaves[step] = leaves[step].clone()
                self.of_head(leaves[step], step, head).zero_()
        return self._anew(leaves)

    def _anew(self, leaves: Leaves) -> Tensor:
        with torch.no_grad():
            made = evaluate(self.target, leaves, anew=True)
        return torch.zeros(self.target.shape) if made is None else made

    def check(self, module: nn.Module, token_axis: int) -> None:
        """See that each row is a sum of what was written at that row, by all that was written before.

        Args:
            module: layer of attention.
            token_axis: axis of the rows in the target.

        Raises:
            NotSplit: it is not.
        """
        for step in self.leaves:
            writing = _writing(step)
            if writing.origin == "made" and module in writing.modules:
                raise NotSplit(self.name, Why("split-bent", function=writing.function))
        self.check_whole({_writing(step).after for step in self.leaves if _writing(step).origin == "heads"})
        self._check_rows(token_axis)

    def _check_rows(self, token_axis: int) -> None:
        """See that a row depends on the same row of each writing alone.

        If every row of a functional is made stronger by a factor of its own, so is every row of what it reads of a
        writing, and by nothing else.
        """
        generator = torch.Generator().manual_seed(0)
        n_rows = self.target.shape[token_axis]
        factors = 0.5 + torch.rand(n_rows, generator=generator)
        along = torch.zeros(2, *self.target.shape)
        rows = along[:, self.row].movedim(token_axis, 1)  # (2, T, ...)
        rows.copy_(torch.randn(rows.shape[1:], generator=generator))
        rows[1] *= factors.view(-1, *(1,) * (rows.ndim - 2))
        seen = set[int]()  # most of what is read of a stream is read alike
        for step, functionals in self.pull(Pulled.of(along)).items():
            if functionals.columns is not None and id(functionals.rows) in seen:
                continue
            seen.add(id(functionals.rows))
            if not _keeps_rows(functionals, _writing(step), step in self._tops, factors):
                raise NotSplit(self.name, Why("split-rows", function=_writing(step).function))

    def check_whole(self, found: Collection[int]) -> None:
        """See that what every earlier attention of the sequence wrote has arrived, and that of a token.

        Raises:
            NotSplit: it has not.
        """
        for index, ran in enumerate(self._ran[: self._before]):
            if ran.queries == self._stack and index not in found:
                raise NotSplit(self.name, Why("split-lost", site=ran.site))
        if not any(group.kind == "token" for group in self.groups):
            raise NotSplit(self.name, Why("split-no-token"))


def _writing(step: Step) -> Writing:
    assert step.writing is not None  # only writings are asked
    return step.writing


def _same_rows(value: Tensor, row: int) -> bool:
    """Whether a constant (..., T, d) or (d,) is the same at every token."""
    if value.ndim < 2 or not value.numel():
        return True
    rows = value[min(row, len(value) - 1)] if value.ndim > 2 else value
    rows = rows.reshape(-1, rows.shape[-1])
    return bool((rows == rows[:1]).all())


def _multiplied(pulled: Mapping[Step, Pulled]) -> dict[Step, Pulled]:
    """Multiply a single functional out, once for all writings of which it reads the same."""
    made: dict[int, Pulled] = {}
    for one in pulled.values():
        if id(one) not in made:
            made[id(one)] = replace(one, rows=one.grid, columns=None) if len(one.rows) == 1 else one
    return {step: made[id(one)] for step, one in pulled.items()}


def _rearranges(step: Step) -> bool:
    return isinstance(step.run, Arranged) and len(step.inputs) == 1


def _keeps_rows(functionals: Pulled, writing: Writing, merged: bool, factors: Tensor) -> bool:
    """Whether every row of the second functional is that of the first times a factor, that of the target's row.

    Where a writing has as many rows as the target they are the same ones; elsewhere, as in patches of an image that
    follow a token for the whole, any row may be.
    """
    if writing.origin in ("constant", "bias", "table"):
        return True
    if functionals.columns is not None or (merged and functionals.at is not None):
        pair, at = functionals.rows, functionals.at  # they are alike in every column
        places = torch.arange(pair.shape[1]) if at is None else at
        return _is_scaled(pair, functionals.shape[:-1], places, factors)
    whole = functionals.dense
    if writing.origin == "heads" and not merged:
        whole = whole.movedim(writing.head_axis + 1, -2).flatten(-2)
    for axis in range(whole.ndim - 1, 0, -1):
        moved = whole.movedim(axis, -1)
        pair = moved.flatten(1, -2)
        if _is_scaled(pair, moved.shape[1:-1], torch.arange(pair.shape[1]), factors):
            return True
    return False


def _is_scaled(pair: Tensor, shape: torch.Size, places: Tensor, factors: Tensor) -> bool:
    """Whether the rows of the second (2, n, m) are those of the first times factors.

    Args:
        shape: of all rows.
        places: numbers of the n among them.
    """
    first, second = pair.double()
    sizes = first.square().sum(-1)  # (n,)
    used = sizes > 1e-12 * sizes.max()
    found = (first * second).sum(-1)[used] / sizes[used]
    scaled = first[used] * found[:, None]
    if not bool(((second[used] - scaled).abs().amax(-1) <= CLOSE * scaled.abs().amax(-1)).all()):
        return False
    axes = [axis for axis, size in enumerate(shape) if size == len(factors)]
    return not axes or any(
        bool(((found - factors[places[used] // prod(shape[axis + 1 :]) % shape[axis]]).abs() <= CLOSE).all())
        for axis in axes
    )
