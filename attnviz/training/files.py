"""Writing files so that whoever reads them, at any moment, finds the old content or the new one, never half of it."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

__all__ = ["write_atomically", "write_json"]


def write_atomically(path: Path, *data: bytes | memoryview, force: bool = True) -> None:
    """Replace the content of a file: written beside it, then renamed over it.

    Args:
        path: of the file.
        data: its new content, in pieces.
        force: it onto the disk first, so that it outlives the machine's power, not only the process.

    Raises:
        OSError: the disk is full, or the folder cannot be written to; the old content stays.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        with beside.open("wb") as file:
            file.writelines(data)
            if force:
                file.flush()
                os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def write_json(path: Path, values: dict[str, Any], force: bool = True) -> None:
    """Replace a file by an indented JSON object, atomically; see `write_atomically`."""
    write_atomically(path, (json.dumps(values, ensure_ascii=False, indent=1) + "\n").encode(), force=force)
