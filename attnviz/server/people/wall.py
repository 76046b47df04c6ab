"""All runs of a class at a glance: state, curve of the loss, and what a head reads now."""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import Any

from attnviz.errors import RunError
from attnviz.server.people.classes import Classroom
from attnviz.server.shelf import Entry, entries
from attnviz.training import Run, runs_root

__all__ = ["card", "class_runs", "wall"]

POINTS = 60  # of a curve
SIDE = 24  # queries and keys of a thumbnail, at most


def class_runs() -> list[Entry]:
    """Return the runs of this server's folder, the newest first; examples are left out."""
    root = runs_root()
    return [entry for entry in entries() if entry.run is None or entry.run.folder.parent == root]


def wall(room: Classroom) -> list[dict[str, Any]]:
    """Return a card for each run that can be read."""
    return [card(entry, room) for entry in class_runs() if entry.run is not None and entry.state is not None]


def card(entry: Entry, room: Classroom) -> dict[str, Any]:
    """Return a run as the wall shows it.

    `number` and `nickname` are its owner's, `loss` has up to 60 points from first to last, `heat` the weights of the
    first head on the first example, in 255ths, row after row.
    """
    assert entry.run is not None
    assert entry.state is not None
    member = room.members.get(entry.run.owner)
    told: dict[str, Any] = {
        "run": entry.name,
        "number": None if member is None else member.number,
        "nickname": "" if member is None else member.nickname,
        "state": entry.state.state,
        "step": entry.step,
        "steps": entry.run.config.training.steps,
        "metric": entry.run.config.task.metric,
        "best": entry.best,
    }
    try:
        stamp = (entry.run.metrics_path.stat().st_size, entry.run.timeline_path.stat().st_size)
        return told | _drawn(entry.run, stamp)
    except (OSError, RunError):  # there is nothing to draw yet
        return told | {"loss": [], "heat": None}


@lru_cache(256)
def _drawn(run: Run, stamp: tuple[int, int]) -> dict[str, Any]:
    """Return the pictures of a run; its files are read again when they have grown."""
    losses = [metrics.loss for metrics in run.metrics()]
    every = max(1, -(-len(losses) // POINTS))
    timeline = run.timeline()
    heat = None
    if timeline.steps:
        weights = next(iter(timeline.weights(timeline.steps[-1])[0].values()))[0, :SIDE, :SIDE]  # (Tq, Tk)
        packed = base64.b64encode(weights.contiguous().numpy().tobytes()).decode()
        heat = {"rows": weights.shape[0], "columns": weights.shape[1], "weights": packed}
    return {"loss": losses[::every] + losses[-1:], "heat": heat}
