"""Text in columns on a terminal, where a Chinese character is two columns wide and nothing may move the cursor."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

__all__ = ["columns", "pad", "printable", "shorten", "shown", "width"]


def printable(text: str) -> str:
    """Return the text with everything that is no printable character written as an escape.

    Example:
        >>> printable("a\\x1b[2Jb")
        'a\\\\x1b[2Jb'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shown(token: str) -> str:
    """Return a token with its spaces and line breaks to be seen, as the browser view shows them.

    Example:
        >>> shown(" the\\n")
        '␣the↵'
    """
    return printable(token.replace(" ", "␣").replace("\n", "↵"))


def width(text: str) -> int:
    """Return the columns that a text takes.

    Example:
        >>> width("Q K"), width("你好")
        (3, 4)
    """
    return sum(map(_width, text))


def _width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):  # accents and joiners take no column of their own
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def shorten(text: str, limit: int) -> str:
    """Return the text, or its beginning and "…" where it takes more columns than the limit.

    Example:
        >>> shorten("attention", 5)
        'atte…'
    """
    if width(text) <= limit:
        return text
    kept = ""
    for character in text:
        if width(kept + character) > limit - 1:
            break
        kept += character
    return f"{kept}…"


def pad(text: str, size: int, right: bool = False) -> str:
    """Return the text with spaces after it, or before it, up to a number of columns."""
    spaces = " " * (size - width(text))
    return spaces + text if right else text + spaces


def columns(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Return the lines in which the cells of all rows stand below each other.

    Args:
        rows: rows of any number of cells; the last cell of each may be as wide as it likes.
        right: columns whose cells end below each other.

    Example:
        >>> columns([["reverse", "1", "backwards"], ["sort", "20", "a to z"], ["lost", "cannot be read"]], right=[1])
        ['reverse   1  backwards', 'sort     20  a to z', 'lost     cannot be read']
    """
    count = max(map(len, rows), default=0)
    sizes = [max((width(row[i]) for row in rows if i < len(row) - 1), default=0) for i in range(count)]
    return [
        "  ".join([*(pad(cell, sizes[i], i in right) for i, cell in enumerate(row[:-1])), *row[-1:]]) for row in rows
    ]
