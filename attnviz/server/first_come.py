"""Let a few threads compute at a time, those who came first first.

Where all compute together, each waits for all others: of forty people who change something in one moment, nobody has an
answer before everybody has. One after the other, the first has it at once, and the last no later.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

__all__ = ["TURNS", "FirstCome"]


class FirstCome:
    """Turns of threads, in the order in which they asked.

    Args:
        at_once: turns at the same time.
        patience: seconds after which a turn that lasts is no longer counted: who opens a large model, or waits for a
            disk, does not keep others waiting for longer than that.
        clock: gives seconds.
    """

    def __init__(self, at_once: int, patience: float, clock: Callable[[], float] = monotonic) -> None:
        self.at_once = at_once
        self.patience = patience
        self._clock = clock
        self._waiting: deque[tuple[int, threading.Event]] = deque()  # by their thread
        self._begun: dict[int, float] = {}  # when the turn of a thread began
        self._lock = threading.Lock()

    @property
    def waiting(self) -> int:
        """How many wait for a turn."""
        with self._lock:
            return len(self._waiting)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn, which lasts as long as the block; inside of a turn a second one is the same."""
        me, called = threading.get_ident(), threading.Event()
        if me in self._begun:
            yield
            return
        with self._lock:
            self._waiting.append((me, called))
            self._call()
        try:
            while not called.wait(self.patience):
                with self._lock:
                    self._call()
            yield
        finally:
            with self._lock:
                if self._begun.pop(me, None) is None:
                    self._waiting.remove((me, called))
                self._call()

    def _call(self) -> None:
        """Begin the turns for which there is room."""
        now = self._clock()
        counted = sum(now - begun < self.patience for begun in self._begun.values())
        while self._waiting and counted < self.at_once:
            thread, called = self._waiting.popleft()
            self._begun[thread] = now
            counted += 1
            called.set()


TURNS = FirstCome(at_once=2, patience=0.5)
"""Turns of the pages: one computes, and the next one begins while that one waits, or is in C++."""
