"""Sweeps: what their settings lead to, as parallel coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10
from typing import NamedTuple

import plotly.graph_objects as go

from attnviz.figures.look import SANS
from attnviz.figures.theme import CLEAR, LIGHT, Theme, on_page

__all__ = ["Dimension", "parallel"]

HEIGHT = 340  # pixels
LOG_TICKS = 5


class Dimension(NamedTuple):
    """An axis of parallel coordinates.

    Attributes:
        title: above it.
        values: place of each run on it.
        ticks: texts of the places 0, 1, 2, ... of an axis of choices; () for one of numbers.
        log: whether an axis of numbers is logarithmic.
    """

    title: str
    values: Sequence[float]
    ticks: Sequence[str] = ()
    log: bool = False


def parallel(
    dimensions: Sequence[Dimension], scores: Sequence[float], reverse: bool, theme: Theme = LIGHT
) -> go.Figure:
    """Draw a line for each run through its place on every axis; the better its score, the stronger its colour.

    Args:
        dimensions: axes from left to right; the last one is usually the score's.
        scores: scores of the runs.
        reverse: whether the lowest score is the best.
        theme: colours of the page.

    Example:
        >>> axes = [Dimension("layers", [0, 1], ["1", "2"]), Dimension("accuracy", [0.5, 0.9])]
        >>> [axis.label for axis in parallel(axes, [0.5, 0.9], False).data[0].dimensions]
        ['layers', 'accuracy']
    """
    scale = [[place, colour] for place, colour in theme.sequential]
    seen = scale[len(scale) * 3 // 4 :]  # a line is thin: in weaker colours it is hardly seen
    colours = [[number / (len(seen) - 1), colour] for number, (_, colour) in enumerate(seen)]
    lines = go.Parcoords(
        dimensions=[_axis(dimension) for dimension in dimensions],
        line={"color": list(scores), "colorscale": colours, "reversescale": reverse},
        unselected={"line": {"color": theme.muted, "opacity": 0.15}},
        labelfont={"size": 12, "color": theme.ink, "family": SANS},
        tickfont={"size": 12, "color": theme.ink, "family": SANS},
        rangefont={"size": 1, "color": CLEAR},  # the ends are ticks, or fractions that nobody reads
        labelside="top",
    )
    figure = on_page(go.Figure(lines), theme, "", HEIGHT)
    return figure.update_layout(margin={"l": 72, "r": 48, "t": 48, "b": 28}, uirevision="stays")


def _axis(dimension: Dimension) -> dict[str, object]:
    if dimension.ticks:
        numbers = list(range(len(dimension.ticks)))
        ends = [-0.3, len(numbers) - 0.7]
        return _ticked(dimension.title, dimension.values, ends, numbers, dimension.ticks)
    values = [log10(value) for value in dimension.values] if dimension.log else list(dimension.values)
    low, high = min(values), max(values)
    if low == high:  # a single number, without others around it that may not even be possible
        return _ticked(dimension.title, values, [low - 0.5, high + 0.5], [low], [f"{dimension.values[0]:.3g}"])
    if dimension.log:
        places = [low + part * (high - low) / (LOG_TICKS - 1) for part in range(LOG_TICKS)]
        return _ticked(dimension.title, values, [low, high], places, [f"{10**place:.2g}" for place in places])
    return {"label": dimension.title, "values": values, "range": [low, high]}


def _ticked(
    title: str, values: Sequence[float], ends: Sequence[float], places: Sequence[float], texts: Sequence[str]
) -> dict[str, object]:
    axis = {"label": title, "values": list(values), "range": list(ends)}
    return {**axis, "tickvals": list(places), "ticktext": list(texts)}
