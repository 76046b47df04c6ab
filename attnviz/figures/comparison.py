"""Networks beside each other: how they learned, how far back they remember, and what reaches them from the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, log10
from typing import Literal

import plotly.graph_objects as go

from attnviz.analysis.scores import SHARES
from attnviz.figures.theme import LIGHT, Theme, axis, on_page
from attnviz.locale import t
from attnviz.tasks.base import LOSSES, Metric
from attnviz.training.comparison import CONTENDERS, DISTANCES, Contender, Curve

__all__ = ["by_distance", "contender_name", "learning", "metric_name", "reach"]

HEIGHT = 360  # pixels
DASHES: Mapping[Contender, str] = {
    "rnn": "dot",
    "lstm": "dash",
    "gru": "dashdot",
    "lstm-attention": "longdash",
    "transformer": "solid",
    "cnn": "longdashdot",
}
SYMBOLS: Mapping[Contender, str] = {
    "rnn": "circle",
    "lstm": "square",
    "gru": "diamond",
    "lstm-attention": "triangle-up",
    "transformer": "star",
    "cnn": "cross",
}
TICKS = 8  # of a logarithmic axis, at most
FAINT = 0.45  # opacity of what was measured before, where there is something live beside it


def learning(
    curves: Sequence[Curve],
    before: Sequence[Curve],
    over: Literal["step", "seconds"],
    metric: Metric,
    theme: Theme = LIGHT,
    lang: str = "en",
) -> go.Figure:
    """Draw the metric on held-out data over the steps or the seconds of training, a line for each contender.

    Args:
        curves: curves of runs; those without a point are left out.
        before: curves that come with attnviz.
        over: unit of the horizontal axis.
        metric: the task's.

    Example:
        >>> curve = Curve("gru", 50, 0, steps=(25, 50), seconds=(0.5, 1.0), values=(0.1, 0.9))
        >>> [list(line.x) for line in learning([curve], [], "seconds", "accuracy").data]
        [[0.5, 1.0]]
    """
    unit = "%{y:.1%}" if metric in SHARES else "%{y:.6~g}"
    where = t(lang, f"comparison.at.{over}", x="%{x:,}" if over == "step" else "%{x:.1f}")
    curves = [curve for curve in curves if curve.values]
    lines = []
    for curve, is_before in [*((each, True) for each in before), *((each, False) for each in curves)]:
        line = _line(curve.contender, theme, lang, where, unit, is_before, faint=is_before and bool(curves))
        x = curve.steps if over == "step" else curve.seconds
        lines.append(line.update(x=x, y=curve.values, mode="lines+markers"))
    figure = on_page(
        go.Figure(lines), theme, t(lang, f"comparison.{over}.title", metric=metric_name(metric, lang)), HEIGHT
    )
    figure.update_xaxes(axis(theme, t(lang, f"comparison.{over}")) | {"rangemode": "tozero"})
    return _with_legend(figure, theme, metric)


def by_distance(
    curves: Sequence[Curve], before: Sequence[Curve], chance: float, theme: Theme = LIGHT, lang: str = "en"
) -> go.Figure:
    """Accuracy at the end of training over the distance of what is to be recalled, a line for each contender.

    Args:
        curves: of runs; those that were not looked at yet have no point. Of several at one distance the mean counts.
        before: curves that come with attnviz.
        chance: accuracy of guessing.

    Example:
        >>> curves = [Curve("gru", 10, seed, (25,), (1.0,), (value,)) for seed, value in enumerate((0.5, 1.0))]
        >>> [list(line.y) for line in by_distance(curves, [], 1 / 8).data]
        [[0.75], [0.125, 0.125]]
    """
    curves = [curve for curve in curves if curve.values]
    lines = []
    where = t(lang, "comparison.at.distance", x="%{x}")
    for some, is_before in ((before, True), (curves, False)):
        for contender in reversed(CONTENDERS):  # solid lines under broken ones
            means = _means([curve for curve in some if curve.contender == contender])
            if means:
                line = _line(contender, theme, lang, where, "%{y:.1%}", is_before, faint=is_before and bool(curves))
                lines.append(line.update(x=list(means), y=list(means.values()), mode="lines+markers"))
    guess = go.Scatter(
        x=[DISTANCES[0], DISTANCES[-1]],
        y=[chance, chance],
        mode="lines",
        name=t(lang, "comparison.chance"),
        line={"color": theme.muted, "width": 1},
        hovertemplate=f"{t(lang, 'comparison.chance')}: %{{y:.1%}}<extra></extra>",
    )
    figure = on_page(go.Figure([*lines, guess]), theme, t(lang, "comparison.distance.title"), HEIGHT)
    ticks = {"type": "log", "tickvals": DISTANCES, "ticktext": [str(distance) for distance in DISTANCES]}
    figure.update_xaxes(axis(theme, t(lang, "comparison.distance")) | ticks)
    return _with_legend(figure, theme, "accuracy")


def _means(curves: Sequence[Curve]) -> dict[int, float]:
    """Return the mean of the last values at each distance, rising."""
    found: dict[int, list[float]] = {}
    for curve in curves:
        if curve.last is not None:
            found.setdefault(curve.distance, []).append(curve.last)
    return {distance: sum(values) / len(values) for distance, values in sorted(found.items())}


def reach(norms: Mapping[Contender, Sequence[float]], theme: Theme = LIGHT, lang: str = "en") -> go.Figure:
    """Draw the gradient that reaches each token, over the steps from it to the answer, on a logarithmic axis.

    Args:
        norms: norms of `attnviz.training.comparison.gradient_reach`, the answer at the last token.

    Example:
        >>> figure = reach({"rnn": (0.25, 0.5, 1.0)})
        >>> list(figure.data[0].x), list(figure.data[0].y)
        ([2, 1, 0], [0.25, 0.5, 1.0])
    """
    lines = []
    where = t(lang, "comparison.at.back", x="%{x}")
    for contender, values in norms.items():
        back = list(range(len(values) - 1, -1, -1))
        line = _line(contender, theme, lang, where, "%{y:.3~g}")
        lines.append(line.update(x=back, y=list(values), mode="lines"))
    figure = on_page(go.Figure(lines), theme, t(lang, "comparison.reach.title"), HEIGHT)
    figure.update_xaxes(axis(theme, t(lang, "comparison.back")) | {"autorange": "reversed"})
    positive = [value for values in norms.values() for value in values if value > 0]
    decades = log10(max(positive) / min(positive)) if positive else 0.0
    ticks = {"dtick": max(1, ceil(decades / TICKS)), "exponentformat": "power"}
    figure.update_yaxes(axis(theme) | {"type": "log", **ticks})
    return _legend(figure)


def metric_name(metric: Metric, lang: str) -> str:
    """Return the name of a metric."""
    return t(lang, "comparison.nats" if metric in LOSSES else f"watch.metric.{metric.replace(' ', '-')}")


def contender_name(contender: Contender, lang: str) -> str:
    """Return the name of a network."""
    own = contender == "lstm-attention"
    return t(lang, "comparison.lstm-attention" if own else f"training.network.{contender}")


def _line(
    contender: Contender, theme: Theme, lang: str, where: str, value: str, is_before: bool = False, faint: bool = False
) -> go.Scatter:
    """A line without its points; a faint one stands behind another of the same name, which the legend names alone."""
    number = CONTENDERS.index(contender)
    colour, name = theme.lines[number], contender_name(contender, lang)
    told = t(lang, "comparison.before", name=name) if is_before else name
    return go.Scatter(
        name=name,
        legendgroup=contender,
        legendrank=number,
        showlegend=not faint,
        opacity=FAINT if faint else 1.0,
        line={"color": colour, "dash": DASHES[contender], "width": 2.2},
        marker={"symbol": SYMBOLS[contender], "size": 7, "color": colour},
        hovertemplate=f"{told}<br>{where}<br><b>{value}</b><extra></extra>",
    )


def _with_legend(figure: go.Figure, theme: Theme, metric: Metric) -> go.Figure:
    """Shares have an axis from 0 to 1."""
    shares = {"range": [-0.03, 1.06], "tickformat": ".0%"}
    figure.update_yaxes(axis(theme) | (shares if metric in SHARES else {}))
    return _legend(figure)


def _legend(figure: go.Figure) -> go.Figure:
    return figure.update_layout(
        showlegend=True, legend={"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top"}, uirevision="stays"
    )
