"""Writing files so that whoever reads them, at any moment, finds the old content or the new one, never half of it."""

from __future__ import annotations

import errno
import json
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attnviz.bounded import reason
from attnviz.errors import RunExists, RunNotFound, RunUnwritable

__all__ = [
    "clear_unfinished",
    "move_folder",
    "unfinished",
    "why_unwritable",
    "write_atomically",
    "write_json",
    "writing",
]

TAKEN = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR)  # by a folder, or by a file
UNFINISHED = ".tmp"
"""Ends the hidden name under which a file is written before it takes its own."""


@contextmanager
def writing(name: str) -> Iterator[None]:
    """Write to a run's folder.

    Raises:
        RunUnwritable: in place of an OSError.
    """
    try:
        yield
    except OSError as error:
        raise RunUnwritable(name, reason(error)) from error


def why_unwritable(folder: Path) -> str:
    """Return why nothing can be written to a folder, as far as its file system tells; "" where it can."""
    try:
        system = os.statvfs(folder)
    except (OSError, AttributeError):  # out of reach, or not on a system that tells
        return ""
    if system.f_flag & os.ST_RDONLY:
        return os.strerror(errno.EROFS)
    return "" if system.f_bavail or not system.f_blocks else os.strerror(errno.ENOSPC)


def write_atomically(path: Path, data: bytes, force: bool = True) -> None:
    """Replace the content of a file: written beside it, then renamed over it.

    Args:
        data: its new content.
        force: it onto the disk first, so that it outlives the machine's power, not only the process.

    Raises:
        OSError: the disk is full, or the folder cannot be written to; the old content stays.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}{UNFINISHED}")
    try:
        with beside.open("wb") as file:
            file.write(data)
            if force:
                file.flush()
                os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def move_folder(folder: Path, target: Path) -> None:
    """Give the folder of a run another name in one step; that it is free is not asked first, but tried.

    Args:
        folder: folder that is moved.
        target: its new name: of nothing, or of an empty folder.

    Raises:
        RunExists: there is something of that name.
        RunNotFound: the folder is gone.
        OSError: it cannot be moved.
    """
    try:
        folder.rename(target)
    except FileNotFoundError as error:
        raise RunNotFound(folder.name) from error
    except OSError as error:
        if error.errno in TAKEN or (os.name == "nt" and target.exists()):
            raise RunExists(target.name) from error
        raise


def unfinished(folder: Path) -> list[Path]:
    """Return the files that `write_atomically` is writing in a folder, or was when its process was killed.

    Raises:
        OSError: the folder cannot be listed.
    """
    if not folder.is_dir():
        return []
    found = (path for path in folder.iterdir() if path.name.startswith(".") and path.name.endswith(UNFINISHED))
    return [path for path in found if stat.S_ISREG(path.lstat().st_mode)]


def clear_unfinished(folder: Path) -> int:
    """Delete those files, where nobody writes in the folder; returns how many there were.

    Raises:
        OSError: the folder cannot be listed or written to.
    """
    left = unfinished(folder)
    for path in left:
        path.unlink(missing_ok=True)
    return len(left)


def write_json(path: Path, values: dict[str, Any], force: bool = True) -> None:
    """Replace a file by an indented JSON object, atomically; see `write_atomically`."""
    write_atomically(path, (json.dumps(values, ensure_ascii=False, indent=1) + "\n").encode(), force)
