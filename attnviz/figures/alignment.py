"""Word alignment: cross-attention as a heat map, written tokens down, read tokens to the right."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
from torch import Tensor

from attnviz.figures.look import KEY, coloured, letters, shortened, token_text
from attnviz.figures.theme import LIGHT, Theme, axis, on_page
from attnviz.locale import t

__all__ = ["alignment"]

ROW, FRAME = 26, 130  # pixels of a token, and around them all
LONGEST = 16  # letters of a token at an axis


def alignment(
    weights: Tensor,
    queries: Sequence[str],
    keys: Sequence[str],
    expected: Tensor | None = None,
    theme: Theme = LIGHT,
    lang: str = "en",
) -> go.Figure:
    """Weights of one head, (Tq, Tk), with marks where they should be.

    Args:
        weights: each row sums to 1.
        queries: labels of what asks, from above.
        keys: labels of what is read, from the left.
        expected: (Tq, Tk) bool, cells that a pattern expects; None: no marks.

    Example:
        >>> import torch
        >>> figure = alignment(torch.eye(2), ["a", "b"], ["A", "B"], torch.eye(2) > 0)
        >>> [trace.type for trace in figure.data], figure.data[1].x
        (['heatmap', 'scatter'], (0, 1))
    """
    rows, columns = ([token_text(shortened(label, LONGEST)) for label in labels] for labels in (queries, keys))
    names = [[f"{token_text(query)} ← {token_text(key)}" for key in keys] for query in queries]
    traces: list[go.Heatmap | go.Scatter] = [
        go.Heatmap(
            z=weights.numpy(),
            zmin=0,
            zmax=1,
            colorscale=theme.sequential,
            showscale=False,
            xgap=1,
            ygap=1,
            customdata=names,
            hovertemplate="%{customdata}<br><b>%{z:.9~g}</b><extra></extra>",
        )
    ]
    if expected is not None and bool(expected.any()):
        cells = expected.nonzero()  # (n, 2)
        mark = {"symbol": "circle-open", "size": 13, "color": KEY, "line": {"width": 2}}
        traces.append(
            go.Scatter(x=cells[:, 1].tolist(), y=cells[:, 0].tolist(), mode="markers", marker=mark, hoverinfo="skip")
        )
    figure = on_page(go.Figure(traces), theme, "", FRAME + ROW * len(rows))
    longest = max(map(letters, keys))
    quiet = {"showgrid": False, "zeroline": False, "automargin": True, "ticks": ""}
    down, right = (t(lang, f"applications.alignment.{side}") for side in ("writes", "reads"))
    figure.update_xaxes(
        axis(theme, coloured(f"{right} →", KEY))
        | quiet
        | {
            "range": [-0.5, len(columns) - 0.5],
            "tickvals": list(range(len(columns))),
            "ticktext": columns,
            "tickangle": -60 if longest > 2 else 0,
            "side": "top",
        }
    )
    figure.update_yaxes(
        axis(theme, f"{down} ↓")
        | quiet
        | {"range": [len(rows) - 0.5, -0.5], "tickvals": list(range(len(rows))), "ticktext": rows}
    )
    return figure.update_layout(margin={"l": 8, "r": 8, "t": 8, "b": 8}, showlegend=False)
