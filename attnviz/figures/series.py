"""A time series with what models say of it, and below, on the same axis, the points that one of them reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import plotly.graph_objects as go
from plotly.subplots import make_subplots
from torch import Tensor

from attnviz.figures.look import KEY, QUERY
from attnviz.figures.theme import LIGHT, Theme, axis, curve, on_page
from attnviz.locale import t

__all__ = ["Reading", "series"]

ALONE, BOTH = 330, 500  # pixels
DASHES = ("dash", "dot", "dashdot")


class Reading(NamedTuple):
    """Attention behind one forecast.

    Attributes:
        place: place of the last known point, which says the one after it.
        weights: (place + 1,) of the points so far.
        lags: places whole periods before the point that is said.
    """

    place: int
    weights: Tensor
    lags: Sequence[int]


def series(
    values: Tensor,
    said: Tensor,
    forecasts: Mapping[str, Tensor],
    begin: int,
    reading: Reading | None = None,
    unit: str = "",
    theme: Theme = LIGHT,
    lang: str = "en",
) -> go.Figure:
    """Draw a series, forecasts of one step over it, and forecasts of many from a place on.

    Args:
        values: (N,) what is known; it may reach beyond what was read.
        said: (T,) at each point, of the next one.
        forecasts: forecasts by name, (steps,) of the points from `begin` on.
        begin: the first point that the forecasts do not know.
        reading: drawn below; None: no attention.
        unit: what the values are.

    Example:
        >>> import torch
        >>> values = torch.tensor([1.0, 2.0, 1.0, 2.0])
        >>> reading = Reading(2, torch.tensor([0.1, 0.8, 0.1]), [1])
        >>> figure = series(values, values.flip(0), {"model": values[:1]}, 3, reading)
        >>> [(trace.type, len(trace.x)) for trace in figure.data]
        [('scatter', 4), ('scatter', 4), ('scatter', 2), ('bar', 3), ('scatter', 1)]
    """
    figure = make_subplots(2, 1, shared_xaxes=True, row_heights=[0.64, 0.36], vertical_spacing=0.07)
    if reading is None:
        figure = make_subplots(1, 1)
    for trace in _above(values, said, forecasts, begin, theme, lang):
        figure.add_trace(trace, row=1, col=1)
    figure.add_vline(begin - 0.5, line={"color": theme.muted, "width": 1, "dash": "dot"}, row=1, col=1)
    on_page(figure, theme, "", ALONE if reading is None else BOTH)
    ends = [-1, max(len(values), begin + max(map(len, forecasts.values()), default=0))]
    figure.update_xaxes(axis(theme) | {"fixedrange": True, "range": ends}).update_yaxes(
        axis(theme, unit) | {"fixedrange": True}
    )
    if reading is not None:
        _below(figure, reading, theme, lang)
    figure.update_xaxes({"title": axis(theme, t(lang, "applications.series.time"))["title"]}, row=2 if reading else 1)
    legend = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "font": {"size": 11}}
    return figure.update_layout(margin={"l": 52, "r": 8, "t": 56, "b": 42}, legend=legend, bargap=0.15)


def _above(
    values: Tensor, said: Tensor, forecasts: Mapping[str, Tensor], begin: int, theme: Theme, lang: str
) -> list[go.Scatter]:
    hover = "t = %{x}<br><b>%{y:.9~g}</b>"
    known, next_one = t(lang, "applications.series.known"), t(lang, "applications.series.next")
    small = {"size": 5, "color": theme.lines[0], "symbol": "circle-open"}
    traces = [
        curve(list(range(len(values))), values.tolist(), known, {"color": theme.ink, "width": 1.5}, hover),
        curve(list(range(1, len(said) + 1)), said.numpy(), next_one, {}, hover).update(mode="markers", marker=small),
    ]
    for number, (name, values_said) in enumerate(forecasts.items()):
        look = {"color": theme.lines[1 + number], "width": 2.5, "dash": DASHES[number % len(DASHES)]}
        numbers = [*values[begin - 1 : begin].tolist(), *values_said.tolist()]  # it begins where what is known ends
        traces.append(curve(list(range(begin - 1, begin - 1 + len(numbers))), numbers, name, look, hover))
    return traces


def _below(figure: go.Figure, reading: Reading, theme: Theme, lang: str) -> None:
    """Bars for the points that are read, those whole periods back marked, and a line at the point that is said."""
    below = {"row": 2, "col": 1}
    told = reading.place + 1
    bars = go.Bar(
        x=list(range(len(reading.weights))),
        y=reading.weights.numpy(),
        customdata=[told - place for place in range(len(reading.weights))],
        marker={"color": theme.lines[0], "line": {"width": 0}},
        name=t(lang, "applications.attention"),
        showlegend=False,
        hovertemplate="t − %{customdata}<br><b>%{y:.9~g}</b><extra></extra>",
    )
    top = 1.12 * float(reading.weights.max())
    marks = go.Scatter(
        x=list(reading.lags),
        y=[min(top, float(reading.weights[place]) + 0.07 * top) for place in reading.lags],
        mode="markers",
        marker={"symbol": "triangle-down", "size": 8, "color": KEY},
        name=t(lang, "applications.series.periods"),
        hoverinfo="skip",
    )
    figure.add_trace(bars, **below)
    figure.add_trace(marks, **below)
    figure.add_vline(told, line={"color": QUERY, "width": 1.5}, **below)
    figure.update_yaxes(
        {"range": [0, top], "title": axis(theme, t(lang, "applications.series.weight"))["title"]}, **below
    )
