"""Limit of the memory that a step of training may take."""

from __future__ import annotations

import os
from dataclasses import replace

from attnviz.errors import SettingNotWhole, TooMuchMemory
from attnviz.models.cost import activation_bytes, n_parameters
from attnviz.models.recurrent_config import AnyConfig
from attnviz.models.tuned_config import TunedConfig
from attnviz.tasks.base import Task

__all__ = ["check_memory", "is_large", "memory_limit", "step_bytes"]

DEFAULT_LIMIT_MB = 4096
LARGE = 128 * 2**20  # bytes; no recipe takes as much
KEPT = 28  # bytes a parameter, between two steps: itself, its gradient, two moments, and three of them as saved


def memory_limit() -> int:
    """Return the bytes that one step may take: ATTNVIZ_TRAIN_MEMORY_MB (mebibytes), or 4 GiB.

    Raises:
        ConfigError: the variable is not a whole number above 0.
    """
    text = os.environ.get("ATTNVIZ_TRAIN_MEMORY_MB") or str(DEFAULT_LIMIT_MB)
    if not text.isascii() or not text.isdecimal() or int(text) == 0:
        raise SettingNotWhole("ATTNVIZ_TRAIN_MEMORY_MB", text, 1)
    return int(text) * 2**20


def check_memory(model: AnyConfig, batch_size: int, task: Task | None = None, most: int | None = None) -> None:
    """Refuse what would not fit.

    Args:
        model: model to train; one without positions may read longer sequences than its task has.
        batch_size: sequences of a step.
        task: task that it learns; None: sequences may be as long as the model reads.
        most: bytes that a step may take, where that is less than this machine lets it; None: no limit beside that.

    Raises:
        TooMuchMemory: with both figures, and the batch size that would fit.
    """
    wanted, limit = step_bytes(model, batch_size, task), memory_limit()
    limit = limit if most is None else min(limit, most)
    if wanted > limit:
        raise TooMuchMemory(batch_size, model.max_len, _text(wanted), _text(limit), batch_size * limit // wanted)


def is_large(model: AnyConfig, batch_size: int, task: Task) -> bool:
    """Whether training takes so much memory, and so much time a step, that it should share a process with no other."""
    return step_bytes(model, batch_size, task) + KEPT * n_parameters(model) > LARGE


def step_bytes(model: AnyConfig, batch_size: int, task: Task | None) -> int:
    """Return about the bytes that a step takes; of a pretrained network with its weights and what goes with them."""
    if isinstance(model, TunedConfig):
        return 4 * model.n_parameters + (KEPT - 4) * model.n_trained + activation_bytes(model, batch_size)
    if task is not None:
        model = replace(model, max_len=min(model.max_len, task.model_config().max_len))
    return activation_bytes(model, batch_size)


def _text(size: int) -> str:
    """Return a number of bytes to read: 96 MiB, 4.0 GiB."""
    return f"{size / 2**20:,.0f} MiB" if size < 2**30 else f"{size / 2**30:,.1f} GiB"
