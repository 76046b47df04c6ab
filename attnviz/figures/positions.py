"""Positional encodings as heat maps: the encoding of each position, and what two of them have to do with each other."""

from __future__ import annotations

import plotly.graph_objects as go
from torch import Tensor

from attnviz.figures.theme import LIGHT, Theme, axis, bar, on_page

__all__ = ["encoding", "pairs", "steps"]

HEIGHT = 400  # pixels


def encoding(vectors: Tensor, title: str, names: tuple[str, str], theme: Theme = LIGHT) -> go.Figure:
    """Draw the vector of each position, a row each: (T, d).

    Args:
        vectors: one for each position.
        names: titles of the vertical and the horizontal axis, such as ("Position", "Dimension").

    Example:
        >>> from attnviz.positions import sinusoidal
        >>> encoding(sinusoidal(4, 8), "Sinusoidal", ("Position", "Dimension")).data[0].z.shape
        (4, 8)
    """
    largest = float(vectors.abs().max()) or 1.0
    return _heat(vectors, title, names, (-largest, largest), theme)


def pairs(
    matrix: Tensor,
    title: str,
    names: tuple[str, str],
    limits: tuple[float, float],
    theme: Theme = LIGHT,
    whole: bool = False,
) -> go.Figure:
    """Draw a number for every pair of positions: (T, T).

    Args:
        matrix: what two positions have to do with each other.
        names: titles of the vertical and the horizontal axis.
        limits: limits of the colours; from 0 on the sequential scale, else the diverging one, which is symmetric.
        whole: the numbers are whole, such as those of buckets.
    """
    figure = _heat(matrix, title, names, limits, theme, ".0f" if whole else ".9~g")
    square = {"constrain": "domain", "constraintoward": "left"}
    return figure.update_yaxes(scaleanchor="x", **square | {"constraintoward": "top"}).update_xaxes(square)


def steps(values: Tensor, title: str, names: tuple[str, str], theme: Theme = LIGHT) -> go.Figure:
    """Draw a whole number for each distance: (T,)."""
    line = go.Scatter(
        y=values.numpy(),
        mode="lines",
        line={"shape": "hv", "color": theme.lines[0], "width": 2},
        hovertemplate=f"{names[1]} %{{x}}<br>{names[0]} <b>%{{y}}</b><extra></extra>",
    )
    figure = on_page(go.Figure(line), theme, title, HEIGHT)
    return figure.update_xaxes(axis(theme, names[1])).update_yaxes(axis(theme, names[0]))


def _heat(
    matrix: Tensor, title: str, names: tuple[str, str], limits: tuple[float, float], theme: Theme, digits: str = ".9~g"
) -> go.Figure:
    rows, columns = names
    heat = go.Heatmap(
        z=matrix.numpy(),
        zmin=limits[0],
        zmax=limits[1],
        colorscale=theme.diverging if limits[0] < 0 else theme.sequential,
        colorbar=bar(0.5, limits),
        hovertemplate=f"{rows} %{{y}}<br>{columns} %{{x}}<br><b>%{{z:{digits}}}</b><extra></extra>",
    )
    figure = on_page(go.Figure(heat), theme, title, HEIGHT)
    quiet = {"showgrid": False, "zeroline": False}
    figure.update_xaxes(axis(theme, f"{columns} →") | quiet)
    return figure.update_yaxes(axis(theme, f"{rows} ↓") | quiet | {"autorange": "reversed"})
