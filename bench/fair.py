"""Measure forty runs that are submitted at once: `python -m bench.fair`.

They share one worker process, as a class's runs do on two cores. CPU seconds of that process until every run has its
first point, and in all, against those of a worker that trains the same runs one after the other; how much it grows with
each run; and how many of them are, bit for bit, what they are alone.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil

from attnviz.training import RECIPES, Run, RunConfig, TrainingQueue
from bench.common import Figure, report

RUNS = 40
STEPS = 60


class Served:
    """The runs that a queue with one worker has trained, with CPU seconds and bytes of the worker."""

    def __init__(self, folder: Path, at_once: int) -> None:
        first, *self.runs = (Run.create(folder / str(seed), _config(seed)) for seed in range(RUNS + 1))
        with TrainingQueue(workers=1, at_once=at_once) as queue:
            queue.submit(first)  # the process is warm when it is done
            _until(lambda: first.state().state == "done")
            (worker,) = psutil.Process().children()
            begin, bytes_before = _cpu_seconds(worker), worker.memory_info().rss
            for run in self.runs:
                queue.submit(run)
            _until(lambda: all(map(_has_a_point, self.runs)))
            self.until_first_points = _cpu_seconds(worker) - begin
            self.bytes_per_run = (worker.memory_info().rss - bytes_before) / RUNS
            _until(lambda: all(run.state().state == "done" for run in self.runs))
            self.seconds = _cpu_seconds(worker) - begin


def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        alone, together = Served(Path(folder) / "alone", 1), Served(Path(folder) / "together", RUNS)
        equal = sum(_results(a) == _results(b) for a, b in zip(alone.runs, together.runs, strict=True))
    return [
        Figure(
            f"{RUNS} runs at once: CPU time until the last has its first point", together.until_first_points, "s", 5
        ),
        Figure("the same, one after the other", alone.until_first_points, "s"),
        Figure(f"{RUNS} runs at once / one after the other: CPU time", together.seconds / alone.seconds, "x", 1.10),
        Figure("memory of a run beside others", together.bytes_per_run / 1e6, "MB", 5),
        Figure(f"of {RUNS} runs, bit-equal to training alone", equal, "runs", RUNS, at_least=True),
    ]


def _config(seed: int) -> RunConfig:
    """Return a short run of a usual recipe, with dropout, which draws from torch's own generator."""
    recipe = RECIPES["reverse"].changed(steps=STEPS, seed=seed)
    return RunConfig.of_recipe(replace(recipe, model=replace(recipe.model, dropout=0.1)))


def _has_a_point(run: Run) -> bool:
    return run.metrics_path.exists() and run.metrics_path.stat().st_size > 0


def _results(run: Run) -> tuple[object, ...]:
    """Return weights, metrics and recorded attention; times differ, and with them nothing else."""
    weights = {step: run.checkpoint_path(step).read_bytes() for step in run.checkpoints()}
    timeline = run.timeline()
    frames = [[w.tolist() for each in timeline.weights(step) for w in each.values()] for step in timeline.steps]
    return weights, [replace(line, seconds=0.0) for line in run.metrics()], frames


def _until(is_so: Callable[[], bool]) -> None:
    while not is_so():
        time.sleep(0.02)


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    report(measure, __doc__)
