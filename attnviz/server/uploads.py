"""The models that people handed in: folders of this server's own, under names that nobody can guess."""

from __future__ import annotations

import logging
import os
import re
import secrets
import shutil
import tempfile
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from attnviz.errors import ModelNotFound
from attnviz.models.bundle import CONFIG_FILE
from attnviz.sandbox import Sandbox
from attnviz.sandbox.upload import unpack

__all__ = ["UPLOAD_LIMIT", "Upload", "UploadStore", "clear_left_over", "is_upload", "upload_limit"]

UPLOAD_LIMIT = "ATTNVIZ_UPLOAD_MB"
"""Environment variable of the operator: megabytes that a zip file may have; 500 where it says nothing.

Streamlit has a limit of its own, server.maxUploadSize; the smaller one holds.
"""

DEFAULT_MB = 500
TOGETHER = 4  # times the limit: what all unpacked models together may take
AT_ONCE = 2  # models that are examined together
KEPT_WARM = 2  # processes that wait for the next text
PREFIX = "attnviz-uploads-"
LOCK = "lock"  # held by the server whose folder it is, as long as it lives
NAME = re.compile(r"upload/[0-9a-f]{32}", re.ASCII)


logger = logging.getLogger(__name__)


def upload_limit() -> int:
    """Return the megabytes that a zip file may have, as the operator says."""
    value = os.environ.get(UPLOAD_LIMIT, "")
    return int(value) if value.isascii() and value.isdigit() and int(value) > 0 else DEFAULT_MB


def is_upload(name: str) -> bool:
    """Whether a text is the name of a model that was handed in, be it there or not."""
    return NAME.fullmatch(name) is not None


@dataclass(frozen=True)
class Upload:
    """A model that was handed in.

    Attributes:
        name: name in links, "upload/" and 128 random bits.
        title: name of its zip file, without the ending.
        nbytes: bytes that it takes on the disk.
        sandbox: sandbox in which it is opened first.
    """

    name: str
    title: str
    folder: Path
    nbytes: int
    sandbox: Sandbox = field(repr=False, compare=False)


class UploadStore:
    """The most recently used models that were handed in, bounded in bytes; safe to use from several threads.

    Args:
        on_drop: told the name of every model that is deleted.
        max_bytes: of all unpacked models together, the newest is kept whatever its size; None: as the operator says.
    """

    def __init__(self, on_drop: Callable[[str], None], max_bytes: int | None = None) -> None:
        self._on_drop = on_drop
        self._max_bytes = max_bytes
        self._held: OrderedDict[str, Upload] = OrderedDict()
        self._root: Path | None = None
        self._delete: Callable[[], object] = lambda: None
        self._lock = threading.Lock()
        self._examining = threading.BoundedSemaphore(AT_ONCE)
        self._warm: OrderedDict[str, Sandbox] = OrderedDict()

    @property
    def max_bytes(self) -> int:
        """Bytes that all of them may take."""
        return TOGETHER * upload_limit() * 2**20 if self._max_bytes is None else self._max_bytes

    def put(self, file: BinaryIO, filename: str) -> Upload:
        """Unpack a zip file and keep it.

        Raises:
            UploadError: as `attnviz.sandbox.upload.unpack`.
        """
        with self._lock:
            if self._root is None:
                self._root, lock = _new_root()
                self._delete = weakref.finalize(self, _remove_root, self._root, lock)
            folder = self._root / secrets.token_hex(16)
        size = unpack(file, filename, folder, upload_limit() * 2**20)
        title = Path(filename).stem
        upload = Upload(f"upload/{folder.name}", title, folder, size, Sandbox(folder, title, size))
        with self._lock:
            self._held[upload.name] = upload
            old = self._oldest()
        for each in old:
            self.drop(each)
        return upload

    def examine(self, name: str, tell: Callable[[str], None] = lambda stage: None) -> None:
        """Open a model in its sandbox, unless it passed there before.

        Args:
            tell: is told each of `attnviz.sandbox.STAGES`.

        Raises:
            ModelNotFound: it is not kept any more.
            AttnvizError: see `Sandbox.examine`.
        """
        upload = self._wanted(name)
        with self._examining:
            upload.sandbox.examine(tell)
        self._keep_warm(upload)

    def read(self, name: str, *texts: tuple[str, str | None]) -> None:
        """Have the tokenizer of a model read texts in its sandbox, before the server's own does.

        Raises:
            ModelNotFound: it is not kept any more.
            AttnvizError: see `Sandbox.read`.
        """
        upload = self._wanted(name)
        upload.sandbox.read(*texts)
        self._keep_warm(upload)

    def _wanted(self, name: str) -> Upload:
        upload = self.get(name)
        if upload is None:
            raise ModelNotFound(name, CONFIG_FILE)
        return upload

    def _keep_warm(self, upload: Upload) -> None:
        """The processes used last go on, the others end."""
        with self._lock:
            self._warm[upload.name] = upload.sandbox
            self._warm.move_to_end(upload.name)
            old = [self._warm.popitem(last=False)[1] for _ in range(len(self._warm) - KEPT_WARM)]
        for sandbox in old:
            sandbox.close()

    def _oldest(self) -> list[str]:
        """Return the uploads to drop so that the others find room."""
        names, size = list(self._held), sum(upload.nbytes for upload in self._held.values())
        old = []
        while len(names) > 1 and size > self.max_bytes:
            old.append(names.pop(0))
            size -= self._held[old[-1]].nbytes
        return old

    def get(self, name: str) -> Upload | None:
        """Return the model of that name; None when there is none, or none any more. It counts as used."""
        with self._lock:
            if name in self._held:
                self._held.move_to_end(name)
            return self._held.get(name)

    def drop(self, name: str) -> None:
        """Delete a model, if it is there."""
        with self._lock:
            upload = self._held.pop(name, None)
        if upload is not None:
            self._on_drop(name)
            upload.sandbox.close()
            shutil.rmtree(upload.folder, ignore_errors=True)

    def close(self) -> None:
        """Delete all of them, when the server ends."""
        with self._lock:
            names = list(self._held)
        for name in names:
            self.drop(name)
        self._delete()

    def __len__(self) -> int:
        with self._lock:
            return len(self._held)


def _new_root() -> tuple[Path, FileLock]:
    """Return a folder of this server's own, and the lock that says that the server lives."""
    root = Path(tempfile.mkdtemp(prefix=PREFIX))
    lock = FileLock(root / LOCK)
    lock.acquire()
    return root, lock


def _remove_root(root: Path, lock: FileLock) -> None:
    lock.release()
    shutil.rmtree(root, ignore_errors=True)


def clear_left_over() -> None:
    """Delete the folders of servers that were killed; those of living ones, and of other users, stay."""
    for root in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            if root.is_symlink() or not (root / LOCK).is_file():  # not ours, or being made just now
                continue
            lock = FileLock(root / LOCK)
            lock.acquire(timeout=0)
        except Timeout:
            continue
        except OSError as error:
            logger.info("%s is left: %s", root, error)
            continue
        _remove_root(root, lock)
