"""One side of an attention: its queries or its keys as sums of parts, each of what one part of the model wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Final, Literal, NamedTuple

import torch
from torch import Tensor, nn

from attnviz.why.maps import Arranged, pull
from attnviz.why.pulled import Pulled
from attnviz.why.steps import Leaves, Step, Writing, evaluate, in_order, reached, statistics, widened

__all__ = ["Group", "Ran", "Side", "writing_of"]

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
        self.stack, self.ran, self.before = stack, ran, before

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
        writing = writing_of(step)
        if writing.origin == "heads":
            ran = self.ran[writing.after]
            return [
                Group(f"{ran.site}:{head}", "head", ran.layer, head, ((step, head),)) for head in range(ran.n_heads)
            ]
        kind: Kind = "token"
        if writing.origin in ("table", "constant", "bias"):
            kind = SAME if writing.function != "cat" and _same_rows(self.leaves[step], self.row) else "position"
            kind = "token" if writing.function == "cat" else kind
        last = self.ran[writing.after - 1] if writing.after else None
        if writing.origin == "made" and last is not None and last.queries == self.stack:
            return [Group(f"{last.stack}.{last.layer}.mlp", "mlp", last.layer, None, ((step, None),))]
        return [Group(kind, kind, None, None, ((step, None),))]

    def pull(self, functionals: Pulled) -> dict[Step, Pulled]:
        """Pull functionals of the target back to the writings that they read, statistics held."""
        return pull(self.target, functionals, self.tops)

    def given(self, pulled: Mapping[Step, Pulled], n: int = 1) -> Tensor:
        """Return what each group gives to each of n functionals: (groups, n)."""
        amounts: dict[tuple[Step, int | None], Tensor] = {}
        pulled = _multiplied(pulled)
        for step, functionals in pulled.items():
            top = self.tops.get(step)
            if top is not None:
                met = functionals.met(self._moved(step, self.leaves[step]), self._owners[step], self._n_heads(step))
                amounts.update({(step, head): met[:, head] for head in range(met.shape[1])})
            elif writing_of(step).origin == "heads":
                read = functionals.dense * self.leaves[step]
                for head in range(self._n_heads(step)):
                    amounts[step, head] = self.of_head(read, step, head).double().flatten(1).sum(1)
            else:
                amounts[step, None] = functionals.met(self.leaves[step])[:, 0]
        none = torch.zeros(n, dtype=torch.double)
        return torch.stack([sum((amounts.get(one, none) for one in group.writings), none) for group in self.groups])

    def gradient(self, pulled: Mapping[Step, Pulled], step: Step) -> Tensor | None:
        """Return the gradient of the one functional at a writing, in its shape; None: it is zero."""
        found = pulled.get(step)
        if found is None or step not in self.tops:
            return None if found is None else found.dense[0]
        with torch.inference_mode(False), torch.enable_grad():
            stands = torch.zeros(step.shape, requires_grad=True)
            return torch.autograd.grad(self._moved(step, stands), stands, found.dense[0].clone())[0]

    def _n_heads(self, step: Step) -> int:
        return self.leaves[step].shape[writing_of(step).head_axis]

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
            if writing_of(step).origin == "heads" and len(path) > 1:
                found[step] = path[1:]
        return found

    @cached_property
    def tops(self) -> dict[Step, Step]:
        """Where context vectors of heads have been put side by side, each head in columns of its own."""
        return {step: self._paths[step][-1] for step in self._owners}

    @cached_property
    def _owners(self) -> dict[Step, Tensor]:
        """Heads of the columns (m,) of what these steps make."""
        found = {}
        for step in self._paths:
            axis, n = writing_of(step).head_axis, self._n_heads(step)
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
        return tensor if head is None else tensor.select(writing_of(step).head_axis - len(step.shape), head)

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


def writing_of(step: Step) -> Writing:
    """Return the writing that a step is."""
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
            several = one.columns is not None and one.rows.shape[-1] > 1
            made[id(one)] = replace(one, rows=one.grid, columns=None) if several and len(one.rows) == 1 else one
    return {step: made[id(one)] for step, one in pulled.items()}


def _rearranges(step: Step) -> bool:
    return isinstance(step.run, Arranged) and len(step.inputs) == 1
