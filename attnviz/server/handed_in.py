"""The folder of what people handed in: each server has one of its own, and reads those of its neighbours.

Servers behind one name have their folders side by side, in ATTNVIZ_UPLOADS: what one was given, the others find by its
name, which nobody can guess. A folder is deleted when its server ends; a killed one's by the next server that starts.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

from attnviz.bounded import reason
from attnviz.errors import RunBusy, RunError
from attnviz.training.run.lease import Lease, claim, is_leased

__all__ = ["UPLOADS_FOLDER", "HandedIn", "clear_left_over"]

UPLOADS_FOLDER = "ATTNVIZ_UPLOADS"
"""Environment variable of the operator: where these folders lie; the system's folder for temporary files if unset."""

PREFIX = "attnviz-uploads-"

logger = logging.getLogger(__name__)


class HandedIn:
    """This server's folder, made when the first thing is handed in."""

    def __init__(self) -> None:
        self._root: Path | None = None
        self._delete: Callable[[], object] = lambda: None
        self._lock = threading.Lock()

    def place(self) -> Path:
        """Return the folder of this server.

        Raises:
            OSError: it cannot be made.
        """
        with self._lock:
            if self._root is None:
                root = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_parent()))
                try:
                    lease = claim(root)
                except RunError as error:
                    shutil.rmtree(root, ignore_errors=True)
                    raise OSError(str(error.__cause__)) from error
                self._delete = weakref.finalize(self, _remove, root, lease)
                self._root = root
            return self._root

    def find(self, name: str) -> Path | None:
        """Return a file or a folder of that name, of this server or of a neighbour."""
        return next((root / name for root in _roots() if os.path.lexists(root / name)), None)

    def is_mine(self, path: Path) -> bool:
        """Whether it is this server's to delete."""
        return path.parent == self._root

    def close(self) -> None:
        """Delete the folder, when the server ends."""
        with self._lock:
            self._delete()
            self._root = None


def _parent() -> Path:
    folder = Path(os.environ.get(UPLOADS_FOLDER) or tempfile.gettempdir())
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _roots() -> Iterator[Path]:
    """The folders of all servers of this user: in a place where everybody may write, others could have made theirs."""
    for root in _parent().glob(f"{PREFIX}*"):
        try:
            is_own = not hasattr(os, "getuid") or root.lstat().st_uid == os.getuid()
        except OSError:  # it went
            continue
        if is_own and root.is_dir() and not root.is_symlink():
            yield root


def _remove(root: Path, lease: Lease) -> None:
    lease.release()
    shutil.rmtree(root, ignore_errors=True)


def clear_left_over() -> None:
    """Delete the folders of servers that were killed; those of living ones, and of other users, stay."""
    for root in _roots():
        try:
            if is_leased(root):  # else it is being made just now
                _remove(root, claim(root))
        except RunBusy:
            continue
        except (RunError, OSError) as error:
            logger.info("%s is left: %s", root, reason(error))
