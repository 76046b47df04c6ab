"""Check that a text is one that some model could read."""

from __future__ import annotations

from attnviz.errors import NotText, NotUnicode

__all__ = ["check_text"]


def check_text(text: object) -> None:
    """See that something is a text, and whole.

    Raises:
        NotText: it is no str.
        NotUnicode: it holds one of a pair of surrogates, which stand for one character together.

    Example:
        >>> check_text("日 🙂")
        >>> check_text(None)
        Traceback (most recent call last):
        attnviz.errors.inputs.NotText: A text is expected, not NoneType.
    """
    if not isinstance(text, str):
        raise NotText(type(text).__name__)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise NotUnicode(f"U+{ord(text[error.start]):04X}", error.start + 1) from error
