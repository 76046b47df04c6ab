"""The lens of a trace, and the parts of a logit, as JSON for the tab Outputs."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from attnviz.background import Progress
from attnviz.trace import Trace
from attnviz.trace.lens import Lens, look_through
from attnviz.trace.rows import label_of
from attnviz.view.payload import output_label
from attnviz.why import LogitParts, Part

__all__ = ["MOST_COLUMNS", "MOST_REMOVED", "lens_columns", "lens_of", "told_parts"]

MOST_COLUMNS = 48
"""Positions of a lens that are sent and shown at a time."""

MOST_REMOVED = 9
"""Parts that are taken out one by one, where not all are asked for: the largest ones, which are shown first."""

TOP = 3  # outputs of a cell of the lens

_lenses: WeakKeyDictionary[Trace, Lens] = WeakKeyDictionary()


def lens_of(trace: Trace, progress: Progress) -> Lens:
    """Return the lens of a trace as it is shown; it is looked through once.

    Raises:
        NoProbabilities, NotSplit: see `Trace.lens`.
    """
    if trace not in _lenses:
        _lenses[trace] = look_through(trace, TOP, progress)
    return _lenses[trace]


def lens_columns(trace: Trace, lens: Lens, start: int, lang: str) -> dict[str, Any]:
    """Return the columns of a lens from a position on.

    Returns:
        "start": the first position, so that as many as can be follow it; "length": of all; "labels": of the outputs;
        "outputs": their indices among the labels, (layers + 1, columns, k); "probabilities": likewise.
    """
    length = lens.ids.shape[1]
    start = max(0, min(start, length - MOST_COLUMNS))
    ids = lens.ids[:, start : start + MOST_COLUMNS].tolist()
    distinct = sorted({output for row in ids for cell in row for output in cell})
    index = {output: at for at, output in enumerate(distinct)}
    return {
        "start": start,
        "length": length,
        "labels": [output_label(trace, label_of(trace, output), lang) for output in distinct],
        "outputs": [[[index[output] for output in cell] for cell in row] for row in ids],
        "probabilities": lens.probabilities[:, start : start + MOST_COLUMNS].tolist(),
    }


def told_parts(trace: Trace, found: LogitParts, lang: str, all_removed: bool = False) -> dict[str, Any]:
    """Return a split logit: its position, the labels of the outputs, the logit, its parts and the errors.

    Args:
        all_removed: tell of every part how the logit changes without it; else of the largest alone, None of others.
    """
    return {
        "position": found.position,
        "token": output_label(trace, found.token, lang),
        "against": None if found.against is None else output_label(trace, found.against, lang),
        "logit": found.logit,
        "parts": [_told_part(part, all_removed or at < MOST_REMOVED) for at, part in enumerate(found.parts)],
        "proof": found.proof._asdict(),
    }


def _told_part(part: Part, removed: bool) -> dict[str, Any]:
    site = part.name.rpartition(":")[0] if part.kind == "head" else ""
    told = {"kind": part.kind, "layer": part.layer, "site": site, "head": part.head, "share": part.share}
    return {**told, "if_removed": part.if_removed if removed else None}
