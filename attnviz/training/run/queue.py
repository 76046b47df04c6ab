"""Runs in the order in which they came, at most as many at once as the machine bears, each in a process of its own."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections import deque
from contextlib import ExitStack
from pathlib import Path

from attnviz.errors import RunBusy, RunError
from attnviz.training.run.control import Command
from attnviz.training.run.files import writing
from attnviz.training.run.folder import Run
from attnviz.training.run.lease import Lease
from attnviz.training.run.process import ProcessId
from attnviz.training.run.runs import end_of_queue, forsaken_queue
from attnviz.training.run.state import RunState

__all__ = ["TrainingQueue", "default_workers"]

log = logging.getLogger(__name__)


def default_workers() -> int:
    """Return the number of runs at once: one core is left for the pages."""
    return max(1, len(os.sched_getaffinity(0)) - 1 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 2) - 1)


class TrainingQueue:
    """Trains runs in worker processes; one is kept warm ahead.

    One thread here looks after each worker process: gives it a run, waits until it has ended, starts another process
    when this one died (the run is then interrupted, and can be submitted again). Runs outlive this object and this
    process: a worker ends the run it is working on.

    Args:
        workers: runs at once; None: the cores less one, at least 1.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = default_workers() if workers is None else workers
        self._waiting: deque[Run] = deque()
        self._leases: dict[Path, Lease] = {}
        self._changed = threading.Condition()
        self._idle = 0
        self._closed = False
        self._threads: list[threading.Thread] = []
        self._processes: list[subprocess.Popen[str]] = []
        with self._changed:
            self._keep_one_ahead()

    def submit(self, run: Run, learning_rate: float | None = None) -> None:
        """Queue a run that is new, stopped, interrupted or failed; commands that were sent before are forgotten.

        Args:
            run: one that is done is left as it is.
            learning_rate: to go on with, at its highest as in `TrainConfig.learning_rate`: a lower one for a run that
                diverged; None: the one it had.

        Raises:
            ConfigError: the learning rate is none.
            RunBusy: it is queued or trained already.
            RunCorrupt: its state.json cannot be read.
            RunUnwritable: its folder cannot be written to.
        """
        told = None if learning_rate is None else Command("learning_rate", learning_rate)
        if run.state().active:
            raise RunBusy(run.name)
        with self._changed, ExitStack() as claim:
            lease = claim.enter_context(run.claimed())  # not while another process trains it
            state = run.state(claimed=True)
            if state.state == "done":
                return
            with writing(run.name):
                run.commands.clear()
                if told is not None:
                    run.commands.send(told.name, told.value)
                self._queue(run, lease, state.step, end_of_queue(run.folder.parent))
            claim.pop_all()  # held until a worker takes it over

    def _queue(self, run: Run, lease: Lease, step: int, place: float) -> None:
        """Have a claimed run wait behind those that wait here."""
        run.write_state(RunState("queued", step, ProcessId.current(), queued=place))
        self._leases[run.folder] = lease
        self._waiting.append(run)
        self._keep_one_ahead()
        self._changed.notify_all()

    def restore(self, root: Path) -> list[Run]:
        """Have runs wait again that waited for a server which was killed, in the order in which they came.

        What they were told when they were queued is kept. One that cannot be written stays interrupted.

        Args:
            root: folder of the runs.

        Returns:
            Those that wait now.
        """
        restored: list[Run] = []
        for run in forsaken_queue(root):
            try:
                with self._changed, ExitStack() as claim:
                    lease = claim.enter_context(run.claimed())
                    state = run.noted_state()
                    if state.state == "queued":  # nobody else took it meanwhile
                        self._queue(run, lease, state.step, state.queued)
                        claim.pop_all()
                        restored.append(run)
            except (RunError, OSError) as error:
                log.warning("%s", error)
        return restored

    def withdraw(self, run: Run) -> bool:
        """Take a run that waits out of the queue, "stopped"; False when it does not wait here."""
        with self._changed:
            waiting = next((other for other in self._waiting if other.folder == run.folder), None)
            if waiting is None:
                return False
            self._waiting.remove(waiting)
            with self._leases.pop(waiting.folder):
                waiting.write_state(RunState("stopped", waiting.state().step))
            self._changed.notify_all()
            return True

    def close(self) -> None:
        """End the workers at once; what they were training is interrupted, what waits is stopped."""
        with self._changed:
            self._closed = True
            for run in list(self._waiting):
                self.withdraw(run)
            for process in self._processes:
                process.kill()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> TrainingQueue:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _keep_one_ahead(self) -> None:
        """Start a worker when all are taken or will be, up to the limit."""
        if len(self._threads) < self.workers and self._idle <= len(self._waiting):
            self._idle += 1
            thread = threading.Thread(target=self._look_after_a_worker, daemon=True, name="attnviz-worker")
            self._threads.append(thread)
            thread.start()

    def _look_after_a_worker(self) -> None:
        process = self._start()
        while process is not None:
            with self._changed:
                while not self._waiting and not self._closed:
                    self._changed.wait()
                if self._closed:
                    break
                run = self._waiting.popleft()
                self._idle -= 1
                self._keep_one_ahead()
            if process.poll() is not None:  # it died with nothing to do
                process = self._replace(process)
            alive = process is not None and _train(process, run.folder)
            self._settle(run)
            if process is not None and not alive:
                log.warning("the worker of run %s died", run.name)
                process = self._replace(process)
            with self._changed:
                self._idle += 1
        if process is not None:
            _reap(process)

    def _settle(self, run: Run) -> None:
        """A run whose worker died before it could begin does not wait any more."""
        with self._changed:
            lease = self._leases.pop(run.folder)
        try:
            with lease:
                state = run.state()
                if state.state == "queued":
                    lease.check()
                    run.write_state(RunState("interrupted", state.step))
        except (RunError, OSError) as error:  # whoever opens the run is told the same
            log.warning("%s", error)

    def _replace(self, process: subprocess.Popen[str]) -> subprocess.Popen[str] | None:
        """Start a process in place of a dead one; None when the queue is closed."""
        with self._changed:
            self._processes.remove(process)
        _reap(process)
        return self._start()

    def _start(self) -> subprocess.Popen[str] | None:
        """Return a fresh interpreter, never a fork of this process and its threads; None when the queue is closed."""
        with self._changed:
            if self._closed:
                return None
            process = subprocess.Popen(
                [sys.executable, "-m", "attnviz.training.run.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
            self._processes.append(process)
        assert process.stdout is not None
        process.stdout.readline()  # it is warm; or dead, which the first run given to it shows
        return process


def _train(process: subprocess.Popen[str], folder: Path) -> bool:
    """Have a worker train a run to its end; False when the worker died."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(f"{folder.resolve()}\n")
        process.stdin.flush()
    except BrokenPipeError:
        return False
    return process.stdout.readline() != ""


def _reap(process: subprocess.Popen[str]) -> None:
    """Close the pipes of a process and wait for its end."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except BrokenPipeError:  # what it was told and never read
                log.debug("worker %s had unread input", process.pid)
