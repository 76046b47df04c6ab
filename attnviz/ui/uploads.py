"""The models that people handed in: folders of this server's own, under names that nobody can guess."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import tempfile
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

__all__ = ["UPLOAD_LIMIT", "Upload", "UploadStore", "is_upload", "upload_limit"]

UPLOAD_LIMIT = "ATTNVIZ_UPLOAD_MB"
"""Environment variable of the operator: megabytes that a zip file may have; 500 where it says nothing.

Streamlit has a limit of its own, server.maxUploadSize; the smaller one holds.
"""

DEFAULT_MB = 500
TOGETHER = 4  # times the limit: what all unpacked models together may take
NAME = re.compile(r"upload/[0-9a-f]{32}", re.ASCII)


def upload_limit() -> int:
    """Megabytes that a zip file may have, as the operator says."""
    value = os.environ.get(UPLOAD_LIMIT, "")
    return int(value) if value.isascii() and value.isdigit() and int(value) > 0 else DEFAULT_MB


def is_upload(name: str) -> bool:
    """Whether a text is the name of a model that was handed in, be it there or not."""
    return NAME.fullmatch(name) is not None


@dataclass(frozen=True)
class Upload:
    """A model that was handed in.

    Attributes:
        name: in links, "upload/" and 128 random bits.
        title: name of its zip file, without the ending.
        folder: that holds it.
        nbytes: that it takes on the disk.
    """

    name: str
    title: str
    folder: Path
    nbytes: int


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

    @property
    def max_bytes(self) -> int:
        """Bytes that all of them may take."""
        return TOGETHER * upload_limit() * 2**20 if self._max_bytes is None else self._max_bytes

    def put(self, file: BinaryIO, filename: str) -> Upload:
        """Unpack a zip file and keep it.

        Raises:
            UploadError: as `attnviz.huggingface.upload.unpack`.
        """
        from attnviz.huggingface.upload import unpack

        with self._lock:
            if self._root is None:
                self._root = Path(tempfile.mkdtemp(prefix="attnviz-"))
                self._delete = weakref.finalize(self, shutil.rmtree, self._root, ignore_errors=True)
            folder = self._root / secrets.token_hex(16)
        size = unpack(file, filename, folder, upload_limit() * 2**20)
        upload = Upload(f"upload/{folder.name}", Path(filename).stem, folder, size)
        with self._lock:
            self._held[upload.name] = upload
            old = self._oldest()
        for each in old:
            self.drop(each)
        return upload

    def _oldest(self) -> list[str]:
        """Those that must go, so that the others find room."""
        names, size = list(self._held), sum(upload.nbytes for upload in self._held.values())
        old = []
        while len(names) > 1 and size > self.max_bytes:
            old.append(names.pop(0))
            size -= self._held[old[-1]].nbytes
        return old

    def get(self, name: str) -> Upload | None:
        """The model of that name; None when there is none, or none any more. It counts as used."""
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
