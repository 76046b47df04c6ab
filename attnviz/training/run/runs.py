"""The folder of all runs: ATTNVIZ_RUNS, or ./runs. Names are names, never paths."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from attnviz.bounded import reason
from attnviz.errors import InvalidRunName, RunCorrupt, RunError, RunExists, RunNotFound
from attnviz.training.run.config import RunConfig
from attnviz.training.run.folder import Run
from attnviz.training.run.state import RunState

__all__ = [
    "all_runs",
    "end_of_queue",
    "forsaken_queue",
    "found_runs",
    "is_run_name",
    "new_run",
    "open_run",
    "place_in_queue",
    "runs_root",
]

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
    """Return the folder of all runs."""
    return Path(os.environ.get("ATTNVIZ_RUNS") or "runs")


def new_run(config: RunConfig, name: str | None = None, root: Path | None = None, owner: str = "") -> Run:
    """Make a run; without a name it is called after its task and the time, with a number where that is taken.

    Args:
        owner: see `Run.create`.

    Raises:
        InvalidRunName: the name is none: letters, digits, "_", "." and "-" only, 100 at most.
        RunExists: there is a run of that name.
        RunUnwritable: the folder cannot be made.
    """
    root = root or runs_root()
    if name is not None:
        if not is_run_name(name):
            raise InvalidRunName(name)
        return Run.create(_folder(root, name), config, owner)
    base = f"{config.recipe or config.task.name}-{datetime.now():%Y%m%d-%H%M%S}".replace(" ", "-")
    number = 1
    while True:
        try:
            return Run.create(_folder(root, base if number == 1 else f"{base}-{number}"), config, owner)
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
    """Return every run, the newest first; in place of one that cannot be opened, the error that says why."""
    return found_runs(root or runs_root(), _open)


def _open(folder: Path) -> Run | RunError | None:
    """Return the run in a folder, or why it cannot be opened; None: there is no run in it."""
    try:
        return Run.open(folder)
    except RunNotFound:
        return None
    except RunError as error:
        return error


def found_runs(root: Path, open_folder: Callable[[Path], Run | RunError | None]) -> list[Run | RunError]:
    """List the runs in a folder, the newest first, those that cannot be opened last; other things are left alone.

    Args:
        root: root that may not be there yet.
        open_folder: gives the run in a sub-folder, why it cannot be opened, or None where no run is.

    Returns:
        The runs, and errors in place of those that cannot be opened; one of them where the folder cannot be listed.
    """
    try:
        names = sorted(os.listdir(root))
    except (FileNotFoundError, ValueError):  # none yet; a name with a NUL in it
        return []
    except OSError as error:
        return [RunCorrupt(root.name, "the folder of the runs", reason(error))]
    opened = (open_folder(root / name) for name in names if is_run_name(name))
    found = [run for run in opened if run is not None]
    return sorted(
        found, key=lambda run: (run.config.created, run.name) if isinstance(run, Run) else ("", ""), reverse=True
    )


def place_in_queue(run: Run) -> int | None:
    """Return the place of a run in the queue, 1 for the next to start; None: it does not wait.

    Raises:
        RunCorrupt: its state.json cannot be read.
    """
    mine = run.state()
    if mine.state != "queued":
        return None
    return 1 + sum(each[:2] < (mine.queued, run.name) for each in _queued(run.folder.parent, Run.state))


def end_of_queue(root: Path) -> int:
    """Return the number that the next queued run writes as `RunState.queued`: more than all that wait there.

    Those that waited when their server was killed are among them: they wait again when it is started.
    """
    return 1 + int(max((queued for queued, _, _ in _queued(root, Run.noted_state)), default=0))


def forsaken_queue(root: Path) -> list[Run]:
    """Return the runs in a folder that wait for a server which is gone, in the order in which they came."""
    return [run for _, _, run in _queued(root, Run.noted_state) if run.state().state != "queued"]


def _queued(root: Path, state_of: Callable[[Run], RunState]) -> list[tuple[float, str, Run]]:
    """When each run that waits was queued, its name, and the run, in the order in which they came."""
    waiting = []
    for run in all_runs(root):
        if isinstance(run, Run):
            with suppress(RunError):  # a run that cannot be read does not wait
                state = state_of(run)
                if state.state == "queued":
                    waiting.append((state.queued, run.name, run))
    return sorted(waiting, key=lambda each: each[:2])


def _folder(root: Path, name: str) -> Path:
    if not is_run_name(name):
        raise RunNotFound(name)
    return root / name
