"""Does a model need a head? Its score when the head says always the same: the mean of what it says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from attnviz.models import AttentionCall, Network
from attnviz.models.call import editing
from attnviz.models.layers import Attention
from attnviz.tasks import Batch, Task
from attnviz.training.engine.gradients import forward
from attnviz.training.engine.loop import evaluate

__all__ = ["Without", "without_head", "without_heads"]


class Without(NamedTuple):
    """A model without one of its heads.

    Attributes:
        site: name of the attention layer, such as "encoder.0.self".
        score: the task's metric on test data without it.
    """

    site: str
    head: int
    score: float


def without_heads(network: Network, task: Task, n: int, seed: int = 0) -> tuple[Without, ...]:
    """Return the score without each head of a Transformer, on the test sequences that `evaluate` takes for n and seed.

    The mean is that over all real tokens of those sequences. One head is taken away at a time: where two do the same,
    neither is missed.

    Args:
        network: in evaluation mode, and stays as it is; a recurrent one has no such heads.
        n: test sequences; of a finite collection, all are taken.
    """
    means = mean_contexts(network, task.batches(n, seed))
    found = []
    for site, mean in means.items():  # (H, d_head)
        for head in range(len(mean)):
            with without_head(site, head, mean[head]):
                result = evaluate(network, task, "test", n, seed)
            found.append(Without(site, head, result.score(task.metric)))
    return tuple(found)


def without_head(site: str, head: int, mean: Tensor) -> AbstractContextManager[None]:
    """Let one head's context be the same vector at every position, in every forward pass of this thread.

        output = Concat(context_1 ... mean ... context_H) W_O + b_O

    Args:
        site: name of one of a Transformer's attention layers.
        head: index.
        mean: (d_head,).
    """
    return editing(_Without(site, head, mean))


@torch.inference_mode()
def mean_contexts(network: Network, batches: Iterator[Batch]) -> dict[str, Tensor]:
    """Return the mean context of every head over the real tokens of some batches, by site: (H, d_head)."""
    means = _Means()
    for batch in batches:
        means.batch = batch
        with editing(means):
            forward(network, batch)
    return {name: (total / means.counts[name]).float() for name, total in means.totals.items()}


class _Without(NamedTuple):
    """Editor (see `attnviz.models.call.Editor`) that takes a head away."""

    site: str
    head: int
    mean: Tensor
    positions: bool = True

    def context(self, call: AttentionCall) -> Tensor:
        if call.layer.name != self.site:
            return call.context
        contexts = call.context.clone()  # (B, H, Tq, d_head)
        contexts[:, self.head] = self.mean
        return contexts


@dataclass
class _Means:
    """Editor that changes nothing, and adds up what every head says of the real tokens of a batch."""

    positions: bool = True
    batch: Batch | None = None
    totals: dict[str, Tensor] = field(default_factory=dict)  # (H, d_head) each
    counts: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def context(self, call: AttentionCall) -> Tensor:
        assert self.batch is not None  # it is given before the pass
        if not isinstance(call.layer, Attention):  # where a sequence is pooled
            return call.context
        name, reads_source = call.layer.name, call.layer.stack == "encoder" and self.batch.source is not None
        real = self.batch.source_padding if reads_source else self.batch.padding
        rows = call.context.transpose(1, 2)  # (B, Tq, H, d_head)
        rows = rows.flatten(0, 1) if real is None else rows[real]
        self.totals[name] = self.totals.get(name, 0) + rows.double().sum(0)
        self.counts[name] += len(rows)
        return call.context
