"""The most probable outputs of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import plotly.graph_objects as go
from torch import Tensor

from attnviz.figures.look import (
    ACCENT,
    MONOSPACED,
    MUTED,
    coloured,
    frame,
    letters,
    note,
    percent,
    plain,
    shortened,
    token_text,
)
from attnviz.locale import t
from attnviz.trace import Outputs, Trace

__all__ = ["outputs"]

BAR, HEADING, GAP, LETTER = 22, 28, 12, 8  # pixels: down, and of a letter
WIDTH, NUMBER, TOP, BOTTOM = 420, 64, 66, 44  # pixels: of the longest bar and the number beside it, of the margins
LONGEST = 28  # letters of a token or a label that are shown


class Bar(NamedTuple):
    """One output: what stands at the axis, its width in letters, the output, its token id and its probability."""

    label: str
    width: int
    output: str
    token: int
    probability: float


class Group(NamedTuple):
    """Bars that belong together."""

    heading: str
    bars: list[Bar]


class Top(NamedTuple):
    """The most probable outputs: their ids and probabilities, (rows, k) each."""

    ids: Tensor
    probabilities: Tensor


def outputs(trace: Trace, position: int | None = None, k: int = 10, *, lang: str = "en") -> go.Figure:
    """Draw the most probable outputs as bars.

    Args:
        position: where. None: at the places that matter, that is after the last token, at the hidden tokens ([MASK]),
            or of the whole; where every token of the text has an output of its own, the most probable one of each.
        k: bars at each place.

    Raises:
        ValueError: the model ends with its residual stream, its outputs are values, or k is not positive.
        IndexError: there is no such position.

    Example:
        >>> import attnviz
        >>> trace = attnviz.trace(attnviz.load_model("zoo/sort"), "c a b >")
        >>> outputs(trace, k=1).data[0].customdata[0][0]  # what comes first when sorted
        'a'
    """
    if k < 1:
        raise ValueError(f"k is {k}: at least one bar is drawn")
    top = Top(*(tensor.cpu() for tensor in trace.top_outputs(k)))
    assert trace.outputs is not None  # or they could not have been told
    if position is not None and not 0 <= position < len(top.ids):
        raise IndexError(f"no position {position}: there are {len(top.ids)}, counted from 0")
    sequence = trace.sequences[trace.outputs.sequence]
    tokens, rows = sequence.labels, trace.outputs.rows_that_matter(len(top.ids), sequence.specials)
    if position is None and trace.outputs.kind in ("same", "labels"):
        groups = [Group("", _best_of_each(top, rows, trace.outputs, tokens))]
    else:
        rows = rows if position is None else [position]
        groups = [Group(_place(trace.outputs, row, tokens, lang), _best(top, row, trace.outputs)) for row in rows]
    return _draw(groups, t(lang, "figure.outputs"), plain(trace.model.facts.name), lang)


def _best(top: Top, row: int, outputs: Outputs) -> list[Bar]:
    """Draw the most probable outputs at one place."""
    found = zip(top.ids[row].tolist(), top.probabilities[row].tolist(), strict=True)
    return [_bar(outputs, index, value) for index, value in found]


def _best_of_each(top: Top, rows: Sequence[int], outputs: Outputs, tokens: Sequence[str]) -> list[Bar]:
    """Return the most probable output of the token in each of these rows."""
    ids, probabilities = top.ids[:, 0].tolist(), top.probabilities[:, 0].tolist()
    return [_bar(outputs, ids[row], probabilities[row], row, tokens[row]) for row in rows]


def _bar(outputs: Outputs, index: int, probability: float, row: int = 0, token: str | None = None) -> Bar:
    label = shortened(outputs.label(index), LONGEST)
    text, width = token_text(label), letters(label)
    if token is not None:
        token = shortened(token, LONGEST)
        text, width = f"{_token(row, token)} → {text}", width + letters(token) + len(str(row)) + 4
    return Bar(text, width, outputs.label(index), index, probability)


def _place(outputs: Outputs, row: int, tokens: Sequence[str], lang: str) -> str:
    if outputs.kind == "label":
        return t(lang, "figure.outputs.label")
    return t(lang, f"figure.outputs.{outputs.kind}", token=_token(row, tokens[row]))


def _token(row: int, token: str) -> str:
    return f"{coloured(str(row), MUTED)} {token_text(token)}"


def _draw(groups: Sequence[Group], title: str, subtitle: str, lang: str) -> go.Figure:
    """Groups of bars below each other, all to the same scale."""
    y, traces, headings, places, bars = 0, [], [], list[float](), list[Bar]()
    for group in groups:
        if group.heading:
            font = {"size": 12, "family": MONOSPACED}
            headings.append(note(group.heading, "left", y=y + HEADING / 2, yref="y", yanchor="middle", font=font))
            y += HEADING
        here = [y + BAR * (number + 0.5) for number in range(len(group.bars))]
        traces.append(_bars(here, group))
        places, bars = places + here, bars + group.bars
        y += BAR * len(group.bars) + GAP
    left = 32 + LETTER * max(bar.width for bar in bars)
    figure = frame(traces, title, subtitle, left + WIDTH + NUMBER, TOP + y + BOTTOM, (left, NUMBER, TOP, BOTTOM))
    return figure.update_layout(
        xaxis={
            "title": {"text": t(lang, "figure.outputs.probability"), "standoff": 6, "font": {"size": 12}},
            "range": [0, max(bar.probability for bar in bars)],
            "tickformat": "~p",
            "nticks": 6,
            "gridcolor": "#eceef1",
            "zeroline": False,
        },
        yaxis={
            "range": [y, 0],
            "tickvals": places,
            "ticktext": [bar.label for bar in bars],
            "tickfont": {"family": MONOSPACED, "size": 12},
            "ticks": "outside",
            "ticklen": 6,
            "tickcolor": "rgba(0,0,0,0)",
            "showgrid": False,
            "zeroline": False,
        },
        annotations=headings,
    )


def _bars(places: Sequence[float], group: Group) -> go.Bar:
    return go.Bar(
        x=[bar.probability for bar in group.bars],
        y=places,
        orientation="h",
        width=BAR * 0.72,
        marker={"color": ACCENT},
        text=[f" {percent(bar.probability)}" for bar in group.bars],
        textposition="outside",
        cliponaxis=False,
        customdata=[[token_text(bar.output), bar.token] for bar in group.bars],
        hovertemplate="%{customdata[0]}<br>id %{customdata[1]}<br><b>%{x:.9~g}</b><extra></extra>",
        name=group.heading,
    )
