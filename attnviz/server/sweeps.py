"""Sweeps that pages start: this server has them go on until they are over, and so does the next one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import product, repeat

from attnviz.errors import AttnvizError, SweepCombination, SweepNotFound
from attnviz.server.people.rights import Person, authority, check_start
from attnviz.server.shelf import Entry
from attnviz.training import RunConfig
from attnviz.training.engine.memory import step_bytes
from attnviz.training.sweep.members import Member, found_members
from attnviz.training.sweep.plan import Sweep, all_sweeps, load_sweep, planned_config, save_sweep
from attnviz.training.sweep.runner import Queue, Runner, make
from attnviz.training.sweep.search import Search, check_optuna
from attnviz.training.sweep.searcher import runner_of

__all__ = ["Tuner", "begin", "go_on", "may_change", "of_entries", "stop", "to_start"]

LOOK_SECONDS = 1.0

log = logging.getLogger(__name__)


def of_entries(sweep: Sweep, entries: Sequence[Entry]) -> list[Member]:
    """Return the runs of a sweep among those that a person sees."""
    told = [(e.run, e.state, e.seen) for e in entries if e.run is not None and e.state is not None and e.error is None]
    return found_members(sweep, told)


def may_change(person: Person, found: Sequence[Member]) -> bool:
    """Whether a person may stop a sweep and have it go on: who may do so with all its runs."""
    runs = [member.run for member in found if member.run is not None]
    return bool(runs) and all(authority(person, run.folder) for run in runs)


def to_start(sweep: Sweep, configs: Sequence[RunConfig], found: Sequence[Member]) -> Iterator[RunConfig]:
    """Yield the runs that a sweep still makes; those that a search has still to draw are like its largest one."""
    yield from (config for config, member in zip(configs, found, strict=True) if member.run is None)
    if sweep.search is not None and (to_come := sweep.search.trials * sweep.seeds - len(configs)):
        yield from repeat(max(_choices(sweep.search, configs[0]), key=_bytes, default=configs[0]), to_come)


def _choices(search: Search, base: RunConfig) -> Iterator[RunConfig]:
    """Yield a run for each combination of the values that a search chooses from, as far as it can be built."""
    spans = [span for span in search.spans if span.choices]
    for values in product(*(span.choices for span in spans)):
        with suppress(SweepCombination):  # it is not drawn either
            yield planned_config(base, {s.name: v for s, v in zip(spans, values, strict=True)}, base.training.seed)


def _bytes(config: RunConfig) -> int:
    return step_bytes(config.model, config.training.batch_size, config.task)


def begin(person: Person, sweep: Sweep, configs: Sequence[RunConfig], found: Sequence[Member]) -> None:
    """Make the runs of a sweep that nobody has trained before; the server's `Tuner` queues them.

    Raises:
        AttnvizError: the person may not start so many; see `check_start`.
        RunUnwritable: a folder cannot be made.
    """
    check_start(person, to_start(sweep, configs, found))
    make(replace(sweep, kept=True, owner=person.id), configs)


def stop(sweep: Sweep, found: Sequence[Member]) -> list[Member]:
    """Have no run of a sweep begin any more; returns those that are under way, to be stopped."""
    save_sweep(replace(sweep, kept=False))
    return [member for member in found if member.state is not None and member.state.active]


def go_on(sweep: Sweep, found: Sequence[Member]) -> None:
    """Have a sweep go on that was stopped or interrupted; what was stopped as poor stays so.

    Raises:
        ExtraMissing: it is a search, and Optuna is not installed.
    """
    if sweep.search is not None:
        check_optuna()
    for member in found:
        if member.run is not None and member.state is not None and member.state.resumable and not member.state.by:
            member.run.commands.clear()
    save_sweep(replace(sweep, kept=True))


class Tuner:
    """Looks after the sweeps that pages have begun.

    Several servers of one folder may look after the same: all decide alike, and a run is trained once.

    Args:
        queue: where runs are trained.
    """

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._runners: dict[str, Runner] = {}

    def start(self) -> None:
        """Look every second, in a thread of its own, as long as the process lives."""
        threading.Thread(target=self._run, daemon=True, name="attnviz-tuner").start()

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            try:
                self.look()
            except Exception:  # a fault of this program: the next look comes
                log.exception("the sweeps could not be looked at")
            pause.wait(LOOK_SECONDS)

    def look(self) -> list[str]:
        """Look once at all sweeps that are to go on; returns the names of those that are not over."""
        kept = {sweep.name: sweep for sweep in all_sweeps() if isinstance(sweep, Sweep) and sweep.kept}
        self._runners = {name: self._runners.get(name) or runner_of(sweep, self._queue) for name, sweep in kept.items()}
        return [name for name, runner in self._runners.items() if not self._is_over(kept[name], runner)]

    def _is_over(self, sweep: Sweep, runner: Runner) -> bool:
        try:
            if not runner.advance():
                return False
            now = load_sweep(sweep.name)  # a search has more runs than it had
            if now.kept:  # nobody stopped it meanwhile
                save_sweep(replace(now, kept=False))
        except SweepNotFound:  # it was deleted
            log.info("the sweep %s is gone", sweep.name)
        except (AttnvizError, OSError) as error:  # a run that cannot be read or written: the next look tries again
            log.warning("%s: %s", sweep.name, error)
            return False
        return True
