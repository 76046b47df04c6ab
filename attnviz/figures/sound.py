"""A spectrogram, time to the right and frequencies up, and below it how much of each frame is read."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots
from torch import Tensor

from attnviz.figures.look import KEY
from attnviz.figures.theme import LIGHT, Theme, axis, on_page
from attnviz.locale import t

__all__ = ["spectrogram"]

ALONE, BOTH = 280, 420  # pixels
TICKS = 5  # of frequencies

Part = tuple[str, int, int]
"""What is heard, its first frame, and the one behind its last."""


def spectrogram(
    frames: Tensor,
    seconds: Tensor,
    hertz: Tensor,
    parts: Sequence[Part] = (),
    decides: str = "",
    weights: Tensor | None = None,
    theme: Theme = LIGHT,
    lang: str = "en",
) -> go.Figure:
    """Draw the spectrogram that a model reads, with its attention over time.

    Args:
        frames: (T, bands), loudness from 0 to 1.
        seconds: (T,) the middle of each frame.
        hertz: (bands,) the middle of each band, the lowest first.
        parts: what is heard when, where that is known.
        decides: name of the part in front of the one that decides, which is framed.
        weights: (T,) how much of each frame is read; None: no attention.

    Example:
        >>> import torch
        >>> frames, seconds, hertz = torch.rand(4, 3), torch.arange(4) * 0.016, torch.tensor([100.0, 400.0, 900.0])
        >>> figure = spectrogram(frames, seconds, hertz, [("a", 0, 2), ("u", 2, 4)], "a", torch.full((4,), 0.25))
        >>> [trace.type for trace in figure.data], [note.text for note in figure.layout.annotations]
        (['heatmap', 'bar'], ['a', 'u'])
    """
    rows = 1 if weights is None else 2
    heights = [1.0] if rows == 1 else [0.62, 0.38]
    figure = make_subplots(rows, 1, shared_xaxes=True, row_heights=heights, vertical_spacing=0.06)
    figure.add_trace(_heat(frames, seconds, hertz, theme), row=1, col=1)
    on_page(figure, theme, "", ALONE if rows == 1 else BOTH)
    time, frequency, weight = (t(lang, f"applications.sound.{name}") for name in ("time", "frequency", "weight"))
    figure.update_xaxes(axis(theme) | {"showgrid": False, "fixedrange": True})
    figure.update_xaxes({"title": axis(theme, time)["title"]}, row=rows)
    shown = [round(i * (len(hertz) - 1) / (TICKS - 1)) for i in range(TICKS)]
    bands = {"tickvals": shown, "ticktext": [f"{float(hertz[i]):.0f}" for i in shown], "showgrid": False}
    figure.update_yaxes(axis(theme, frequency) | bands | {"fixedrange": True}, row=1)
    if weights is not None:
        figure.add_trace(_bars(weights, seconds, theme), row=2, col=1)
        figure.update_yaxes(axis(theme, weight) | {"rangemode": "tozero", "fixedrange": True}, row=2)
    _name_parts(figure, seconds, parts, decides, theme)
    return figure.update_layout(margin={"l": 58, "r": 8, "t": 26, "b": 42}, bargap=0.1, showlegend=False)


def _heat(frames: Tensor, seconds: Tensor, hertz: Tensor, theme: Theme) -> go.Heatmap:
    names = [[f"{value:.0f} Hz"] * len(seconds) for value in hertz.tolist()]
    return go.Heatmap(
        x=seconds.numpy(),
        z=frames.T.numpy(),
        zmin=0,
        zmax=1,
        colorscale=[(0.0, theme.page), (1.0, theme.ink)],
        showscale=False,
        customdata=names,
        hovertemplate="%{x:.3f} s · %{customdata}<br><b>%{z:.3~g}</b><extra></extra>",
    )


def _bars(weights: Tensor, seconds: Tensor, theme: Theme) -> go.Bar:
    return go.Bar(
        x=seconds.numpy(),
        y=weights.numpy(),
        marker={"color": theme.lines[0], "line": {"width": 0}},
        hovertemplate="%{x:.3f} s<br><b>%{y:.9~g}</b><extra></extra>",
    )


def _name_parts(figure: go.Figure, seconds: Tensor, parts: Sequence[Part], decides: str, theme: Theme) -> None:
    """The name of each part above it, lines between them, and a frame around the one that decides, in all rows."""
    if len(seconds) < 2:
        return
    step = float(seconds[1] - seconds[0])
    framed = False
    for name, start, end in parts:
        left, right = (float(seconds[0]) + step * (place - 0.5) for place in (start, end))
        figure.add_annotation(
            x=(left + right) / 2, y=1, yref="paper", text=name, yanchor="bottom", showarrow=False, font={"size": 14}
        )
        if start:
            figure.add_vline(left, line={"color": theme.muted, "width": 1, "dash": "dot"})
        if framed:
            figure.add_vrect(left, right, line={"color": KEY, "width": 2}, fillcolor="rgba(0, 0, 0, 0)")
        framed = name == decides
