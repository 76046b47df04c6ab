"""Sweeps: planned, trained, halved and gone on with; what their runs say together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from attnviz import locale
from attnviz.errors import SweepCombination, SweepCorrupt, SweepNotFound, SweepSteps, TooManyPlanned, UnknownSetting
from attnviz.training import Command, Run, RunState, new_run, open_run, record
from attnviz.training.run.manage import delete_run, rename_run
from attnviz.training.run.process import ProcessId
from attnviz.training.sweep.cost import expected
from attnviz.training.sweep.halving import Score, rungs, survivors
from attnviz.training.sweep.members import best_member, members, outcomes
from attnviz.training.sweep.plan import Sweep, all_sweeps, delete_sweep, grid, load_sweep, save_sweep
from attnviz.training.sweep.runner import Runner, make, score_at
from tests.training.runs import contents, small_config

RATES = [0.0003, 0.003, 0.03, 0.3]


class AtOnce:
    """A queue that trains a run, in this process, as soon as it is submitted."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int | None]] = []

    def submit(self, run: Run, learning_rate: float | None = None, until: int | None = None) -> None:
        self.told.append((run.name.rpartition(".")[2], until))
        run.commands.clear()
        if until is not None:
            run.commands.send("until", until, "rung")
        record(run, run.commands)


class Killed(AtOnce):
    """One whose process is killed after so many runs."""

    def __init__(self, runs: int) -> None:
        super().__init__()
        self.left = runs

    def submit(self, run: Run, learning_rate: float | None = None, until: int | None = None) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        super().submit(run, learning_rate, until)


def planned(root: Path, seeds: int = 1, halving: bool = True, **settings: Sequence[float]) -> Sweep:
    base = small_config(steps=16, validate_every=2)
    sweep, configs = grid(base, settings or {"learning_rate": RATES}, seeds, halving)
    make(sweep, configs, root)
    return sweep


def trained(sweep: Sweep, root: Path, queue: AtOnce | None = None) -> AtOnce:
    """Advance a sweep until it is over; few looks do."""
    queue = queue or AtOnce()
    runner = Runner(sweep, queue, root)
    for _ in range(20):
        if runner.advance():
            return queue
    raise AssertionError("it is never over")


def told(sweep: Sweep, root: Path) -> dict[str, tuple[str, int, str]]:
    """State, step and who stopped it, of each run by its number."""
    found = members(sweep, root)
    return {m.planned.name.rpartition(".")[2]: (m.state.state, m.state.step, m.state.by) for m in found if m.state}


def rank(score: Score | None) -> tuple[float, float]:
    assert score is not None
    return -score.metric, score.loss


def test_a_grid_has_every_combination_with_every_seed() -> None:
    base = small_config(seed=3)
    sweep, configs = grid(base, {"n_layers": [1, 2], "learning_rate": [0.1, 0.01, 0.1]}, seeds=2)
    assert [(*run.values, run.seed) for run in sweep.runs] == [
        (1, 0.1, 3), (1, 0.1, 4), (1, 0.01, 3), (1, 0.01, 4), (2, 0.1, 3), (2, 0.1, 4), (2, 0.01, 3), (2, 0.01, 4),
    ]  # fmt: skip
    assert [(c.model.n_layers, c.training.learning_rate, c.training.seed) for c in configs] == [
        (*run.values, run.seed) for run in sweep.runs
    ]
    assert [run.digest for run in sweep.runs] == [config.digest for config in configs]
    assert all(config.model.d_ff == base.model.d_ff for config in configs)  # type: ignore[union-attr]


def test_the_same_plan_has_the_same_name_and_another_one_another() -> None:
    base = small_config()
    names = {
        grid(base, {"learning_rate": [0.1, rate]}, halving=halving)[0].name
        for rate in (0.2, 0.3)
        for halving in (True, False)
    }
    assert len(names) == 4
    assert grid(base, {"learning_rate": [0.1, 0.2]})[0].name in names


def test_what_cannot_be_planned_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    base = small_config()
    with pytest.raises(UnknownSetting, match="rate is not a setting"):
        grid(base, {"rate": [1]})
    with pytest.raises(UnknownSetting, match="vocab_size is not a setting"):
        grid(base, {"vocab_size": [9]})
    with pytest.raises(TooManyPlanned, match="make 12 runs; a sweep has from 1 to 11"):
        grid(base, {"learning_rate": RATES}, seeds=3, most=11)
    with pytest.raises(TooManyPlanned, match="make 0 runs"):
        grid(base, {"learning_rate": []})
    with pytest.raises(SweepSteps, match="steps must be the same"):
        grid(base, {"steps": [10, 20]}, halving=True)
    with pytest.raises(SweepCombination, match="n_heads=3 cannot be trained") as caught:
        grid(base, {"n_heads": [2, 3]})
    assert "16" in locale.told("zh", caught.value.code, caught.value.details)


