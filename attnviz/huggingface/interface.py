"""Listening at transformers' attention interface: every call that a model makes in this thread.

Every attention layer asks the interface for the function that computes its attention ("eager", "sdpa" ...). While
somebody listens, it is handed that very function, wrapped so that its arguments and result are shown as well: the
model's own backend and masks stay as they are, and no layer, config or hook of the model is touched. Nothing is changed
but by an editor, which may give other context vectors in place of those of the backend.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, NamedTuple, TypeVar

from torch import Tensor, nn
from transformers import AttentionInterface

from attnviz.guard import passes_on

__all__ = ["Editor", "InterfaceCall", "Listener", "editing", "hears", "listening", "unheard"]


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

Editor = Callable[[InterfaceCall, Tensor], Tensor]
"""Is shown each call likewise, and returns the context vectors that go on: the same tensor where nothing is changed."""

_editor: ContextVar[Editor | None] = ContextVar("editor", default=None)
_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)
_Part = TypeVar("_Part", Listener, Editor)
_lock = threading.Lock()
_listening = 0  # listeners and editors, of all threads
_ask = AttentionInterface.get_interface


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Show every attention call of this thread to the listener; other threads run as ever."""
    with _asked(_listener, listener):
        yield


@contextmanager
def editing(editor: Editor) -> Iterator[None]:
    """Let an editor change every attention call of this thread, before a listener is shown it."""
    with _asked(_editor, editor):
        yield


@contextmanager
def _asked(variable: ContextVar[_Part | None], part: _Part) -> Iterator[None]:
    token = variable.set(part)
    _change(+1)
    try:
        yield
    finally:
        _change(-1)
        variable.reset(token)


@contextmanager
def unheard() -> Iterator[None]:
    """Nothing that this thread runs inside is shown to its listener, or changed by its editor."""
    tokens = _listener.set(None), _editor.set(None)
    try:
        yield
    finally:
        _listener.reset(tokens[0])
        _editor.reset(tokens[1])


def _change(by: int) -> None:
    global _listening
    with _lock:
        _listening += by
        AttentionInterface.get_interface = _get_interface if _listening else _ask


def _get_interface(self: AttentionInterface, *args: Any, **kwargs: Any) -> Callable[..., Any]:
    backend: Callable[..., Any] = _ask(self, *args, **kwargs)
    listener, editor = _listener.get(), _editor.get()
    return backend if listener is None and editor is None else _heard(backend, listener, editor)


def _heard(backend: Callable[..., Any], listener: Listener | None, editor: Editor | None) -> Callable[..., Any]:
    @passes_on
    def attend(
        module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Any, *args: Any, **kwargs: Any
    ) -> Any:
        with unheard():  # what the backend itself may ask of the interface is its own affair
            result = backend(module, query, key, value, attention_mask, *args, **kwargs)
            extras = {**dict(zip(_names(backend), args, strict=False)), **kwargs}
            call = InterfaceCall(module, backend, query, key, value, attention_mask, extras)
            if editor is not None:
                result = (editor(call, result[0]), *result[1:])
            if listener is not None:
                listener(call, result[0])
        return result

    return attend


@cache
def _names(backend: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of a backend's arguments after the mask."""
    return tuple(inspect.signature(backend).parameters)[5:]


def hears() -> bool:
    """Whether a call of the interface would be heard in this thread now; not so inside of one."""
    return _listener.get() is not None
