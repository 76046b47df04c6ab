"""Record the runs that come with attnviz: `python -m attnviz.zoo.record [RECIPE ...]`, all of them by default.

Whoever presses Play with the settings of such a recipe sees its attention form at once, however busy the server is.
A run keeps what that takes, its last checkpoint, and those at the steps of `MOMENTS`, in which a cell's score forms.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from attnviz.training import RECIPES, Run, RunConfig, record
from attnviz.training.run.control import Command
from attnviz.zoo import EXAMPLE_RUNS

__all__ = ["KEPT", "MOMENTS", "RECORDED", "main", "recorded_name"]

RECORDED = ("induction", "reverse", "sort", "copy")
KEPT = ("config.json", "state.json", "metrics.jsonl", "attention.bin")
MOMENTS = {"induction": (0, 50, 60, 70, 80, 100, 200, 500)}
"""Steps whose checkpoints are kept beside the last, by recipe: few, close to each other where the loss falls."""


def recorded_name(recipe: str) -> str:
    """Return the name of the run that was recorded of a recipe."""
    return f"{recipe}-recorded"


class _Until:
    """Tells a run to stop at a step, as a sweep does: it keeps a checkpoint there, and goes on to the same weights."""

    def __init__(self, step: int) -> None:
        self._commands = [Command("until", step)]

    def poll(self) -> Sequence[Command]:
        """Return the command once."""
        told, self._commands = self._commands, []
        return told


def main(recipes: Sequence[str] = RECORDED) -> None:
    """Train recipes, and put their runs in the place of those that come with attnviz."""
    for recipe in recipes:
        moments = MOMENTS.get(recipe, ())
        with TemporaryDirectory() as folder:
            run = Run.create(Path(folder) / "run", RunConfig.of_recipe(RECIPES[recipe]))
            for step in filter(None, moments):
                record(run, _Until(step))
            state = record(run)
            _keep(run, [*moments, state.step], EXAMPLE_RUNS / recorded_name(recipe))
        print(f"{recipe}: {state.state} at step {state.step:,}")


def _keep(run: Run, steps: Sequence[int], target: Path) -> None:
    """Put a run that is done in the place of another, with its checkpoints at some steps."""
    shutil.rmtree(target, ignore_errors=True)
    (target / "checkpoints").mkdir(parents=True)
    for path in (*(run.folder / name for name in KEPT), *map(run.checkpoint_path, steps)):
        shutil.copy(path, target / path.relative_to(run.folder))


if __name__ == "__main__":
    main(sys.argv[1:] or RECORDED)
