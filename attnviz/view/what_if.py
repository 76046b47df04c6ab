"""The changes of the forward pass that a view offers, why not the rest, and what each head does to an answer."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from attnviz import locale
from attnviz.edits.edit import head_off
from attnviz.edits.effect import Measures
from attnviz.edits.offers import offers
from attnviz.edits.sweep import swept
from attnviz.trace import Trace

__all__ = ["UNDO", "effects", "told"]

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


def effects(trace: Trace, row: int, output: int, progress: Callable[[int, int], None]) -> dict[str, Any]:
    """Return what each head does to an output, for JSON: see `attnviz.edits.Sweep`.

    Args:
        row: row of the logits.
        output: id of the output.
        progress: is told how many heads are done, of how many; what it raises ends the sweep.
    """
    found = swept(trace, output, row, head_off, progress)
    tables = {name: _numbers(getattr(found, name).tolist()) for name in Measures._fields}
    before = {name: float(values[0]) for name, values in zip(Measures._fields, found.before, strict=True)}
    return {"token": found.token, "sites": found.sites, "before": before, **tables}


def _numbers(table: list[list[float]]) -> list[list[float | None]]:
    return [[value if math.isfinite(value) else None for value in row] for row in table]
