"""Renaming and deleting runs, each in one move: nobody ever meets half of a run."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import time
import unicodedata
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from attnviz.bounded import MALFORMED, read_json, reason
from attnviz.errors import InvalidRunName, RunBusy, RunError, RunExists, RunNotFound
from attnviz.training.run.files import clear_unfinished, move_folder, unfinished, writing
from attnviz.training.run.folder import CHECKPOINTS, CONFIG, NEW, STATE, Run
from attnviz.training.run.lease import Lease, claim, looked_after
from attnviz.training.run.runs import is_run_name, runs_root
from attnviz.training.run.state import RunState

__all__ = ["clear_leftovers", "delete_run", "normalised_name", "rename_run"]

DELETED = ".deleted-"
"""Begins the hidden name of a run that is being deleted; it is no name of a run."""

HELD = (errno.ENOTEMPTY, errno.EEXIST, errno.EBUSY)
"""On a network file system a file that somebody reads gets another name when it is deleted, and its folder stays."""

LONG_AGO = 60.0  # seconds: a run is made in a hundredth of one

logger = logging.getLogger(__name__)


def normalised_name(name: str) -> str:
    """Return a name as it is kept: without blanks around it, "-" for those inside, accents joined to their letters.

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
    with _idle(folder) as lease:
        Run.open(folder)
        if target.exists():  # an empty folder would be replaced
            raise RunExists(target.name)
        with writing(folder.name):
            move_folder(folder, target)
        lease.moved(target)
    return Run.open(target)


def delete_run(name: str, root: Path | None = None) -> None:
    """Delete a run with all its files, also one that cannot be opened any more.

    Args:
        root: folder of the runs; None: the usual one.

    Raises:
        RunNotFound: there is none.
        RunBusy: it waits or is being trained: stop it first.
        RunUnwritable: the folder of the runs cannot be written to.
    """
    folder = _folder(name, root)
    hidden = folder.with_name(f"{DELETED}{uuid4().hex}")
    with writing(name):
        with _idle(folder) as lease:
            move_folder(folder, hidden)
            lease.moved(hidden)
        _remove(hidden)


def _remove(folder: Path) -> None:
    if folder.is_symlink():
        folder.unlink()
        return
    try:
        shutil.rmtree(folder)
    except OSError as error:
        if error.errno not in HELD:
            raise
        logger.info("%s is in use: what is left of it is cleared away later", folder.name)


def clear_leftovers(root: Path | None = None) -> int:
    """Delete what a killed process left among the runs: files half written, runs half deleted.

    Runs that somebody works on are left alone, and so is what cannot be deleted.

    Returns:
        How many files and folders were deleted.
    """
    root = root or runs_root()
    cleared = 0
    for folder in _listed(root):
        try:
            made = folder.name.startswith(NEW) and time.time() - folder.stat().st_mtime > LONG_AGO
            if folder.is_dir() and (made or folder.name.startswith(DELETED)):
                _remove(folder)
                cleared += 1
            elif is_run_name(folder.name) and any(map(unfinished, (folder, folder / CHECKPOINTS))):
                with claim(folder):
                    cleared += sum(map(clear_unfinished, (folder, folder / CHECKPOINTS)))
        except (OSError, RunError) as error:
            logger.warning("%s: %s", folder.name, reason(error))
    return cleared


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:  # there is none, or it cannot be read
        return []


def _folder(name: str, root: Path | None) -> Path:
    folder = (root or runs_root()) / name
    if not is_run_name(name) or not os.path.lexists(folder / CONFIG):  # whatever it is, it can be deleted
        raise RunNotFound(name)
    return folder


def _idle(folder: Path) -> Lease:
    """Claim a run that nobody trains and that does not wait for it."""
    with suppress(*MALFORMED):  # nobody can train it then
        if looked_after(folder, RunState.from_dict(read_json(folder / STATE, strict=True))):
            raise RunBusy(folder.name)
    return claim(folder)
