"""A small run for tests, a tiny network on a short task, and commands for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from attnviz.tasks import Reverse
from attnviz.training import Command, Recording, Run, RunConfig, TrainConfig

TASK = Reverse(n_symbols=5, min_length=2, max_length=4)
MODEL = replace(TASK.model_config(), d_model=16, d_ff=32, n_heads=2, dropout=0.1)


def small_config(steps: int = 12, every: int = 2, **training: Any) -> RunConfig:
    """Dropout and all: what must be the same after a resumption."""
    settings = {"batch_size": 16, "warmup_steps": 4, "validate_every": 5, "validation_size": 40, **training}
    return RunConfig(TASK, MODEL, TrainConfig(steps=steps, **settings), Recording(every, sequences=2))


def small_run(folder: Path, steps: int = 12, **values: Any) -> Run:
    return Run.create(folder, small_config(steps, **values))


def contents(run: Run) -> dict[str, object]:
    """All that must not depend on how often a run was stopped; times do."""
    timeline = run.timeline()
    return {
        "checkpoints": {path.name: path.read_bytes() for path in sorted((run.folder / "checkpoints").iterdir())},
        "metrics": [replace(m, seconds=0.0) for m in run.metrics()],
        "attention": {
            step: [{site: w.tolist() for site, w in sequence.items()} for sequence in timeline.weights(step)]
            for step in timeline.steps
        },
    }


class Script:
    """Commands by the number of the look: what a person would press, without a clock."""

    def __init__(self, **commands: Sequence[Command] | Command) -> None:
        self.commands = {int(key.removeprefix("at_")): value for key, value in commands.items()}
        self.looks = 0

    def poll(self) -> Sequence[Command]:
        due = self.commands.get(self.looks, ())
        self.looks += 1
        return [due] if isinstance(due, Command) else due


def stop_after(steps: int) -> Script:
    return Script(**{f"at_{steps}": Command("stop")})
