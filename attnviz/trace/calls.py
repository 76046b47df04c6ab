"""Answering the calls of a model's blocks, in this thread alone: no module, hook or config of the model is touched."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, NamedTuple

from torch import Tensor, nn

from attnviz.guard import passes_on

__all__ = ["Answer", "BlockPlace", "Blocks", "answering", "input_of", "standing_in", "stream_of", "with_stream"]


class BlockPlace(NamedTuple):
    """A block of a model by the name of its stack and its layer."""

    stack: str
    layer: int


Blocks = Mapping[tuple[nn.Module, int], BlockPlace]
"""Blocks of a model by module and turn: how many times it ran before, within one forward pass."""

Answer = Callable[[BlockPlace, Callable[[], Any]], Any]
"""Gives what a block gives: by running it, which the second argument does, or in another way."""

_Call = Callable[[nn.Module, Callable[[], Any]], Any]
_answer: ContextVar[_Call | None] = ContextVar("answer", default=None)
_lock = threading.Lock()
_answering = 0  # threads that answer
_run = nn.Module.__call__


@contextmanager
def answering(blocks: Blocks, answer: Answer) -> Iterator[None]:
    """Let `answer` stand for the blocks of one forward pass of this thread; an earlier one stays around it."""
    modules, turns = {module for module, _ in blocks}, Counter[nn.Module]()

    @passes_on
    def of_block(module: nn.Module, run: Callable[[], Any]) -> Any:
        if module not in modules:
            return run()
        turns[module] += 1
        place = blocks.get((module, turns[module] - 1))
        return run() if place is None else answer(place, run)

    with standing_in(of_block):
        yield


@contextmanager
def standing_in(answer: _Call) -> Iterator[None]:
    """Let `answer` stand for every module that this thread runs; an earlier one stays around it."""
    outer = _answer.get()

    @passes_on
    def both(module: nn.Module, run: Callable[[], Any]) -> Any:
        return answer(module, run) if outer is None else outer(module, partial(answer, module, run))

    token = _answer.set(both)
    _change(+1)
    try:
        yield
    finally:
        _change(-1)
        _answer.reset(token)


def _change(by: int) -> None:
    global _answering
    with _lock:
        _answering += by
        nn.Module.__call__ = _answered if _answering else _run  # type: ignore[method-assign]


@passes_on
def _answered(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
    answer = _answer.get()
    return _run(self, *args, **kwargs) if answer is None else answer(self, partial(_run, self, *args, **kwargs))


def input_of(run: Any) -> Tensor:
    """Return the residual stream that a block is given, by what would run it: the first tensor among its arguments."""
    while run.func is not _run:
        run = run.args[-1]  # somebody stands between
    given = (*run.args, *run.keywords.values())
    return next(value for value in given if isinstance(value, Tensor))


def stream_of(made: Any) -> Tensor:
    """Return the residual stream in what a block gave: it, or the first of several."""
    stream: Tensor = made[0] if isinstance(made, tuple | list) else made
    return stream


def with_stream(made: Any, stream: Tensor) -> Any:
    """Return what a block gave with another residual stream."""
    return type(made)((stream, *made[1:])) if isinstance(made, tuple | list) else stream
