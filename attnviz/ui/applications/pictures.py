"""Small pictures of the applications, for their cards: what the model has just made of its first example, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html import escape
from typing import cast

import torch
from torch import Tensor

from attnviz.tasks import Digits, Seasonal, Sound
from attnviz.tasks.decisions.gridworld import MAP
from attnviz.ui.applications import comprehension, entities, gridworld, language_model, series
from attnviz.ui.applications.case import Case, first_head
from attnviz.ui.applications.strip import Chip, as_html, shaded
from attnviz.ui.frame.language import say

__all__ = ["alignment", "answered", "digit", "forecast", "named", "next_characters", "read", "spectrum", "walk"]

MOST = 28  # tokens of a strip


def read(case: Case) -> str:
    """Tokens, shaded by what the query reads that tells most."""
    site, head, query = first_head(case)
    weights = site.weights(head)[query].tolist()
    chips = shaded(case.trace.sequences[site.keys].labels, weights, ())
    best = max(range(len(weights)), key=weights.__getitem__)
    begin = max(0, min(best - MOST // 2, len(chips) - MOST))
    return as_html(chips[begin : begin + MOST], say("applications.attention"))


def named(case: Case) -> str:
    """Words, coloured by the kind of their tags."""
    return as_html(entities.chips(case), say("applications.entities.title"))


def answered(case: Case) -> str:
    """The question and the text, with the answer and its sentence marked."""
    return as_html(comprehension.chips(case), say("applications.comprehension.title"))


def alignment(case: Case) -> str:
    """Cross-attention: written tokens down, read tokens to the right."""
    site, head, _ = first_head(case, kind="cross")
    return _cells(site.weights(head), say("applications.attention"))


def next_characters(case: Case) -> str:
    """The end of the text, and the most probable next characters."""
    text = [Chip(token) for token in case.tokens[-MOST:]]
    next_ones = [replace(chip, below="") for chip in language_model.next_chips(case)]
    return as_html([*text, *next_ones], say("applications.language.next"))


def digit(case: Case) -> str:
    """The image, and the attention of a head on its patches."""
    tokens = cast(Digits, case.task).tokenizer
    site, head, query = first_head(case)
    pixels = tokens.picture(tokens.features(case.trace.text))
    weights = site.weights(head)[query, -tokens.grid[0] * tokens.grid[1] :].reshape(tokens.grid)
    return _beside(
        _cells(pixels, say("page.text"), is_ink=True), _cells(weights / weights.max(), say("applications.attention"))
    )


def forecast(case: Case) -> str:
    """The series and its forecast as areas, and below them what the last point reads."""
    values = cast(Seasonal, case.task).tokenizer.features(case.trace.text)[:, 0]
    begin = len(values) - series.HIDDEN
    ahead = series.forecast_of(case.model, values[:begin, None], series.HIDDEN)
    site, head, _ = first_head(case, kind="self")
    low, high = float(values.min()), float(values.max())
    lines = ((values - low) / (high - low), (ahead - low) / (high - low))
    areas = (_area(lines[0], 0, len(values), ""), _area(lines[1], begin, len(values), " is-forecast"))
    label = escape(say("applications.series.model"))
    return (
        f'<div class="av-areas" role="img" aria-label="{label}">{"".join(areas)}</div>'
        f"{_cells(site.weights(head)[-1:], say('applications.attention'))}"
    )


def spectrum(case: Case) -> str:
    """The spectrogram, low sounds at the bottom, and below it the attention on its frames."""
    frames = cast(Sound, case.task).tokenizer.features(case.trace.text)[1:]  # without <bos>
    site, head, query = first_head(case)
    weights = site.weights(head)[query : query + 1, -len(frames) :]
    heard = _cells(frames.T.flip(0), say("applications.sound.title"), is_ink=True)
    return heard + _cells(weights / weights.max(), say("applications.attention"))


def walk(case: Case) -> str:
    """The grid, with the way that the model goes."""
    episode, _ = gridworld.walk(case, *case.tokens[:3])
    order = {place: (step + 1) / len(episode.path) for step, place in enumerate(episode.path)}
    floor = torch.tensor([[order.get((r, c), 0.0) for c in range(len(MAP[0]))] for r in range(len(MAP))])
    return _cells(floor, say("applications.gridworld.walk"), signs=MAP)


def _cells(rows: Tensor, label: str, is_ink: bool = False, signs: Sequence[str] = ()) -> str:
    """Numbers from 0 to 1 as cells, (rows, columns); `signs` are those of a map, one for each cell."""
    flat = rows.clamp(0, 1).flatten().tolist()
    classes = [
        f' class="is-{sign.lower()}"' if sign.isalpha() else ' class="is-wall"' * (sign == "#")
        for sign in "".join(signs)
    ]
    cells = zip(flat, classes or [""] * len(flat), strict=True)
    items = "".join(f'<i{kind} style="--shade: {value * 100:.0f}%"></i>' for value, kind in cells)
    style = f"--columns: {rows.shape[1]}; --rows: {rows.shape[0]}"
    ink = " is-ink" * is_ink
    return f'<div class="av-cells{ink}" role="img" aria-label="{escape(label)}" style="{style}">{items}</div>'


def _area(heights: Tensor, begin: int, length: int, kind: str) -> str:
    """Return the area under a curve that begins at a point, as a part of the whole length."""
    points = [(100 * (begin + n) / (length - 1), 92 - 84 * height) for n, height in enumerate(heights.tolist())]
    corners = [(points[0][0], 100.0), *points, (points[-1][0], 100.0)]
    path = ", ".join(f"{x:.1f}% {y:.1f}%" for x, y in corners)
    return f'<b class="av-area{kind}" style="clip-path: polygon({path})"></b>'


def _beside(*parts: str) -> str:
    return f'<div class="av-beside">{"".join(parts)}</div>'
