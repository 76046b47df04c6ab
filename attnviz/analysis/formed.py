"""How the score of one cell formed while a network learned: its parts at every checkpoint that was kept.

>>> from attnviz.loading import find_run
>>> moments = score_over_training(find_run("induction-recorded"), "a c d b a", "decoder.1.self", 0, query=4, key=1)
>>> [moment.step for moment in moments]
[0, 50, 60, 70, 80, 100, 200, 500, 1000]
>>> bands(moments, "keys")[0].name, [moment.keys["decoder.0.self:0"] > 2 for moment in moments]
('decoder.0.self:0', [False, False, False, False, True, True, True, True, True])
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from attnviz.trace import Trace
from attnviz.tracing import trace as take_trace
from attnviz.training import Run

__all__ = ["REST", "Band", "Moment", "bands", "moment_of", "score_over_training"]

REST = "rest"
"""Name of the band of all parts that have none of their own."""


class Moment(NamedTuple):
    """A cell at one step of training.

    Attributes:
        step: step of the checkpoint.
        weight: attention weight of the cell.
        above: its score above the mean of its row.
        queries: share of each part of the query, by name; they add up to `above`.
        keys: likewise of the keys.
    """

    step: int
    weight: float
    above: float
    queries: Mapping[str, float]
    keys: Mapping[str, float]


class Band(NamedTuple):
    """Share of one part at every step; `REST` in place of its name for all others together."""

    name: str
    shares: tuple[float, ...]


def score_over_training(
    run: Run, text: str, site: str, head: int, query: int, key: int, target: str | None = None
) -> list[Moment]:
    """Return a cell at every kept checkpoint of a run, in their order; of an encoder-decoder with its target.

    Raises:
        NotSplit: the score is no sum of parts; see `Trace.why`.
        RunCorrupt: a checkpoint cannot be read.
    """
    return [
        moment_of(take_trace(run.model(step), text, target), step, site, head, query, key) for step in run.checkpoints()
    ]


def moment_of(trace: Trace, step: int, site: str, head: int, query: int, key: int) -> Moment:
    """Return a cell of a trace of the network as it was at a step."""
    found = trace.why(site, head, query, key)
    weight = float(trace.site(site).weights(head)[query, key])
    queries, keys = ({part.name: part.share for part in parts} for parts in (found.queries, found.keys))
    return Moment(step, weight, found.score - found.row_mean, queries, keys)


def bands(moments: Sequence[Moment], side: Literal["queries", "keys"], most: int = 4) -> list[Band]:
    """Return the parts of a side over the steps, the one that becomes largest first.

    Args:
        most: parts with a band of their own; the others are one, which comes last. At every step all add up to `above`.
    """
    sides = [getattr(moment, side) for moment in moments]
    names = dict.fromkeys(name for shares in sides for name in shares)
    size = {name: max(abs(shares.get(name, 0.0)) for shares in sides) for name in names}
    order = sorted(names, key=lambda name: -size[name])
    shown = order if len(order) <= most + 1 else order[:most]
    found = [Band(name, tuple(shares.get(name, 0.0) for shares in sides)) for name in shown]
    if others := order[len(shown) :]:
        found.append(Band(REST, tuple(sum(shares.get(name, 0.0) for name in others) for shares in sides)))
    return found
