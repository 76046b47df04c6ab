"""What went wrong, in the words of a language."""

from __future__ import annotations

from attnviz import locale
from attnviz.texts import visible

__all__ = ["in_words"]


def in_words(lang: str, code: str, details: object) -> str:
    """What went wrong, as plain text; "" for what the catalogue does not have, or not with these details."""
    values = details if isinstance(details, dict) else {}
    try:
        return locale.t(lang, f"error.{code}", **{name: _plain_detail(value) for name, value in values.items()})
    except (KeyError, TypeError):
        return ""


def _plain_detail(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else visible(str(value), 200)
