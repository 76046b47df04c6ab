"""Sweeps: what their settings lead to, as parallel coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import plotly.graph_objects as go

from attnviz.figures.look import SANS
from attnviz.figures.theme import CLEAR, LIGHT, Theme, on_page

__all__ = ["Dimension", "parallel"]

HEIGHT = 340  # pixels


class Dimension(NamedTuple):
    """An axis of parallel coordinates.

    Attributes:
        title: above it.
        values: place of each run on it.
        ticks: texts of the places 0, 1, 2, ... of an axis of choices; () for one of numbers.
    """

    title: str
    values: Sequence[float]
    ticks: Sequence[str] = ()


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
    faint = scale[max(1, len(scale) // 4) :]  # the weakest colours are the page's own
    colours = [[number / (len(faint) - 1), colour] for number, (_, colour) in enumerate(faint)]
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
    if not dimension.ticks:
        low, high = min(dimension.values), max(dimension.values)
        spare = 0.5 if low == high else 0.0
        return {"label": dimension.title, "values": list(dimension.values), "range": [low - spare, high + spare]}
    places = range(len(dimension.ticks))
    return {
        "label": dimension.title,
        "values": list(dimension.values),
        "tickvals": list(places),
        "ticktext": list(dimension.ticks),
        "range": [-0.3, len(dimension.ticks) - 0.7],
    }
