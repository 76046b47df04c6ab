"""The sweep over recipes: what it measures on a task that takes a second, and what it calls a goal that is met."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import pytest

from attnviz.training import RECIPES
from bench import tasks
from bench.tasks import Run, measure, verdict

pytestmark = pytest.mark.usefixtures("one_thread")  # as the bench itself sets it


def test_a_recipe_is_trained_and_judged() -> None:
    run = measure(RECIPES["majority"])
    assert run.reached
    assert run.test > 0.99
    assert run.steps_to_target is not None
    assert run.steps_to_target <= run.steps < RECIPES["majority"].training.steps
    assert [head.pattern for head in run.patterns] == ["majority"]
    assert run.patterns[0].mass == pytest.approx(run.patterns[0].chance, abs=0.1), "counting is reading all alike"


def test_a_training_that_is_too_short_is_not_called_good() -> None:
    run = measure(RECIPES["copy"].changed(steps=2))
    assert not run.reached
    assert (run.steps_to_target, run.seconds_to_target) == (None, None)
    assert "target at              -  in all     2 /" in tasks.line(run)


GOOD = Run("copy", 0, 900, 800, 9.0, 10.0, "exact match", 0.995, 0.99, True, 2048, None, ())
LATE = replace(GOOD, seconds_to_target=20.5)
BAD = replace(GOOD, test=0.98, reached=False)
NEVER = replace(BAD, steps_to_target=None, seconds_to_target=None)


@pytest.mark.parametrize(
    ("runs", "reached", "in_time", "ok"),
    [
        ([GOOD] * 10, 10, 10, True),
        ([GOOD] * 9 + [BAD], 9, 9, True),
        ([GOOD] * 9 + [LATE], 10, 9, True),
        ([GOOD] * 8 + [LATE, NEVER], 9, 8, False),
        ([GOOD, NEVER], 1, 1, False),
        ([NEVER], 0, 0, False),
    ],
)
def test_nine_of_ten_in_time(runs: list[Run], reached: int, in_time: int, ok: bool) -> None:
    result = verdict("copy", runs)
    assert (result["reached"], result["in_time"], result["ok"]) == (reached, in_time, ok)


def test_exempt_recipes_have_no_goal() -> None:
    assert {name for name, recipe in RECIPES.items() if recipe.exempt} == {
        "parity",
        "histogram-no-bos",
        "induction-one-layer",
        "sentiment-far-last",
        "comprehension-lstm",
    }
    result = verdict("parity", [replace(NEVER, recipe="parity")])
    assert (result["goal_seconds"], result["ok"]) == (None, None)


def test_json_and_nothing_else(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(tasks, "measure", lambda recipe: replace(GOOD, recipe=recipe.name, seed=recipe.seed))
    monkeypatch.setattr(sys, "argv", ["bench.tasks", "--task", "copy", "--task", "sort", "--seeds", "2", "--json"])
    tasks.main()
    results = json.loads(capsys.readouterr().out)
    assert [(result["recipe"], [run["seed"] for run in result["runs"]]) for result in results] == [
        ("copy", [1000, 1001]),
        ("sort", [1000, 1001]),
    ]
