"""The models that people handed in: folders of this server's own, under names that nobody can guess."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from attnviz.bounded import MALFORMED, read_json, reason
from attnviz.errors import ModelNotFound, UploadUnwritable
from attnviz.models.bundle import CONFIG_FILE
from attnviz.sandbox import Sandbox
from attnviz.sandbox.upload import unpack
from attnviz.server.handed_in import HandedIn
from attnviz.training.run.files import write_json

__all__ = ["UPLOAD_LIMIT", "Upload", "UploadStore", "is_upload", "upload_limit"]

UPLOAD_LIMIT = "ATTNVIZ_UPLOAD_MB"
"""Environment variable of the operator: megabytes that a zip file may have; 500 where it says nothing.

Streamlit has a limit of its own, server.maxUploadSize; the smaller one holds.
"""

DEFAULT_MB = 500
TOGETHER = 4  # times the limit: what all unpacked models together may take
AT_ONCE = 2  # models that are examined together
KEPT_WARM = 2  # processes that wait for the next text
NAME = re.compile(r"upload/[0-9a-f]{32}", re.ASCII)


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
        folder: where they are unpacked, and found that were handed in to other servers; None: one of its own.
    """

    def __init__(
        self, on_drop: Callable[[str], None], max_bytes: int | None = None, folder: HandedIn | None = None
    ) -> None:
        self._on_drop = on_drop
        self._max_bytes = max_bytes
        self._folder = HandedIn() if folder is None else folder
        self._held: OrderedDict[str, Upload] = OrderedDict()
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
        try:
            folder = self._folder.place() / secrets.token_hex(16)
        except OSError as error:
            raise UploadUnwritable(filename, reason(error)) from error
        size = unpack(file, filename, folder, upload_limit() * 2**20)
        title = Path(filename).stem
        try:
            write_json(_card(folder), {"title": title, "nbytes": size})  # now the others find it
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise UploadUnwritable(filename, reason(error)) from error
        return self._keep(folder, title, size)

    def _keep(self, folder: Path, title: str, size: int) -> Upload:
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

    def render(self, name: str, text: str) -> str:
        """Put a text into the chat template of a model, in its sandbox.

        Raises:
            ModelNotFound: it is not kept any more.
            AttnvizError: see `Sandbox.render`.
        """
        upload = self._wanted(name)
        prompt = upload.sandbox.render(text)
        self._keep_warm(upload)
        return prompt

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
            held = self._held.get(name)
            if held is not None:
                self._held.move_to_end(name)
        if held is None:
            return self._find(name)
        if self._folder.is_mine(held.folder) or held.folder.is_dir():
            return held
        self.drop(name)  # the server that it was handed in to has deleted it
        return None

    def _find(self, name: str) -> Upload | None:
        """Find a model that another server was given."""
        if not is_upload(name):
            return None
        card = self._folder.find(_card(Path(name)).name)
        if card is None:
            return None
        try:
            told = read_json(card, strict=True)
            return self._keep(card.with_suffix(""), str(told["title"]), int(told["nbytes"]))
        except MALFORMED:  # it is being deleted
            return None

    def drop(self, name: str) -> None:
        """Delete a model, if it is there."""
        with self._lock:
            upload = self._held.pop(name, None)
        if upload is not None:
            self._on_drop(name)
            upload.sandbox.close()
            if self._folder.is_mine(upload.folder):
                _card(upload.folder).unlink(missing_ok=True)
                shutil.rmtree(upload.folder, ignore_errors=True)

    def close(self) -> None:
        """Delete all of them, when the server ends."""
        with self._lock:
            names = list(self._held)
        for name in names:
            self.drop(name)
        self._folder.close()

    def __len__(self) -> int:
        with self._lock:
            return len(self._held)


def _card(folder: Path) -> Path:
    """Return the file that tells the other servers of a model."""
    return folder.with_suffix(".json")
