"""The queue with many runs in a worker: they share it, go on when it dies, and are moved where there is more time."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from attnviz.training import RECIPES, Run, RunConfig, TrainingQueue, place_in_queue, record
from attnviz.training.engine import memory
from attnviz.training.run.control import CommandFile
from attnviz.training.run.queue import Share
from tests.training.runs import contents, small_config, small_run
from tests.training.test_queue import LONG, reaches, until


@pytest.fixture(scope="module")
def queue() -> Iterator[TrainingQueue]:
    with TrainingQueue(workers=1) as queue:
        yield queue


@pytest.fixture(autouse=True)
def paused_from_the_first_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is submitted here does nothing until it is told to, so that nothing depends on how fast it is."""

    def clear(commands: CommandFile) -> None:
        commands.path.unlink(missing_ok=True)
        commands.send("pause")

    monkeypatch.setattr(CommandFile, "clear", clear)


def submit(queue: TrainingQueue, runs: list[Run], steps: list[int]) -> None:
    """Have each run make so many steps, and pause."""
    for run, n in zip(runs, steps, strict=True):
        queue.submit(run)
        until(lambda run=run: run.state().state == "paused")  # type: ignore[misc]
        for _ in range(n):
            run.commands.send("step")
    for run, n in zip(runs, steps, strict=True):
        until(lambda run=run, n=n: is_paused(run, n))  # type: ignore[misc]


def is_paused(run: Run, step: int) -> bool:
    return (run.state().state, run.state().step) == ("paused", step)


def finish(runs: list[Run]) -> None:
    for run in runs:
        run.commands.send("resume")
    for run in runs:
        reaches(run, "done")


def stop(runs: list[Run]) -> None:
    for run in runs:
        run.commands.send("stop")
    for run in runs:
        reaches(run, "stopped")


def process_of(run: Run) -> int | None:
    process = run.state().process
    return None if process is None else process.pid


def same_as(run: Run, alone: Run) -> None:
    """All that was recorded alone is there; where a run paused, its weights and attention are kept besides."""
    found, wanted = contents(run), contents(alone)
    assert found["metrics"] == wanted["metrics"]
    for part in ("checkpoints", "attention"):
        assert wanted[part].items() <= found[part].items()  # type: ignore[attr-defined]


def test_all_runs_of_a_worker_that_is_killed_go_on(queue: TrainingQueue, tmp_path: Path) -> None:
    """kill -9 with six runs inside: each is in the end what it would be alone, and who was paused stays so."""
    runs, steps = [small_run(tmp_path / f"run-{seed}", seed=seed) for seed in range(6)], list(range(6))
    submit(queue, runs, steps)
    (killed,) = {process_of(run) for run in runs}
    assert killed is not None
    until(lambda: queue.shared() == Share(0, 0))  # nobody takes turns
    os.kill(killed, signal.SIGKILL)
    until(lambda: all(process_of(run) not in (None, killed) and run.state().state == "paused" for run in runs))
    assert [run.state().step for run in runs] == steps, "a step that was asked for is not made twice"
    finish(runs)
    for seed, run in enumerate(runs):
        alone = small_run(tmp_path / f"alone-{seed}", seed=seed)
        record(alone)
        same_as(run, alone)


def test_a_run_takes_little_memory_beside_others(queue: TrainingQueue, tmp_path: Path) -> None:
    runs = [
        Run.create(tmp_path / str(seed), RunConfig.of_recipe(RECIPES["reverse"].changed(seed=seed)))
        for seed in range(9)
    ]
    submit(queue, runs[:1], [1])
    process = psutil.Process(process_of(runs[0]))
    before = process.memory_info().rss
    submit(queue, runs[1:], [1] * 8)
    assert {process_of(run) for run in runs} == {process.pid}
    assert process.memory_info().rss - before < 8 * 5e6
    stop(runs)


def test_a_large_run_has_a_process_of_its_own(
    queue: TrainingQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "LARGE", 2**20)
    small, *large = (
        Run.create(tmp_path / str(batch), small_config(LONG, batch_size=batch)) for batch in (16, 1024, 2048)
    )
    for run in (small, *large):
        queue.submit(run)
        run.commands.send("resume")
    reaches(small, "running")
    reaches(large[0], "running")
    assert process_of(small) != process_of(large[0])
    assert place_in_queue(large[1]) == 1
    assert (queue.ahead(large=False), queue.ahead(large=True)) == (0, 2)
    until(lambda: queue.look(small) == Share(1, 1))
    assert queue.look(large[0]) is None
    assert queue.look(large[1]) is None
    stop(large[:1])
    reaches(large[1], "running")
    stop([small, large[1]])


def test_runs_move_to_a_worker_that_has_more_time(tmp_path: Path) -> None:
    runs = [small_run(tmp_path / str(seed), seed=seed) for seed in range(4)]
    with TrainingQueue(workers=2) as queue:
        submit(queue, runs, [0, 1, 2, 3])
        until(lambda: sorted(Counter(map(process_of, runs)).values()) == [2, 2])
        finish(runs)
    alone = small_run(tmp_path / "alone", seed=3)
    record(alone)
    same_as(runs[3], alone)
