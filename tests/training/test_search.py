"""Searches: trials drawn by Optuna, stopped by its pruners, and decided alike after whatever end."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from math import log10
from pathlib import Path

import pytest

from attnviz.errors import (
    ExtraMissing,
    SweepCombination,
    SweepCorrupt,
    SweepRange,
    SweepSteps,
    SweepUncompared,
    TooManyPlanned,
    UnknownSetting,
)
from attnviz.training import open_run
from attnviz.training.run.manage import delete_run
from attnviz.training.run.settings import Value
from attnviz.training.sweep.cost import expected
from attnviz.training.sweep.halving import Score
from attnviz.training.sweep.members import members, outcomes
from attnviz.training.sweep.plan import Sweep, load_sweep
from attnviz.training.sweep.runner import make
from attnviz.training.sweep.search import Sampler, Search, Span, Trials
from attnviz.training.sweep.searcher import runner_of, search
from tests.training.runs import contents, small_config
from tests.training.test_sweep import AtOnce, Killed, told

RATE = Span("learning_rate", low=1e-4, high=0.1, log=True)
LAYERS = Span("n_layers", choices=(1, 2))
WIDTH = Span("d_ff", low=8, high=32, step=8)


def planned(root: Path, spans: Sequence[Span] = (RATE, LAYERS), trials: int = 8, **how: object) -> Sweep:
    base = small_config(steps=8, validate_every=2)
    sweep, configs = search(base, spans, trials, root=root, **{"at_once": 2, **how})  # type: ignore[arg-type]
    make(sweep, configs, root)
    return sweep


def trained(sweep: Sweep, root: Path, queue: AtOnce | None = None) -> Sweep:
    """Advance a search until it is over."""
    runner = runner_of(sweep, queue or AtOnce(), root)
    for _ in range(100):
        if runner.advance():
            return runner.sweep
    raise AssertionError("it is never over")


def test_a_search_is_decided_alike_whenever_it_was_interrupted(tmp_path: Path) -> None:
    pruner = "hyperband"
    whole = trained(planned(tmp_path / "whole", pruner=pruner), tmp_path / "whole")
    assert len(whole.combinations) == len(set(whole.combinations)) == 8
    assert {by for _, _, by in told(whole, tmp_path / "whole").values()} == {"", "pruner"}

    parts = planned(tmp_path / "parts", pruner=pruner)
    for _ in range(40):  # each process is killed after two runs, and knows what the folders say
        try:
            trained(load_sweep(parts.name, tmp_path / "parts"), tmp_path / "parts", Killed(2))
            break
        except KeyboardInterrupt:
            continue
    assert load_sweep(parts.name, tmp_path / "parts").runs == whole.runs
    assert told(whole, tmp_path / "parts") == told(whole, tmp_path / "whole")
    for run in whole.runs:
        one, other = (open_run(run.name, tmp_path / name) for name in ("whole", "parts"))
        assert contents(one)["metrics"] == contents(other)["metrics"]

    again = planned(tmp_path / "whole", pruner=pruner)  # the same command
    queue = AtOnce()
    assert trained(again, tmp_path / "whole", queue).runs == whole.runs
    assert queue.told == []


def test_what_a_pruner_stops_keeps_its_points_and_is_named(tmp_path: Path) -> None:
    sweep = trained(planned(tmp_path, pruner="halving"), tmp_path)
    assert sweep.search is not None
    assert sweep.search.looks == (2, 4)
    stopped = {number: state for number, state in told(sweep, tmp_path).items() if state[2]}
    assert {state[0] for state in stopped.values()} == {"stopped"}
    for number, (_, step, _) in stopped.items():
        assert [line.step for line in open_run(f"{sweep.name}.{number}", tmp_path).metrics()] == list(
            range(1, step + 1)
        )
    results = outcomes(sweep, members(sweep, tmp_path))
    assert [each.stopped_by for each in results] == [""] * (8 - len(stopped)) + ["pruner"] * len(stopped)


def test_random_trials_are_those_of_the_seed_however_many_begin_together(tmp_path: Path) -> None:
    one = trained(planned(tmp_path, sampler="random", pruner="median", at_once=1, trials=4), tmp_path)
    three = trained(planned(tmp_path, sampler="random", pruner="median", at_once=3, trials=4), tmp_path)
    assert one.combinations == three.combinations == planned(tmp_path, sampler="random", trials=4).combinations
    assert one.name != three.name
    rates = [values[0] for values in one.combinations]
    assert all(isinstance(rate, float) and 1e-4 <= rate <= 0.1 and rate == float(f"{rate:.4g}") for rate in rates)


@pytest.mark.parametrize("lower", [True, False])
def test_tpe_draws_near_what_was_good(lower: bool) -> None:
    """A made-up result is best at a rate of 0.01."""

    def reached(sampler: Sampler) -> float:
        plan = Search((Span("learning_rate", low=1e-5, high=1.0, log=True),), 40, sampler)
        trials, drawn = Trials(plan), list[tuple[Value, ...]]()
        while len(drawn) < plan.trials:
            (values,) = trials.draw(1, lambda values: values not in drawn)
            drawn.append(values)
            off = abs(log10(float(values[0] or 1)) + 2)
            trials.end(trials.begin(values), Score(off if lower else -off, 0.0), lower)
        return sum(0.001 < float(values[0] or 0) < 0.1 for values in drawn[10:]) / 30

    assert reached("tpe") > 0.6 > reached("random")


def test_the_loss_decides_between_equal_values() -> None:
    trials = Trials(Search((RATE,), 9, "random", "halving", looks=(1,)))
    numbers = [trials.begin((rate,)) for rate in (0.01, 0.02, 0.03)]
    losses = (1.0, 0.5, 2.0)
    pruned = [trials.prunes(n, 0, Score(0.0, loss), False) for n, loss in zip(numbers, losses, strict=True)]
    assert pruned == [False, False, True]


def test_settings_that_cannot_be_built_are_not_drawn_and_a_small_space_ends(tmp_path: Path) -> None:
    heads = Span("n_heads", choices=(1, 2, 3, 5))  # of a width of 16
    sweep = trained(planned(tmp_path, [heads, LAYERS], trials=20, seeds=2), tmp_path)
    assert sorted(sweep.combinations) == [(1, 1), (1, 2), (2, 1), (2, 2)]  # type: ignore[type-var]
    assert (len(sweep.runs), sweep.seeds) == (8, 2)
    assert {state[0] for state in told(sweep, tmp_path).values()} == {"done"}
    widths = trained(planned(tmp_path, [WIDTH], trials=9), tmp_path)
    assert sorted(values[0] for values in widths.combinations) == [8, 16, 24, 32]  # type: ignore[type-var]


def test_a_run_that_failed_or_was_deleted_does_not_hold_it_up(tmp_path: Path) -> None:
    sweep = planned(tmp_path, trials=6, pruner="median")
    delete_run(f"{sweep.name}.1", tmp_path)
    run = open_run(f"{sweep.name}.2", tmp_path)
    run.write_state(replace(run.state(), state="failed", message="it diverged"))
    states = told(trained(sweep, tmp_path), tmp_path)
    assert sorted(states) == ["2", "3", "4", "5", "6"]
    assert states["2"][0] == "failed"


def test_what_cannot_be_searched_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    for low, high, how in ((2, 1, {}), (1, 1, {}), (0.0, 1.0, {"log": True}), (1, 9, {"step": 0}), (1, 9, {"step": 9})):
        with pytest.raises(SweepRange, match=f"from {low:g} to {high:g}"):
            Span("d_ff", (), low, high, **how)  # type: ignore[arg-type]
    with pytest.raises(UnknownSetting, match="seed is not a setting"):
        planned(tmp_path, [Span("seed", choices=(1, 2))])
    with pytest.raises(TooManyPlanned, match="make 1,002 runs"):
        planned(tmp_path, trials=501, seeds=2)
    with pytest.raises(TooManyPlanned, match="make 0 runs"):
        planned(tmp_path, [])
    with pytest.raises(SweepSteps, match="steps must be the same"):
        planned(tmp_path, [Span("steps", low=4, high=8)], pruner="median")
    with pytest.raises(SweepUncompared, match="every 2 steps"):
        search(small_config(steps=2, validate_every=2), [RATE], 4, pruner="median", root=tmp_path)
    with pytest.raises(SweepCombination, match="n_heads=3 cannot be trained"):
        planned(tmp_path, [Span("n_heads", choices=(3,))])
    assert list(tmp_path.iterdir()) == []


def test_what_it_takes_is_said_before(tmp_path: Path) -> None:
    base = small_config(steps=1000, validate_every=10)
    sweep, configs = search(base, [RATE], 20, at_once=2, seeds=2, root=tmp_path)
    cost = expected(sweep, configs, members(sweep, tmp_path), lambda config: 0.01, cores=8)
    assert (cost.runs, cost.there, cost.steps, cost.seconds) == (40, 0, 40_000, 100.0)


@pytest.mark.parametrize(
    "change", [{"spans": []}, {"sampler": "none"}, {"trials": 0}, {"looks": ["x"]}, {"other": 1}], ids=str
)
def test_a_plan_that_was_edited_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    sweep = planned(tmp_path, [RATE, LAYERS, WIDTH], pruner="median")
    assert load_sweep(sweep.name, tmp_path) == sweep
    path = tmp_path / ".sweeps" / f"{sweep.name}.json"
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, "search": {**values["search"], **change}}))
    with pytest.raises(SweepCorrupt):
        load_sweep(sweep.name, tmp_path)


def test_without_optuna_it_is_said_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ExtraMissing, match=r"pip install attnviz\[tuning\]"):
        planned(tmp_path)
    assert list(tmp_path.iterdir()) == []
