"""A forward pass as what its parts wrote: recorded once, and proved by a second pass with other strengths."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from attnviz.errors import NotSplit
from attnviz.errors.base import Why
from attnviz.why.sides import Ran, Side
from attnviz.why.steps import Step, evaluate, widened
from attnviz.why.tape import Attended, Tape, TapeDiffers

__all__ = ["Written", "write_down"]


@dataclass(eq=False)
class Written:
    """Writings of the parts of a model in one pass.

    Attributes:
        ran: its attentions.
        attended: their queries, keys and heads, likewise.
        ended: what the unembedding read.
        row: row of the batch that is of interest.
        linearity_error: see `SplitProof`.
        limit: likewise.
    """

    model: str
    ran: Sequence[Ran]
    attended: Sequence[Attended] = field(repr=False)
    ended: Step | None = field(repr=False)
    row: int
    linearity_error: float
    limit: float
    _sides: dict[str, tuple[Side, Side]] = field(default_factory=dict, repr=False)

    def sides(self, site: str) -> tuple[Side, Side]:
        """Return the queries and the keys of a site, looked at once.

        Raises:
            NotSplit: they are no sums of what earlier parts wrote; the reason says why.
        """
        if site not in self._sides:
            self._sides[site] = self._looked_at(site)
        return self._sides[site]

    def _looked_at(self, site: str) -> tuple[Side, Side]:
        self._check_linear(site)
        index = next((at for at, ran in enumerate(self.ran) if ran.site == site), None)
        if index is None:
            raise NotSplit(site, Why("split-windows"))
        ran, attended = self.ran[index], self.attended[index]
        sides = []
        for target, stack in ((attended.q, ran.queries), (attended.k, ran.keys)):
            if target is None:
                raise NotSplit(site, Why("split-unseen"))
            side = Side(site, target, stack, self.ran, self.row, index)
            side.check(attended.module, token_axis=2)
            sides.append(side)
        return sides[0], sides[1]

    def end(self, stack: str) -> Side:
        """Return what the unembedding reads.

        Raises:
            NotSplit: it is no sum of what all parts wrote.
        """
        self._check_linear(self.model)
        if self.ended is None:
            raise NotSplit(self.model, Why("split-no-outputs"))
        side = Side(self.model, self.ended, stack, self.ran, self.row, len(self.ran))
        side.check_whole(
            {step.writing.after for step in side.leaves if step.writing and step.writing.origin == "heads"}
        )
        return side

    def _check_linear(self, place: str) -> None:
        if not self.linearity_error <= self.limit:
            raise NotSplit(place, Why("split-nonlinear", error=f"{self.linearity_error:.1e}"))


def write_down(run: Callable[[Tape], None], texts: Sequence[Tensor]) -> tuple[Tape, float]:
    """Record a pass, and run it again with other strengths of all writings.

    Args:
        run: runs the model, in this thread, shown to a tape.
        texts: ids of the tokens that it is given.

    Returns:
        The tape, and the largest relative error of any q and k of the second pass against what the first predicts.
    """
    first = Tape(texts)
    run(first)
    second = Tape(texts, again=first)
    try:
        run(second)
        error = _difference(first, second)
    except TapeDiffers:
        error = float("inf")
    first.close()
    return first, error


def _difference(first: Tape, second: Tape) -> float:
    """Return the largest difference of a query or key of the second pass from what the first predicts of it."""
    if len(first.writings) != len(second.writings) or len(first.attended) != len(second.attended):
        return float("inf")
    leaves: dict[Step, Tensor] = {}
    for one, other in zip(first.writings, second.writings, strict=True):
        assert one.writing is not None  # they are writings
        value = one.value if one.writing.origin == "constant" else other.value
        if value is not None:
            leaves[one] = widened(value)
    errors = [0.0]
    for before, after in zip(first.attended, second.attended, strict=True):
        for step, numbers in zip((before.q, before.k), after.numbers, strict=True):
            errors += [] if step is None else [_relative(step, leaves, numbers)]
    return max(errors)


def _relative(step: Step, leaves: Mapping[Step, Tensor], numbers: Tensor) -> float:
    with torch.no_grad():
        predicted = evaluate(step, leaves)
    found = widened(numbers)
    error = (found if predicted is None else found - predicted).abs().max()
    size = max(1.0, float(found.abs().max()))
    return float(error.nan_to_num(float("inf"))) / size
