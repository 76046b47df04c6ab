"""How far a run has come and how well it did, read on from where the last look ended."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import NamedTuple

from attnviz.errors import RunCorrupt
from attnviz.tasks.base import LOSSES, Metric
from attnviz.training.loop import Evaluation

__all__ = ["Progress", "Seen"]


class Seen(NamedTuple):
    """What metrics.jsonl says so far.

    Attributes:
        step: the last one; 0 before the first.
        best: value of the task's metric on held-out data; None before it was looked at.
    """

    step: int = 0
    best: float | None = None


class Progress:
    """Reads what was appended to a run's metrics.jsonl since the last look; safe to use from several threads.

    A file that was replaced, as when a run is resumed, is read from its beginning.

    Args:
        path: of metrics.jsonl, which may not exist yet.
        metric: the task's.
    """

    def __init__(self, path: Path, metric: Metric) -> None:
        self.path = path
        self._metric: Metric = metric
        self._lock = threading.Lock()
        self._inode = 0
        self._read = 0  # bytes
        self._seen = Seen()

    def look(self) -> Seen:
        """What the file says now.

        Raises:
            RunCorrupt: a line is not one that a run writes.
        """
        with self._lock:
            try:
                self._read_on()
            except FileNotFoundError:
                self._start(0)
            except (OSError, ValueError, TypeError, KeyError) as error:
                raise RunCorrupt(self.path.parent.name, self.path.name, str(error)) from error
            return self._seen

    def _start(self, inode: int) -> None:
        self._inode, self._read, self._seen = inode, 0, Seen()

    def _read_on(self) -> None:
        with self.path.open("rb") as file:
            status = os.fstat(file.fileno())
            if status.st_ino != self._inode or status.st_size < self._read:
                self._start(status.st_ino)
            file.seek(self._read)
            lines = file.read().splitlines(keepends=True)
        if lines and not lines[-1].endswith(b"\n"):  # still being written
            lines.pop()
        for line in lines:
            if b'"validation"' in line:
                self._judge(Evaluation(**json.loads(line)["validation"]).score(self._metric))
        if lines:
            self._seen = Seen(int(json.loads(lines[-1])["step"]), self._seen.best)
        self._read += sum(map(len, lines))

    def _judge(self, value: float) -> None:
        best = self._seen.best
        better = min if self._metric in LOSSES else max
        self._seen = Seen(self._seen.step, value if best is None else better(best, value))
