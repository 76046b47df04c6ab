"""Compute once what many ask of one trace: a class that opens one example asks the same forty times."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from attnviz.trace import Trace

__all__ = ["Once"]

_Answer = TypeVar("_Answer")


@dataclass
class _Question(Generic[_Answer]):
    lock: threading.Lock = field(default_factory=threading.Lock)
    answers: list[_Answer] = field(default_factory=list)  # one, once it is known


class Once(Generic[_Answer]):
    """A function of a trace: who asks while it is computed waits for it, and the answer lives as long as the trace.

    What the function raises passes through, and the next one who asks has it computed again.
    """

    def __init__(self, compute: Callable[[Trace], _Answer]) -> None:
        self._compute = compute
        self._asked: WeakKeyDictionary[Trace, _Question[_Answer]] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def __call__(self, trace: Trace) -> _Answer:
        with self._lock:
            question = self._asked.setdefault(trace, _Question())
        with question.lock:
            if not question.answers:
                question.answers.append(self._compute(trace))
            return question.answers[0]
