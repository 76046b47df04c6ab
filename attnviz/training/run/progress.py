"""Progress and scores of a run, read on from where the last look ended."""

from __future__ import annotations

import os
import threading
from math import isclose
from pathlib import Path
from typing import NamedTuple

from attnviz.bounded import MALFORMED, open_regular, reason
from attnviz.errors import RunCorrupt
from attnviz.tasks.base import LOSSES, Metric
from attnviz.training.engine.config import TrainConfig
from attnviz.training.run.folder import Metrics

__all__ = ["Progress", "Seen", "is_steered"]

AT_ONCE = 16 * 2**20  # bytes


class Seen(NamedTuple):
    """Content of metrics.jsonl so far.

    Attributes:
        step: the last one; 0 before the first.
        best: value of the task's metric on held-out data; None before it was looked at.
        rate: learning rate of the last step; None before the first.
        seconds: processor seconds of training so far.
        loss: lowest loss on held-out data; None before it was looked at.
    """

    step: int = 0
    best: float | None = None
    rate: float | None = None
    seconds: float = 0.0
    loss: float | None = None


def is_steered(training: TrainConfig, seen: Seen) -> bool:
    """Whether somebody changed the learning rate of a run, so that it computes another thing than it was made for."""
    return seen.rate is not None and not isclose(seen.rate, training.rate(seen.step), abs_tol=1e-12)


class Progress:
    """Reads what was appended to a run's metrics.jsonl since the last look; safe to use from several threads.

    A file that was replaced, as when a run is resumed, is read from its beginning.

    Args:
        path: path of metrics.jsonl, which may not exist yet.
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
        """Read what was added to the file since the last look.

        Raises:
            RunCorrupt: a line is not one that a run writes.
        """
        with self._lock:
            try:
                self._read_on()
            except FileNotFoundError:
                self._start(0)
            except MALFORMED as error:
                raise RunCorrupt(self.path.parent.name, self.path.name, reason(error)) from error
            return self._seen

    def _start(self, inode: int) -> None:
        self._inode, self._read, self._seen = inode, 0, Seen()

    def _read_on(self) -> None:
        with open_regular(self.path) as file:
            status = os.fstat(file.fileno())
            if status.st_ino != self._inode or status.st_size < self._read:
                self._start(status.st_ino)
            file.seek(self._read)
            while piece := file.read(min(AT_ONCE, status.st_size - self._read)):
                lines, newline, _ = piece.rpartition(b"\n")
                if not newline:  # still being written
                    if len(piece) == AT_ONCE:
                        raise ValueError(f"a line has more than {AT_ONCE:,} bytes")
                    break
                self._take(lines.split(b"\n"))
                self._read += len(lines) + 1
                file.seek(self._read)

    def _take(self, lines: list[bytes]) -> None:
        """See what some whole lines say; the last of them names the step."""
        for line in lines:
            if b'"validation"' in line or line is lines[-1]:
                found = Metrics.from_line(line)
                best, loss = self._seen.best, self._seen.loss
                if found.validation is not None:
                    value = found.validation.score(self._metric)
                    better = min if self._metric in LOSSES else max
                    best = value if best is None else better(best, value)
                    loss = min(found.validation.loss, found.validation.loss if loss is None else loss)
                self._seen = Seen(found.step, best, found.learning_rate, found.seconds, loss)
