"""Long computations beside the pages: one at a time, joined by key, and ended when nobody waits for them any more.

A thread does them as long as there are any, by default with less right to the processor than pages have (and than
training has, whose processes are of their own). Who waits asks again and again; who stops asking, or says so, is not
waited for.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from attnviz.errors import AttnvizError, TakesTooLong, TooManyWaiting
from attnviz.guard import guarded

__all__ = ["Background", "Job", "Progress"]

Progress = Callable[[int, int], None]
"""Is told how much is done, of how much; raises where the computation is to end."""

PATIENCE = 8.0  # seconds without a question, after which nobody waits
GIVES_WAY = 10


class _Stopped(BaseException):
    """Nobody waits any more: no error, so that nothing on the way takes it for one."""


@dataclass
class Job:
    """A computation: waiting, going on, or over.

    Attributes:
        compute: None once it is over: what it would hold on to is large.
        done, total: how far it is; 0, 0 before it begins.
        result: None while it is not there.
        error: why there will be none.
    """

    compute: Callable[[Progress], Any] | None
    done: int = 0
    total: int = 0
    result: Any = None
    error: AttnvizError | None = None
    asked: dict[str, float] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Whether there is a result, or an error."""
        return self.result is not None or self.error is not None


class Background:
    """Computations by key; safe to use from several threads.

    Args:
        seconds: how long one may take.
        waiting: how many may wait.
        kept: how many that are over are kept.
        gives_way: how much less right to the processor the thread has, of 19.
    """

    def __init__(self, seconds: float = 120, waiting: int = 64, kept: int = 128, gives_way: int = GIVES_WAY) -> None:
        self.seconds, self.waiting, self.kept, self.gives_way = seconds, waiting, kept, gives_way
        self._jobs: OrderedDict[Hashable, Job] = OrderedDict()  # in the order in which they begin
        self._lock = threading.Lock()
        self.thread: threading.Thread | None = None

    def ask(self, key: Hashable, who: str, compute: Callable[[Progress], Any]) -> Job:
        """Return the job of a key, begun or joined; it goes on as long as somebody asks.

        Args:
            who: names the one who waits.
            compute: is called in the thread, with what is to be told of its progress.

        Raises:
            TooManyWaiting: it would be one too many.
        """
        with self._lock:
            job = self._jobs.get(key)
            if job is None:
                if sum(not each.is_over for each in self._jobs.values()) >= self.waiting:
                    raise TooManyWaiting(self.waiting)
                job = self._jobs[key] = Job(compute)
            job.asked[who] = time.monotonic()
            if job.is_over:
                self._jobs.move_to_end(key)
            elif self.thread is None:
                self.thread = threading.Thread(target=self._work, name="attnviz-background", daemon=True)
                self.thread.start()
            return job

    def told(self, key: Hashable, who: str, compute: Callable[[Progress], Any]) -> dict[str, Any]:
        """Return how far the job of a key is: "done", "total", "ahead", and "result" once it is there; see `ask`.

        Raises:
            AttnvizError: why there will be no result.
        """
        job = self.ask(key, who, compute)
        if job.error is not None:
            raise job.error
        far = {"done": job.done, "total": job.total, "ahead": self.ahead(key)}
        return far | ({} if job.result is None else {"result": job.result})

    def leave(self, key: Hashable, who: str) -> None:
        """Note that somebody does not wait any more."""
        with self._lock:
            job = self._jobs.get(key)
            if job is not None:
                job.asked.pop(who, None)

    def forget(self, key: Hashable) -> None:
        """Drop what became of a job that is over: who asks again has it computed anew."""
        with self._lock:
            job = self._jobs.get(key)
            if job is not None and job.is_over:
                del self._jobs[key]

    def ahead(self, key: Hashable) -> int:
        """Return how many are computed before that of a key."""
        with self._lock:
            going = [each for each, job in self._jobs.items() if not job.is_over]
            return going.index(key) if key in going else 0

    def _work(self) -> None:
        if self.gives_way and sys.platform == "linux":  # elsewhere a priority is that of the whole process
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), self.gives_way)
        while (found := self._next()) is not None:
            key, job = found
            compute, job.compute = job.compute, None
            try:
                with guarded("attnviz"):
                    job.result = compute(self._watch(job)) if compute else None
            except _Stopped:
                with self._lock:
                    self._jobs.pop(key, None)
            except AttnvizError as error:
                job.error = error

    def _next(self) -> tuple[Hashable, Job] | None:
        """Return the first that somebody waits for; without any, the thread ends."""
        with self._lock:
            for key, job in [*self._jobs.items()]:
                if not job.is_over and _is_awaited(job):
                    return key, job
                if not job.is_over:
                    del self._jobs[key]
            over = [key for key, job in self._jobs.items() if job.is_over]
            for key in over[: max(0, len(over) - self.kept)]:
                del self._jobs[key]
            self.thread = None
            return None

    def _watch(self, job: Job) -> Progress:
        began = time.monotonic()

        def progress(done: int, total: int) -> None:
            job.done, job.total = done, total
            if not _is_awaited(job):
                raise _Stopped
            if time.monotonic() - began > self.seconds:
                raise TakesTooLong(round(self.seconds))
            time.sleep(0)  # pages first

        return progress


def _is_awaited(job: Job) -> bool:
    return any(time.monotonic() - last < PATIENCE for last in [*job.asked.values()])
