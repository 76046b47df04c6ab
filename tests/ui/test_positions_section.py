"""The part of the calculator page about positional encodings, by itself."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from attnviz import locale
from attnviz.analysis.positions import KINDS, Kind, learned_tables, similarity
from attnviz.figures.theme import DARK, LIGHT
from attnviz.loading import load_model
from attnviz.models import SequenceModel
from attnviz.positions import sinusoidal
from attnviz.ui.calculator import positions


def page() -> None:
    from attnviz.ui.calculator import positions

    positions.section()


def show(**state: Any) -> AppTest:
    app = AppTest.from_function(page, default_timeout=60)
    for name, value in state.items():
        app.session_state[name] = value
    app.run()
    assert not app.exception, app.exception[0].message
    return app


def charts(app: AppTest) -> list[Any]:
    """The figures on the page, as the browser gets them."""
    return [json.loads(element.proto.spec) for element in app.get("plotly_chart")]


def cells(chart: Any) -> np.ndarray:
    """The numbers of a heat map."""
    z = chart["data"][0]["z"]
    shape = [int(n) for n in z["shape"].split(",")]
    return np.frombuffer(base64.b64decode(z["bdata"]), z["dtype"]).reshape(shape)


@pytest.mark.parametrize("lang", locale.LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_shown(kind: Kind, lang: str) -> None:
    app = show(pe=kind, lang=lang)
    assert len(charts(app)) == (0 if kind == "none" else 2)
    said = "\n".join(element.value for element in (*app.markdown, *app.caption))
    assert locale.t(lang, f"positions.about.{kind}") in said
    assert not re.search(r"\{\w+\}", said)
    assert len(app.latex) == 1


def test_the_heat_maps_are_the_encoding_and_its_similarity() -> None:
    left, right = charts(show(pe_d=10, pe_t=7))
    expected = sinusoidal(7, 10)
    np.testing.assert_allclose(cells(left), expected, rtol=1e-6)
    np.testing.assert_allclose(cells(right), similarity(expected), rtol=1e-6)
    assert (right["data"][0]["zmin"], right["data"][0]["zmax"]) == (-1, 1)


def test_the_learned_table_of_a_shipped_model_is_shown() -> None:
    app = show(pe="learned", pe_table="dates.encoder")
    model = load_model("zoo/dates")
    assert isinstance(model, SequenceModel)
    np.testing.assert_array_equal(cells(charts(app)[0]), learned_tables(model)["encoder"])
    assert not app.slider  # a trained table has the size that it has
    assert locale.t("en", "positions.untrained") in app.selectbox(key="pe_table").options


def test_a_head_that_is_not_there_any_more_falls_back_to_the_last_one() -> None:
    app = show(pe="alibi", pe_heads=8, pe_head=6)
    app.select_slider(key="pe_heads").set_value(4).run()
    assert not app.exception
    assert app.session_state["pe_head"] == 3


def test_the_table_says_which_kind_loses_the_order() -> None:
    app = show(pe_d=16, pe_t=9)
    (table,) = [element.value for element in app.markdown if element.value.startswith("| ")]
    rows = table.splitlines()[2:]
    assert len(rows) == len(KINDS)
    lost = [locale.t("en", "positions.lost.same") in row for row in rows]
    assert lost == [kind == "none" for kind in KINDS]


def link_script() -> None:
    import streamlit as st

    from attnviz.ui.calculator import positions

    st.session_state["wrong"] = positions.apply(st.query_params.to_dict())
    st.session_state["link"] = positions.SETTINGS.to_link()


def follow(**link: str) -> tuple[list[str], dict[str, str]]:
    app = AppTest.from_function(link_script)
    for name, value in link.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception[0].message
    return app.session_state["wrong"], app.session_state["link"]


def test_a_link_restores_the_controls() -> None:
    given = {"pe": "alibi", "pe_d": "10", "pe_t": "33", "pe_heads": "4", "pe_head": "3"}
    assert follow(**given) == ([], given)
    assert follow(pe="learned", pe_table="sort") == ([], {"pe": "learned", "pe_table": "sort"})
    assert follow() == ([], {})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pe", "morse"),
        ("pe_d", "7"),
        ("pe_d", "4e1"),
        ("pe_t", "0"),
        ("pe_t", "129"),
        ("pe_table", "recall"),  # has rotary positions
        ("pe_heads", "3"),
        ("pe_head", "8"),
    ],
)
def test_a_value_that_does_not_exist_is_named_and_falls_back(name: str, value: str) -> None:
    assert follow(**{name: value}) == ([name], {})


def test_parameters_are_those_that_links_have() -> None:
    assert {"pe", "pe_d", "pe_t", "pe_table", "pe_heads", "pe_head"} == positions.SETTINGS.names


def test_both_themes_begin_at_their_page() -> None:
    for theme in (LIGHT, DARK):
        channels = tuple(int(theme.page[at : at + 2], 16) for at in (1, 3, 5))
        assert theme.sequential[0][1] == f"rgb{channels}"
        middle = [colour for at, colour in theme.diverging if at == 0.5]
        assert middle == [f"rgb{channels}"]
