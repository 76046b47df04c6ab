"""How one head reads a text, and what the model answers, in numbers that can be compared between texts."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import NamedTuple

from torch import Tensor
from torch.special import entr

from attnviz.trace import Trace

__all__ = ["Answer", "answer", "entropy", "weight_to"]

LN2 = log(2)


def entropy(weights: Tensor) -> Tensor:
    """Return the entropy of each row in bits, -sum w log2 w: 0 where one key is read, log2 n where n are read alike.

    Args:
        weights: (Tq, Tk).

    Returns:
        (Tq,) bits.

    Example:
        >>> import torch
        >>> entropy(torch.tensor([[1.0, 0.0], [0.5, 0.5]])).tolist()
        [0.0, 1.0]
    """
    nats: Tensor = entr(weights.float()).sum(-1)
    return nats / LN2


def weight_to(weights: Tensor, keys: Sequence[str], token: str) -> Tensor | None:
    """Return the weight of each query on a token, wherever among the keys it stands; None where it does not.

    Args:
        weights: (Tq, Tk).
        keys: labels of the keys.
        token: one of them; a blank before or after it does not matter.

    Example:
        >>> import torch
        >>> weight_to(torch.tensor([[0.5, 0.25, 0.25]]), ["a", "b", " a"], "a").tolist()
        [0.75]
    """
    places = [place for place, label in enumerate(keys) if token in (label, label.strip())]
    return weights[:, places].float().sum(-1) if places else None


class Answer(NamedTuple):
    """Most probable outputs at the places that matter.

    Attributes:
        labels: one for each place.
        probability: the lowest of their probabilities.
    """

    labels: tuple[str, ...]
    probability: float


def answer(trace: Trace) -> Answer | None:
    """Return what a model answers; None where it ends without probabilities."""
    outputs = trace.outputs
    if outputs is None or outputs.kind == "values":
        return None
    ids, probabilities = trace.top_outputs(1)
    specials = trace.sequences[outputs.sequence].specials if outputs.kind not in ("label", "next") else ()
    rows = [*outputs.rows_that_matter(len(ids), specials)]
    return Answer(tuple(outputs.label(int(ids[row, 0])) for row in rows), float(probabilities[rows, 0].min()))
