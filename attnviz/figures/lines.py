"""Token lines: who reads whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import torch
import torch.nn.functional as F
from torch import Tensor

from attnviz.figures.look import KEY, MONOSPACED, MUTED, QUERY, SEQUENTIAL, coloured, frame, note, plain
from attnviz.figures.matrix import LETTER, Axis, keys, queries, site_title
from attnviz.locale import t
from attnviz.trace import Trace

__all__ = ["fewest", "lines"]

ROW, SHORTEST, TALLEST = 22, 13, 2600  # pixels: of a token, of a token's label, of all
WIDTH, TOP, NARROWEST = 300, 96, 64  # pixels between the tokens, above them, and least beside them
SHADES = 32  # lines of about the same weight share a trace
LISTED = 8  # tokens that hovering lists


def lines(
    trace: Trace,
    layer: int,
    head: int,
    keep: float = 0.7,
    stack: str | None = None,
    kind: str | None = None,
    part: int | None = None,
    *,
    lang: str = "en",
) -> go.Figure:
    """Draw queries on the left, keys on the right, and a line for each weight, as opaque as it is large.

    Of each row the fewest weights that hold `keep` of it are drawn, see `fewest`; the subtitle says how many.

    Args:
        keep: part of each row's weights, 0 to 1; the other arguments as in `weights`.

    Raises:
        KeyError, IndexError: as `weights`.
        ValueError: keep is not between 0 and 1.

    Example:
        >>> import attnviz
        >>> trace = attnviz.trace(attnviz.load_model("zoo/reverse"), "g f e d c")
        >>> len(lines(trace, layer=1, head=0).data[-1].y)  # the keys
        6
    """
    site = trace.find(layer, stack, kind, part)
    weights = site.weights(head).cpu()
    kept = fewest(weights, keep)
    left, right = queries(trace, site, lang), keys(trace, site, lang)
    longest = max(map(len, (left.labels, right.labels)))
    row = min(float(ROW), TALLEST / longest)
    sides = [max(NARROWEST, (axis.longest + 2) * LETTER) + 16 for axis in (left, right)]
    drawn = t(
        lang, "figure.lines.kept", drawn=int(kept.sum()), total=int((weights > 0).sum()), percent=f"{100 * keep:g}"
    )
    wide = max(WIDTH, LETTER * len(drawn) + 40 - sum(sides))
    size = (sum(sides) + wide, TOP + round(longest * row) + 16)
    subtitle = f"{plain(trace.model.facts.name)}<br>{drawn}"
    traces = [*_bundles(weights, kept), _side(0, left, right, weights, kept, lang, "figure.lines.reads")]
    traces.append(_side(1, right, left, weights.T, kept.T, lang, "figure.lines.read_by"))
    figure = frame(traces, site_title(site, head, lang), subtitle, *size, (sides[0], sides[1], TOP, 16))
    heading = {"size": 12, "color": MUTED}
    every = -(-SHORTEST // max(1, int(row)))  # with many tokens only some are named
    return figure.update_layout(
        xaxis={"visible": False, "range": [0, 1]},
        yaxis=_tokens(left, longest, every),
        yaxis2=_tokens(right, longest, every) | {"overlaying": "y", "side": "right", "anchor": "x"},
        annotations=[
            note(coloured(f"{left.title} ↓", QUERY), "right", font=heading),
            note(coloured(f"{right.title} ↓", KEY), "left", x=1, font=heading),
        ],
    )


def fewest(weights: Tensor, keep: float) -> Tensor:
    """Select the fewest weights of each row that hold a part of it: the largest, and the earlier of equals.

    A weight of 0 is never needed; with keep = 1 every other one is.

    Args:
        weights: (Tq, Tk), none below 0.
        keep: part of each row's sum, 0 to 1.

    Returns:
        (Tq, Tk) bool.

    Raises:
        ValueError: keep is not between 0 and 1.

    Example:
        >>> fewest(torch.tensor([[0.5, 0.1, 0.4, 0.0]]), 0.7).int().tolist()
        [[1, 0, 1, 0]]
    """
    if not 0 <= keep <= 1:
        raise ValueError(f"keep is {keep}; it is a part of each row's weights, from 0 to 1")
    if keep == 1:
        return weights > 0
    ordered, order = weights.double().sort(dim=1, descending=True, stable=True)
    before = F.pad(ordered.cumsum(1)[:, :-1], (1, 0))  # what those before a weight hold
    needed = (before < keep * ordered.sum(1, keepdim=True)) & (ordered > 0)
    return torch.zeros_like(needed).scatter(1, order, needed)


def _bundles(weights: Tensor, kept: Tensor) -> list[go.Scatter]:
    """Draw lines of about the same weight as one trace, faint ones below."""
    pairs = kept.nonzero().numpy()  # (lines, 2): query, key
    shades = (weights[kept] * SHADES).ceil().clamp(1, SHADES).int().numpy()
    bundles = []
    for shade in np.unique(shades):
        chosen = pairs[shades == shade]
        ends = np.full((len(chosen), 3), np.nan)  # query, key, and a gap to the next line
        ends[:, :2] = chosen
        bundles.append(
            go.Scatter(
                x=np.tile(np.array([0, 1, np.nan]), len(chosen)),
                y=ends.ravel(),
                mode="lines",
                line={"color": SEQUENTIAL[-1][1], "width": 1.6},
                opacity=float(shade) / SHADES,
                hoverinfo="skip",
                name=f"{(shade - 1) / SHADES:.3g} … {shade / SHADES:.3g}",
            )
        )
    return bundles


def _side(x: int, own: Axis, other: Axis, weights: Tensor, kept: Tensor, lang: str, verb: str) -> go.Scatter:
    """Draw a dot for each token, which tells what it reads or what reads it."""
    return go.Scatter(
        x=np.full(len(own.labels), x),
        y=np.arange(len(own.labels)),
        yaxis="y2" if x else "y",
        mode="markers",
        marker={"size": 6, "color": own.colour},
        cliponaxis=False,
        hovertext=[
            f"{own.one} {label}<br>{t(lang, verb)}<br>{_list(other.labels, weights[i], kept[i], lang)}"
            for i, label in enumerate(own.labels)
        ],
        hoverinfo="text",
        name=own.title,
    )


def _list(labels: Sequence[str], weights: Tensor, kept: Tensor, lang: str) -> str:
    """Draw the largest of the kept weights with their tokens."""
    candidates = kept.nonzero()[:, 0]
    found: list[int] = candidates[weights[candidates].argsort(descending=True, stable=True)].tolist()
    listed = [f"{labels[j]} <b>{weights[j].numpy()!s}</b>" for j in found[:LISTED]]
    if len(found) > LISTED:
        listed.append(t(lang, "figure.lines.more", n=len(found) - LISTED))
    return "<br>".join(listed) or t(lang, "figure.lines.none")


def _tokens(axis: Axis, longest: int, every: int) -> dict[str, Any]:
    return {
        "range": [longest - 0.5, -0.5],
        "tickvals": list(range(0, len(axis.labels), every)),
        "ticktext": list(axis.labels[::every]),
        "tickfont": {"family": MONOSPACED, "size": 11},
        "ticks": "outside",
        "ticklen": 6,
        "tickcolor": "rgba(0,0,0,0)",
        "showgrid": False,
        "zeroline": False,
    }