def test_rungs_double_and_halve() -> None:
    assert rungs(1600, 25, 9) == [(100, 5), (200, 3), (400, 2), (800, 1)]
    assert rungs(1600, 25, 2) == [(800, 1)]
    assert rungs(16, 5, 4) == [(5, 2), (10, 1)]  # where validation data is looked at
    assert rungs(100, 60, 4) == [(60, 2)]


@pytest.mark.parametrize("lower", [True, False])
def test_of_made_up_curves_the_better_half_survives(lower: bool) -> None:
    sign = -1 if lower else 1
    curves = ((0.3, 1.0), (0.9, 1.0), (0.5, 1.0), (0.9, 0.5), (0.9, 0.5))
    scores = [Score(sign * value, loss) for value, loss in curves]
    assert survivors(scores, 4, lower) == [1, 2, 3, 4]
    assert survivors(scores, 1, lower) == [3]  # of equal ones that of the lower loss, then the first
    assert survivors([None, *scores[:2], Score(float("nan"), 0.0)], 2, lower) == [1, 2]
    assert survivors([None, None], 1, lower) == [0]


def test_halving_stops_the_poor_ones_and_keeps_their_points(tmp_path: Path) -> None:
    sweep = planned(tmp_path)
    assert sweep.halving == ((4, 2), (8, 1))
    trained(sweep, tmp_path)
    states = told(sweep, tmp_path)
    at_4 = {number: score_at(open_run(f"{sweep.name}.{number}", tmp_path), 4) for number in states}
    assert sorted(states.values()) == [
        ("done", 16, ""), ("stopped", 4, "halving"), ("stopped", 4, "halving"), ("stopped", 8, "halving"),
    ]  # fmt: skip
    halved = [number for number, state in states.items() if state[1] == 4]
    assert sorted(states, key=lambda number: rank(at_4[number]))[2:] == sorted(halved, key=lambda n: rank(at_4[n]))
    for number in halved:
        run = open_run(f"{sweep.name}.{number}", tmp_path)
        assert [line.step for line in run.metrics()] == [1, 2, 3, 4]
        assert run.checkpoints()[-1] == 4


def test_a_run_that_waited_at_a_rung_is_the_same_as_one_that_did_not(tmp_path: Path) -> None:
    sweep = planned(tmp_path / "a")
    trained(sweep, tmp_path / "a")
    best = next(m.run for m in members(sweep, tmp_path / "a") if m.run and m.state and m.state.state == "done")
    alone = Run.create(tmp_path / "b" / "alone", best.config)
    record(alone)
    found, right = contents(best), contents(alone)
    assert found["metrics"] == right["metrics"]
    assert found["checkpoints"] == right["checkpoints"] | {  # beside those at the rungs
        f"step-{step:06}.safetensors": best.checkpoint_path(step).read_bytes() for step in (4, 8)
    }


def test_halving_is_decided_alike_whenever_it_was_interrupted(tmp_path: Path) -> None:
    whole = planned(tmp_path / "whole", seeds=2)
    trained(whole, tmp_path / "whole")
    parts = planned(tmp_path / "parts", seeds=2)
    for _ in range(30):  # each process is killed after one run
        try:
            trained(parts, tmp_path / "parts", Killed(1))
            break
        except KeyboardInterrupt:
            continue
    assert told(parts, tmp_path / "parts") == told(whole, tmp_path / "whole")
    assert told(whole, tmp_path / "whole")["1"][2] == told(whole, tmp_path / "whole")["2"][2]  # all seeds of a setting


def test_a_sweep_that_is_started_again_goes_on(tmp_path: Path) -> None:
    sweep = planned(tmp_path, halving=False)
    with pytest.raises(KeyboardInterrupt):
        trained(sweep, tmp_path, Killed(2))
    assert [state[0] for state in told(sweep, tmp_path).values()] == ["done", "done", "stopped", "stopped"]
    again = planned(tmp_path, halving=False)
    assert again.name == sweep.name
    assert [number for number, _ in trained(again, tmp_path).told] == ["3", "4"]
    assert [number for number, _ in trained(again, tmp_path).told] == []


def test_what_was_trained_before_is_not_trained_again(tmp_path: Path) -> None:
    config = replace(small_config(steps=16, validate_every=2, learning_rate=0.003), recipe="other")
    record(new_run(config, "before", tmp_path))
    sweep = planned(tmp_path, halving=False)
    names = [m.run.name for m in members(sweep, tmp_path) if m.run]
    assert names == [f"{sweep.name}.1", "before", f"{sweep.name}.3", f"{sweep.name}.4"]
    assert [number for number, _ in trained(sweep, tmp_path).told] == ["1", "3", "4"]


def test_one_with_another_learning_rate_in_between_is_trained_anew(tmp_path: Path) -> None:
    steered = new_run(small_config(steps=16, validate_every=2, learning_rate=0.003), "steered", tmp_path)
    steered.commands.send("learning_rate", 0.5)
    record(steered, steered.commands)
    sweep = planned(tmp_path, halving=False)
    assert "steered" not in [m.run.name for m in members(sweep, tmp_path) if m.run]


