"""Have runs go on here that were lost: with their process, on whatever machine, or while their folder was away."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from attnviz.errors import RunError, RunUnwritable
from attnviz.server.shelf import is_own, readable_runs
from attnviz.training import Run
from attnviz.training.run.lease import lease_seconds, looked_after

__all__ = ["Keeper"]

log = logging.getLogger(__name__)


class Queue(Protocol):
    """The part of a training queue that a keeper needs."""

    def take_over(self, run: Run) -> bool:
        """Have a run go on here; False where somebody else has it, or it cannot be written yet."""


class Keeper:
    """Watches the runs that are at work; every server has one, and the first that claims a lost run has it.

    A run that was lost before this server has seen it at work is left to people: it may be of long ago.

    Args:
        queue: where runs go on.
    """

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._at_work: set[Path] = set()
        self._lost: set[Path] = set()  # at the last look: a queue that has just lost its worker comes first

    def start(self) -> None:
        """Look once in a lease, in a thread of its own, as long as the process lives."""
        threading.Thread(target=self._run, daemon=True, name="attnviz-keeper").start()

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(lease_seconds()):
            try:
                self.look()
            except Exception:  # a fault of this program: the next look comes
                log.exception("the runs could not be looked at")

    def look(self) -> list[Run]:
        """Look at all runs once; returns those that go on here now."""
        return [run for run in readable_runs() if is_own(run) and self._is_lost(run) and self._queue.take_over(run)]

    def _is_lost(self, run: Run) -> bool:
        """Whether a run that was seen at work is lost for the second time in a row."""
        folder = run.folder
        with suppress(RunError):  # being deleted, or out of reach: what was seen of it holds
            state = run.noted_state()
            if state.active and looked_after(folder, state):
                self._at_work.add(folder)
                self._lost.discard(folder)
            elif not state.active and not state.failed_by(RunUnwritable.code):
                self._at_work.discard(folder)
            elif folder in self._lost:
                return True
            elif folder in self._at_work:
                self._lost.add(folder)
        return False
