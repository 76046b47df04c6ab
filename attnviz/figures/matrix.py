"""Matrices side by side, their cells to scale, with tokens along them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from torch import Tensor

from attnviz.figures.look import (
    DIVERGING,
    EMPTY,
    INK,
    KEY,
    MONOSPACED,
    MUTED,
    QUERY,
    SEQUENTIAL,
    coloured,
    frame,
    letters,
    note,
    short,
    shortened,
    token_text,
)
from attnviz.locale import t
from attnviz.trace import AttentionSite, Trace

__all__ = ["Axis", "Panel", "Size", "axis_titles", "dims", "draw", "keys", "queries", "site_title", "symmetric"]

LETTER, LINE = 7, 15  # pixels of a letter and a line of 11 pixels
LONGEST = 28  # letters of a token that are shown
HEADER, SLOT, GAP = 3 * LINE + 6, 140, 28  # pixels: above a matrix, the least a matrix takes, between two
SIDE, TOP = 16, 62  # margins in pixels
BAR = 70  # pixels for the legend of colours
LINED = 10  # pixels of a cell from which on lines stand between cells


@dataclass(frozen=True)
class Axis:
    """Rows or columns of a matrix.

    Attributes:
        title: name of the axis, such as "Queries".
        one: name of a single one, such as "Query".
        labels: one for each row or column, all different.
        longest: letters of the longest label; 0 when labels are for pointing only.
    """

    title: str
    one: str
    colour: str
    labels: tuple[str, ...]
    longest: int = 0


@dataclass(frozen=True)
class Panel:
    """One matrix of a figure.

    Attributes:
        matrix: (rows, columns); where it is not finite, there is a gap.
        rows: vertical axis.
        columns: horizontal axis.
        limits: limits of the colours, (0, 1) for weights, symmetric for others.
        gap: text that explains a gap.
    """

    title: str
    matrix: Tensor
    rows: Axis
    columns: Axis
    limits: tuple[float, float]
    gap: str = ""
    colour: str = INK

    @property
    def signed(self) -> bool:
        """Whether there are numbers below 0."""
        return self.limits[0] < 0


@dataclass(frozen=True)
class Size:
    """Size at which matrices are drawn.

    Attributes:
        cell: side of a cell in pixels, where that fits.
        longest: side of a matrix in pixels, at most.
    """

    cell: int
    longest: int

    def side(self, cells: int, largest: int) -> int:
        """Return the pixels of a side; `largest`: cells of the longest side that shares its scale."""
        return round(max(self.cell, min(self.longest, cells * min(self.cell, self.longest / largest))))


def queries(trace: Trace, site: AttentionSite, lang: str) -> Axis:
    """Return the axis of the queries."""
    return _tokens(trace, site.queries, t(lang, "view.frame.axis.queries"), t(lang, "view.frame.tip.query"), QUERY)


def keys(trace: Trace, site: AttentionSite, lang: str) -> Axis:
    """Return the axis of the keys."""
    return _tokens(trace, site.keys, t(lang, "view.frame.axis.keys"), t(lang, "view.frame.tip.key"), KEY)


def _tokens(trace: Trace, sequence: str, title: str, one: str, colour: str) -> Axis:
    labels = [shortened(label, LONGEST) for label in trace.sequences[sequence].labels]
    named = (f"{coloured(str(index), MUTED)} {token_text(label)}" for index, label in enumerate(labels))
    longest = max(map(letters, labels)) + 1 + len(str(len(labels) - 1))
    return Axis(title, one, colour, tuple(named), longest)


def dims(size: int, title: str, lang: str) -> Axis:
    """Return the axis of a vector's dimensions, such as d_head."""
    return Axis(title, t(lang, "view.frame.tip.dim"), MUTED, tuple(map(str, range(size))))


def axis_titles(rows: Axis, columns: Axis) -> str:
    """Name both axes with their directions, such as "Queries ↓ Keys →"."""
    return f"{coloured(f'{rows.title} ↓', rows.colour)}  {coloured(f'{columns.title} →', columns.colour)}"


def site_title(site: AttentionSite, head: int, lang: str) -> str:
    """Such as "Decoder self-attention · layer 1 · head 0"."""
    stack = t(lang, f"view.frame.stack.{site.stack}.{site.kind}")
    title = t(lang, "view.frame.title", stack=stack, layer=site.layer, head=head)
    return title if site.part is None else f"{title} · {t(lang, 'figure.part', part=site.part)}"


def symmetric(*matrices: Tensor) -> tuple[float, float]:
    """Return the limits around 0 that hold every finite number of these matrices."""
    largest = max(float(matrix.abs().nan_to_num(0, 0, 0).max()) for matrix in matrices)
    return -(largest or 1.0), largest or 1.0


def draw(panels: Sequence[Panel], per_row: int, size: Size, title: str, subtitle: str, bar: bool = False) -> go.Figure:
    """Draw a figure of some matrices.

    Args:
        panels: panels in reading order.
        per_row: how many stand side by side.
        subtitle: below it.
        bar: whether colours get a legend, of one panel only; else the limits stand above each.
    """
    traces: list[go.Heatmap] = []
    annotations, axes = [], {}
    lines = [panels[start : start + per_row] for start in range(0, len(panels), per_row)]
    places = _places(lines, size)
    width = max(place.right for place in places)
    height = max(place.bottom for place in places)
    for number, (panel, place) in enumerate(zip(panels, places, strict=True), 1):
        suffix = "" if number == 1 else str(number)
        traces += _heat(panel, place, suffix, bar, 1 - place.y / height)
        axes[f"xaxis{suffix}"] = {
            **_axis(panel.columns),
            "side": "top",
            "anchor": f"y{suffix}",
            "domain": [place.x / width, (place.x + place.width) / width],
            "tickangle": -90 if place.turned else 0,
        }
        axes[f"yaxis{suffix}"] = {
            **_axis(panel.rows),
            "autorange": "reversed",
            "anchor": f"x{suffix}",
            "domain": [1 - (place.y + place.height) / height, 1 - place.y / height],
        }
        annotations.append(_header(panel, bar) | {"x": place.left / width, "y": 1 - place.top / height})
    margin = (SIDE, SIDE + BAR * bar, TOP, SIDE)
    figure = frame(traces, title, subtitle, width + 2 * SIDE + BAR * bar, height + TOP + SIDE, margin)
    return figure.update_layout(plot_bgcolor=EMPTY, annotations=annotations, **axes)


