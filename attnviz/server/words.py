"""Say what went wrong, in the words of a language."""

from __future__ import annotations

from attnviz import locale

__all__ = ["in_words"]


def in_words(lang: str, code: str, details: object) -> str:
    """Say what went wrong, as plain text; "" for a code that the catalogue lacks, or has with other details."""
    try:
        return locale.told(lang, code, details if isinstance(details, dict) else {})
    except (KeyError, TypeError):
        return ""
