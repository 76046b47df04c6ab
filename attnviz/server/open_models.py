"""The models that are open, the most recently used ones, bounded by the bytes of their parameters."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from torch import nn

from attnviz.models import SequenceModel

if TYPE_CHECKING:
    from attnviz.huggingface import HuggingFaceModel

__all__ = ["MEMORY", "AnyModel", "ModelKey", "ModelStore", "nbytes", "parameter_memory"]

MEMORY = "ATTNVIZ_MODEL_MEMORY_MB"
"""Environment variable of the operator: megabytes of parameters that stay open together; 4096 where it says nothing."""

DEFAULT_MB = 4096

AnyModel: TypeAlias = "SequenceModel | HuggingFaceModel"
"""Ours, or one of transformers."""


class ModelKey(NamedTuple):
    """Key of an open model; for its version see `Listed`."""

    name: str
    version: int = 0


def parameter_memory() -> int:
    """Return the bytes of parameters that may stay open together, as the operator says."""
    value = os.environ.get(MEMORY, "")
    return (int(value) if value.isascii() and value.isdigit() else DEFAULT_MB) * 2**20


def nbytes(network: nn.Module) -> int:
    """Return the memory of a network's parameters and buffers, shared ones counted once.

    Example:
        >>> nbytes(nn.Linear(3, 2))
        32
    """
    tensors = [*network.parameters(), *network.buffers()]
    return sum({t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in tensors}.values())


class ModelStore:
    """The most recently used models; safe to use from several threads, each model is opened by one of them.

    Args:
        max_bytes: most bytes of parameters held together; the newest model is kept whatever its size.
        on_drop: told of every model that is dropped, so that nothing else keeps its weights.
    """

    def __init__(self, max_bytes: int, on_drop: Callable[[ModelKey], None]) -> None:
        self.max_bytes = max_bytes
        self._on_drop = on_drop
        self._held: OrderedDict[ModelKey, tuple[AnyModel, int]] = OrderedDict()
        self._opening: dict[ModelKey, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: ModelKey) -> AnyModel | None:
        """Return the model when it is open; it counts as used."""
        with self._lock:
            held = self._held.get(key)
            if held is None:
                return None
            self._held.move_to_end(key)
            return held[0]

    def obtain(self, key: ModelKey, make: Callable[[], AnyModel]) -> AnyModel:
        """Return the open model, opened first when it is not; what `make` raises passes through."""
        model = self.get(key)
        if model is not None:
            return model
        with self._lock:
            opening = self._opening.setdefault(key, threading.Lock())
        try:
            with opening:  # whoever else wants it waits, and finds it open
                model = self.get(key)
                return self._keep(key, make()) if model is None else model
        finally:
            with self._lock:
                self._opening.pop(key, None)

    def _keep(self, key: ModelKey, model: AnyModel) -> AnyModel:
        with self._lock:
            self._held[key] = (model, nbytes(model.network))
            dropped = self._drop_oldest()
        for each in dropped:
            self._on_drop(each)
        return model

    def drop(self, key: ModelKey) -> None:
        """Close a model, if it is open."""
        with self._lock:
            self._held.pop(key, None)
        self._on_drop(key)

    def _drop_oldest(self) -> list[ModelKey]:
        dropped = []
        while len(self._held) > 1 and self._nbytes() > self.max_bytes:
            dropped.append(self._held.popitem(last=False)[0])
        return dropped

    def _nbytes(self) -> int:
        return sum(size for _, size in self._held.values())

    def keys(self) -> list[ModelKey]:
        """Return all models that are open."""
        with self._lock:
            return list(self._held)

    @property
    def nbytes(self) -> int:
        """Bytes of parameters held."""
        with self._lock:
            return self._nbytes()

    def __contains__(self, key: ModelKey) -> bool:
        with self._lock:
            return key in self._held

    def __len__(self) -> int:
        with self._lock:
            return len(self._held)
