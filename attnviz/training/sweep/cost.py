"""Say what a sweep takes before it begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from statistics import fmean
from typing import NamedTuple

from attnviz.models.recurrent_config import AnyConfig
from attnviz.tasks import Task
from attnviz.training.engine.estimate import as_trained, seconds_per_step
from attnviz.training.run.config import RunConfig
from attnviz.training.sweep.halving import steps_of
from attnviz.training.sweep.members import Member
from attnviz.training.sweep.plan import Sweep

__all__ = ["Cost", "expected", "step_seconds"]


class Cost(NamedTuple):
    """Steps and seconds that a sweep still takes.

    Attributes:
        runs: all of them.
        there: those that are done already, here or before.
        steps: updates of the others, at most.
        seconds: about how long these take on so many idle cores.
    """

    runs: int
    there: int
    steps: int
    seconds: float


def expected(
    sweep: Sweep,
    configs: Sequence[RunConfig],
    found: Sequence[Member],
    seconds: Callable[[RunConfig], float],
    cores: int,
) -> Cost:
    """Estimate what a sweep takes.

    Args:
        sweep: the plan.
        configs: of each of its runs, of a search those so far.
        found: its runs, as far as there are any.
        seconds: of one step of a run, on one idle core.
        cores: that train at once.
    """
    left = [number for number, member in enumerate(found) if member.state is None or member.state.state != "done"]
    there = len(configs) - len(left)
    if sweep.search is not None:  # trials that are still to be drawn take about what those take that are there
        runs, many = sweep.search.trials * sweep.seeds, sweep.search.at_once * sweep.seeds
        took = fmean(config.training.steps * seconds(config) for config in configs) * (runs - there)
        steps = fmean(config.training.steps for config in configs) * (runs - there)
        return Cost(runs, there, round(steps), took / min(cores, many, max(1, runs - there)))
    steps = sum(configs[number].training.steps for number in left)
    took = sum(configs[number].training.steps * seconds(configs[number]) for number in left)
    share = 1.0
    if sweep.halving:
        n, whole = len(sweep.combinations), configs[0].training.steps
        share = steps_of(whole, sweep.halving, n) / (n * whole)
    return Cost(len(configs), there, round(share * steps), share * took / min(cores, len(left) or 1))


def step_seconds(config: RunConfig) -> float:
    """Return the seconds of a step of one of our networks, from the speed of this machine."""
    return seconds_per_step(_as_trained(config.model, config.task), config.training.batch_size)


@lru_cache(512)
def _as_trained(model: AnyConfig, task: Task) -> AnyConfig:
    return as_trained(model, task)
