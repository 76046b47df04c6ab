"""Plan a search, and have it go on: trials in batches, stopped early where others are better."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from attnviz.errors import SweepCombination, SweepCorrupt, SweepNotFound, SweepSteps, TooManyPlanned
from attnviz.errors.settings import check_whole
from attnviz.training.run.config import RunConfig
from attnviz.training.run.settings import Value, kind_of
from attnviz.training.sweep.members import Member
from attnviz.training.sweep.plan import (
    MOST_RUNS,
    OF_HALVING,
    Sweep,
    load_sweep,
    looks,
    plan_name,
    planned_config,
    planned_runs,
)
from attnviz.training.sweep.runner import PRUNER, Queue, Runner, make
from attnviz.training.sweep.search import Pruner, Sampler, Search, Span, Trials, check_optuna

__all__ = ["Searcher", "runner_of", "search"]

LOOKS = 16  # the first look is at this part of the steps; each next one at twice as many
END = 10**12  # beyond all steps


def search(
    base: RunConfig,
    spans: Sequence[Span],
    trials: int,
    *,
    sampler: Sampler = "tpe",
    pruner: Pruner = "none",
    at_once: int = 1,
    seeds: int = 1,
    most: int = MOST_RUNS,
    owner: str = "",
    root: Path | None = None,
) -> tuple[Sweep, list[RunConfig]]:
    """Plan a search, whose sampler has the seed of its first run, and draw its first trials.

    One that was planned before goes on with the trials that it has.

    Args:
        base: run that has all other settings, and the first seed.
        spans: settings to be searched.
        trials: combinations, at most.
        sampler: see `Search`.
        pruner: see `Search`.
        at_once: trials that begin together; random ones without a pruner all do.
        seeds: seeds of each combination: that of `base`, and those that follow.
        most: runs that may be planned.
        owner: see `Sweep`.
        root: folder of the runs; None: the usual one.

    Returns:
        The sweep, and the configuration of each of its runs so far.

    Raises:
        ExtraMissing: Optuna is not installed.
        TooManyPlanned: they are more than `most`.
        SweepCombination: nothing of what is drawn can be built.
        SweepSteps: a pruner compares after so many steps, so their number cannot be varied.
        SweepUncompared: it cannot compare, for validation data is not looked at before the end.
        ConfigError: a setting that is none.
    """
    check_optuna()
    check_whole("seeds", seeds, 1, MOST_RUNS)
    check_whole("trials", trials, 1)
    if not spans or trials * seeds > min(most, MOST_RUNS):
        raise TooManyPlanned(trials * seeds if spans else 0, min(most, MOST_RUNS))
    for span in spans:
        kind_of(span.name, base.model)
        if pruner != "none" and span.name in OF_HALVING:
            raise SweepSteps(span.name)
    if sampler == "random" and pruner == "none":
        at_once = trials
    steps = tuple(rung.step for rung in looks(base, LOOKS)) if pruner != "none" else ()
    plan = Search(tuple(spans), trials, sampler, pruner, min(at_once, trials), base.training.seed, steps)
    name = plan_name(base, [base.digest, plan.to_dict(), seeds])
    try:
        drawn = load_sweep(name, root).combinations
    except (SweepNotFound, SweepCorrupt):
        drawn = _drawn(plan, Trials(plan), [], base)
    return _planned(Sweep(name, plan.keys, (), search=plan, owner=owner), base, drawn, seeds)


def _planned(
    sweep: Sweep, base: RunConfig, combinations: Sequence[tuple[Value, ...]], seeds: int
) -> tuple[Sweep, list[RunConfig]]:
    """Return a sweep with these combinations, and the configurations of all its runs."""
    assert sweep.search is not None
    first = sweep.search.seed
    rows = [(values, seed) for values in combinations for seed in range(first, first + seeds)]
    configs = [planned_config(base, dict(zip(sweep.keys, values, strict=True)), seed) for values, seed in rows]
    told = [(*row, config.digest) for row, config in zip(rows, configs, strict=True)]
    return replace(sweep, runs=planned_runs(sweep.name, told, sweep.search.trials * seeds)), configs


def _drawn(
    plan: Search, trials: Trials, before: Sequence[tuple[Value, ...]], base: RunConfig
) -> list[tuple[Value, ...]]:
    """Draw the next batch of combinations that are new and can be built; none where nothing new is found.

    Raises:
        SweepCombination: nothing can be built, and there is no trial yet.
    """
    refused: list[SweepCombination] = []

    def fits(values: tuple[Value, ...]) -> bool:
        if values in before:
            return False
        try:
            planned_config(base, dict(zip(plan.keys, values, strict=True)), plan.seed)
        except SweepCombination as error:
            refused.append(error)
            return False
        return True

    found = trials.draw(min(plan.at_once, plan.trials - len(before)), fits)
    if refused and not (before or found):
        raise refused[0]
    return found


def runner_of(sweep: Sweep, queue: Queue, root: Path | None = None) -> Runner:
    """Return what has a sweep go on."""
    return Runner(sweep, queue, root) if sweep.search is None else Searcher(sweep, queue, root)


class Searcher(Runner):
    """Has a search go on, look by look; see `Runner`."""

    def __init__(self, sweep: Sweep, queue: Queue, root: Path | None = None) -> None:
        super().__init__(sweep, queue, root)
        self._found: list[Member] = []
        self._course = self._train()

    def advance(self) -> bool:
        """Queue what is to be trained now, stop poor trials, draw the next ones; returns whether all is over."""
        self._found = self.look()
        try:
            return next(self._course)
        except Exception:
            self._course = self._train()  # the next look decides all again, and alike
            raise

    def _train(self) -> Iterator[bool]:
        """Yield, look by look, whether all is over."""
        plan = self.sweep.search
        assert plan is not None
        trials, ended = Trials(plan), 0
        while ended < len(self.sweep.combinations) or self._go_on(plan, trials):
            batch = self.sweep.combinations[ended : ended + plan.at_once]
            yield from self._train_batch(plan, trials, batch)
            ended += len(batch)
        while True:
            yield True

    def _train_batch(self, plan: Search, trials: Trials, batch: Sequence[tuple[Value, ...]]) -> Iterator[bool]:
        """Have the trials of a batch come as far as they may."""
        left = {trials.begin(values): values for values in batch}
        lower = self._lower_is_better(self._found)
        gone = [n for n, values in left.items() if all(m.run is None for m in self._of(self._found, values))]
        for number in gone:
            trials.leave_out(number)
            del left[number]
        for look, step in enumerate(plan.looks):
            while not self._reach(self._all(left.values()), step):
                yield False
            for number, values in list(left.items()):
                of = self._of(self._found, values)
                score = self._score(of, step)
                if score is None or trials.prunes(number, look, score, lower):
                    self._stop(of, PRUNER)
                    trials.end(number, None, lower)
                    del left[number]
        while not self._reach(self._all(left.values()), None):
            yield False
        for number, values in left.items():
            trials.end(number, self._score(self._of(self._found, values), END), lower)

    def _all(self, combinations: Iterable[tuple[Value, ...]]) -> list[Member]:
        return [member for values in combinations for member in self._of(self._found, values)]

    def _go_on(self, plan: Search, trials: Trials) -> bool:
        """Draw the next batch and make its runs; returns whether there is one."""
        before = self.sweep.combinations
        base = next((member.run.config for member in self._found if member.run is not None), None)
        if base is None or len(before) >= plan.trials:
            return False
        drawn = _drawn(plan, trials, before, base)
        if not drawn:
            return False
        now = load_sweep(self.sweep.name, self._root)  # somebody may have stopped it meanwhile
        there = len(self.sweep.runs)  # those that were deleted stay so
        self.sweep, configs = _planned(now, base, [*before, *drawn], self.sweep.seeds)
        make(self.sweep, configs, self._root, there)
        self._known = []
        self._found = self.look()
        return True
