"""How much memory a step of training takes, worked out before it is taken."""

from __future__ import annotations

import os
from dataclasses import replace

from attnviz.errors import ConfigError, TooMuchMemory
from attnviz.models.recurrent_config import AnyConfig, RecurrentConfig
from attnviz.tasks.base import Task

__all__ = ["activation_bytes", "check_memory", "memory_limit"]

DEFAULT_LIMIT_MB = 4096


def memory_limit() -> int:
    """Bytes that one step may take: ATTNVIZ_TRAIN_MEMORY_MB (mebibytes), or 4 GiB.

    Raises:
        ConfigError: the variable is not a whole number above 0.
    """
    text = os.environ.get("ATTNVIZ_TRAIN_MEMORY_MB") or str(DEFAULT_LIMIT_MB)
    if not text.isascii() or not text.isdecimal() or int(text) == 0:
        raise ConfigError(f"ATTNVIZ_TRAIN_MEMORY_MB is {text!r}; it must be a whole number of mebibytes above 0")
    return int(text) * 2**20


def activation_bytes(model: AnyConfig, batch_size: int) -> int:
    """About what the forward pass keeps for the backward pass, at the longest sequences the model reads, in float32.

    A token costs in each block: norms, q, k, v, context and residual sums 10 d_model, dropout 3 d_model,
    cross-attention 8 d_model more, feed-forward 2 d_ff; at the end 3 copies of its logits; a mask T bytes. In a
    recurrent layer it costs gates, state and memory, 10 d_model; where states attend, for every key a weight and, with
    additive scores, 2 d_model.
    """
    if isinstance(model, RecurrentConfig):
        return batch_size * 4 * _recurrent_numbers(model)
    width = 10 * model.d_model + 2 * model.d_ff + (3 * model.d_model if model.dropout else 0)
    cross = 8 * model.d_model if model.source_max_len else 0
    target = model.max_len * (model.n_layers * (width + cross) + 3 * model.output_size)
    source = (model.source_max_len or 0) * model.n_layers * width
    masks = model.max_len**2 + (model.source_max_len or 0) ** 2
    return batch_size * (4 * (target + source) + masks)


def _recurrent_numbers(model: RecurrentConfig) -> int:
    """Numbers that the forward pass of one sequence keeps."""
    target, source = model.max_len, model.source_max_len or 0
    per_token = model.n_layers * 10 * model.d_model + 3 * model.embedding_size
    per_pair = 1 + 2 * model.d_model * (model.attention == "additive")
    pairs = target * (source or target) * per_pair if model.attention != "none" else 0
    pooled = target * 2 * model.d_model if model.pooling == "additive" else 0
    return (target + source) * per_token + target * 3 * model.output_size + pairs + pooled


def check_memory(model: AnyConfig, batch_size: int, task: Task | None = None) -> None:
    """Refuse what would not fit.

    Args:
        model: to be trained; one without positions may read longer sequences than its task has.
        batch_size: sequences of a step.
        task: that it learns; None: sequences may be as long as the model reads.

    Raises:
        TooMuchMemory: with both figures, and the batch size that would fit.
    """
    if task is not None:
        model = replace(model, max_len=min(model.max_len, task.model_config().max_len))
    wanted, limit = activation_bytes(model, batch_size), memory_limit()
    if wanted > limit:
        raise TooMuchMemory(batch_size, model.max_len, _text(wanted), _text(limit), batch_size * limit // wanted)


def _text(size: int) -> str:
    """A number of bytes to read: 96 MiB, 4.0 GiB."""
    return f"{size / 2**20:,.0f} MiB" if size < 2**30 else f"{size / 2**30:,.1f} GiB"
