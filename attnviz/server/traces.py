"""Traces that pages and HTTP routes share, kept for a while and found again by an id nobody can guess."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
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
        self._lock = threading.Lock()

    def get(self, trace_id: str) -> Trace | None:
        """Return the trace of an id, or None when it is not (or no longer) held."""
        with self._lock:
            key = self._keys.get(trace_id)
            if key is None:
                return None
            self._held.move_to_end(key)
            return self._held[key].trace

    def obtain(self, key: TraceKey, make: Callable[[], Trace]) -> Held:
        """Return the held trace of a key, made first when there is none; what `make` raises passes through."""
        with self._lock:
            held = self._held.get(key)
            if held is not None:
                self._held.move_to_end(key)
                return held
        made = make()  # outside the lock: a long text does not hold up the others
        with self._lock:
            held = self._held.get(key)
            if held is None:
                held = self._held[key] = Held(secrets.token_hex(16), made)
                self._keys[held.id] = key
                self._drop_oldest()
            return held

    def forget(self, model: str, version: int) -> None:
        """Drop all traces of a model: each refers to its weights."""
        with self._lock:
            for key in [key for key in self._held if (key.model, key.version) == (model, version)]:
                del self._keys[self._held.pop(key).id]

    def _drop_oldest(self) -> None:
        size = self._nbytes()
        while len(self._held) > 1 and (len(self._held) > self.max_count or size > self.max_bytes):
            _, dropped = self._held.popitem(last=False)
            del self._keys[dropped.id]
            size -= dropped.trace.nbytes

    def _nbytes(self) -> int:
        return sum(held.trace.nbytes for held in self._held.values())

    @property
    def nbytes(self) -> int:
        """Bytes of q, k, v held."""
        with self._lock:
            return self._nbytes()

    def __len__(self) -> int:
        with self._lock:
            return len(self._held)