def test_a_renamed_run_stays_part_and_a_deleted_one_is_missing(tmp_path: Path) -> None:
    sweep = planned(tmp_path)
    trained(sweep, tmp_path)
    rename_run(f"{sweep.name}.1", "mine", tmp_path)
    delete_run(f"{sweep.name}.2", tmp_path)
    names = [m.run.name if m.run else None for m in members(sweep, tmp_path)]
    assert names == ["mine", None, f"{sweep.name}.3", f"{sweep.name}.4"]
    assert trained(sweep, tmp_path).told == []  # and the others stay as they are


def test_what_a_person_stopped_stays_stopped(tmp_path: Path) -> None:
    sweep = planned(tmp_path, halving=False)
    run = open_run(f"{sweep.name}.2", tmp_path)
    run.commands.send("stop")
    assert [number for number, _ in trained(sweep, tmp_path).told] == ["1", "3", "4"]


def test_one_that_failed_is_judged_last(tmp_path: Path) -> None:
    sweep = planned(tmp_path)
    for number in "124":
        run = open_run(f"{sweep.name}.{number}", tmp_path)
        run.write_state(RunState("failed", 1, message="it diverged"))
    trained(sweep, tmp_path)
    assert told(sweep, tmp_path)["3"] == ("done", 16, "")


def test_one_that_another_process_trains_is_waited_for(tmp_path: Path) -> None:
    sweep = planned(tmp_path)
    run = open_run(f"{sweep.name}.1", tmp_path)
    run.write_state(RunState("running", 0, ProcessId.current()))
    runner = Runner(sweep, AtOnce(), tmp_path)
    assert [runner.advance() for _ in range(3)] == [False] * 3
    assert {state[1] for number, state in told(sweep, tmp_path).items() if number != "1"} == {4}


def test_results_are_means_over_seeds_with_their_spread(tmp_path: Path) -> None:
    sweep = planned(tmp_path, 2, False, learning_rate=[0.003, 0.03])
    for member, accuracy in zip(members(sweep, tmp_path), (0.25, 0.75, 0.5, 0.75), strict=True):
        line = {
            "step": 4,
            "loss": 1.0,
            "learning_rate": 0.0,
            "seconds": 2.0,
            "validation": {"loss": 1, "accuracy": accuracy},
        }
        line["learning_rate"] = member.run.config.training.rate(4)  # type: ignore[union-attr]
        member.run.metrics_path.write_text(json.dumps(line) + "\n")  # type: ignore[union-attr]
    first, second = outcomes(sweep, members(sweep, tmp_path))
    assert (first.values, first.mean, first.low, first.high, first.seconds) == ((0.03,), 0.625, 0.5, 0.75, 4.0)
    assert (second.values, second.mean) == ((0.003,), 0.5)
    assert second.spread == pytest.approx(0.5**0.5 / 2)
    best = best_member(members(sweep, tmp_path))
    assert best is not None
    assert best.planned.name.endswith(".2")


def test_what_it_takes_is_said_before() -> None:
    base = small_config(steps=1000, validate_every=10)
    for halving, steps in ((False, 8000), (True, 4000)):
        sweep, configs = grid(base, {"learning_rate": RATES}, 2, halving)
        cost = expected(sweep, configs, members(sweep, Path("nowhere")), lambda config: 0.01, cores=4)
        assert (cost.runs, cost.there, cost.steps, cost.seconds) == (8, 0, steps, steps * 0.01 / 4)


def test_plans_are_kept_listed_and_forgotten(tmp_path: Path) -> None:
    sweep = planned(tmp_path)
    assert load_sweep(sweep.name, tmp_path) == sweep
    (tmp_path / ".sweeps" / "broken.json").write_text('{"format": 1}')
    found = all_sweeps(tmp_path)
    assert found[0] == sweep
    assert isinstance(found[1], SweepCorrupt)
    delete_sweep(sweep.name, tmp_path)
    for name in (sweep.name, "../x", ""):
        with pytest.raises(SweepNotFound):
            load_sweep(name, tmp_path)
        with pytest.raises(SweepNotFound):
            delete_sweep(name, tmp_path)
    assert open_run(f"{sweep.name}.1", tmp_path).state().state == "stopped"


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2}, {"runs": []}, {"keys": ["a", "b"]}, {"halving": [[1]]}, {"created": "yesterday"},
        {"runs": [{"name": "../x", "values": [1], "seed": 0, "digest": ""}]},
        {"runs": [{"name": "x", "values": [[1]], "seed": 0, "digest": ""}]}, {"name": "another"},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_a_plan_that_was_edited_is_refused_with_the_reason(tmp_path: Path, change: dict[str, object]) -> None:
    sweep = planned(tmp_path)
    save_sweep(sweep, tmp_path)
    path = tmp_path / ".sweeps" / f"{sweep.name}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(SweepCorrupt, match="Its runs are still there"):
        load_sweep(sweep.name, tmp_path)


def test_until_is_a_step() -> None:
    for value in (0, 1.5, None, float("inf")):
        with pytest.raises(ValueError, match="until"):
            Command("until", value)
