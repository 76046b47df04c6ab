"""A confusion matrix: how often a label was answered by another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from attnviz.figures.look import shortened
from attnviz.figures.theme import LIGHT, Theme, on_page
from attnviz.locale import t

__all__ = ["MOST_NAMED", "confusion"]

MOST_NAMED = 20  # labels whose numbers have room in the cells
CELL, LEAST, MOST = 34, 220, 640  # pixels
LETTERS = 16


def confusion(
    names: Sequence[str], counts: Sequence[Sequence[int]], theme: Theme = LIGHT, lang: str = "en"
) -> go.Figure:
    """Draw a confusion matrix, its rows coloured by their shares.

    Args:
        names: labels, of rows and columns alike.
        counts: how often the label of a row was answered by that of a column, (n, n).

    Example:
        >>> figure = confusion(("bad", "good"), ((3, 1), (0, 4)))
        >>> figure.data[0].z.tolist()
        [[0.75, 0.25], [0.0, 1.0]]
    """
    table = np.array(counts)
    shares = table / np.maximum(1, table.sum(1, keepdims=True))
    places, short = list(range(len(names))), [shortened(name, LETTERS) for name in names]
    cells = go.Heatmap(
        z=shares,
        customdata=np.stack((table, *np.broadcast_arrays(np.array(names)[:, None], np.array(names)[None])), -1),
        text=table if len(names) <= MOST_NAMED else None,
        texttemplate="%{text:,}" if len(names) <= MOST_NAMED else None,
        hovertemplate=t(
            lang,
            "evaluation.confusion.cell",
            true="%{customdata[1]}",
            said="%{customdata[2]}",
            n="%{customdata[0]}",
            share="%{z:.1%}",
        )
        + "<extra></extra>",
        colorscale=theme.sequential,
        zmin=0,
        zmax=1,
        xgap=1,
        ygap=1,
        showscale=False,
    )
    height = min(MOST, max(LEAST, 110 + CELL * len(names)))
    figure = on_page(go.Figure(cells), theme, t(lang, "evaluation.confusion"), height)
    sides = {"tickvals": places, "ticktext": short, "showgrid": False, "zeroline": False, "automargin": True}
    figure.update_xaxes({**sides, "title": {"text": t(lang, "evaluation.said"), "standoff": 4}})
    figure.update_yaxes(
        {**sides, "title": {"text": t(lang, "evaluation.true"), "standoff": 8}, "autorange": "reversed"}
    )
    return figure
