"""Does a model need a head? Its score when the head says always the same: the mean of what it says."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import NamedTuple

import torch
from torch import Tensor

from attnviz.models import Network
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
        network: stays as it is; a recurrent one has no such heads.
        n: test sequences; of a finite collection, all are taken.
    """
    means = mean_contexts(network, task.batches(n, seed))
    found = []
    for site, mean in means.items():  # (H, d_head)
        for head in range(len(mean)):
            result = evaluate(without_head(network, site, head, mean[head]), task, "test", n, seed)
            found.append(Without(site, head, result.score(task.metric)))
    return tuple(found)


def without_head(network: Network, site: str, head: int, mean: Tensor) -> Network:
    """Return a copy of a network in which one head's context is the same vector at every position.

        output = Concat(context_1 ... mean ... context_H) W_O + b_O

    That vector's share of the output is a part of the bias, and the head's rows of W_O are 0.

    Args:
        network: a Transformer.
        site: name of one of its attention layers.
        head: index.
        mean: (d_head,).
    """
    copied = deepcopy(network)
    layer = _layers(copied)[site]
    rows = slice(head * layer.d_head, (head + 1) * layer.d_head)
    with torch.no_grad():
        weight, bias = layer.project_out.weight, layer.project_out.bias  # (d_model, H * d_head), (d_model,)
        bias.add_(weight[:, rows] @ mean)
        weight[:, rows] = 0
    return copied


@torch.inference_mode()
def mean_contexts(network: Network, batches: Iterator[Batch]) -> dict[str, Tensor]:
    """Return the mean context of every head over the real tokens of some batches, by site: (H, d_head)."""
    copied = deepcopy(network).eval()  # hooks on a network that others use would be seen by all
    layers = _layers(copied)
    inputs: dict[str, Tensor] = {}
    for name, layer in layers.items():
        layer.project_out.register_forward_pre_hook(
            lambda _, given, name=name: inputs.__setitem__(name, given[0])  # (B, T, H * d_head)
        )
    totals = {name: torch.zeros(layer.n_heads * layer.d_head, dtype=torch.float64) for name, layer in layers.items()}
    counts = dict.fromkeys(layers, 0)
    for batch in batches:
        forward(copied, batch)
        for name, layer in layers.items():
            real = batch.source_padding if layer.stack == "encoder" and batch.source is not None else batch.padding
            rows = inputs[name].flatten(0, 1) if real is None else inputs[name][real]
            totals[name] += rows.double().sum(0)
            counts[name] += len(rows)
    means = {name: (total / counts[name]).float() for name, total in totals.items()}
    return {name: mean.view(layers[name].n_heads, -1) for name, mean in means.items()}


def _layers(network: Network) -> dict[str, Attention]:
    return {module.name: module for module in network.modules() if isinstance(module, Attention)}
