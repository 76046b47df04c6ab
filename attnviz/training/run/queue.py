"""Runs in the order in which they came; as many at once as the machine bears share its worker processes."""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from attnviz.errors import FolderNotShared, RunBusy, RunError, RunUnwritable, WorkerDied
from attnviz.training.engine.memory import is_large
from attnviz.training.run.control import Command
from attnviz.training.run.files import writing
from attnviz.training.run.folder import Run
from attnviz.training.run.hired import AWAY, DIED, ENDED, GIVEN_BACK, READY, TURN, Hired, Job
from attnviz.training.run.lease import SILENT, Lease, lease_seconds
from attnviz.training.run.process import ProcessId
from attnviz.training.run.runs import end_of_queue, forsaken_queue
from attnviz.training.run.state import RunState

__all__ = ["Share", "TrainingQueue", "default_workers", "usual_workers"]

AT_ONCE = 64  # runs of a worker
MOST_WORKERS = 32  # on a cluster: each has a small process here
DEATHS = 2  # of workers, that a run may be the cause of
LOOK_SECONDS = 1.0  # between two times that a worker is told of those who look at a run

log = logging.getLogger(__name__)


class Share(NamedTuple):
    """The share that a run has of the machine: so many cores, for so many runs that take turns."""

    cores: int
    runs: int


def default_workers() -> int:
    """Return the number of processes that train: one core is left for the pages."""
    return max(1, len(os.sched_getaffinity(0)) - 1 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 2) - 1)


def usual_workers(cluster: str) -> int:
    """Return the number of processes that train on a cluster, at most, or with "" on this machine."""
    return MOST_WORKERS if cluster else default_workers()


