"""The changes of the forward pass that a view offers, and why not the rest."""

from __future__ import annotations

from typing import Any

from attnviz import locale
from attnviz.edits.offers import offers
from attnviz.trace import Trace

__all__ = ["UNDO", "told"]

UNDO = "undo"
"""The view sends it to have the last change undone."""


def told(trace: Trace, lang: str) -> dict[str, dict[str, Any]]:
    """Return the offers of `attnviz.edits.offers` for JSON.

    Each is {"edits": text, "why": why it is refused, "" where it is not}.
    """
    return {
        name: {"edits": edits, "why": locale.told(lang, refused.code, refused.details) if refused else ""}
        for name, (edits, refused) in offers(trace).items()
    }
