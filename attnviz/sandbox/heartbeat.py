"""Measure how long other threads wait, because code that holds Python's lock lets none of them run."""

from __future__ import annotations

import threading
import time

__all__ = ["Heartbeat"]

EVERY = 0.005


class Heartbeat:
    """Measure the longest time in which no other thread could run, in seconds of the CPU time of this process.

    CPU time does not depend on what else the machine does.

    Attributes:
        longest: seconds, up to now.
    """

    def __init__(self) -> None:
        self.longest = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True, name="attnviz-heartbeat")

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _beat(self) -> None:
        last = time.process_time()
        while not self._stop.wait(EVERY):
            now = time.process_time()
            self.longest, last = max(self.longest, now - last), now
        self.longest = max(self.longest, time.process_time() - last)
