"""Check that a text is one that some model could read, and write any text on one line."""

from __future__ import annotations

import unicodedata

from attnviz.errors import NotText, NotUnicode

__all__ = ["VISIBLE", "check_text", "visible"]

VISIBLE = {"\n": "↵", "\t": "⇥"}


def check_text(text: object) -> None:
    """See that something is a text, and whole.

    Raises:
        NotText: it is no str.
        NotUnicode: it holds one of a pair of surrogates, which stand for one character together.

    Example:
        >>> check_text("日 🙂")
        >>> check_text(None)
        Traceback (most recent call last):
        attnviz.errors.inputs.NotText: A text is wanted, a str, not NoneType.
    """
    if not isinstance(text, str):
        raise NotText(type(text).__name__)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise NotUnicode(f"U+{ord(text[error.start]):04X}", error.start + 1) from error


def visible(text: str, limit: int = 60) -> str:
    """Text on one line: line breaks and tabs as signs, control characters by code point, the rest cut at `limit`."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(VISIBLE.get(c, f"⟨U+{ord(c):04X}⟩" if unicodedata.category(c).startswith("C") else c) for c in cut)
