"""A picture in patches: attention drawn over it, and what a model takes it for."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots
from torch import Tensor

from attnviz.figures.look import VALUE
from attnviz.figures.theme import LIGHT, Theme, axis, bar, on_page
from attnviz.locale import t

__all__ = ["heads", "picture", "probabilities"]

LARGE, SMALL, TITLE = 320, 150, 26  # pixels
VEIL = 0.72  # opacity of the greatest weight: the ink under it is still seen
HIDDEN = {"showgrid": False, "zeroline": False, "showticklabels": False, "ticks": "", "constrain": "domain"}


def picture(pixels: Tensor, weights: Tensor | None, limit: float, theme: Theme = LIGHT, lang: str = "en") -> go.Figure:
    """One picture, its patches the more coloured the more they are attended to.

    Args:
        pixels: (height, width), 0 to 1.
        weights: (rows, columns) of its patches; None: the picture alone.
        limit: the weight that has the full colour.

    Example:
        >>> import torch
        >>> figure = picture(torch.eye(4), torch.full((2, 2), 0.25), 0.25)
        >>> [trace.z.shape for trace in figure.data], figure.data[1].x
        ([(4, 4), (2, 2)], (0.5, 2.5))
    """
    traces = [_ink(pixels, theme)]
    if weights is not None:
        traces.append(_veil(pixels, weights, limit, theme, lang).update(showscale=True, colorbar=bar(0.6)))
    figure = on_page(go.Figure(traces), theme, "", LARGE)
    figure.update_xaxes(HIDDEN).update_yaxes(HIDDEN | {"autorange": "reversed", "scaleanchor": "x"})
    return figure.update_layout(margin={"l": 4, "r": 4, "t": 4, "b": 4})


def heads(
    pixels: Tensor,
    maps: Sequence[Sequence[Tensor]],
    chosen: tuple[int, int],
    limit: float,
    theme: Theme = LIGHT,
    lang: str = "en",
) -> go.Figure:
    """Draw all heads over the same picture: a row for each layer, a column for each head; the chosen one has a frame.

    Args:
        pixels: (height, width), 0 to 1.
        maps: maps for each row, for each head, (rows, columns) weights of patches.
        chosen: row and column of one of them.
        limit: the weight that has the full colour, in all of them.

    Example:
        >>> import torch
        >>> maps = [[torch.full((2, 2), 0.25)] * 2] * 3
        >>> len(heads(torch.eye(4), maps, (2, 1), 0.25).data)
        12
    """
    columns = max(map(len, maps))
    titles = [
        t(lang, "applications.digits.one", layer=layer, head=head) if head < len(row) else ""
        for layer, row in enumerate(maps)
        for head in range(columns)
    ]
    spaces = {"vertical_spacing": 0.26 / len(maps), "horizontal_spacing": 0.06 / columns}
    figure = make_subplots(len(maps), columns, subplot_titles=titles, **spaces)
    figure.update_annotations(font={"size": 12, "color": theme.muted})
    frame = {"showline": True, "mirror": True, "linecolor": theme.lines[0], "linewidth": 3}
    for layer, row in enumerate(maps):
        for head, weights in enumerate(row):
            place = {"row": layer + 1, "col": head + 1}
            for trace in (_ink(pixels, theme), _veil(pixels, weights, limit, theme, lang)):
                figure.add_trace(trace, **place)
            name = figure.data[-1].xaxis
            look = HIDDEN | (frame if (layer, head) == chosen else {})
            figure.update_xaxes(look, **place)
            figure.update_yaxes(look | {"autorange": "reversed", "scaleanchor": name}, **place)
    on_page(figure, theme, "", len(maps) * (SMALL + TITLE) + 12)
    return figure.update_layout(margin={"l": 4, "r": 4, "t": TITLE, "b": 8})


def probabilities(labels: Sequence[str], shares: Sequence[float], right: int | None, theme: Theme = LIGHT) -> go.Figure:
    """Draw a bar for each label; the right one, where it is known, has the colour of values.

    Args:
        shares: their probabilities.
        right: index of the right one.

    Example:
        >>> probabilities(["0", "1"], [0.25, 0.75], 1).data[0].y
        (0.25, 0.75)
    """
    colours = [VALUE if index == right else theme.muted for index in range(len(labels))]
    bars = go.Bar(
        x=list(labels),
        y=list(shares),
        marker={"color": colours, "line": {"width": 0}},
        hovertemplate="%{x}: <b>%{y:.9~g}</b><extra></extra>",
    )
    figure = on_page(go.Figure(bars), theme, "", 214)
    figure.update_xaxes(axis(theme) | {"type": "category", "showgrid": False, "ticks": "", "fixedrange": True})
    figure.update_yaxes(axis(theme) | {"range": [0, 1], "tickformat": ".0%", "fixedrange": True})
    return figure.update_layout(margin={"l": 44, "r": 8, "t": 8, "b": 26}, bargap=0.25)


def _ink(pixels: Tensor, theme: Theme) -> go.Heatmap:
    scale = [(0.0, theme.page), (1.0, theme.ink)]
    return go.Heatmap(z=pixels.numpy(), zmin=0, zmax=1, colorscale=scale, showscale=False, hoverinfo="skip")


def _veil(pixels: Tensor, weights: Tensor, limit: float, theme: Theme, lang: str) -> go.Heatmap:
    """Weights over the pixels, which shine through."""
    rows, columns = weights.shape
    across, down = pixels.shape[1] // columns, pixels.shape[0] // rows
    red, green, blue = (int(theme.lines[0][i : i + 2], 16) for i in (1, 3, 5))
    places = [[f"{row + 1},{column + 1}" for column in range(columns)] for row in range(rows)]
    return go.Heatmap(
        x=[across * column + (across - 1) / 2 for column in range(columns)],
        y=[down * row + (down - 1) / 2 for row in range(rows)],
        z=weights.numpy(),
        zmin=0,
        zmax=limit,
        colorscale=[(0.0, f"rgba({red}, {green}, {blue}, 0)"), (1.0, f"rgba({red}, {green}, {blue}, {VEIL})")],
        showscale=False,
        customdata=places,
        hovertemplate=t(lang, "applications.digits.patch") + " %{customdata}<br><b>%{z:.9~g}</b><extra></extra>",
    )
