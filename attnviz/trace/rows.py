"""Rows and outputs of a trace's logits, by the words that people use for them."""

from __future__ import annotations

from typing import Any, Protocol

from torch import Tensor

from attnviz.errors import NoProbabilities, NoSuchOutput, NoSuchPosition

__all__ = ["Answered", "label_of", "output_at", "row_of"]


class Answered(Protocol):
    """A trace, as far as its outputs go."""

    @property
    def model(self) -> Any:
        """Its model, with `facts`."""

    @property
    def outputs(self) -> Any:
        """See `Outputs`; None without any."""

    @property
    def logits(self) -> Tensor:
        """Scores of every output, (T, n) or (1, n)."""


def row_of(trace: Answered, position: int) -> int:
    """Return a row of the logits counted from 0.

    Raises:
        NoProbabilities: the model ends without probabilities.
        NoSuchPosition: there is no such row.
    """
    if trace.outputs is None or trace.outputs.kind == "values":
        raise NoProbabilities(trace.model.facts.name)
    rows = len(trace.logits)
    if not -rows <= position < rows:
        raise NoSuchPosition(trace.model.facts.name, position, rows - 1)
    return position % rows


def output_at(trace: Answered, token: str | int | None, row: int) -> int:
    """Return an output by its label or id; None: the most probable one at a row.

    Raises:
        NoSuchOutput: there is none; a label with a blank before it is found without the blank as well.
    """
    n = trace.logits.shape[1]
    if token is None:
        return int(trace.logits[row].argmax())
    if isinstance(token, int):
        if 0 <= token < n:
            return token
        raise NoSuchOutput(str(token), trace.model.facts.name)
    labels = [label_of(trace, output) for output in range(n)]
    for known in (labels, [label.strip() for label in labels]):
        if token in known:
            return known.index(token)
    raise NoSuchOutput(token, trace.model.facts.name)


def label_of(trace: Answered, output: int) -> str:
    """Return the label of an output of a trace that has some."""
    assert trace.outputs is not None  # `row_of` has seen to it
    label: str = trace.outputs.label(output)
    return label
