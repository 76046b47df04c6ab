"""Training runs: their loss, and how close their heads come to what the task expects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from attnviz.analysis import HeadScore, mean_scores
from attnviz.figures.look import LINES, MUTED, frame, plain
from attnviz.figures.theme import LIGHT, axis, curve
from attnviz.locale import t
from attnviz.tasks.pattern import pattern_key
from attnviz.training import Run

__all__ = ["loss", "patterns"]

WIDTH, HEIGHT, PANEL, TOP = 760, 420, 220, 66  # pixels
DASHES = ("solid", "dot", "dash", "dashdot", "longdash", "longdashdot")  # of heads


def loss(*runs: Run, log: bool = False, lang: str = "en") -> go.Figure:
    """Draw the loss of runs over their steps: on the training batches (thin) and on held-out data.

    Args:
        log: whether the loss has a logarithmic axis.

    Raises:
        ValueError: no run is given.
        RunCorrupt: its metrics cannot be read.

    Example:
        >>> from attnviz.loading import find_run
        >>> figure = loss(find_run("grokking"))
        >>> [trace.name for trace in figure.data]
        ['grokking · training', 'grokking · held out']
    """
    if not runs:
        raise ValueError("no run is given")
    traces = [line for number, run in enumerate(runs) for line in _losses(run, LINES[number % len(LINES)], lang)]
    of_values = all(run.config.model.predicts == "values" for run in runs)
    unit = "watch.loss.squared" if of_values else "figure.loss"
    figure = frame(traces, t(lang, "watch.loss"), "", WIDTH, HEIGHT, (64, 24, TOP, 52))
    return figure.update_layout(
        showlegend=True,
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom"},
        xaxis=_axis(t(lang, "watch.step")),
        yaxis=_axis(t(lang, unit)) | ({"type": "log"} if log else {"rangemode": "tozero"}),
        hovermode="x unified",
    )


def _losses(run: Run, colour: str, lang: str) -> list[go.Scatter]:
    metrics = run.metrics()
    held_out = [(line.step, line.validation.loss) for line in metrics if line.validation is not None]
    training = [(line.step, line.loss) for line in metrics]
    return [
        _line(training, f"{plain(run.name)} · {t(lang, 'watch.train')}", {"color": colour, "width": 1}, 0.45),
        _line(held_out, f"{plain(run.name)} · {t(lang, 'watch.held_out')}", {"color": colour, "width": 2.2}),
    ]


def patterns(run: Run, n: int = 16, *, lang: str = "en") -> go.Figure:
    """Draw the share of each head's attention on the keys that the task expects, at the checkpoints of a run.

    A panel for each expected pattern, a line for each head, a colour for each layer; beside them what a head would
    have that reads all keys alike.

    Args:
        n: test sequences, the same ones at every checkpoint.

    Raises:
        ValueError: the task expects no pattern, or there is no checkpoint yet.
        RunCorrupt: a checkpoint cannot be read.

    Example:
        >>> from attnviz.loading import find_run
        >>> len(patterns(find_run("grokking"), n=2).data)  # four heads, and chance
        5
    """
    steps = run.checkpoints()
    scores = [mean_scores(run.model(step), run.config.task, n) for step in steps]
    names = list(dict.fromkeys(score.pattern for found in scores for score in found))
    if not names:
        reason = "its task expects no pattern" if steps else "it has no checkpoint yet"
        raise ValueError(f"{run.name}: {reason}")
    titles = [t(lang, "watch.pattern_title", pattern=plain(t(lang, pattern_key(name)))) for name in names]
    panels = make_subplots(len(names), 1, shared_xaxes=True, subplot_titles=titles, vertical_spacing=0.3 / len(names))
    named: set[str] = set()  # in the legend
    for row, name in enumerate(names, 1):
        for line in _masses(steps, [[one for one in found if one.pattern == name] for found in scores], lang):
            panels.add_trace(line.update(showlegend=line.name not in named), row, 1)
            named.add(line.name)
    height = TOP + 20 + PANEL * len(names) + 52
    figure = frame(
        [], plain(run.name), t(lang, "watch.pattern_mass.help"), WIDTH + 170, height, (64, 234, TOP + 20, 52)
    )
    panels.update_layout(figure.layout).update_layout(showlegend=True, legend={"x": 1.02, "y": 1})
    panels.update_xaxes(_axis("")).update_yaxes(_axis("") | {"range": [-0.03, 1.05], "tickformat": ".0%"})
    panels.update_xaxes(title_text=t(lang, "watch.step"), row=len(names))
    return panels.update_annotations(font_size=12)


def _masses(steps: Sequence[int], scores: Sequence[Sequence[HeadScore]], lang: str) -> list[go.Scatter]:
    """Draw the lines of one pattern: a head each, then chance."""
    lines = []
    sites = list(dict.fromkeys(one.site for one in scores[0]))
    for number, one in enumerate(scores[0]):
        line = {
            "color": LINES[sites.index(one.site) % len(LINES)],
            "dash": DASHES[one.head % len(DASHES)],
            "width": 1.6,
        }
        points = list(zip(steps, (found[number].mass for found in scores), strict=True))
        head = _line(points, f"{one.site} · {t(lang, 'view.frame.grid.head', head=one.head)}", line)
        lines.append(head.update(mode="lines+markers", marker={"size": 4}))
    chance = list(zip(steps, (found[0].chance for found in scores), strict=True))
    lines.append(_line(chance, t(lang, "watch.chance"), {"color": MUTED, "width": 3, "dash": "2px,6px"}))
    return [line.update(legendgroup=line.name) for line in lines]


def _line(points: Sequence[tuple[int, float]], name: str, line: dict[str, Any], opacity: float = 1.0) -> go.Scatter:
    steps, values = (np.array([point[i] for point in points]) for i in (0, 1))
    return curve(steps, values, name, line).update(opacity=opacity)


def _axis(title: str) -> dict[str, Any]:
    return axis(LIGHT, title) | {"gridcolor": "#eceef1", "linecolor": "#c8ccd3", "tickcolor": "#c8ccd3"}
