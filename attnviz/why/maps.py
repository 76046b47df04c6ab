"""Linear maps between steps, each with what a functional of its result is of what it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from attnviz.why.pulled import Pulled
from attnviz.why.steps import Step, in_order, widened

__all__ = ["Arranged", "Call", "Centred", "Map", "Matrix", "Slot", "Sum", "Times", "pull"]


class Map:
    """A linear map: of the values of a step's inputs to the value of the step; statistics among them are held."""

    sums = False  # an input that is zero everywhere is None

    def __call__(self, given: Sequence[Any]) -> Any:
        raise NotImplementedError

    def back(self, step: Step, index: int, of: Pulled) -> Pulled | None:
        """Return the functionals of one input that functionals of the result are; None: they read nothing of it."""
        with torch.inference_mode(False), torch.enable_grad():
            given = [_stands_for(one) for one in step.inputs]
            given[index].requires_grad_()
            made = self(given)
            found = [
                torch.autograd.grad(made, given[index], one.clone().to(made), retain_graph=True, allow_unused=True)[0]
                for one in of.dense
            ]
        kept = [one for one in found if one is not None]
        return Pulled.of(torch.stack(kept)) if kept and len(kept) == len(found) else None


def _stands_for(step: Step) -> Tensor:
    """Return a statistic, and for anything else zeros: of a linear map only its gradient is of interest."""
    if step.kind == "statistic" and step.value is not None:
        return widened(step.value).clone()
    return torch.zeros(step.shape, dtype=torch.complex64 if step.is_complex else torch.float32)


class Matrix(Map):
    """x @ weight.T."""

    def __init__(self, weight: Tensor) -> None:
        self._weight = weight

    def __call__(self, given: Sequence[Any]) -> Any:
        return F.linear(given[0], widened(self._weight))

    def back(self, step: Step, index: int, of: Pulled) -> Pulled:
        return of.matrix(widened(self._weight))


class Times(Map):
    """x times a constant or, without any, a statistic; or divided by it."""

    def __init__(self, factor: Tensor | float | None = None, inverse: bool = False) -> None:
        self._factor, self.inverse = factor, inverse

    def __call__(self, given: Sequence[Any]) -> Any:
        factor = self._of(given[-1])
        return given[0] / factor if self.inverse else given[0] * factor

    def _of(self, last: Any) -> Any:
        factor = last if self._factor is None else self._factor
        return widened(factor) if isinstance(factor, Tensor) else factor

    def back(self, step: Step, index: int, of: Pulled) -> Pulled:
        factor = torch.as_tensor(self._of(step.inputs[-1].value)).to(of.rows.dtype)
        return of.times(1 / factor if self.inverse else factor).to(step.inputs[0].shape)


class Centred(Map):
    """x minus the mean of each row."""

    def __call__(self, given: Sequence[Any]) -> Any:
        return given[0] - given[0].mean(-1, keepdim=True)

    def back(self, step: Step, index: int, of: Pulled) -> Pulled:
        return of.columnwise(lambda made: made - made.mean(-1, keepdim=True))


class Sum(Map):
    """One term, or a sum of two with their signs."""

    sums = True

    def __init__(self, signs: Sequence[float] = (1.0, 1.0)) -> None:
        self._signs = signs

    def __call__(self, given: Sequence[Any]) -> Any:
        terms = [
            one if sign == 1 else one * sign for one, sign in zip(given, self._signs, strict=True) if one is not None
        ]
        return terms[0] if len(terms) == 1 else terms[0] + terms[1]

    def back(self, step: Step, index: int, of: Pulled) -> Pulled:
        sign = self._signs[index]
        return (of if sign == 1 else of.times(torch.tensor(sign))).to(step.inputs[index].shape)


class Slot(NamedTuple):
    """Place of a tensor of the stream among the arguments of a function."""

    number: int


@dataclass(eq=False)
class Call(Map):
    """A function of torch with its arguments, with slots for those of the stream.

    Attributes:
        pick: which of its results; None: it has one.
    """

    func: Any
    args: Any
    kwargs: Any
    pick: int | None = None

    def __call__(self, given: Sequence[Any]) -> Any:
        def filled(value: Any) -> Any:
            if isinstance(value, Slot):
                return given[value.number]
            if isinstance(value, Tensor):
                return widened(value)
            if type(value) in (tuple, list):
                return type(value)(map(filled, value))
            return {key: filled(one) for key, one in value.items()} if type(value) is dict else value

        result = self.func(*filled(self.args), **filled(self.kwargs))
        return result if self.pick is None else result[self.pick]


class Arranged(Call):
    """A function that only puts the numbers that it is given elsewhere, some of them perhaps several times or never."""

    def back(self, step: Step, index: int, of: Pulled) -> Pulled | None:
        sizes = [one.shape.numel() for one in step.inputs]
        begins = [sum(sizes[:at]) for at in range(len(sizes))]
        numbered = [
            torch.arange(begin, begin + size).view(one.shape)
            for one, begin, size in zip(step.inputs, begins, sizes, strict=True)
        ]
        places = self(numbered).reshape(-1, step.shape[-1] if step.shape else 1)
        return of.arranged(places, begins[index], step.inputs[index].shape)


def pull(target: Step, start: Pulled, tops: Mapping[Step, Step]) -> dict[Step, Pulled]:
    """Pull functionals of a step back to the writings that it is linear in, statistics held.

    Args:
        tops: where to end on the way to some writings: at a step that only rearranges one.

    Returns:
        The functionals of each writing, or of the step where the way to it ended; writings that are not read are left
        out.
    """
    ends = {top: writing for writing, top in tops.items()}
    waiting: dict[Step, Pulled] = {target: start}
    found: dict[Step, Pulled] = {}
    for step in reversed(in_order([target])):
        functionals = waiting.pop(step, None)
        if functionals is None or step.kind == "statistic":
            continue
        if step in ends or step.kind == "writing":
            found[ends.get(step, step)] = functionals
            continue
        for index, before in enumerate(step.inputs):
            if before.kind != "statistic" and (made := _back(step, index, functionals)) is not None:
                waiting[before] = waiting[before].plus(made) if before in waiting else made
    return found


def _back(step: Step, index: int, of: Pulled) -> Pulled | None:
    assert isinstance(step.run, Map)  # the tape records no others between a writing and a query, key or output
    return step.run.back(step, index, of)
