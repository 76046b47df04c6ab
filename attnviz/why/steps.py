"""Steps of a forward pass, as far as they lead from writings to a query, a key or an output.

A step is a writing (a tensor that something wrote), linear in the steps before it, or a statistic: one number a row, as
the scale of a norm or the gate of an expert, which is held at its value or computed anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

__all__ = ["Leaves", "Step", "Writing", "evaluate", "gradients", "reached", "widened"]

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
        run: makes its result of those of `inputs`; an input that is zero everywhere is None in a sum.
        value: of a writing or a statistic, as the pass computed it.
        writing: of a writing.
        source: it is a writing of some query, key or output; others are on the way to a statistic alone.
        where: path of the module in which it ran, of a statistic.
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
    module: nn.Module | None = None


Leaves = Mapping[Step, Tensor]
"""Values of writings; one that is left out is zero."""


def widened(tensor: Tensor) -> Tensor:
    """Return numbers of 16 bits or less in float32, others as they are."""
    return tensor.float() if tensor.is_floating_point() and tensor.element_size() < 4 else tensor


def _order(target: Step, anew: bool) -> list[Step]:
    """Return a step and all that it is computed from, in the order of the pass."""
    found, waiting = {target}, [target]
    while waiting:
        step = waiting.pop()
        ends = step.source or not anew if step.kind == "writing" else step.kind == "statistic" and not anew
        for before in () if ends else step.inputs:
            if before not in found:
                found.add(before)
                waiting.append(before)
    return sorted(found, key=lambda step: step.at)


def reached(target: Step) -> list[Step]:
    """Return the writings that a step is linear in, in the order in which they were written."""
    return [step for step in _order(target, anew=False) if step.kind == "writing"]


def statistics(target: Step) -> list[Step]:
    """Return the statistics on the way to a step."""
    return [step for step in _order(target, anew=False) if step.kind == "statistic"]


def evaluate(target: Step, leaves: Leaves, anew: bool = False) -> Tensor | None:
    """Compute a step from writings: linear in them while statistics are held.

    Args:
        target: step to compute.
        leaves: the writings.
        anew: compute the statistics from the writings too.

    Returns:
        Its value; None: it is zero everywhere.
    """
    made: dict[Step, Tensor | None] = {}
    for step in _order(target, anew):
        if step in leaves:
            made[step] = leaves[step]
        elif step.kind == "writing" and (step.source or not anew):
            made[step] = None
        elif step.kind == "statistic" and not anew:
            assert step.value is not None  # it was computed in the pass
            made[step] = widened(step.value)
        else:
            made[step] = _applied(step, made)
    return made[target]


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


def gradients(target: Step, leaves: Leaves, along: Tensor) -> dict[Step, Tensor]:
    """Return the gradient of sum(along * target) for each writing, statistics held; those without any are left out."""
    with torch.inference_mode(False), torch.enable_grad():
        given = {step: value.detach().clone().requires_grad_() for step, value in leaves.items()}
        made = evaluate(target, given)
        if made is None or not made.requires_grad:
            return {}
        found = torch.autograd.grad((made * along.clone()).sum(), list(given.values()), allow_unused=True)
    return {step: grad for step, grad in zip(given, found, strict=True) if grad is not None}
