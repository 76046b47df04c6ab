"""Listening at transformers' attention interface: every call that a model makes in this thread, nothing changed.

Every attention layer asks the interface for the function that computes its attention ("eager", "sdpa" ...). While
somebody listens, it is handed that very function, wrapped so that its arguments and result are shown as well: the
model's own backend and masks stay as they are, and no layer, config or hook of the model is touched.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, NamedTuple

from torch import Tensor, nn
from transformers import AttentionInterface

from attnviz.guard import passes_on

__all__ = ["InterfaceCall", "Listener", "hears", "listening", "unheard"]


class InterfaceCall(NamedTuple):
    """One call of an attention function, as references.

    Attributes:
        module: the layer that called.
        backend: the attention function itself.
        q: queries (B, H, Tq, d_head), after any rotation.
        k: keys (B, H_kv, Tk, d_head), likewise, before they are repeated for the query heads.
        v: values (B, H_kv, Tk, d_value).
        mask: as the model made it: None, bool (True: may be read) or numbers to be added to the scores.
        extras: the other arguments by name: scaling, softcap, position_bias, s_aux ...
    """

    module: nn.Module
    backend: Callable[..., Any]
    q: Tensor
    k: Tensor
    v: Tensor
    mask: Any
    extras: Mapping[str, Any]


Listener = Callable[[InterfaceCall, Tensor], None]
"""Is shown each call, and the function's own result: the context vectors (B, Tq, H, d_value)."""

_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)
_lock = threading.Lock()
_listening = 0  # how many threads listen
_ask = AttentionInterface.get_interface


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Show every attention call of this thread to the listener; other threads run as ever."""
    token = _listener.set(listener)
    _change(+1)
    try:
        yield
    finally:
        _change(-1)
        _listener.reset(token)


@contextmanager
def unheard() -> Iterator[None]:
    """Nothing that this thread runs inside is shown to its listener."""
    token = _listener.set(None)
    try:
        yield
    finally:
        _listener.reset(token)


def _change(by: int) -> None:
    global _listening
    with _lock:
        _listening += by
        AttentionInterface.get_interface = _get_interface if _listening else _ask


def _get_interface(self: AttentionInterface, *args: Any, **kwargs: Any) -> Callable[..., Any]:
    backend: Callable[..., Any] = _ask(self, *args, **kwargs)
    listener = _listener.get()
    return backend if listener is None else _heard(backend, listener)


def _heard(backend: Callable[..., Any], listener: Listener) -> Callable[..., Any]:
    @passes_on
    def attend(
        module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Any, *args: Any, **kwargs: Any
    ) -> Any:
        with unheard():  # what the backend itself may ask of the interface is its own affair
            result = backend(module, query, key, value, attention_mask, *args, **kwargs)
            extras = {**dict(zip(_names(backend), args, strict=False)), **kwargs}
            listener(InterfaceCall(module, backend, query, key, value, attention_mask, extras), result[0])
        return result

    return attend


@cache
def _names(backend: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of a backend's arguments after the mask."""
    return tuple(inspect.signature(backend).parameters)[5:]


def hears() -> bool:
    """Whether a call of the interface would be heard in this thread now; not so inside of one."""
    return _listener.get() is not None
