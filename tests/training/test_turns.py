"""Many runs in one process: each is what it would be alone, none keeps another waiting or takes it along."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from attnviz.errors import TrainingDiverged
from attnviz.training import Command, Control, Run, RunState, record
from attnviz.training.run.recorder import Work, in_turns
from attnviz.training.run.turns import SEEN, SLICE, UNSEEN, Turns
from tests.training.runs import Script, contents, small_run

pytestmark = pytest.mark.usefixtures("one_thread")


def never() -> bool:
    return False


class Clock:
    """Time that passes as a test says."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def work(self, seconds: float, waits: float = 0.0) -> Work:
        """A run without end whose steps take so long, and that then has nothing to do for a while."""
        while True:
            self.now += seconds
            yield waits


def served(turns: Turns, n: int) -> list[int]:
    """Who has the next n turns."""
    numbers = []
    for _ in range(n):
        numbers.append(turns.next())
        turns.take(numbers[-1], never)
    return numbers


def train_together(runs: dict[Run, Control | None], clock: Clock | None = None) -> dict[str, BaseException]:
    """Train runs in one process, a step in each turn where there is no clock; returns what ended some of them early."""
    turns = Turns(clock or Clock())
    names = {}
    for number, (run, control) in enumerate(runs.items()):
        turns.add(number, in_turns(run, control))
        names[number] = run.name
    ended: dict[str, BaseException] = {}
    while turns.wait() is not None:
        number = turns.next()
        try:
            turns.take(number, lambda: True)
        except Exception as error:
            ended[names[number]] = error
    return ended


def test_runs_that_are_trained_together_are_what_they_are_alone(tmp_path: Path) -> None:
    """Weights, metrics and recorded attention, bit for bit, with dropout; a learning rate is changed on the way."""
    seeds = range(4)
    faster = {seed: Script(at_5=Command("learning_rate", 0.01)) if seed == 2 else None for seed in seeds}
    alone = [small_run(tmp_path / f"alone-{seed}", seed=seed) for seed in seeds]
    for seed, run in zip(seeds, alone, strict=True):
        record(run, Script(at_5=Command("learning_rate", 0.01)) if seed == 2 else None)
    together = {small_run(tmp_path / f"together-{seed}", seed=seed): faster[seed] for seed in seeds}
    assert train_together(dict(together)) == {}
    for run, other in zip(alone, together, strict=True):
        assert other.state().state == "done"
        assert contents(other) == contents(run)
    different = [contents(run)["metrics"] for run in alone]
    assert all(a != b for i, a in enumerate(different) for b in different[:i])


def test_a_run_that_fails_takes_no_other_along(tmp_path: Path) -> None:
    good, alone = small_run(tmp_path / "good", 40), small_run(tmp_path / "alone", 40)
    bad = small_run(tmp_path / "bad", 200, learning_rate=1.0, warmup_steps=0, clip=1e6)
    record(alone)
    ended = train_together({bad: None, good: None})
    assert [type(error) for error in ended.values()] == [TrainingDiverged]
    assert (bad.state().state, good.state().state) == ("failed", "done")
    assert contents(good) == contents(alone)


def test_a_run_that_is_closed_is_interrupted_and_goes_on(tmp_path: Path) -> None:
    run, through = small_run(tmp_path / "run", 12), small_run(tmp_path / "through", 12)
    record(through)
    work = in_turns(run)
    for _ in range(5):
        assert next(work) == 0
    work.close()
    assert run.state() == RunState("interrupted", 5)
    assert record(run).state == "done"
    assert contents(run) == contents(through)


def test_a_step_that_was_asked_for_before_a_crash_is_not_made_again(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run")
    work = in_turns(run, Script(at_0=[Command("pause"), Command("step")], at_1=Command("stop")))
    assert next(work) > 0
    with pytest.raises(StopIteration):
        next(work)
    assert run.state() == RunState("stopped", 0)


def test_runs_that_begin_come_first_with_one_step_each() -> None:
    clock = Clock()
    turns = Turns(clock)
    turns.add(1, clock.work(0.1))
    served(turns, 3)
    before = clock.now
    for number in (2, 3, 4):
        turns.add(number, clock.work(0.1))
    assert served(turns, 3) == [2, 3, 4]
    assert clock.now == pytest.approx(before + 0.3)
    assert sorted(served(turns, 4)) == [1, 2, 3, 4]


def test_turns_are_slices_of_time_whatever_a_step_takes() -> None:
    clock = Clock()
    turns = Turns(clock)
    turns.add(1, clock.work(0.01))
    turns.add(2, clock.work(1.0))
    had = dict.fromkeys((1, 2), 0.0)
    for _ in range(100):
        before = clock.now
        (number,) = served(turns, 1)
        had[number] += clock.now - before
        assert clock.now - before <= max(SLICE, 1.0) + 0.02
    assert had[1] == pytest.approx(had[2], rel=0.1)


def test_runs_on_a_screen_have_more() -> None:
    clock = Clock()
    turns = Turns(clock)
    for number in (1, 2):
        turns.add(number, clock.work(SLICE))
    numbers: list[int] = []
    while len(numbers) < 10 * (UNSEEN + 1):
        turns.look(1)
        numbers += served(turns, 1)
    assert numbers.count(2) == pytest.approx(10, abs=2)
    clock.now += SEEN  # nobody looks any more
    numbers = served(turns, 20)
    assert numbers.count(1) == pytest.approx(10, abs=1)


def test_who_waits_keeps_nobody_waiting_and_has_its_turn_in_time() -> None:
    clock = Clock()
    turns = Turns(clock)
    turns.add(1, clock.work(0.001))
    turns.add(2, clock.work(0.0, waits=0.02))  # paused: it looks for commands now and then
    looks: list[float] = []
    while clock.now < 10:
        (number,) = served(turns, 1)
        if number == 2:
            looks.append(clock.now)
    assert turns.sharing == 1
    assert len(looks) > 400
    assert max(b - a for a, b in pairwise(looks)) < 0.03


def test_when_all_wait_nobody_is_asked() -> None:
    clock = Clock()
    turns = Turns(clock)
    assert turns.wait() is None
    turns.add(1, clock.work(0.0, waits=0.25))
    turns.add(2, clock.work(0.0, waits=0.5))
    served(turns, 2)
    assert turns.wait() == 0.25
    assert turns.sharing == 0


def test_a_turn_ends_when_something_else_is_wanted() -> None:
    clock = Clock()
    turns = Turns(clock)
    turns.add(1, clock.work(0.01))
    served(turns, 1)
    wanted: Iterator[Any] = iter([False, False, True])
    before = clock.now
    turns.take(turns.next(), lambda: next(wanted))
    assert clock.now - before == pytest.approx(0.03)
