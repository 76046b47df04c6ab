"""Traces that pages and HTTP routes share, kept for a while and found again by an id nobody can guess."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from math import inf
from time import monotonic
from typing import NamedTuple

from attnviz.trace import Trace

__all__ = ["NUMBERS", "Held", "TraceKey", "TraceStore"]

NUMBERS = "numbers:"
"""In place of a model: the text is what `forward.numbers_key` wrote."""


class TraceKey(NamedTuple):
    """Key of a trace.

    Attributes:
        model: name of the model.
        text: text that it reads; "" for one that reads none.
        target: target of an encoder-decoder, "": the model writes it itself; of an encoder the second sentence.
        version: version of the model, see `Listed`.
        image: name of a sample or of an image that was handed in, see `attnviz.server.images`; "" where it sees none.
        edits: changes of the forward pass, as `attnviz.edits.write_edits` writes them.
        write: how the model writes on, as `attnviz.writing.Plan` says it; "": it reads, and writes nothing.
    """

    model: str
    text: str
    target: str = ""
    version: int = 0
    image: str = ""
    edits: str = ""
    write: str = ""


class Held(NamedTuple):
    """A trace and the id under which the routes find it: 128 random bits, new whenever the trace is made anew."""

    id: str
    trace: Trace


class TraceStore:
    """The most recently used traces, bounded in number and in bytes; safe to use from several threads.

    Args:
        max_bytes: most bytes of q, k, v held together; the newest trace is kept whatever its size.
        max_count: traces held together.
    """

    def __init__(self, max_bytes: int = 2 * 2**30, max_count: int = 256) -> None:
        self.max_bytes = max_bytes
        self.max_count = max_count
        self._held: OrderedDict[TraceKey, Held] = OrderedDict()  # least recently used first
        self._keys: dict[str, TraceKey] = {}
        self._sizes: dict[TraceKey, int] = {}  # bytes of each
        self._used: dict[TraceKey, float] = {}  # when each was asked for last
        self._lock = threading.Lock()

    def get(self, trace_id: str) -> Trace | None:
        """Return the trace of an id, or None when it is not (or no longer) held."""
        with self._lock:
            key = self._keys.get(trace_id)
            if key is None:
                return None
            return self._use(key).trace

    def obtain(self, key: TraceKey, make: Callable[[], Trace]) -> Held:
        """Return the held trace of a key, made first when there is none; what `make` raises passes through."""
        with self._lock:
            if key in self._held:
                return self._use(key)
        made = make()  # outside the lock: a long text does not hold up the others
        with self._lock:
            if key not in self._held:
                held = self._held[key] = Held(secrets.token_hex(16), made)
                self._keys[held.id], self._sizes[key] = key, made.nbytes
                self._drop_oldest()
            return self._use(key)

    def _use(self, key: TraceKey) -> Held:
        self._held.move_to_end(key)
        self._used[key] = monotonic()
        return self._held[key]

    def forget(self, model: str, version: int) -> None:
        """Drop all traces of a model: each refers to its weights."""
        with self._lock:
            for key in [key for key in self._held if (key.model, key.version) == (model, version)]:
                self._drop(key)

    def forget_unused(self, seconds: float, quiet: float = inf) -> int:
        """Drop the traces that nobody has asked for in the last seconds; all, if none was in `quiet` seconds.

        Returns:
            How many.
        """
        with self._lock:
            unused = {key: monotonic() - self._used[key] for key in self._held}
            is_quiet = min(unused.values(), default=0.0) > quiet
            old = [key for key in unused if is_quiet or unused[key] > seconds]
            for key in old:
                self._drop(key)
            return len(old)

    def _drop(self, key: TraceKey) -> int:
        """Drop a trace; returns its bytes."""
        held = self._held.pop(key)
        del self._keys[held.id], self._used[key]
        return self._sizes.pop(key)

    def _drop_oldest(self) -> None:
        size = sum(self._sizes.values())
        while len(self._held) > 1 and (len(self._held) > self.max_count or size > self.max_bytes):
            size -= self._drop(next(iter(self._held)))

    @property
    def nbytes(self) -> int:
        """Bytes of q, k, v held."""
        with self._lock:
            return sum(self._sizes.values())

    def __len__(self) -> int:
        with self._lock:
            return len(self._held)
