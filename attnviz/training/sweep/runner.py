"""Train a sweep: make its runs, queue them, and stop the poorer ones where it halves.

All that is decided follows from the folders of the runs: whoever goes on, after whatever end, decides the same.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from attnviz.errors import RunBusy, RunError, RunExists
from attnviz.tasks.base import LOSSES
from attnviz.training.run.config import RunConfig
from attnviz.training.run.files import writing
from attnviz.training.run.folder import Run
from attnviz.training.run.progress import Progress
from attnviz.training.run.runs import new_run, runs_root
from attnviz.training.run.state import RunState
from attnviz.training.sweep.halving import Score, survivors
from attnviz.training.sweep.members import Member, members
from attnviz.training.sweep.plan import Planned, Sweep, save_sweep

__all__ = ["Runner", "make", "score_at"]

RUNG, HALVING, PRUNER = "rung", "halving", "pruner"
log = logging.getLogger(__name__)


class Queue(Protocol):
    """The part of a training queue that a sweep needs."""

    def submit(self, run: Run, learning_rate: float | None = None, until: int | None = None) -> None:
        """Train a run, as far as a step."""


def make(sweep: Sweep, configs: Sequence[RunConfig], root: Path | None = None, first: int = 0) -> list[Run]:
    """Write the plan of a sweep, and make the runs, from a number on, that nobody has trained or made before.

    Returns:
        Those that were made; they are still to be trained.

    Raises:
        RunUnwritable: a folder cannot be made.
        ConfigError: one takes more memory than there is.
    """
    save_sweep(sweep, root)
    missing = [n for n, member in enumerate(members(sweep, root)) if member.run is None and n >= first]
    return [_new(configs[number], sweep.runs[number].name, root, sweep.owner) for number in missing]


def _new(config: RunConfig, name: str, root: Path | None, owner: str) -> Run:
    try:
        return new_run(config, name, root, owner)
    except RunExists:  # somebody gave that name to another run, or changed this one's learning rate
        return new_run(config, None, root, owner)


class Runner:
    """Has a sweep go on, look by look.

    Args:
        sweep: its runs are made, see `make`; those that were deleted since are left out.
        queue: that trains them.
        root: folder of the runs; None: the usual one.
    """

    def __init__(self, sweep: Sweep, queue: Queue, root: Path | None = None) -> None:
        self.sweep = sweep
        self._queue, self._root = queue, root or runs_root()
        self._known: list[tuple[Run, Progress] | None] = []
        self._scores: dict[tuple[Path, int], Score | None] = {}

    def look(self) -> list[Member]:
        """Return the runs as they are now; what did not change since the last look is not read again."""
        with suppress(RunError):  # one was deleted or renamed
            if self._known:
                return [self._seen(*each) for each in zip(self.sweep.runs, self._known, strict=True)]
        found = members(self.sweep, self._root)
        self._known = [None if m.run is None else (m.run, _progress(m.run)) for m in found]
        return found

    def _seen(self, planned: Planned, known: tuple[Run, Progress] | None) -> Member:
        if known is None:
            return Member(planned)
        run, progress = known
        return Member(planned, run, run.state(), progress.look())  # the state first: what it tells of is written

    def advance(self) -> bool:
        """Queue what is to be trained now, and stop what is not to go on; returns whether all is over.

        A run that a person has stopped stays so; it is compared by what it reached, as one that failed is not.
        """
        found = self.look()
        left = self.sweep.combinations
        for rung in self.sweep.halving:
            due = [found[number] for values in left for number in self.sweep.of_combination(values)]
            if not self._reach(due, rung.step):
                return False
            scores = [self._score(self._of(found, values), rung.step) for values in left]
            kept = survivors(scores, rung.keep, self._lower_is_better(found))
            for number, values in enumerate(left):
                if number not in kept:
                    self._stop(self._of(found, values), HALVING)
            left = [left[number] for number in kept]
        return self._reach([found[number] for values in left for number in self.sweep.of_combination(values)], None)

    def _of(self, found: Sequence[Member], values: tuple[object, ...]) -> list[Member]:
        return [found[number] for number in self.sweep.of_combination(values)]  # type: ignore[arg-type]

    def _lower_is_better(self, found: Sequence[Member]) -> bool:
        return any(member.run is not None and member.run.config.task.metric in LOSSES for member in found)

    def _reach(self, due: Sequence[Member], step: int | None) -> bool:
        """Have runs train to a step, None for their end; returns whether all are there or will never be."""
        there = True
        for member in due:
            run, state = member.run, member.state
            if run is None or state is None or state.state in ("done", "failed") or _is_stopped(run, state):
                continue
            if step is not None and member.seen.step >= step and (member.seen.step > step or not state.active):
                continue
            there = False
            if state.resumable:
                self._submit(run, step)
        return there

    def _submit(self, run: Run, step: int | None) -> None:
        try:
            self._queue.submit(run, until=step)
        except RunBusy:  # another process trains it
            log.debug("run %s is under way", run.name)

    def _score(self, of: Sequence[Member], step: int) -> Score | None:
        """Return the mean over the seeds of the best values until a step; None where one failed or has none."""
        scores = [self._scored(member.run, member.state, step) for member in of if member.run is not None]
        told = [score for score in scores if score is not None]
        if not told or len(told) < len(scores):
            return None
        return Score(*(sum(values) / len(told) for values in zip(*told, strict=True)))

    def _scored(self, run: Run, state: RunState | None, step: int) -> Score | None:
        if state is None or state.state == "failed":
            return None
        key = (run.folder, step)
        if key not in self._scores:
            self._scores[key] = score_at(run, step)
        return self._scores[key]

    def _stop(self, poor: Sequence[Member], by: str) -> None:
        """Mark the runs of a combination that wait at a rung as stopped for good."""
        for member in poor:
            run, state = member.run, member.state
            if run is None or state is None or not _waits(run, state):
                continue
            try:
                with writing(run.name), run.claimed():
                    now = run.state(claimed=True)
                    if _waits(run, now):
                        run.write_state(RunState("stopped", now.step, by=by))
            except RunError as error:  # somebody has it go on, or it was deleted
                log.info("%s", error)


def _progress(run: Run) -> Progress:
    return Progress(run.metrics_path, run.config.task.metric)


def _is_stopped(run: Run, state: RunState) -> bool:
    """Whether a run was stopped for good, by a person or as a poor one."""
    if state.state != "stopped" or state.by == RUNG:
        return False
    return state.poor or run.commands.last("stop") is not None


def _waits(run: Run, state: RunState) -> bool:
    """Whether a run has come to a rung, or was interrupted there."""
    return state.state in ("stopped", "interrupted") and not _is_stopped(run, state)


def score_at(run: Run, step: int) -> Score | None:
    """Return the best values on held-out data until a step; None before it was looked at.

    Raises:
        RunCorrupt: its metrics cannot be read.
    """
    metric = run.config.task.metric
    looks = [line.validation for line in run.metrics() if line.validation is not None and line.step <= step]
    if not looks:
        return None
    best = min if metric in LOSSES else max
    return Score(best(look.score(metric) for look in looks), min(look.loss for look in looks))
