"""Lock a run for one process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from filelock import lock_descriptor

from attnviz.bounded import open_regular
from attnviz.errors import RunBusy, RunNotFound, RunUnwritable

__all__ = ["LOCK", "claim"]

LOCK = "lock"


@contextmanager
def claim(folder: Path) -> Iterator[None]:
    """Lock a run against being trained, renamed or deleted by others; the lock ends with the process.

    Raises:
        RunBusy: somebody else is.
        RunNotFound: the folder is gone: it was deleted, or has another name now.
        RunUnwritable: the folder cannot be written to, or its file system has no locks.
    """
    with _locked(folder):
        yield


def _locked(folder: Path) -> BinaryIO:
    """The locked file of a folder that is still in its place: it may be moved between the opening and the locking."""
    while True:
        try:
            if (folder / LOCK).exists():
                open_regular(folder / LOCK).close()  # not a pipe, which would be waited for
            file = (folder / LOCK).open("ab")
        except FileNotFoundError as error:
            raise RunNotFound(folder.name) from error
        except OSError as error:
            raise RunUnwritable(folder.name, error.strerror or str(error)) from error
        try:
            if not lock_descriptor(file.fileno(), blocking=False):
                raise RunBusy(folder.name)
            if _is_at(file, folder / LOCK):
                return file
        except OSError as error:
            file.close()
            raise RunUnwritable(folder.name, error.strerror or str(error)) from error
        except RunBusy:
            file.close()
            raise
        file.close()  # it belongs to another run now, or to none: look again


def _is_at(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
