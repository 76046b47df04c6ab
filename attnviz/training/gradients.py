"""Loss and gradients of a batch, in pieces that stay in the processor's cache."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

import torch
import torch.nn.functional as F
from torch import Tensor

from attnviz.models.network import Network
from attnviz.models.recurrent import Recurrent
from attnviz.tasks.base import IGNORE, Batch

__all__ = ["add_gradients", "forward", "loss_sum"]

PIECE = 1024  # tokens: larger tensors leave the cache and go back to the system; smaller ones do not pay their calls


def add_gradients(network: Network, batch: Batch, keep_logits: bool = False) -> tuple[float, Tensor | None]:
    """Add the gradients of a batch's loss to those of the weights.

    A recurrent network takes the batch whole: each of its steps is a product, and pieces make the products small.

    The loss is the mean over the scored positions of the whole batch, so that pieces change nothing but rounding.

    Returns:
        The loss per scored position, in nats or as a squared error, and the logits (B, T, V) if they are to be kept,
        detached.
    """
    scored = (batch.targets != IGNORE).sum()
    losses, kept = [], []
    for piece in [batch] if isinstance(network, Recurrent) else _pieces(batch):
        logits = forward(network, piece)
        loss = loss_sum(logits, piece) / scored
        loss.backward()  # type: ignore[no-untyped-call]
        losses.append(loss.detach())
        if keep_logits:
            kept.append(logits.detach())
    return float(torch.stack(losses).sum()), torch.cat(kept) if kept else None


def forward(network: Network, batch: Batch) -> Tensor:
    """Logits (B, T, V)."""
    logits: Tensor = network(
        batch.tokens,
        batch.source,
        features=batch.features,
        padding=batch.padding,
        source_padding=batch.source_padding,
    )
    return logits


def loss_sum(logits: Tensor, batch: Batch) -> Tensor:
    """Cross-entropy, or the squared errors of values, summed over the scored positions: (B, T, V) -> ()."""
    if batch.values is not None:
        return (logits - batch.values)[batch.targets != IGNORE].square().sum()
    return F.cross_entropy(logits.flatten(0, 1), batch.targets.flatten(), ignore_index=IGNORE, reduction="sum")


def _pieces(batch: Batch) -> Iterator[Batch]:
    """The batch's sequences in equal pieces, one when it is small."""
    n = len(batch.tokens)
    tokens = batch.tokens.numel() + (0 if batch.source is None else batch.source.numel())
    size = ceil(n / max(1, round(tokens / PIECE)))
    for start in range(0, n, size):
        yield batch.rows(slice(start, start + size))
