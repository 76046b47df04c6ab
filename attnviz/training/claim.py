"""Being the only one who works on a run, across processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import lock_descriptor

from attnviz.bounded import open_regular
from attnviz.errors import RunBusy, RunUnwritable

__all__ = ["LOCK", "claim"]

LOCK = "lock"


@contextmanager
def claim(folder: Path) -> Iterator[None]:
    """Be the only one who trains, renames or deletes the run in a folder; it ends with the process, however that ends.

    Raises:
        RunBusy: somebody else is.
        RunUnwritable: the folder cannot be written to, or its file system has no locks.
    """
    try:
        if (folder / LOCK).exists():
            open_regular(folder / LOCK).close()  # not a pipe, which would be waited for
        file = (folder / LOCK).open("ab")
    except OSError as error:
        raise RunUnwritable(folder.name, error.strerror or str(error)) from error
    with file:
        try:
            alone = lock_descriptor(file.fileno(), blocking=False)
        except OSError as error:
            raise RunUnwritable(folder.name, error.strerror or str(error)) from error
        if not alone:
            raise RunBusy(folder.name)
        yield
