"""The weights of one head, of all heads, and every step of one head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import torch
import torch.nn.functional as F
from torch import Tensor

from attnviz.figures.look import EMPTY, INK, KEY, QUERY, SEQUENTIAL, VALUE, frame, note, plain
from attnviz.figures.matrix import Axis, Panel, Size, axis_titles, dims, draw, keys, queries, site_title, symmetric
from attnviz.locale import t
from attnviz.trace import AttentionSite, Chain, Trace
from attnviz.trace.thumbnails import thumbnails

__all__ = ["chain", "heads", "weights"]

ONE = Size(cell=34, longest=640)
CHAIN = Size(cell=16, longest=260)
GAP = 0.08  # between two small maps, as a part of one
WIDEST, LARGEST, SMALLEST = 960, 84, 26  # pixels: of all small maps, and of one
LETTER, TOP, SIDE = 7, 104, 16  # pixels: of a letter, of the margins


def weights(
    trace: Trace,
    layer: int,
    head: int,
    stack: str | None = None,
    kind: str | None = None,
    part: int | None = None,
    *,
    lang: str = "en",
) -> go.Figure:
    """Draw the weights of one head: what every query reads, queries downwards, keys to the right.

    A query that may read nothing is a gap, not a row of zeros.

    Args:
        layer: index of the block; with stack, kind and part as in `Trace.find`.
        stack: "encoder", "decoder", "text" or "vision".
        kind: "self" or "cross".
        part: window of an image.

    Raises:
        KeyError: there is no such site; the message lists what there is.
        IndexError: there is no such head.

    Example:
        >>> import attnviz
        >>> trace = attnviz.trace(attnviz.load_model("zoo/reverse"), "g f e d c")
        >>> weights(trace, layer=1, head=0).data[0].z.shape
        (6, 6)
    """
    site = trace.find(layer, stack, kind, part)
    panel = _weights(trace, site, site.chain(head), lang)
    return draw([panel], 1, ONE, site_title(site, head, lang), plain(trace.model.facts.name), bar=True)


def chain(
    trace: Trace,
    layer: int,
    head: int,
    stack: str | None = None,
    kind: str | None = None,
    part: int | None = None,
    *,
    lang: str = "en",
) -> go.Figure:
    """Draw every step of one head: q, k, v, scores, (bias,) masked, weights, context, output.

    Signed matrices have colours around 0, the same for q, k and v; masked pairs are gaps. A site whose output
    projection cannot be told ends with its context. All numbers are in the figure: a text of 2,048 tokens makes 90 MB.

    Arguments and errors as in `weights`.

    Example:
        >>> import attnviz
        >>> trace = attnviz.trace(attnviz.load_model("zoo/reverse"), "g f e d c")
        >>> [matrix.name for matrix in chain(trace, layer=0, head=0).data][:4]
        ['Q', 'K', 'V', 'Scores']
    """
    site = trace.find(layer, stack, kind, part)
    panels = _chain(trace, site, head, lang)
    return draw(panels, -(-len(panels) // 2), CHAIN, site_title(site, head, lang), plain(trace.model.facts.name))


def _chain(trace: Trace, site: AttentionSite, head: int, lang: str) -> list[Panel]:
    group = site.group(head)
    computed = site.chain(head)
    rows, columns = queries(trace, site, lang), keys(trace, site, lang)
    inside = dims(site.d_head, "d_head", lang)
    value = dims(site.d_value, "d_head" if site.d_value == site.d_head else "d_value", lang)
    q, k, v = site.q[head].float(), site.k[group].float(), site.v[group].float()
    shared = symmetric(q, k, v)

    def panel(stage: str, matrix: Tensor, down: Axis, right: Axis, colour: str = INK) -> Panel:
        title = t(lang, f"view.frame.stage.{stage}")
        limits = shared if stage in ("q", "k", "v") else symmetric(matrix)
        gap = "view.panel.formula.empty_row" if stage in ("context", "output") else "figure.masked"
        return Panel(title, matrix, down, right, limits, t(lang, gap), colour)

    panels = [
        panel("q", q, rows, inside, QUERY),
        panel("k", k, columns, inside, KEY),
        panel("v", v, columns, value, VALUE),
        panel("scores", computed.scores, rows, columns),
        panel("masked", computed.masked, rows, columns),
        _weights(trace, site, computed, lang),
        panel("context", _read(computed.context, computed), rows, value),
    ]
    if (bias := site.bias_of(head)) is not None:
        panels.insert(4, panel("bias", bias, rows, columns))
    if computed.output is not None:
        output = _read(computed.output, computed)
        panels.append(panel("output", output, rows, dims(output.shape[1], "d_model", lang)))
    return panels


def _weights(trace: Trace, site: AttentionSite, computed: Chain, lang: str) -> Panel:
    return Panel(
        t(lang, "view.frame.stage.weights"),
        _read(computed.weights, computed),
        queries(trace, site, lang),
        keys(trace, site, lang),
        (0.0, 1.0),
        t(lang, "view.panel.formula.empty_row"),
    )


def _read(matrix: Tensor, computed: Chain) -> Tensor:
    """Return a matrix (Tq, n) of what queries take away, with a gap in the rows of those that may read nothing."""
    empty = (computed.masked == float("-inf")).all(dim=1, keepdim=True)  # (Tq, 1)
    return matrix.masked_fill(empty, float("nan"))


def heads(trace: Trace, stack: str | None = None, kind: str | None = None, *, lang: str = "en") -> go.Figure:
    """Draw the weights of all heads as small maps, a row for each layer; the last of a row is the average.

    A map has at most 32 cells a side, each the largest weight under it. Queries run downwards, keys to the right.

    Args:
        stack: only this one: "encoder", "decoder", "text" or "vision".
        kind: only this one: "self" or "cross".

    Raises:
        KeyError: there is no such site; the message lists what there is.

    Example:
        >>> import attnviz
        >>> trace = attnviz.trace(attnviz.load_model("zoo/dates"), "3rd of March 2021", "2021")
        >>> heads(trace, stack="decoder").layout.yaxis.ticktext
        ('decoder.0.self', 'decoder.0.cross')
    """
    sites = trace.find_all(stack=stack, kind=kind)
    maps = [one for row, site in enumerate(sites) for one in _small_maps(site, row, lang)]
    alike = len({(site.stack, site.kind) for site in sites}) == 1 and len({site.layer for site in sites}) == len(sites)
    title, corner, rows = t(lang, "view.frame.grid.title"), "", [site.name for site in sites]
    if alike:
        title = f"{title} · {t(lang, f'view.frame.stack.{sites[0].stack}.{sites[0].kind}')}"
        corner, rows = t(lang, "view.frame.grid.corner"), [str(site.layer) for site in sites]
    directions = axis_titles(queries(trace, sites[0], lang), keys(trace, sites[0], lang))
    columns = [*map(str, range(max(site.n_heads for site in sites))), t(lang, "view.frame.grid.average.short")]
    tile = max(SMALLEST, min(LARGEST, WIDEST // len(columns)))
    left = 24 + LETTER * max(len(corner), *map(len, rows))
    size = (left + tile * len(columns) + SIDE, TOP + tile * len(sites) + SIDE)
    subtitle = f"{plain(trace.model.facts.name)} · {directions}"
    return frame(maps, title, subtitle, *size, (left, SIDE, TOP, SIDE)).update_layout(
        plot_bgcolor=EMPTY,
        xaxis={**_axis(columns), "side": "top"},
        yaxis={**_axis(rows), "range": [len(rows) - GAP / 2, -GAP / 2]},
        annotations=[
            note(corner, "right", xshift=-4, yshift=4),
            note(f"{t(lang, 'figure.heads')} →", "left", yshift=22),
        ],
    )


def _small_maps(site: AttentionSite, row: int, lang: str) -> list[go.Heatmap]:
    """Draw all maps of one site: the heads side by side in one picture, and their average."""
    maps = torch.from_numpy(thumbnails(site).weights)  # (H + 1, Sq, Sk)
    read = site.mask.allowed(site.q.shape[1], site.k.shape[1]).any(1).cpu()  # (Tq,)
    empty = F.adaptive_max_pool1d(read[None].float(), maps.shape[1])[0] == 0  # (Sq,)
    maps = maps.masked_fill(empty[:, None], float("nan"))
    one = t(lang, "view.frame.grid.head", head="%{customdata}")
    average = t(lang, "view.frame.grid.average")
    return [
        _side_by_side(maps[:-1], 0, row, site.name, one, lang),
        _side_by_side(maps[-1:], site.n_heads, row, site.name, average, lang),
    ]


def _side_by_side(maps: Tensor, column: int, row: int, name: str, what: str, lang: str) -> go.Heatmap:
    """Maps (H, Sq, Sk) as one picture that begins at a column of the grid, a gap after each."""
    n_maps, n_rows, n_columns = maps.shape
    gap = max(1, round(n_columns * GAP))
    picture = F.pad(maps, (0, gap), value=float("nan")).transpose(0, 1).flatten(1)  # (Sq, H (Sk + gap))
    head = np.repeat(np.arange(n_maps, dtype=np.int16), n_columns + gap)
    return go.Heatmap(
        z=picture.numpy(),
        customdata=np.broadcast_to(head, picture.shape).copy(),
        x0=column + 0.5 / (n_columns + gap),
        dx=1 / (n_columns + gap),
        y0=row + (1 - GAP) * 0.5 / n_rows,
        dy=(1 - GAP) / n_rows,
        zmin=0,
        zmax=1,
        colorscale=SEQUENTIAL,
        showscale=False,
        hoverongaps=False,
        name=name,
        hovertemplate=f"{name}<br>{what}<br>{t(lang, 'figure.largest')} <b>%{{z:.2f}}</b><extra></extra>",
    )


def _axis(names: Sequence[str]) -> dict[str, Any]:
    return {
        "tickvals": [number + (1 - GAP) / 2 for number in range(len(names))],
        "ticktext": list(names),
        "tickangle": 0,
        "ticks": "",
        "ticklabelstandoff": 4,
        "showgrid": False,
        "zeroline": False,
        "range": [-GAP / 2, len(names) - GAP / 2],
    }
