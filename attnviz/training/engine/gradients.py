"""Loss and gradients of a batch."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from attnviz.tasks.base import IGNORE, Batch

__all__ = ["add_gradients", "forward", "loss_sum"]


def add_gradients(network: nn.Module, batch: Batch) -> tuple[float, Tensor]:
    """Add the gradients of a batch's loss to those of the weights.

    Returns:
        The loss per scored position, in nats or as a squared error, and the logits (B, T, V), detached.
    """
    logits = forward(network, batch)
    loss = loss_sum(logits, batch) / (batch.targets != IGNORE).sum()
    loss.backward()  # type: ignore[no-untyped-call]
    return loss.item(), logits.detach()


def forward(network: nn.Module, batch: Batch) -> Tensor:
    """Logits (B, T, V)."""
    logits: Tensor = network(
        batch.tokens, batch.source, features=batch.features, padding=batch.padding, source_padding=batch.source_padding
    )
    return logits


def loss_sum(logits: Tensor, batch: Batch) -> Tensor:
    """Cross-entropy, or the squared errors of values, summed over the scored positions: (B, T, V) -> ()."""
    if batch.values is not None:
        return (logits - batch.values)[batch.targets != IGNORE].square().sum()
    reduction = "sum" if batch.weights is None else "none"
    loss = F.cross_entropy(logits.flatten(0, 1), batch.targets.flatten(), ignore_index=IGNORE, reduction=reduction)
    return loss if batch.weights is None else (loss * batch.weights.flatten()).sum()
