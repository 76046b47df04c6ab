"""The secret of this server and of all others on the same folder of runs: what one has signed, all of them accept."""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import secrets
from contextlib import suppress
from functools import cache
from pathlib import Path

from attnviz.bounded import read_bytes, reason
from attnviz.training import runs_root

__all__ = ["share_secret", "signature"]

FILE = ".secret"
SIZE = 32
SIGNATURE = 16  # bytes

logger = logging.getLogger(__name__)


def signature(purpose: str, content: bytes) -> bytes:
    """Return what only a server of this folder of runs can have put to a content, 16 bytes."""
    return hmac.digest(_secret(), purpose.encode() + b"\0" + content, hashlib.sha256)[:SIGNATURE]


def share_secret() -> None:
    """Make the secret in the folder of the runs, once among all servers that start there.

    Where the folder cannot be written to, or before this was called, a server has a secret of its own.
    """
    root = runs_root()
    beside = root / f"{FILE}.{secrets.token_hex(16)}"
    try:
        root.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(SIZE))
        try:
            with suppress(FileExistsError):
                os.link(beside, root / FILE)  # whole, or not at all
        finally:
            beside.unlink()
    except OSError as error:
        logger.warning("%s is not shared: %s", FILE, reason(error))
    _secret.cache_clear()


@cache
def _secret() -> bytes:
    with suppress(OSError, ValueError):
        found = read_bytes(Path(runs_root()) / FILE, SIZE)
        if len(found) == SIZE:
            return found
    return secrets.token_bytes(SIZE)
