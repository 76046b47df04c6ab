"""One side of an attention: its queries or its keys as sums of parts, each of what one part of the model wrote."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Final, Literal, NamedTuple

import torch
from torch import Tensor, nn

from attnviz.errors import NotSplit
from attnviz.errors.base import Why
from attnviz.why.steps import Leaves, Step, Writing, evaluate, gradients, reached, statistics, widened

__all__ = ["Group", "Ran", "Side"]

Kind = Literal["token", "position", "head", "mlp", "same for all", "bias"]
SAME: Final = "same for all"


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

    def shares(self, along: Tensor) -> tuple[list[float], dict[Step, Tensor]]:
        """Share of each group in sum(along * target), statistics held; and the gradients of the writings."""
        found = gradients(self.target, self.leaves, along)
        totals = []
        for group in self.groups:
            parts = (
                self.of_head(found[step] * self.leaves[step], step, head)
                for step, head in group.writings
                if step in found
            )
            totals.append(float(sum(part.double().sum() for part in parts)))
        return totals, found

    def of_head(self, tensor: Tensor, step: Step, head: int | None) -> Tensor:
        """Return what belongs to one head in a tensor of the shape of a writing; None: all of it."""
        return tensor if head is None else tensor.select(_writing(step).head_axis, head)

    def part(self, group: Group) -> Tensor | None:
        """Return what a group gives, statistics held: the shape of the target; None: nothing."""
        with torch.no_grad():
            return evaluate(self.target, {step: self._only(step, head) for step, head in group.writings})

    def _only(self, step: Step, head: int | None) -> Tensor:
        if head is None:
            return self.leaves[step]
        alone = torch.zeros_like(self.leaves[step])
        self.of_head(alone, step, head).copy_(self.of_head(self.leaves[step], step, head))
        return alone

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
        length = self.target.shape[token_axis]
        for at in {length // 2, length - 1}:
            self._check_row(token_axis, at)

    def _check_row(self, token_axis: int, at: int) -> None:
        """See that a row depends on the same row of each writing alone."""
        along = torch.zeros(self.target.shape)
        row = along[self.row].select(token_axis - 1, at)
        row.copy_(torch.randn(row.shape, generator=torch.Generator().manual_seed(0)))
        for step, gradient in gradients(self.target, self.leaves, along).items():
            if not _is_of_one_row(gradient, _writing(step), self.target.shape[token_axis], at):
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


def _is_of_one_row(gradient: Tensor, writing: Writing, length: int, at: int) -> bool:
    """Whether one row of a target depends on one row of a writing, the same where both have as many.

    Besides the features, each axis has one index at most where the gradient is not zero.
    """
    if not gradient.numel():
        return True
    if writing.origin == "heads":
        gradient = gradient.movedim(writing.head_axis, -2).flatten(-2)
    used = gradient != 0
    places = [used.movedim(axis, 0).reshape(size, -1).any(1).nonzero() for axis, size in enumerate(used.shape)]
    several = [axis for axis, found in enumerate(places) if len(found) > 1]
    if len(several) > 1:
        return False
    if writing.origin in ("constant", "bias", "table") or len(several) == 0:
        return True
    rows = [axis for axis in range(gradient.ndim) if axis not in several and gradient.shape[axis] == length]
    return length == 1 or not rows or any(len(places[axis]) == 0 or int(places[axis][0]) == at for axis in rows)
