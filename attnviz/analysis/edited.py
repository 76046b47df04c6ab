"""Score of a model on its task's test data with edits of its forward pass, and without."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from attnviz.analysis.scores import Interval
from attnviz.models import Network
from attnviz.tasks import Batch, Task
from attnviz.trace import Edit
from attnviz.trace.record import editing_rows
from attnviz.training.engine.gradients import forward

__all__ = ["Paired", "paired_scores"]

RESAMPLES = 2000


class Paired(NamedTuple):
    """Score before and after an edit, on the same sequences.

    Attributes:
        before, after: the task's metric, in which more is better.
        change: 95 % interval of after - before.
        changed: sequences of which any answer is right before and wrong after, or the other way round.
        n: sequences.
    """

    before: float
    after: float
    change: Interval
    changed: int
    n: int


def paired_scores(
    network: Network,
    task: Task,
    edits: Sequence[Edit],
    n: int = 512,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Paired:
    """Measure what edits do to a model's score on n test sequences, always the same ones for a seed.

    The interval is a paired bootstrap: the sequences are drawn again with replacement 2,000 times, before and after
    alike, and the 2.5th and the 97.5th percentile of the difference are told.

    Args:
        network: in evaluation mode; a finite collection of tests is taken whole, up to n.
        edits: such that name no position: those of one text mean nothing in another.
        progress: is told how many sequences are done, of how many; what it raises ends it.

    Source:
        Efron and Tibshirani 1993, "An Introduction to the Bootstrap", section 13.3.
    """
    before: list[Tensor] = []  # a tally of each sequence
    after: list[Tensor] = []
    progress(0, n)
    for batch in task.batches(n, seed):
        batch = batch.rows(slice(n - len(before)))
        before += _tallies(network, task, batch, ())
        after += _tallies(network, task, batch, edits)
        progress(len(before), n)
        if len(before) >= n:
            break
    pairs = torch.stack([torch.stack(before), torch.stack(after)])  # (2, sequences, sums)
    drawn = torch.randint(len(before), (RESAMPLES, len(before)), generator=torch.Generator().manual_seed(seed))
    sums = pairs[:, drawn].sum(2)  # (2, resamples, sums)
    differences = torch.tensor([task.score(b) - task.score(a) for a, b in zip(*sums, strict=True)])
    low, high = differences.quantile(torch.tensor([0.025, 0.975])).tolist()
    changed = int((pairs[0] != pairs[1]).any(1).sum())
    was, now = (task.score(each.sum(0)) for each in pairs)
    return Paired(was, now, Interval(low, high), changed, len(before))


@torch.inference_mode()
def _tallies(network: Network, task: Task, batch: Batch, edits: Sequence[Edit]) -> list[Tensor]:
    with editing_rows([edits] * len(batch.tokens)):
        logits = forward(network, batch)
    rows = range(len(batch.tokens))
    return [task.tally(logits[row : row + 1], batch.rows(slice(row, row + 1))) for row in rows]
