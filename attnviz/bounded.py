"""JSON from files that nobody has looked at: its size is known before it is read, and its depth before it is used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["MAX_JSON", "read_json"]

MAX_JSON = 16 * 2**20
"""Bytes of a JSON file that are read where the caller sets no other limit."""

MAX_DEPTH = 100


def read_json(path: Path, max_bytes: int = MAX_JSON) -> dict[str, Any]:
    """Read the JSON object in a file.

    Args:
        path: of the file.
        max_bytes: a longer file is not read.

    Raises:
        FileNotFoundError, NotADirectoryError: there is no such file.
        OSError: it cannot be read.
        ValueError: it is no file, longer than the limit, nested too deeply, or holds no JSON object.
    """
    if path.exists() and not path.is_file():
        raise ValueError("it is not a file")
    with path.open("rb") as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise ValueError(f"it is longer than {max_bytes / 2**20:,.0f} MB")
    try:
        values = json.loads(content.decode("utf-8"))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(values, dict):
        raise ValueError("it does not hold a JSON object")
    if _deeper_than(values, MAX_DEPTH):
        raise ValueError("it is nested too deeply")
    return values


def _deeper_than(values: Any, limit: int) -> bool:
    """Whether lists and objects stand within each other more often than that; counted level by level."""
    level = [values]
    for _ in range(limit):
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True
