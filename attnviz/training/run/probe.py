"""The probe: a few fixed validation sequences on which attention is watched while a network learns."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol, cast, runtime_checkable

import torch
from torch import Generator, Tensor, nn

from attnviz import attention
from attnviz.models.call import AttentionCall
from attnviz.models.network import Network
from attnviz.tasks.base import Batch, Task

__all__ = ["attention_weights", "probe_sequences", "sequences"]

SEED_OFFSET = 3_000_017  # apart from the data that is trained and validated on
CANDIDATES = 16  # short sequences show little: the longest of so many are taken
LONGEST = 96  # tokens of a text: with 512, eight heads take two megabytes a snapshot, more than a person can look at


@runtime_checkable
class Watched(Protocol):
    """A network that has a way of its own to be watched."""

    def watched(self, tokens: Tensor) -> dict[str, Tensor]:
        """Return the weights of every head on one sequence (1, T), as `attention_weights` does."""


def probe_sequences(task: Task, n: int, seed: int) -> list[Batch]:
    """Return the n longest of some validation sequences, always the same ones for a seed; each alone, without padding.

    Of a long text, only the beginning: in a decoder, what follows does not change its attention.
    """
    if own := task.probe():
        return list(own)
    batch = task.sample(max(CANDIDATES, n), Generator().manual_seed(seed + SEED_OFFSET), "validation")
    candidates = sequences(batch, len(batch.tokens))
    longest = sorted(candidates, key=lambda sequence: sequence.tokens.shape[1], reverse=True)[:n]
    if task.architecture != "decoder":
        return longest
    return [_beginning(sequence) for sequence in longest]


def _beginning(sequence: Batch) -> Batch:
    return replace(sequence, **{name: part[:, :LONGEST] for name, part in vars(sequence).items() if part is not None})


def sequences(batch: Batch, n: int) -> list[Batch]:
    """Return the first n sequences of a batch, or as many as there are; each alone, without padding."""
    alone = (batch.rows(slice(row, row + 1)).trimmed() for row in range(min(n, len(batch.tokens))))
    return [replace(sequence, padding=None, source_padding=None) for sequence in alone]


@torch.inference_mode()
def attention_weights(network: nn.Module, sequence: Batch) -> dict[str, Tensor]:
    """The weights of every head on one sequence, by site in the order in which they run: (H, Tq, Tk) from 0 to 1."""
    if isinstance(network, Watched):
        return network.watched(sequence.tokens)
    found: dict[str, Tensor] = {}

    def keep(call: AttentionCall) -> None:
        layer = call.layer
        k = call.k[0].repeat_interleave(layer.n_heads // layer.n_kv_heads, dim=0)  # (H, Tk, d_head)
        if layer.additive is None:
            scores = attention.dot_product_scores(call.q[0], k)
        else:
            scores = attention.additive_scores(call.q[0], k, *layer.additive)
        scaled = attention.scaled_scores(scores, layer.scale)
        found[layer.name] = attention.softmax_weights(attention.masked_scores(scaled, call.mask))

    network.eval()
    cast(Network, network).stream(sequence.tokens, sequence.source, features=sequence.features, record=keep)
    return found