class TrainingQueue:
    """Trains runs in worker processes, many in each, taking turns; one process is kept warm ahead.

    A large run has a process of its own, beside those that are shared. A worker that dies is replaced, and its runs go
    on by themselves; a run whose turn it was for the second time fails. Runs outlive this object and this process: a
    worker ends the runs it is working on.

    Args:
        workers: processes that are shared, and as many for large runs; None: the cores less one, at least 1; on a
            cluster as many as it has cores for, up to `MOST_WORKERS`.
        at_once: runs that take turns in one of them; more wait.
        cluster: address of a cluster of Ray, "host:port", whose machines train; "": this machine does.

    Attributes:
        trouble: why no worker can begin, as an error's code and details; None: nothing is known to be wrong.
    """

    def __init__(self, workers: int | None = None, at_once: int = AT_ONCE, cluster: str = "") -> None:
        self.workers = usual_workers(cluster) if workers is None else workers
        self.trouble: tuple[str, dict[str, Any]] | None = None
        self._cluster = cluster
        self._at_once = at_once
        self._lock = threading.RLock()
        self._waiting: list[Job] = []
        self._crew: list[Hired] = []
        self._deaths: dict[Path, int] = {}
        self._looked: dict[Path, float] = {}
        self._closed = False
        with self._lock:
            self._distribute()

    def submit(self, run: Run, learning_rate: float | None = None, until: int | None = None) -> None:
        """Queue a run that is new, stopped, interrupted or failed; commands that were sent before are forgotten.

        Args:
            run: one that is done is left as it is.
            learning_rate: to go on with, at its highest as in `TrainConfig.learning_rate`: a lower one for a run that
                diverged; None: the one it had.
            until: step at which a sweep stops it; None: it trains to its end.

        Raises:
            ConfigError: the learning rate or the step is none.
            RunBusy: it is queued or trained already.
            RunCorrupt: its state.json cannot be read.
            RunUnwritable: its folder cannot be written to.
        """
        told = [] if learning_rate is None else [Command("learning_rate", learning_rate)]
        told += [] if until is None else [Command("until", until, "rung")]
        if run.state().active:
            raise RunBusy(run.name)
        with self._lock:
            with ExitStack() as claim:
                lease = claim.enter_context(run.claimed())  # not while another process trains it
                state = run.state(claimed=True)
                if state.state == "done":
                    return
                with writing(run.name):
                    run.commands.clear()
                    for command in told:
                        run.commands.send(command.name, command.value, command.by)
                    self._queue(run, lease, state.step, end_of_queue(run.folder.parent))
                claim.pop_all()  # held until a worker takes it over
            self._deaths.pop(run.folder, None)
            self._distribute()

    def _queue(self, run: Run, lease: Lease, step: int, place: float) -> None:
        """Have a claimed run wait behind those that wait here."""
        run.write_state(RunState("queued", step, ProcessId.current(), queued=place))
        training = run.config.training
        self._waiting.append(Job(run, lease, is_large(run.config.model, training.batch_size, run.config.task)))

    def restore(self, root: Path) -> list[Run]:
        """Have runs wait again that waited for a server which was killed, in the order in which they came.

        What they were told when they were queued is kept. One that cannot be written stays interrupted.

        Args:
            root: folder of the runs.

        Returns:
            Those that wait now.
        """
        return [run for run in forsaken_queue(root) if self.take_over(run)]

    def take_over(self, run: Run) -> bool:
        """Have a run go on here that nobody looks after any more.

        Returns:
            Whether it does; False where it has ended, somebody else took it, or its folder cannot be written to.
        """
        with self._lock:
            holder = next((worker for worker in self._crew if worker.number_of(run) is not None), None)
            if holder is not None:  # it has fallen silent: once it is dead, another one goes on with its runs
                holder.kill()
                return True
            taken = self._take_over(run)
            if taken:
                self._distribute()
            return taken

    def _take_over(self, run: Run) -> bool:
        """Have a run wait here that was interrupted or waited; False where it has ended or somebody else took it."""
        try:
            with ExitStack() as claim:
                lease = claim.enter_context(run.claimed())
                noted = run.noted_state()
                if noted.state in ("stopped", "done") or (
                    noted.state == "failed" and not noted.failed_by(RunUnwritable.code)
                ):
                    return False
                self._queue(run, lease, run.state(claimed=True).step, noted.queued)
                claim.pop_all()
                return True
        except (RunError, OSError) as error:
            log.warning("%s", error)
            return False

    def withdraw(self, run: Run) -> bool:
        """Take a run that waits out of the queue, "stopped"; False when it does not wait here."""
        with self._lock:
            waiting = next((job for job in self._waiting if job.run.folder == run.folder), None)
            if waiting is None:
                return False
            self._waiting.remove(waiting)
            with waiting.lease:
                waiting.run.write_state(RunState("stopped", waiting.run.state().step))
            return True

    def look(self, run: Run) -> Share | None:
        """Note that somebody looks at a run, which then has more turns than runs that nobody looks at.

        Returns:
            What it has of the machine; None where it is not trained here, or has a process of its own.
        """
        numbers = ((worker, worker.number_of(run)) for worker in list(self._crew))
        worker, number = next((found for found in numbers if found[1] is not None), (None, None))
        if worker is None or number is None:
            return None
        now = time.monotonic()
        if now > self._looked.get(run.folder, 0.0) + LOOK_SECONDS:
            self._looked[run.folder] = now
            with self._lock:
                worker.look(number)
        return None if worker.alone else self.shared()

    def shared(self) -> Share:
        """Return what the runs that are not large have of the machine together."""
        busy = [worker.sharing for worker in list(self._crew) if worker.sharing and not worker.alone]
        return Share(len(busy), sum(busy))

    def ahead(self, large: bool) -> int:
        """Return how many runs must end before another one, large or not, can begin."""
        with self._lock:
            waiting = sum(job.large == large for job in self._waiting)
            trained = sum(job.large == large for worker in self._crew for job in worker.jobs.values())
        return max(0, waiting + trained + 1 - self.workers * (1 if large else self._at_once))

    def close(self) -> None:
        """End the workers at once; what they were training is interrupted, what waits is stopped."""
        with self._lock:
            self._closed = True
            for job in list(self._waiting):
                self.withdraw(job.run)
            crew = list(self._crew)
        for worker in crew:
            worker.kill()
            worker.thread.join()

    def __enter__(self) -> TrainingQueue:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _distribute(self) -> None:
        """Give the runs that wait to workers that have room, and keep one worker free for the next, up to the limit."""
        if self._closed:
            return
        for job in list(self._waiting):
            worker = self._unused() if job.large else self._least_busy()
            if worker is not None:
                self._waiting.remove(job)
                worker.train(job)
        shared = self._shared()
        idle = [worker for worker in shared if not worker.jobs]
        if not idle and len(shared) < self.workers and all(worker.warm for worker in shared):  # one after the other
            self._hire()
        elif len(idle) > 1 or (idle and len(shared) > self.workers):
            self._crew.remove(idle[-1])
            idle[-1].retire()
        self._balance()

    def _balance(self) -> None:
        """Have the busiest worker give a run back that another one has more time for."""
        numbers = {worker: len(worker.jobs) for worker in self._shared() if worker.warm}
        busiest = max(numbers, key=numbers.__getitem__, default=None)
        if busiest is not None and numbers[busiest] > min(numbers.values()) + 1:
            busiest.give_back()

    def _shared(self) -> list[Hired]:
        return [worker for worker in self._crew if not worker.alone]

    def _unused(self) -> Hired | None:
        """Return the worker for a large run; None: it has to wait."""
        if sum(worker.alone for worker in self._crew) >= self.workers:
            return None
        return next((worker for worker in self._crew if not worker.jobs), None) or self._hire()

    def _least_busy(self) -> Hired | None:
        """Return the worker for another run, a warm one if there is one; None: it has to wait."""
        shared = self._shared() or [self._hire()]
        free = [worker for worker in shared if len(worker.jobs) < self._at_once]
        return min(free, key=lambda worker: (not worker.warm, len(worker.jobs)), default=None)

    def _hire(self) -> Hired:
        worker = Hired(self._hear, self._cluster)
        self._crew.append(worker)
        return worker

    def _hear(self, worker: Hired, word: str, rest: list[Any]) -> None:
        """Take note of what a worker says, in the thread that listens to it."""
        with self._lock:
            if word == TURN:
                worker.turn, worker.sharing = rest
                return
            if word == AWAY:
                self.trouble = (rest[0], rest[1])
            elif word == READY:
                worker.warm, self.trouble = True, None
            elif word == DIED:
                self._bury(worker)
            elif word in (ENDED, GIVEN_BACK):
                job = worker.jobs.pop(rest[0])
                worker.sharing = min(worker.sharing, len(worker.jobs))
                if word == GIVEN_BACK:
                    self._again(job)
                else:
                    self._deaths.pop(job.run.folder, None)
                    self._looked.pop(job.run.folder, None)
                    _settle(job, FolderNotShared(job.run.name, str(job.run.folder)) if worker.cluster else None)
            self._distribute()

    def _bury(self, worker: Hired) -> None:
        """Have the runs of a worker that died go on with another; one that it died of again fails."""
        if worker not in self._crew:  # it retired
            return
        self._crew.remove(worker)
        for number, job in worker.jobs.items():
            folder = job.run.folder
            if self._closed or not worker.crashed:
                _settle(job)
                continue
            log.warning("the worker of run %s died", job.run.name)
            began = worker.warm or bool(worker.cluster)
            counts = worker.blames and (number == worker.turn or not began)
            self._deaths[folder] = deaths = self._deaths.get(folder, 0) + counts
            if deaths < DEATHS:
                self._again(job)
            elif began:
                _give_up(job)
            else:  # no worker can begin: the run is not the cause
                _settle(job)

    def _again(self, job: Job) -> None:
        """Have a run wait again that a worker had."""
        job.lease.release()  # where the worker did not begin; else it had another one
        if not self._take_over(job.run) and self._cluster:  # it may be at work still, or its lease is not silent yet
            later = threading.Timer((SILENT + 1) * lease_seconds(), self.take_over, (job.run,))
            later.daemon = True
            later.start()


def _settle(job: Job, why: RunError | None = None) -> None:
    """Note of a run whose worker ended before it could begin that it does not wait any more, and why."""
    try:
        with job.lease:
            state = job.run.state()
            if state.state == "queued":
                job.lease.check()
                job.run.write_state(RunState.failed(why, state.step) if why else RunState("interrupted", state.step))
    except (RunError, OSError) as error:  # whoever opens the run is told the same
        log.warning("%s", error)


def _give_up(job: Job) -> None:
    """Say of a run that workers die of it."""
    run = job.run
    job.lease.release()
    try:
        with run.claimed():
            run.write_state(RunState.failed(WorkerDied(run.name), run.last_step()))
    except (RunError, OSError) as problem:
        log.warning("%s", problem)
