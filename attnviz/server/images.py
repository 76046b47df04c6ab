"""The images that models look at: samples, and those that people handed in, kept for a while."""

from __future__ import annotations

import hashlib
import io
import re
import threading
from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING

from attnviz.bounded import read_bytes
from attnviz.errors import ImageGone, ImageUnreadable
from attnviz.errors.base import Why
from attnviz.server.handed_in import HandedIn
from attnviz.server.samples import SAMPLES, sample_image
from attnviz.training.run.files import write_atomically

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["HANDED_IN", "KINDS", "MAX_MB", "ImageStore"]

HANDED_IN = "upload"
"""What stands for an image that was handed in where its name must not: in links."""

KINDS = ("png", "jpg", "jpeg", "webp")
STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")  # of a PNG and of a JPEG
MAX_MB = 10
FILE = ".image"  # ends the name of its file
NAME = re.compile("[0-9a-f]{64}", re.ASCII)


class ImageStore:
    """Images by name: a sample's, or the digest of a file that was handed in.

    Args:
        max_bytes: most bytes of files held together, the most recently used ones; the newest is kept whatever its size.
        folder: where other servers find them, and where theirs are found; None: nowhere.
    """

    def __init__(self, max_bytes: int = 256 * 2**20, folder: HandedIn | None = None) -> None:
        self.max_bytes = max_bytes
        self._folder = folder
        self._files: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, content: bytes) -> str:
        """Keep a file that was handed in; returns its name.

        Raises:
            ImageUnreadable: it is no PNG, JPEG or WebP, or too large.
        """
        if len(content) > MAX_MB * 2**20:
            raise ImageUnreadable(Why("most-megabytes", most=MAX_MB))
        _open(content)
        name = hashlib.sha256(content).hexdigest()
        if self._folder is not None:
            with suppress(OSError):  # this server has it all the same
                write_atomically(self._folder.place() / f"{name}{FILE}", content, force=False)
        self._keep(name, content)
        return name

    def _keep(self, name: str, content: bytes) -> None:
        with self._lock:
            self._files[name] = content
            self._files.move_to_end(name)
            old = []
            while len(self._files) > 1 and sum(map(len, self._files.values())) > self.max_bytes:
                old.append(self._files.popitem(last=False)[0])
        if self._folder is not None:
            for each in old:
                (self._folder.place() / f"{each}{FILE}").unlink(missing_ok=True)

    def get(self, name: str) -> Image:
        """Return the image of a name.

        Raises:
            ImageGone: it is not held, or no longer.
        """
        if name in SAMPLES:
            return sample_image(name)
        with self._lock:
            content = self._files.get(name)
            if content is not None:
                self._files.move_to_end(name)
        if content is None:
            content = self._found(name)
        if content is None:
            raise ImageGone
        return _open(content)

    def _found(self, name: str) -> bytes | None:
        """Return an image that another server was given."""
        path = self._folder.find(f"{name}{FILE}") if self._folder is not None and NAME.fullmatch(name) else None
        if path is None:
            return None
        try:
            content = read_bytes(path, MAX_MB * 2**20)
        except (OSError, ValueError):  # it is being deleted
            return None
        self._keep(name, content)
        return content

    def __contains__(self, name: str) -> bool:
        with self._lock:
            if name in SAMPLES or name in self._files:
                return True
        return self._found(name) is not None


def _open(content: bytes) -> Image:
    """Return the image in a file, as `attnviz.huggingface.image` opens it."""
    from attnviz.huggingface.image import open_image

    if not (content.startswith(STARTS) or (content.startswith(b"RIFF") and content[8:12] == b"WEBP")):
        raise ImageUnreadable(Why("not-image"))
    return open_image(io.BytesIO(content))
