"""Effect of an edit on an answer: how two traces of one text differ in one output."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from attnviz.errors import EditMisfit
from attnviz.errors.base import Why
from attnviz.trace import Trace
from attnviz.trace.rows import label_of, output_at, row_of

__all__ = ["Change", "Effect", "Measures", "effect", "measures"]


class Change(NamedTuple):
    """One number before and after an edit."""

    before: float
    after: float

    @property
    def change(self) -> float:
        """after - before."""
        return self.after - self.before


class Effect(NamedTuple):
    """Difference that an edit makes to one output at one position.

    Attributes:
        token: label of the output.
        position: row of the logits, from 0.
        logit: its score.
        probability: its share of the softmax.
        rank: 1 for the most probable output.
        loss: -log(probability), in nats.
        kl: Kullback-Leibler divergence of all outputs there, sum of p log(p / q) in nats: p before, q after.
    """

    token: str
    position: int
    logit: Change
    probability: Change
    rank: Change
    loss: Change
    kl: float


class Measures(NamedTuple):
    """Numbers of one output in n rows of logits, (n,) each; `kl` is against the row before any edit."""

    logit: Tensor
    probability: Tensor
    rank: Tensor
    loss: Tensor
    kl: Tensor


def measures(before: Tensor, after: Tensor, output: int) -> Measures:
    """Measure an output in logits (V,) before and (n, V) after edits."""
    p, q = before.double().log_softmax(-1), after.double().log_softmax(-1)
    chosen = q[:, output]
    rank = 1 + (after > after[:, output, None]).sum(-1)
    kl = (p.exp() * (p - q)).sum(-1).clamp(min=0)
    return Measures(after[:, output].double(), chosen.exp(), rank.double(), -chosen, kl)


def effect(trace: Trace, edited: Trace, token: str | int | None = None, position: int = -1) -> Effect:
    """Compare an output of an edited trace with that of a trace of the same text.

    Args:
        trace: trace of the text.
        edited: trace of the same text with edits.
        token: output, by label or id; None: the most probable one of the trace there.
        position: row of the logits; from the end where it is negative.

    Raises:
        NoProbabilities: the model ends without probabilities.
        NoSuchOutput, NoSuchPosition: there is no such output, or no such row.
        EditMisfit: the two traces are of different outputs.

    Example:
        >>> import attnviz
        >>> from attnviz import edits
        >>> model = attnviz.load_model("zoo/reverse")
        >>> plain = attnviz.trace(model, "c b a")
        >>> edited = attnviz.trace(model, "c b a", edits=[edits.head_off("encoder.0.self", head=0)])
        >>> found = effect(plain, edited, position=0)
        >>> found.token, found.probability.before > 0.99
        ('a', True)
    """
    row = row_of(trace, position)
    before, after = (one.logits.float() for one in (trace, edited))
    if before.shape != after.shape:
        raise EditMisfit("effect", Why("other-outputs"))
    output = output_at(trace, token, row)
    was, now = measures(before[row], before[row, None], output), measures(before[row], after[row, None], output)
    logit, probability, rank, loss, _ = (Change(*map(float, pair)) for pair in zip(was, now, strict=True))
    return Effect(label_of(trace, output), row, logit, probability, rank, loss, float(now.kl))
