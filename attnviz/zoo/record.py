"""Record the runs that come with attnviz: `python -m attnviz.zoo.record`.

Whoever presses Play with the settings of such a recipe sees its attention form at once, however busy the server is.
A run keeps what that takes, and its last checkpoint.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from attnviz.training import RECIPES, Run, RunConfig, record
from attnviz.zoo import EXAMPLE_RUNS

__all__ = ["RECORDED", "main", "recorded_name"]

RECORDED = ("induction", "reverse", "sort", "copy")
KEPT = ("config.json", "state.json", "metrics.jsonl", "attention.bin")


def recorded_name(recipe: str) -> str:
    """Return the name of the run that was recorded of a recipe."""
    return f"{recipe}-recorded"


def main() -> None:
    """Train the recipes, and put their runs in the place of those that come with attnviz."""
    for recipe in RECORDED:
        with TemporaryDirectory() as folder:
            run = Run.create(Path(folder) / "run", RunConfig.of_recipe(RECIPES[recipe]))
            state = record(run)
            _keep(run, state.step, EXAMPLE_RUNS / recorded_name(recipe))
        print(f"{recipe}: {state.state} at step {state.step:,}")


def _keep(run: Run, step: int, target: Path) -> None:
    """Put a run that is done in the place of another."""
    shutil.rmtree(target, ignore_errors=True)
    (target / "checkpoints").mkdir(parents=True)
    for path in (*(run.folder / name for name in KEPT), run.checkpoint_path(step)):
        shutil.copy(path, target / path.relative_to(run.folder))


if __name__ == "__main__":
    main()
