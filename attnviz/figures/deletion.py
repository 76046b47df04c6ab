"""Deletion curves: what is left of an answer while the input is erased, in one order and in others."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go
from torch import Tensor

from attnviz.figures.theme import LIGHT, Theme, axis, curve, on_page
from attnviz.locale import t

__all__ = ["deletion"]

DASHES = ("solid", "dash", "dot", "dashdot")


def deletion(
    curves: Mapping[str, Tensor | None],
    random: Tensor,
    lowest: Tensor,
    highest: Tensor,
    theme: Theme = LIGHT,
    lang: str = "en",
) -> go.Figure:
    """Draw the probability of one class over how many tokens are erased, in some orders, and the band of random ones.

    Args:
        curves: (n + 1,) probabilities by the name of the order; None: of no such order, whose colour stays free.
        random: (n + 1,) mean of random orders.
        lowest: (n + 1,) lower edge of their band.
        highest: (n + 1,) upper edge of their band.

    Example:
        >>> import torch
        >>> falling = torch.tensor([1.0, 0.5, 0.0])
        >>> figure = deletion({"head": falling}, falling, falling - 0.1, falling + 0.1)
        >>> [trace.name for trace in figure.data]
        [None, None, 'random orders', 'head']
    """
    erased = list(range(len(random)))
    name = t(lang, "applications.digits.random")
    edge = {"x": erased, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    traces = [
        go.Scatter(y=highest.numpy(), **edge),
        go.Scatter(y=lowest.numpy(), fill="tonexty", fillcolor=_faint(theme.muted), **edge),
        curve(erased, random.numpy(), name, {"color": theme.muted, "width": 2, "dash": "2px,4px"}),
    ]
    for number, (order, chances) in enumerate(curves.items()):
        if chances is None:
            continue
        look = {"color": theme.lines[number % len(theme.lines)], "width": 2.5, "dash": DASHES[number % len(DASHES)]}
        traces.append(curve(erased, chances.numpy(), order, look))
    figure = on_page(go.Figure(traces), theme, "", 390)
    figure.update_xaxes(
        axis(theme, t(lang, "applications.digits.erased")) | {"rangemode": "tozero", "fixedrange": True}
    )
    figure.update_yaxes(axis(theme) | {"range": [-0.02, 1.02], "tickformat": ".0%", "fixedrange": True})
    legend = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "traceorder": "normal", "font": {"size": 11}}
    return figure.update_layout(margin={"l": 44, "r": 8, "t": 62, "b": 44}, legend=legend, hovermode="x unified")


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, 0.22)"
