"""Measure a sweep for a page before it begins: its runs, their memory and time, and whether a person may start it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import NamedTuple

from attnviz.finetuning.plan import step_seconds
from attnviz.models.tuned_config import TunedConfig
from attnviz.server.people.rights import Person, check_start
from attnviz.server.shelf import Entry
from attnviz.server.sweeps import of_entries, to_start
from attnviz.server.tuning import MEASURING
from attnviz.training import RunConfig
from attnviz.training.engine.memory import step_bytes
from attnviz.training.run.recorder import milestones
from attnviz.training.sweep.cost import Cost, expected
from attnviz.training.sweep.members import Member
from attnviz.training.sweep.plan import Sweep

__all__ = ["PlannedSweep", "planned_sweep"]


class PlannedSweep(NamedTuple):
    """A sweep that could begin.

    Attributes:
        sweep: its plan.
        configs: of each of its runs, of a search those that are drawn so far.
        found: its runs, as far as there are any.
        cost: what it still takes.
        memory: bytes that the largest of its runs takes.
        disk: bytes that the checkpoints of all take.
    """

    sweep: Sweep
    configs: list[RunConfig]
    found: list[Member]
    cost: Cost
    memory: int
    disk: int


def planned_sweep(
    person: Person,
    base: RunConfig,
    plan: Callable[[], tuple[Sweep, list[RunConfig]]],
    entries: Sequence[Entry],
    cores: int,
) -> PlannedSweep:
    """Measure a sweep.

    Args:
        person: who would start it.
        base: run that has all settings that are not varied.
        plan: plans the sweep; see `attnviz.training.sweep.plan.grid` and `attnviz.training.sweep.searcher.search`.
        entries: runs that the person sees.
        cores: that train at once.

    Raises:
        AttnvizError: of `plan`; or the person may not start so many, see `check_start`.
    """
    with MEASURING if isinstance(base.model, TunedConfig) else nullcontext():
        sweep, configs = plan()
        found = of_entries(sweep, entries)
        cost = expected(sweep, configs, found, step_seconds, cores)
    check_start(person, to_start(sweep, configs, found))
    sizes = [step_bytes(config.model, config.training.batch_size, config.task) for config in configs]
    disk = sum(map(_checkpoints, configs)) * cost.runs // len(configs)
    return PlannedSweep(sweep, configs, found, cost, max(sizes), disk)


def _checkpoints(config: RunConfig) -> int:
    """Return about the bytes that the checkpoints of a fine-tuning take: of milestones, the last step and the best."""
    if not isinstance(config.model, TunedConfig):
        return 0  # those of our networks are small
    training = config.training
    best = training.steps // training.validate_every if training.patience is not None else 0
    return 4 * config.model.n_trained * (milestones(training.steps) + 1 + best)
