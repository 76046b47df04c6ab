"""The page about costs."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import plotly.io
import pytest
from streamlit.testing.v1 import AppTest

from attnviz import locale
from attnviz.analysis import cost as maths
from attnviz.analysis.cost import Measurement, Measurements
from attnviz.figures import cost as figures
from attnviz.figures.theme import DARK
from attnviz.models.cost import LAYERS, flops, memory
from tests.ui.pages import address, open_page


def show(**link: object) -> AppTest:
    return open_page("cost", **{name: str(value) for name, value in link.items()})


def charts(app: AppTest) -> list[Any]:
    return [plotly.io.from_json(json.dumps(json.loads(e.proto.spec))) for e in app.get("plotly_chart")]


@pytest.mark.parametrize("lang", locale.LANGUAGES)
def test_curves_and_table_are_computed(lang: str) -> None:
    app = show(cost_d=32, cost_heads=2, cost_t=64, lang=lang)
    operations, held = charts(app)
    for number, layer in enumerate(LAYERS):
        np.testing.assert_array_equal(operations.data[number].y, [flops(layer, n, 32) for n in figures.LENGTHS])
        np.testing.assert_array_equal(held.data[number].y, [memory(layer, n, 32, 2) for n in figures.LENGTHS])
        assert operations.data[number].name == locale.t(lang, f"cost.layer.{layer}")
    assert list(operations.data[-1].x) == [32, 64]  # where it meets GRU and LSTM
    said = "\n".join(element.value for element in (*app.markdown, *app.caption))
    assert not re.search(r"\{\w+\}", said)
    (table,) = [element.value for element in app.markdown if element.value.startswith("| ")]
    assert len(table.splitlines()) == 2 + len(LAYERS)
    assert "1.05\u00a0M" in table  # 8 T d^2 + 4 T^2 d


def made_up(d: int, n_heads: int, *_: object) -> Measurements:
    points = tuple(Measurement(layer, n, n * 1e-5) for layer in LAYERS for n in (16, 32))
    return Measurements(points, 1e9, 3, d, n_heads)


def test_what_was_measured_is_drawn_over_what_was_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attnviz.ui.cost.measure", made_up)
    app = show()
    assert len(charts(app)) == 2
    app.button(key="cost-measure").click().run()
    assert not app.exception
    times = charts(app)[2]
    computed, measured = times.data[: len(LAYERS)], times.data[len(LAYERS) :]
    for layer, curve, points in zip(LAYERS, computed, measured, strict=True):
        np.testing.assert_allclose(curve.y, [flops(layer, n, 64) / 1e9 * 1000 for n in (16, 32)])
        np.testing.assert_allclose(points.y, [0.16, 0.32])
    app.select_slider(key="cost_d").set_value(128).run()
    assert len(charts(app)) == 2  # those were other sizes


def test_one_who_comes_while_another_measures_is_told() -> None:
    app = show()
    with maths._measuring:
        app.button(key="cost-measure").click().run()
    assert [warning.value for warning in app.warning] == [locale.t("en", "error.measuring_busy")]
    assert len(charts(app)) == 2


def test_the_dark_page_has_its_own_colours() -> None:
    figure = figures.measured(made_up(64, 4), DARK, "zh")
    assert figure.data[0].line.color == DARK.lines[0]
    assert figure.layout.font.color == DARK.ink


ALL = {"cost_d": "256", "cost_heads": "1", "cost_t": "16384"}


@pytest.mark.parametrize(
    ("given", "wrong", "link"),
    [
        ({}, "", {}),
        (ALL, "", ALL),
        ({"cost_d": "100", "cost_heads": "8"}, "`cost_d`", {"cost_heads": "8"}),
        ({"cost_t": "many"}, "`cost_t`", {}),
    ],
)
def test_links(given: dict[str, str], wrong: str, link: dict[str, str]) -> None:
    page = show(**given)
    assert address(page) == {**link, "lang": "en"}
    assert [warning.value for warning in page.warning] == [locale.t("en", "page.wrong_link", names=wrong)][
        : bool(wrong)
    ]
