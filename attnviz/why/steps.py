"""Steps of a forward pass, as far as they lead from writings to a query, a key or an output.

A step is a writing (a tensor that something wrote), linear in the steps before it, or a statistic: one number a row, as
the scale of a norm or the gate of an expert, which is held at its value or computed anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

__all__ = ["Leaves", "Step", "Writing", "evaluate", "evaluated", "in_order", "reached", "statistics", "widened"]

Kind = Literal["writing", "linear", "statistic"]
Origin = Literal["token", "table", "constant", "bias", "made", "heads"]


@dataclass(frozen=True, eq=False)
class Writing:
    """Origin of a writing.

    Attributes:
        origin: "token" (an embedding, or a linear map of data), "table" (an embedding of other indices), "constant" (a
            tensor that the stream has no part in), "bias", "made" (by a function that is not linear), "heads".
        function: name of the function that made it.
        after: how many attentions ran before it; of heads, the index of their own.
        modules: modules that were running.
        head_axis: axis of the heads, of "heads".
    """

    origin: Origin
    function: str
    after: int
    modules: tuple[nn.Module, ...]
    head_axis: int = 0


@dataclass(eq=False)
class Step:
    """One step.

    Attributes:
        at: its place in the order of the pass.
        shape: shape of its result.
        run: makes its result of those of `inputs`.
        value: of a writing or a statistic, as the pass computed it.
        writing: of a writing.
        source: it is a writing of some query, key or output; others are on the way to a statistic alone.
        sums: zeros among its inputs are None.
        is_complex: its numbers are.
        module: in which it ran.
    """

    at: int
    kind: Kind
    shape: torch.Size
    inputs: tuple[Step, ...] = ()
    run: Callable[[Sequence[Any]], Any] | None = None
    value: Tensor | None = None
    writing: Writing | None = None
    source: bool = False
    sums: bool = False
    is_complex: bool = False
    module: nn.Module | None = None


Leaves = Mapping[Step, Tensor]
"""Values of writings; one that is left out is zero."""


def widened(tensor: Tensor) -> Tensor:
    """Return numbers of 16 bits or less in float32, others as they are."""
    return tensor.float() if tensor.is_floating_point() and tensor.element_size() < 4 else tensor


def in_order(targets: Collection[Step], anew: bool = False, given: Collection[Step] = ()) -> list[Step]:
    """Return steps and all that they are computed from, in the order of the pass.

    Args:
        anew: statistics are computed too.
        given: steps that are not.
    """
    found, waiting = set(targets), list(targets)
    while waiting:
        step = waiting.pop()
        ends = step.source or not anew if step.kind == "writing" else step.kind == "statistic" and not anew
        for before in () if ends or step in given else step.inputs:
            if before not in found:
                found.add(before)
                waiting.append(before)
    return sorted(found, key=lambda step: step.at)


def reached(target: Step) -> list[Step]:
    """Return the writings that a step is linear in, in the order in which they were written."""
    return [step for step in in_order([target]) if step.kind == "writing"]


def statistics(target: Step) -> list[Step]:
    """Return the statistics on the way to a step."""
    return [step for step in in_order([target]) if step.kind == "statistic"]


def evaluate(target: Step, leaves: Leaves, anew: bool = False) -> Tensor | None:
    """Compute a step from writings: linear in them while statistics are held.

    Args:
        target: step to compute.
        leaves: the writings.
        anew: compute the statistics from the writings too.

    Returns:
        Its value; None: it is zero everywhere.
    """
    return dict(evaluated([target], leaves, anew))[target]


def evaluated(targets: Collection[Step], leaves: Leaves, anew: bool = False) -> Iterator[tuple[Step, Tensor | None]]:
    """Compute several steps in their order, and keep no value for longer than it is needed; see `evaluate`."""
    order = in_order(targets, anew, leaves)
    readers = Counter(before for step in order for before in step.inputs)
    made: dict[Step, Tensor | None] = {}
    for step in order:
        if step in leaves:
            made[step] = leaves[step]
        elif step.kind == "writing" and (step.source or not anew):
            made[step] = None
        elif step.value is not None and (step.run is None or (step.kind == "statistic" and not anew)):
            made[step] = widened(step.value)
        else:
            made[step] = _applied(step, made)
        if step in targets:
            yield step, made[step]
        for before in step.inputs:
            readers[before] -= 1
            if not readers[before]:
                made.pop(before, None)


def _applied(step: Step, made: Mapping[Step, Tensor | None]) -> Tensor | None:
    assert step.run is not None  # only writings that are given have none
    given = [made[before] for before in step.inputs]
    if step.kind == "linear" and all(
        one is None for one, before in zip(given, step.inputs, strict=True) if before.kind != "statistic"
    ):
        return None
    if not step.sums:
        shapes = (before.shape for before in step.inputs)
        given = [torch.zeros(shape) if one is None else one for one, shape in zip(given, shapes, strict=True)]
    result: Tensor = step.run(given)
    return result.expand(step.shape) if step.sums else result
