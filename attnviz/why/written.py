"""A forward pass as what its parts wrote: recorded once, and proved by a second pass with other strengths."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from attnviz.errors import NotSplit
from attnviz.errors.base import Why
from attnviz.why.checks import check_side, check_whole
from attnviz.why.results import TapeDiffers
from attnviz.why.sides import Ran, Side, writing_of
from attnviz.why.steps import Step, evaluated, widened
from attnviz.why.tape import Attended, Tape

__all__ = ["Written", "write_down"]

MOST = 100  # proofs of one model, whose routes may be others for each text


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
            check_side(side, attended.module, token_axis=2)
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
        writings = [writing_of(step) for step in side.leaves]
        made = [writing for writing in writings if writing.origin == "made" and writing.after == len(self.ran)]
        if made and not any(writing.origin == "heads" for writing in writings):
            raise NotSplit(self.model, Why("split-transformed", function=made[-1].function))
        check_whole(side)
        return side

    def _check_linear(self, place: str) -> None:
        if not self.linearity_error <= self.limit:
            raise NotSplit(place, Why("split-nonlinear", error=f"{self.linearity_error:.1e}"))


def write_down(
    run: Callable[[Tape], None], texts: Sequence[Tensor], network: nn.Module, state: Hashable
) -> tuple[Tape, float]:
    """Record a pass, and unless that was done before, run it again with other strengths of all writings.

    Args:
        run: runs the model, in this thread, shown to a tape.
        texts: ids of the tokens that it is given.
        network: the model.
        state: tells the model as it is from what it was before or will be.

    Returns:
        The tape, and the largest relative error of any q and k of a second pass against what the first predicts.
    """
    known = _proofs.get(network, state)
    if known:
        tape = _recorded(run, texts, repeated=False)
        if (calls := tuple(tape.calls)) in known:
            tape.close()
            return tape, known[calls]
    first = _recorded(run, texts, repeated=True)
    second = Tape(texts, again=first)
    try:
        run(second)
        error = _difference(first, second)
    except TapeDiffers:
        error = float("inf")
    _proofs.put(network, state, tuple(first.calls), error)
    first.close()
    return first, error


def _recorded(run: Callable[[Tape], None], texts: Sequence[Tensor], repeated: bool) -> Tape:
    tape = Tape(texts, repeated=repeated)
    run(tape)
    return tape


Calls = tuple[tuple[str, tuple[int, ...]], ...]


class _Proofs:
    """Errors of second passes: of each model in its present state, by the functions that the first pass called.

    A model that calls the same functions of the same steps is the same sum, whatever it reads; one whose weights,
    layers or routes are others is proved anew.
    """

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[nn.Module, tuple[Hashable, dict[Calls, float]]] = WeakKeyDictionary()
        self._lock = Lock()

    def get(self, network: nn.Module, state: Hashable) -> Mapping[Calls, float]:
        """Return what is known of a model in a state."""
        with self._lock:
            then, errors = self._known.get(network, (None, {}))
            return dict(errors) if then == state else {}

    def put(self, network: nn.Module, state: Hashable, calls: Calls, error: float) -> None:
        """Remember a proof; those of other states, and the oldest of very many, are forgotten."""
        with self._lock:
            then, errors = self._known.get(network, (None, {}))
            errors = {**errors, calls: error} if then == state else {calls: error}
            self._known[network] = state, dict(list(errors.items())[-MOST:])


_proofs = _Proofs()


def _difference(first: Tape, second: Tape) -> float:
    """Return the largest difference of a query or key of the second pass from what the first predicts of it."""
    if any(len(getattr(first, name)) != len(getattr(second, name)) for name in ("writings", "held", "attended")):
        return float("inf")
    leaves: dict[Step, Tensor] = {}
    for one, other in zip(first.writings, second.writings, strict=True):
        assert one.writing is not None  # they are writings
        value = one.value if one.writing.origin == "constant" else other.value
        if value is not None:
            leaves[one] = widened(value)
    for one, other in zip(first.held, second.held, strict=True):
        if other.value is not None:
            leaves[one] = widened(other.value)
    found: dict[Step, list[Tensor]] = {}
    for before, numbers in zip(first.attended, second.numbers, strict=True):
        for step, made in zip((before.q, before.k), numbers, strict=True):
            if step is not None:
                found.setdefault(step, []).append(made)
    with torch.no_grad():
        predicted = evaluated(found, leaves)
        return max((_relative(made, one) for step, made in predicted for one in found[step]), default=0.0)


def _relative(predicted: Tensor | None, numbers: Tensor) -> float:
    found = widened(numbers)
    error = (found if predicted is None else found - predicted).abs().max()
    size = max(1.0, float(found.abs().max()))
    return float(error.nan_to_num(float("inf"))) / size