@dataclass(frozen=True)
class _Place:
    """Place of a matrix, in pixels from the upper left corner of the drawing.

    Its labels begin at `left` and `top`, itself at `x` and `y`; what comes next keeps clear of `right`.
    """

    left: int
    top: int
    right: int
    x: int
    y: int
    width: int
    height: int
    turned: bool  # the labels of the columns

    @property
    def bottom(self) -> int:
        return self.y + self.height


def _places(lines: Sequence[Sequence[Panel]], size: Size) -> list[_Place]:
    tokens = [len(axis.labels) for line in lines for p in line for axis in (p.rows, p.columns) if axis.longest]
    largest = max(tokens)
    places: list[_Place] = []
    top = 0
    for line in lines:
        left = 0
        above = max(_label_height(panel.columns, size, largest) for panel in line)
        for panel in line:
            n_rows, n_columns = panel.matrix.shape
            width, height = size.side(n_columns, largest), size.side(n_rows, largest)
            x = left + (panel.rows.longest + 1) * LETTER
            right = max(left + SLOT, x + width)
            y = top + HEADER + above
            labels = y - _label_height(panel.columns, size, largest)
            places.append(_Place(left, labels, right, x, y, width, height, _turned(panel.columns, size, largest)))
            left = right + GAP
        top = max(place.bottom for place in places) + GAP
    return places


def _turned(axis: Axis, size: Size, largest: int) -> bool:
    """Whether labels are wider than their columns."""
    return axis.longest * LETTER + 4 > size.side(len(axis.labels), largest) / len(axis.labels)


def _label_height(axis: Axis, size: Size, largest: int) -> int:
    if not axis.longest:
        return 0
    return axis.longest * LETTER + 8 if _turned(axis, size, largest) else LINE + 4


def _header(panel: Panel, bar: bool) -> dict[str, Any]:
    """Make the header of a matrix: title, axes, and the limits of its colours if there is no legend."""
    low, high = map(short, panel.limits)
    scale = DIVERGING if panel.signed else SEQUENTIAL
    ends = (scale[len(scale) // 5][1] if panel.signed else MUTED, scale[-len(scale) // 5][1])
    lines = [f"<b>{coloured(panel.title, panel.colour)}</b>", f"{coloured(low, ends[0])} … {coloured(high, ends[1])}"]
    text = "<br>".join([*(lines[:1] if bar else lines), axis_titles(panel.rows, panel.columns)])
    return note(text, "left", align="left", borderpad=0, xshift=-1, yshift=3)


def _axis(axis: Axis) -> dict[str, Any]:
    return {
        "type": "category",
        "showticklabels": axis.longest > 0,
        "tickfont": {"family": MONOSPACED, "size": 11},
        "ticks": "",
        "ticklabelstandoff": 4,
        "showgrid": False,
        "zeroline": False,
        "showline": True,
        "mirror": True,
        "linecolor": "#c8ccd3",
        "linewidth": 1,
    }


def _heat(panel: Panel, place: _Place, suffix: str, bar: bool, upper: float) -> list[go.Heatmap]:
    """Draw the colours of a matrix, and below them what is to be said of its gaps, if it has any."""
    matrix = panel.matrix.float().cpu()
    where = f"{panel.rows.one} %{{y}}<br>{panel.columns.one} %{{x}}"
    line = int(min(place.width / matrix.shape[1], place.height / matrix.shape[0]) >= LINED)
    sides = {"x": panel.columns.labels, "y": panel.rows.labels, "xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
    low, high = panel.limits
    colours = go.Heatmap(
        z=matrix.masked_fill(~matrix.isfinite(), float("nan")).numpy(),
        zmin=low,
        zmax=high,
        colorscale=DIVERGING if panel.signed else SEQUENTIAL,
        xgap=line,
        ygap=line,
        showscale=bar,
        colorbar=_bar(panel, place, upper),
        hovertemplate=f"{where}<br>{panel.title} <b>%{{z:.9~g}}</b><extra></extra>",  # nine digits name a float32
        hoverongaps=False,
        name=panel.title,
        **sides,
    )
    if bool(matrix.isfinite().all()):
        return [colours]
    gaps = go.Heatmap(
        z=np.zeros(matrix.shape, np.int8),
        colorscale=[(0, EMPTY), (1, EMPTY)],
        showscale=False,
        hovertemplate=f"{where}<br>{panel.gap}<extra></extra>",
        name=panel.gap,
        **sides,
    )
    return [gaps, colours]


def _bar(panel: Panel, place: _Place, upper: float) -> dict[str, Any]:
    """Draw the legend of the colours, beside the upper part of the matrix."""
    low, high = panel.limits
    return {
        "thickness": 10,
        "lenmode": "pixels",
        "len": max(90, min(160, place.height)),
        "y": upper,
        "yanchor": "top",
        "ypad": 0,
        "outlinewidth": 0,
        "tickvals": [low, (low + high) / 2, high],
        "ticks": "",
    }
