"""The head that tells most of a sequence: by the task's expected pattern, else by a measure of its weights alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from attnviz.analysis.patterns import HeadScore, expected_cells, expected_reads, pattern_scores
from attnviz.tasks import Pattern
from attnviz.trace import Trace
from attnviz.trace.thumbnails import leave_out_near

__all__ = ["Telling", "by_pattern", "followed", "most_telling"]

DIGITS = 2  # heads whose scores are the same to so many digits tell as much: the last of them is nearest to the output


class Telling(NamedTuple):
    """A head to begin with.

    Attributes:
        site: index of its site in the trace.
        head: number of the head.
        query: the query that shows best what it does.
        pattern: name of the expected pattern that it follows; "" where the measure chose it.
    """

    site: int
    head: int
    query: int
    pattern: str = ""


def most_telling(
    trace: Trace,
    far: Mapping[str, NDArray[np.float32]],
    expected: Iterable[Pattern] = (),
    scores: Sequence[HeadScore] | None = None,
) -> Telling:
    """Return the head of a trace that tells most.

    By the first expected pattern that some head follows: the head with the most attention on the expected keys, where
    that is nearer to all of it than to chance. Where no head follows any pattern: the head that reads most at a
    distance, by the mean over queries of the largest weight on a key that `leave_out_near` leaves: not on the query
    itself, nor on its neighbours, a special token or the first token. Heads that read only what lies nearest, or only
    the first token, tell little of a text, and mostly there are many.

    Args:
        trace: a trace with at least one site.
        far: that mean of each head, by the name of the site: `Thumbnails.far`.
        expected: the patterns of the task, see `Task.expected`; () where it is not known.
        scores: the heads that follow them, see `followed`, where somebody has looked already.
    """
    return by_pattern(trace, expected, scores) or _by_distance(trace, far)


def followed(trace: Trace, expected: Iterable[Pattern]) -> tuple[HeadScore, ...]:
    """Return the heads whose attention on the keys of an expected pattern is nearer to all of it than to chance."""
    return tuple(each for each in pattern_scores(trace, expected) if each.mass > (1 + each.chance) / 2)


def by_pattern(trace: Trace, expected: Iterable[Pattern], scores: Sequence[HeadScore] | None = None) -> Telling | None:
    """Return the head that follows the first expected pattern that any head follows; None where no head follows any."""
    expected = tuple(expected)
    scores = followed(trace, expected) if scores is None else scores
    sites = {site.name: index for index, site in enumerate(trace.sites)}
    for pattern in expected:
        mine = [each for each in scores if each.pattern == pattern.name]
        if not mine:
            continue
        best = max(mine, key=lambda each: (round(each.mass, DIGITS), sites[each.site], each.head))
        site = trace.sites[sites[best.site]]
        reads = expected_reads(pattern, site.queries, site.kind, trace.main)
        assert reads is not None  # it was scored
        cells = expected_cells(reads, site.mask.allowed(*reads.shape)).cells  # (Tq, Tk)
        mass = (site.weights(best.head) * cells).sum(1).tolist()
        return Telling(sites[best.site], best.head, _first_best(mass), pattern.name)
    return None


def _by_distance(trace: Trace, far: Mapping[str, NDArray[np.float32]]) -> Telling:
    heads = [
        (round(float(value), DIGITS), index, head)
        for index, site in enumerate(trace.sites)
        for head, value in enumerate(far[site.name])
    ]
    _, index, head = max(heads)
    site = trace.sites[index]
    weights = site.weights(head).clone()[None]  # (1, Tq, Tk)
    leave_out_near(weights, site, trace.sequences[site.keys].specials)
    return Telling(index, head, _first_best(weights[0].amax(1).tolist()))


def _first_best(values: list[float]) -> int:
    rounded = [round(value, DIGITS) for value in values]
    return rounded.index(max(rounded))
