"""Renaming and deleting runs, each in one move: nobody ever meets half of a run."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from attnviz.bounded import read_json
from attnviz.errors import InvalidRunName, RunBusy, RunNotFound, RunUnwritable
from attnviz.training.claim import claim
from attnviz.training.files import move_folder
from attnviz.training.run import CONFIG, STATE, Run
from attnviz.training.runs import is_run_name, runs_root
from attnviz.training.state import RunState

__all__ = ["delete_run", "normalised_name", "rename_run"]


def normalised_name(name: str) -> str:
    """A name as it is kept: without blanks around it, "-" for those inside, accents joined to their letters.

    Raises:
        InvalidRunName: other characters than letters, digits, "_", "." and "-", or too many of them.

    Example:
        >>> normalised_name(" my first run ")
        'my-first-run'
    """
    normal = unicodedata.normalize("NFC", "-".join(name.split()))
    if not is_run_name(normal):
        raise InvalidRunName(name)
    return normal


def rename_run(name: str, new: str, root: Path | None = None) -> Run:
    """Give a run another name; links to the old one end.

    Args:
        name: of the run.
        new: see `normalised_name`.
        root: folder of the runs; None: the usual one.

    Returns:
        The run under its new name.

    Raises:
        RunNotFound: there is no run of the old name.
        InvalidRunName: the new name is none.
        RunExists: it is taken.
        RunBusy: the run waits or is being trained.
        RunCorrupt: its files cannot be read; it keeps its name.
        RunUnwritable: the folder of the runs cannot be written to.
    """
    folder = _folder(name, root)
    target = folder.with_name(normalised_name(new))
    if target == folder:
        return Run.open(folder)
    with _idle(folder):
        Run.open(folder)
        _move(folder, target)
    return Run.open(target)


def delete_run(name: str, root: Path | None = None) -> None:
    """Delete a run with all its files, also one that cannot be opened any more.

    Args:
        name: of the run.
        root: folder of the runs; None: the usual one.

    Raises:
        RunNotFound: there is none.
        RunBusy: it waits or is being trained: stop it first.
        RunUnwritable: the folder of the runs cannot be written to.
    """
    folder = _folder(name, root)
    hidden = folder.with_name(f".deleted-{uuid4().hex}")  # is no name of a run
    with _idle(folder):
        _move(folder, hidden)
    try:
        shutil.rmtree(hidden)
    except OSError as error:
        raise RunUnwritable(name, error.strerror or str(error)) from error


def _folder(name: str, root: Path | None) -> Path:
    folder = (root or runs_root()) / name
    if not is_run_name(name) or not (folder / CONFIG).is_file():
        raise RunNotFound(name)
    return folder


@contextmanager
def _idle(folder: Path) -> Iterator[None]:
    """Claim a run that nobody trains and that does not wait for it."""
    with claim(folder):
        if _active(folder):
            raise RunBusy(folder.name)
        yield


def _active(folder: Path) -> bool:
    try:
        return RunState.from_dict(read_json(folder / STATE)).checked().active
    except (OSError, ValueError, TypeError):  # nobody can train it then
        return False


def _move(folder: Path, target: Path) -> None:
    try:
        move_folder(folder, target)
    except OSError as error:
        raise RunUnwritable(folder.name, error.strerror or str(error)) from error
