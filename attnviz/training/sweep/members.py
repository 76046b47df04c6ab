"""The runs of a sweep as they are now, and what they say of its settings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from math import inf
from pathlib import Path
from statistics import fmean, stdev
from typing import NamedTuple

from attnviz.errors import RunError
from attnviz.tasks.base import LOSSES, Metric
from attnviz.training.run.folder import Run
from attnviz.training.run.progress import Progress, Seen, is_steered
from attnviz.training.run.runs import all_runs
from attnviz.training.run.settings import Value
from attnviz.training.run.state import RunState
from attnviz.training.sweep.plan import Planned, Sweep

__all__ = ["Member", "Outcome", "best_member", "found_members", "members", "metric_of", "outcomes"]


class Member(NamedTuple):
    """A run of a sweep.

    Attributes:
        planned: what it is to be.
        run: the run with that configuration; None where there is none, or none that can be read.
        state: where it stands.
        seen: what its metrics say so far.
    """

    planned: Planned
    run: Run | None = None
    state: RunState | None = None
    seen: Seen = Seen()


class Outcome(NamedTuple):
    """Result of one combination of settings, over its seeds.

    Attributes:
        values: of each of the sweep's settings.
        members: its runs.
        mean: mean of the best value that each seed has reached so far; None before the first.
        spread: sample standard deviation of these; None of fewer than two.
        low: smallest of them.
        high: largest of them.
        seconds: processor seconds that its runs took.
        loss: mean of the lowest losses on validation data, which orders equal ones; infinite before the first.
    """

    values: tuple[Value, ...]
    members: tuple[Member, ...]
    mean: float | None
    spread: float | None
    low: float | None
    high: float | None
    seconds: float
    loss: float

    @property
    def stopped_by(self) -> str:
        """The part of its sweep that has stopped it as a poor one: "halving" or "pruner"; "": none."""
        return next((m.state.by for m in self.members if m.state is not None and m.state.poor), "")


def members(sweep: Sweep, root: Path | None = None) -> list[Member]:
    """Look for the runs of a sweep among all runs of a folder."""
    looked = []
    for run in all_runs(root):
        if isinstance(run, Run):
            with suppress(RunError):  # one that cannot be read is missing
                looked.append((run, run.state(), Progress(run.metrics_path, run.config.task.metric).look()))
    return found_members(sweep, looked)


def found_members(sweep: Sweep, runs: Iterable[tuple[Run, RunState, Seen]]) -> list[Member]:
    """Return the runs of a sweep among some: by the name it gave them, else any other that computes the same.

    One whose learning rate somebody changed on the way computes something else.
    """
    wanted = {planned.digest for planned in sweep.runs}
    by_digest: dict[str, list[tuple[Run, RunState, Seen]]] = {}
    for found in runs:
        digest = found[0].config.digest
        if digest in wanted and not is_steered(found[0].config.training, found[2]):
            by_digest.setdefault(digest, []).append(found)
    return [Member(planned, *_chosen(planned, by_digest.get(planned.digest, []))) for planned in sweep.runs]


def _chosen(planned: Planned, found: Sequence[tuple[Run, RunState, Seen]]) -> tuple[Run, RunState, Seen] | tuple[()]:
    """Return the run of that name, one that is done before others, else one that is under way."""
    order = sorted(found, key=lambda each: (each[1].state != "done", not each[1].active, each[0].name))
    return next((each for each in found if each[0].name == planned.name), order[0] if order else ())


def metric_of(found: Sequence[Member]) -> Metric:
    """Return the metric by which a sweep's runs are compared: that of their task."""
    return next((member.run.config.task.metric for member in found if member.run is not None), "accuracy")


def outcomes(sweep: Sweep, found: Sequence[Member]) -> list[Outcome]:
    """Return the results of every combination, the best first; those without one come last."""
    results = [
        _outcome(values, [found[number] for number in sweep.of_combination(values)]) for values in sweep.combinations
    ]
    sign = 1 if metric_of(found) in LOSSES else -1
    return sorted(
        results, key=lambda each: (bool(each.stopped_by), each.mean is None, sign * (each.mean or 0.0), each.loss)
    )


def _outcome(values: tuple[Value, ...], found: Sequence[Member]) -> Outcome:
    best = [member.seen.best for member in found if member.seen.best is not None]
    losses = [member.seen.loss for member in found if member.seen.loss is not None]
    return Outcome(
        values,
        tuple(found),
        mean=fmean(best) if best else None,
        spread=stdev(best) if len(best) > 1 else None,
        low=min(best, default=None),
        high=max(best, default=None),
        seconds=sum(member.seen.seconds for member in found),
        loss=fmean(losses) if losses else inf,
    )


def best_member(found: Sequence[Member]) -> Member | None:
    """Return the run with the best value of the metric so far, of equal ones that of the lowest loss; None: no one."""
    sign = 1 if metric_of(found) in LOSSES else -1
    scored = [member for member in found if member.run is not None and member.seen.best is not None]
    return min(scored, key=lambda member: (sign * (member.seen.best or 0.0), member.seen.loss), default=None)
