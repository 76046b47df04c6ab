"""The page about positional encodings."""

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
from attnviz.ui import positions
from tests.ui.pages import address, open_page


def show(**link: object) -> AppTest:
    return open_page("positions", **{name: str(value) for name, value in link.items()})


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


def follow(**link: str) -> tuple[str, dict[str, str]]:
    """Return the messages, and the address that the page then has."""
    page = show(**link)
    given = address(page)
    assert given.pop("lang") == "en"
    return "\n".join(warning.value for warning in page.warning), given


def test_a_link_restores_the_controls() -> None:
    given = {"pe": "alibi", "pe_d": "10", "pe_t": "33", "pe_heads": "4", "pe_head": "3"}
    assert follow(**given) == ("", given)
    assert follow(pe="learned", pe_table="sort") == ("", {"pe": "learned", "pe_table": "sort"})
    assert follow() == ("", {})


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
    assert follow(**{name: value}) == (locale.t("en", "page.wrong_link", names=f"`{name}`"), {})


def test_parameters_are_those_that_links_have() -> None:
    assert {"pe", "pe_d", "pe_t", "pe_table", "pe_heads", "pe_head"} == positions.SETTINGS.names


def test_both_themes_begin_at_their_page() -> None:
    for theme in (LIGHT, DARK):
        channels = tuple(int(theme.page[at : at + 2], 16) for at in (1, 3, 5))
        assert theme.sequential[0][1] == f"rgb{channels}"
        middle = [colour for at, colour in theme.diverging if at == 0.5]
        assert middle == [f"rgb{channels}"]
