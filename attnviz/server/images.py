"""The images that models look at: samples, and those that people handed in, kept for a while."""

from __future__ import annotations

import hashlib
import io
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from attnviz.errors import ImageGone, ImageUnreadable
from attnviz.errors.base import Why
from attnviz.server.samples import SAMPLES, sample_image

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["HANDED_IN", "KINDS", "MAX_MB", "ImageStore"]

HANDED_IN = "upload"
"""What stands for an image that was handed in where its name must not: in links."""

KINDS = ("png", "jpg", "jpeg", "webp")
STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")  # of a PNG and of a JPEG
MAX_MB = 10


class ImageStore:
    """Images by name: a sample's, or the digest of a file that was handed in.

    Args:
        max_bytes: most bytes of files held together, the most recently used ones; the newest is kept whatever its size.
    """

    def __init__(self, max_bytes: int = 256 * 2**20) -> None:
        self.max_bytes = max_bytes
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
        with self._lock:
            self._files[name] = content
            self._files.move_to_end(name)
            while len(self._files) > 1 and sum(map(len, self._files.values())) > self.max_bytes:
                self._files.popitem(last=False)
        return name

    def get(self, name: str) -> Image:
        """Return the image of a name.

        Raises:
            ImageGone: it is not held, or no longer.
        """
        if name in SAMPLES:
            return sample_image(name)
        with self._lock:
            content = self._files.get(name)
            if content is None:
                raise ImageGone
            self._files.move_to_end(name)
        return _open(content)

    def __contains__(self, name: str) -> bool:
        with self._lock:
            return name in SAMPLES or name in self._files


def _open(content: bytes) -> Image:
    """Return the image in a file, as `attnviz.huggingface.image` opens it."""
    from attnviz.huggingface.image import open_image

    if not (content.startswith(STARTS) or (content.startswith(b"RIFF") and content[8:12] == b"WEBP")):
        raise ImageUnreadable(Why("not-image"))
    return open_image(io.BytesIO(content))
