"""Figures of the applications that read numbers: what is drawn is what was given, and the marks stand in its places."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
import pytest
import torch

from attnviz.figures.deletion import deletion
from attnviz.figures.digits import heads, picture, probabilities
from attnviz.figures.gridworld import grid
from attnviz.figures.look import KEY, QUERY, VALUE
from attnviz.figures.series import Reading, series
from attnviz.figures.sound import spectrogram
from attnviz.figures.theme import DARK, LIGHT, Theme

PIXELS = torch.arange(64).reshape(8, 8) / 63
WEIGHTS = torch.arange(16).reshape(4, 4) / 120


def marked(figure: go.Figure, colour: str) -> list[go.Scatter]:
    return [trace for trace in figure.data if trace.type == "scatter" and trace.marker.color == colour]


def test_attention_lies_over_its_patches() -> None:
    ink, veil = picture(PIXELS, WEIGHTS, 0.2).data
    np.testing.assert_array_equal(ink.z, PIXELS)
    np.testing.assert_array_equal(veil.z, WEIGHTS)
    assert veil.x == veil.y == (0.5, 2.5, 4.5, 6.5)  # the middle of two pixels each
    assert veil.zmax == 0.2
    assert veil.customdata[1][2] == "2,3"


def test_all_heads_have_one_scale_and_the_chosen_one_a_frame() -> None:
    maps = [[WEIGHTS, WEIGHTS.T, WEIGHTS], [WEIGHTS, WEIGHTS]]
    figure = heads(PIXELS, maps, (1, 0), 0.5)
    veils = figure.data[1::2]
    assert len(veils) == 5
    np.testing.assert_array_equal(veils[1].z, WEIGHTS.T)
    assert {veil.zmax for veil in veils} == {0.5}
    framed = [axis.plotly_name for axis in figure.select_xaxes() if axis.showline]
    assert framed == [veils[3].xaxis.replace("x", "xaxis")]


def test_the_right_digit_is_marked() -> None:
    (bars,) = probabilities(("0", "1", "2"), (0.2, 0.5, 0.3), 2).data
    assert [colour == VALUE for colour in bars.marker.color] == [False, False, True]
    assert VALUE not in probabilities(("0", "1", "2"), (0.2, 0.5, 0.3), None).data[0].marker.color


def test_an_order_keeps_its_colour_without_the_others() -> None:
    curve = torch.tensor([1.0, 0.5, 0.0])
    both = deletion({"head": curve, "ink": curve}, curve, curve, curve)
    alone = deletion({"head": None, "ink": curve}, curve, curve, curve)
    assert [trace.name for trace in alone.data[2:]] == ["random orders", "ink"]
    assert alone.data[-1].line == both.data[-1].line


def test_forecasts_begin_where_what_is_known_ends() -> None:
    values, said = torch.arange(6.0), torch.arange(5.0) + 10
    figure = series(values, said, {"one": torch.tensor([7.0, 8.0, 9.0])}, 4)
    known, next_one, one = figure.data
    assert list(known.x) == [0, 1, 2, 3, 4, 5]
    assert list(next_one.x) == [1, 2, 3, 4, 5]  # a point says the next one
    assert (list(one.x), list(one.y)) == ([3, 4, 5, 6], [3.0, 7.0, 8.0, 9.0])


def test_periods_are_marked_before_the_point_that_is_said() -> None:
    reading = Reading(4, torch.tensor([0.1, 0.2, 0.3, 0.2, 0.2]), [1, 3])
    figure = series(torch.arange(6.0), torch.arange(5.0), {}, 4, reading)
    (bars,) = [trace for trace in figure.data if trace.type == "bar"]
    assert list(bars.customdata) == [5, 4, 3, 2, 1]
    (marks,) = marked(figure, KEY)
    assert marks.x == (1, 3)
    (told,) = [shape for shape in figure.layout.shapes if shape.line.color == QUERY]
    assert told.x0 == told.x1 == 5
    assert figure.layout.xaxis.matches == "x2"  # one axis of time


def test_the_sound_that_decides_is_framed() -> None:
    frames, seconds = torch.rand(6, 4), torch.arange(6) * 0.5
    parts = [("a", 0, 2), ("beep", 2, 4), ("u", 4, 6)]
    figure = spectrogram(frames, seconds, torch.arange(4) * 100.0, parts, "beep", torch.full((6,), 1 / 6))
    heat, bars = figure.data
    np.testing.assert_array_equal(heat.z, frames.T)  # time to the right
    np.testing.assert_array_equal(heat.x, bars.x)
    framed = {(shape.x0, shape.x1) for shape in figure.layout.shapes if shape.line.color == KEY}
    assert framed == {(1.75, 2.75)}
    assert [note.x for note in figure.layout.annotations] == [0.25, 1.25, 2.25]


@pytest.mark.parametrize("n", [1, 2])
def test_a_sound_may_be_short(n: int) -> None:
    figure = spectrogram(torch.rand(n, 8), torch.arange(n) * 0.016, torch.arange(8) * 100.0, weights=torch.ones(n) / n)
    assert len(figure.data) == 2


def test_the_world_has_its_walls_goals_and_way() -> None:
    masses = torch.zeros(3, 3)
    masses[1, 1] = 0.75
    figure = grid(["#R#", "B.#", "#.#"], {"model": [(2, 1), (1, 1), (0, 1)]}, masses, (1, 1))
    floor, walls, way, goals, here = figure.data
    assert floor.z[1][1] == 0.75
    assert [[cell is not None for cell in row] for row in walls.z] == [
        [True, False, True],
        [False, False, True],
        [True, False, True],
    ]
    assert (way.x, way.y) == ((1, 1, 1), (2, 1, 0))
    assert (here.x, here.y) == ((1,), (1,))
    assert dict(zip(goals.text, zip(goals.y, goals.x, strict=True), strict=True)) == {"R": (0, 1), "B": (1, 0)}


DRAW: dict[str, Callable[[Theme, str], go.Figure]] = {
    "块": lambda theme, lang: picture(PIXELS, WEIGHTS, 0.2, theme, lang),
    "层": lambda theme, lang: heads(PIXELS, [[WEIGHTS]], (0, 0), 0.2, theme, lang),
    "擦除": lambda theme, lang: deletion({}, torch.ones(2), torch.ones(2), torch.ones(2), theme, lang),
    "时间": lambda theme, lang: series(torch.ones(3), torch.ones(3), {}, 2, None, "", theme, lang),
    "频率": lambda theme, lang: spectrogram(torch.ones(2, 2), torch.arange(2.0), torch.ones(2), theme=theme, lang=lang),
    "行": lambda theme, lang: grid(["."], {}, torch.ones(1, 1), None, theme, lang),
}


@pytest.mark.parametrize("word", DRAW)
def test_figures_speak_chinese_and_follow_the_theme(word: str) -> None:
    text = json.dumps(DRAW[word](DARK, "zh").to_plotly_json(), ensure_ascii=False, default=str)
    assert word in text
    assert LIGHT.ink not in text
