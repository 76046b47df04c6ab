"""Cost of layers over the length of a sequence: computed curves, and measured points over them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import plotly.graph_objects as go

from attnviz.analysis.cost import Measurements
from attnviz.figures.theme import LIGHT, Theme, axis, on_page
from attnviz.locale import t
from attnviz.models.cost import LAYERS, Layer, crossing, flops, memory

__all__ = ["LENGTHS", "measured", "memory_curves", "operations"]

LENGTHS = tuple(2**power for power in range(3, 15))
"""Lengths of the computed curves: 8 to 16,384."""

HEIGHT = 380  # pixels
FEW = 8  # lengths that have a tick each; of more, every other one has
PREFIXED, PLAIN = "~s", "~g"  # 10 M, 0.01
DASHES = {"attention": "solid", "rnn": "dot", "gru": "dash", "lstm": "dashdot", "convolution": "longdash"}
SYMBOLS = {"attention": "circle", "rnn": "diamond", "gru": "square", "lstm": "triangle-up", "convolution": "cross"}


def operations(d: int, theme: Theme = LIGHT, lang: str = "en") -> go.Figure:
    """Operations of each layer over the length, both logarithmic; marked where attention overtakes another layer.

    Args:
        d: width.

    Example:
        >>> figure = operations(64)
        >>> [list(trace.x) for trace in figure.data if trace.mode == "markers"]  # attention crosses GRU and LSTM
        [[64, 128]]
    """
    traces = _curves(lambda layer, n: flops(layer, n, d), t(lang, "cost.operations.one"), LENGTHS, theme, lang)
    crossings = {layer: crossing(layer, d) for layer in LAYERS[1:]}
    met = {layer: n for layer, n in crossings.items() if n is not None}
    marks = go.Scatter(
        x=tuple(met.values()),
        y=[flops("attention", n, d) for n in met.values()],
        mode="markers",
        marker={"size": 11, "symbol": "circle-open", "color": theme.ink, "line": {"width": 2}},
        text=[t(lang, "cost.crossing", layer=_name(layer, lang), n=n) for layer, n in met.items()],
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
    )
    titles = (t(lang, "cost.length"), t(lang, "cost.operations"))
    return _logarithmic([*traces, marks], titles, PREFIXED, theme)


def memory_curves(d: int, n_heads: int, theme: Theme = LIGHT, lang: str = "en") -> go.Figure:
    """Draw the bytes of all that can be looked at in each layer, over the length, both logarithmic.

    Args:
        d: width.
    """
    unit = t(lang, "cost.memory.one")
    traces = _curves(lambda layer, n: memory(layer, n, d, n_heads), unit, LENGTHS, theme, lang)
    return _logarithmic(traces, (t(lang, "cost.length"), t(lang, "cost.memory")), PREFIXED, theme)


def measured(measurements: Measurements, theme: Theme = LIGHT, lang: str = "en") -> go.Figure:
    """Draw measured CPU times as points, and as curves the times at the rate of a matrix product."""
    lengths = sorted({point.n_tokens for point in measurements.points})
    unit = t(lang, "cost.time.computed")

    def computed(layer: Layer, n: int) -> float:
        return 1000 * flops(layer, n, measurements.d) / measurements.rate

    curves = [curve.update(opacity=0.55) for curve in _curves(computed, unit, lengths, theme, lang)]
    points = []
    for layer in LAYERS:
        mine = [point for point in measurements.points if point.layer == layer]
        points.append(
            go.Scatter(
                x=[point.n_tokens for point in mine],
                y=[1000 * point.seconds for point in mine],
                mode="markers+lines",
                line={"width": 1, "color": _colour(layer, theme)},
                marker={"size": 9, "symbol": SYMBOLS[layer], "color": _colour(layer, theme)},
                name=t(lang, "cost.time.measured", layer=_name(layer, lang)),
                hovertemplate=_hover(_name(layer, lang), t(lang, "cost.time.one")),
            )
        )
    return _logarithmic([*curves, *points], (t(lang, "cost.length"), t(lang, "cost.time")), PLAIN, theme)


def _curves(
    value: Callable[[Layer, int], float], unit: str, lengths: Sequence[int], theme: Theme, lang: str
) -> list[go.Scatter]:
    return [
        go.Scatter(
            x=lengths,
            y=[value(layer, n) for n in lengths],
            mode="lines",
            name=_name(layer, lang),
            line={"color": _colour(layer, theme), "dash": DASHES[layer], "width": 2.2},
            hovertemplate=_hover(_name(layer, lang), unit),
        )
        for layer in LAYERS
    ]


def _hover(name: str, unit: str) -> str:
    return f"{name}<br>T = %{{x:,}}<br><b>%{{y:,.9~g}}</b> {unit}<extra></extra>"


def _name(layer: Layer, lang: str) -> str:
    return t(lang, f"cost.layer.{layer}")


def _colour(layer: Layer, theme: Theme) -> str:
    return theme.lines[LAYERS.index(layer)]


def _logarithmic(traces: Sequence[go.Scatter], titles: tuple[str, str], digits: str, theme: Theme) -> go.Figure:
    """Curves over the length, with ticks at some of the lengths and at powers of 10."""
    across, up = titles
    figure = on_page(go.Figure(list(traces)), theme, up, HEIGHT)
    lengths = sorted({n for trace in traces for n in trace.x})
    shown = lengths[:: 1 + len(lengths) // FEW]
    ticks = {"type": "log", "tickvals": shown, "ticktext": [f"{n:,}" for n in shown]}
    figure.update_xaxes(axis(theme, across) | ticks)
    figure.update_yaxes(axis(theme) | {"type": "log", "dtick": 1, "tickformat": digits})
    return figure.update_layout(showlegend=True, legend={"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top"})
