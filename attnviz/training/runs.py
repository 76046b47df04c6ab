"""The folder of all runs: ATTNVIZ_RUNS, or ./runs. Names are names, never paths."""

from __future__ import annotations

import os
import re
from datetime import datetime
from pathlib import Path

from attnviz.errors import RunError, RunExists, RunNotFound
from attnviz.training.run import Run
from attnviz.training.run_config import RunConfig

__all__ = ["all_runs", "is_run_name", "new_run", "open_run", "place_in_queue", "runs_root"]

NAME = re.compile(r"\w[\w.-]{0,99}")
LONGEST = 255  # bytes, on every file system that matters


def is_run_name(name: str) -> bool:
    """Whether a run may be called that: a name, never a path.

    Example:
        >>> [is_run_name(name) for name in ("sort-1", "排序", "../sort", ".hidden")]
        [True, True, False, False]
    """
    return bool(NAME.fullmatch(name)) and len(os.fsencode(name)) <= LONGEST


def runs_root() -> Path:
    """Where runs are kept."""
    return Path(os.environ.get("ATTNVIZ_RUNS") or "runs")


def new_run(config: RunConfig, name: str | None = None, root: Path | None = None) -> Run:
    """Make a run; without a name it is called after its task and the time, with a number where that is taken.

    Raises:
        RunNotFound: the name is none: letters, digits, "_", "." and "-" only, 100 at most.
        RunExists: there is a run of that name.
        RunUnwritable: the folder cannot be made.
    """
    root = root or runs_root()
    if name is not None:
        return Run.create(_folder(root, name), config)
    base = f"{config.recipe or config.task.name}-{datetime.now():%Y%m%d-%H%M%S}".replace(" ", "-")
    number = 1
    while True:
        try:
            return Run.create(_folder(root, base if number == 1 else f"{base}-{number}"), config)
        except RunExists:
            number += 1


def open_run(name: str, root: Path | None = None) -> Run:
    """Open a run by its name.

    Raises:
        RunNotFound: there is none, or it is not a name.
        RunCorrupt: its config.json cannot be read.
    """
    return Run.open(_folder(root or runs_root(), name))


def all_runs(root: Path | None = None) -> list[Run | RunError]:
    """Every run, the newest first; in place of one that cannot be opened, the error that says why."""
    root = root or runs_root()
    names = sorted(path.parent.name for path in root.glob("*/config.json") if is_run_name(path.parent.name))
    found: list[Run | RunError] = []
    for name in names:
        try:
            found.append(open_run(name, root))
        except RunError as error:
            found.append(error)
    return sorted(found, key=lambda run: run.config.created if isinstance(run, Run) else "", reverse=True)


def place_in_queue(run: Run) -> int | None:
    """How many runs beside it must start until it has started, itself included: 1 is next; None: it does not wait.

    Raises:
        RunCorrupt: its state.json cannot be read.
    """
    mine = run.state()
    if mine.state != "queued":
        return None
    return 1 + sum(state < (mine.queued, run.name) for state in _waiting(run.folder.parent))


def _waiting(root: Path) -> list[tuple[float, str]]:
    """When each run that waits was queued, and its name."""
    waiting = []
    for run in all_runs(root):
        if isinstance(run, Run):
            try:
                state = run.state()
            except RunError:  # a run that cannot be read does not wait
                continue
            if state.state == "queued":
                waiting.append((state.queued, run.name))
    return waiting


def _folder(root: Path, name: str) -> Path:
    if not is_run_name(name):
        raise RunNotFound(name)
    return root / name
