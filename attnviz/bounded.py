"""Files that nobody has looked at: kind and size are known before they are read, the depth of JSON before its use.

Folders, pipes, devices and links without an end are an error here, never a wait without an end.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

from attnviz.errors import AttnvizError
from attnviz.errors.base import Why

__all__ = ["MALFORMED", "MAX_JSON", "open_regular", "parse_json", "read_bytes", "read_json", "reason"]

OF_THE_SYSTEM = {
    errno.ENOENT: "no-such-file",
    errno.EACCES: "no-permission",
    errno.EPERM: "not-permitted",
    errno.EEXIST: "file-exists",
    errno.EISDIR: "is-a-folder",
    errno.ENOTDIR: "no-folder",
    errno.ENOSPC: "disk-full",
    errno.EROFS: "read-only",
    errno.ELOOP: "links-loop",
    errno.ENAMETOOLONG: "name-too-long",
}
"""Words for the errors of a file system that people meet."""

MALFORMED = (OSError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""All that taking values out of somebody else's file raises when they are not what they should be."""

MAX_JSON = 16 * 2**20
"""Bytes of a JSON file that are read where the caller sets no other limit."""

MAX_DEPTH = 100
"""Levels of lists and objects in JSON that is read."""


def reason(error: Exception) -> str:
    """Return why something could not be read, in words that name no folder of this machine.

    Example:
        >>> reason(KeyError("steps")), reason(FileNotFoundError(2, "No such file or directory", "/home/me"))
        ("'steps' is missing", 'No such file or directory')
    """
    if isinstance(error, OSError) and error.strerror:
        word = OF_THE_SYSTEM.get(error.errno or 0)
        return Why(word) if word else error.strerror
    if isinstance(error, json.JSONDecodeError):
        return Why("no-json", line=error.lineno, column=error.colno)
    if isinstance(error, AttnvizError):
        return Why.of(error)
    if error.args and isinstance(error.args[0], Why):
        return error.args[0]
    return Why("no-key", name=error) if isinstance(error, KeyError) else " ".join(str(error).split())


def open_regular(path: Path) -> BinaryIO:
    """Open a file to read; whoever holds it may measure it with `os.fstat`.

    Raises:
        OSError: there is none, or it is a folder, a pipe, a device or a link without an end.
    """
    try:
        number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except ValueError as error:  # a name with a NUL in it
        raise FileNotFoundError(errno.ENOENT, str(error), str(path)) from error
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise OSError(errno.EINVAL, Why("not-a-file"), str(path))
    return os.fdopen(number, "rb")


def read_bytes(path: Path, max_bytes: int) -> bytes:
    """Return the content of a file.

    Raises:
        OSError: see `open_regular`.
        ValueError: it has more than so many bytes.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > max_bytes:
            raise ValueError(Why("longer-file", most=f"{max_bytes / 2**20:,.0f}"))
        return file.read(size)


def parse_json(text: str | bytes, strict: bool = False) -> Any:
    """Return the value that JSON stands for, of 100 levels at most.

    Args:
        strict: refuse what the standard leaves open or forbids: a key that is there twice, NaN, infinity, and numbers
            that are too large for a float. Configurations of transformers have some of these.

    Raises:
        ValueError: it is no JSON, or one of these.

    Example:
        >>> parse_json('{"step": 3, "step": 4}')
        {'step': 4}
        >>> parse_json('{"step": 3, "step": 4}', strict=True)
        Traceback (most recent call last):
        ValueError: “step” is there twice
    """
    hooks: dict[str, Any] = {"object_pairs_hook": _object, "parse_constant": _refuse, "parse_float": _float}
    try:
        value = json.loads(text, **(hooks if strict else {}))
    except RecursionError:
        raise ValueError(Why("nested")) from None
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return value
    raise ValueError(Why("nested"))


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            raise ValueError(Why("twice", name=name[:40]))
        values[name] = value
    return values


def _refuse(name: str) -> None:
    raise ValueError(Why("no-number", name=name))


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(Why("large-number", number=text[:40]))
    return value


def read_json(path: Path, max_bytes: int = MAX_JSON, strict: bool = False) -> dict[str, Any]:
    """Return the JSON object in a file.

    Args:
        max_bytes: a longer file is not read.
        strict: see `parse_json`.

    Raises:
        FileNotFoundError: there is no such file.
        OSError: see `open_regular`.
        ValueError: it does not hold a JSON object, see `parse_json`, or more than so many bytes.
    """
    values = parse_json(read_bytes(path, max_bytes).decode("utf-8"), strict)
    if not isinstance(values, dict):
        raise ValueError(Why("json-object"))
    return values
