"""Being the only one who works on a run, across processes."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attnviz.errors import RunBusy, RunUnwritable

__all__ = ["LOCK", "claim"]

LOCK = "lock"


@contextmanager
def claim(folder: Path) -> Iterator[None]:
    """Be the only one who trains, renames or deletes the run in a folder; it ends with the process, however that ends.

    Raises:
        RunBusy: somebody else is.
        RunUnwritable: the folder cannot be written to.
    """
    try:
        file = (folder / LOCK).open("ab")
    except OSError as error:
        raise RunUnwritable(folder.name, error.strerror or str(error)) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunBusy(folder.name) from error
        yield
