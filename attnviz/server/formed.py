"""Route of a cell over training, which is computed beside the pages (`attnviz.server.background`).

GET /attnviz/runs/<name>/why?seq=N&site=NAME&head=H&query=I&key=J&who=NAME&lang=L

Answers are those of `attnviz.server.experiments`; the result has the cell on a probe sequence at the kept checkpoints:
"kept" says how many there are, "steps" those that were looked at; "weights", "above", and "queries" and "keys", bands
as `attnviz.analysis.formed.bands` returns them, have a number for each of these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from attnviz.analysis.formed import Moment, bands, moment_of
from attnviz.background import Progress
from attnviz.server.experiments import BACKGROUND, answer_when_there
from attnviz.server.paths import whole
from attnviz.trace import Trace
from attnviz.tracing import trace as take_trace
from attnviz.training import Run
from attnviz.view.run_header import run_header

__all__ = ["MOST_STEPS", "formed", "spread"]

MOST_STEPS = 32
"""Checkpoints that are looked at."""

Cell = tuple[str, int, int, int]


def formed(request: Request, run: Run) -> Response:
    """Answer how the score of a cell formed, or how far that is."""
    found = _cell(run, request.query_params)
    if found is None:
        return JSONResponse({"error": "cell"}, 400)
    seq, cell = found
    kept = run.checkpoints()
    steps = spread(kept, MOST_STEPS)

    def compute(progress: Progress) -> dict[str, Any]:
        moments: list[Moment] = []
        for step in steps:
            progress(len(moments), len(steps))
            moments.append(_moment(run, step, _stamp(run, step), seq, cell))
        return _told(moments, len(kept))

    key = ("formed", run.folder, run.config.created, *((step, _stamp(run, step)) for step in steps), seq, cell)
    return answer_when_there(BACKGROUND, request, key, compute)


def _cell(run: Run, query: Mapping[str, str]) -> tuple[int, Cell] | None:
    """Return the probe sequence and the cell of a request; None where the run has none such."""
    header = run_header(run)
    seq = whole(query.get("seq", "0"), 0, len(header["sequences"]) - 1)
    site = next((site for site in header["sites"] if site["name"] == query.get("site")), None)
    if seq is None or site is None:
        return None
    labels = header["sequences"][seq]["labels"]
    sizes = {"head": site["heads"], "query": len(labels[site["queries"]]), "key": len(labels[site["keys"]])}
    places = [whole(query.get(name, ""), 0, size - 1) for name, size in sizes.items()]
    head, row, column = (-1 if place is None else place for place in places)
    return None if -1 in (head, row, column) else (seq, (site["name"], head, row, column))


def spread(steps: Sequence[int], most: int) -> list[int]:
    """Choose so many steps evenly, the first and the last among them.

    Example:
        >>> spread([0, 1, 2, 5, 10], 3)
        [0, 2, 10]
    """
    if len(steps) <= most:
        return [*steps]
    return [steps[round(at * (len(steps) - 1) / (most - 1))] for at in range(most)]


def _stamp(run: Run, step: int) -> int:
    try:
        return run.checkpoint_path(step).stat().st_mtime_ns
    except OSError:  # it went meanwhile: whoever opens it says so
        return 0


@lru_cache(1024)
def _moment(run: Run, step: int, stamp: int, seq: int, cell: Cell) -> Moment:
    return moment_of(_trace(run, step, stamp, seq), step, *cell)


@lru_cache(MOST_STEPS)
def _trace(run: Run, step: int, stamp: int, seq: int) -> Trace:
    """Return a checkpoint's trace of a probe sequence, kept for the next cell of it."""
    text, target = run.config.task.text_of(run.probe()[seq])
    return take_trace(run.model(step), text, target or None)


def _told(moments: Sequence[Moment], kept: int) -> dict[str, Any]:
    return {
        "kept": kept,
        "steps": [moment.step for moment in moments],
        "weights": [moment.weight for moment in moments],
        "above": [moment.above for moment in moments],
        "queries": [band._asdict() for band in bands(moments, "queries")],
        "keys": [band._asdict() for band in bands(moments, "keys")],
    }
