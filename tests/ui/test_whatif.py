"""Edits of the Explorer, without a browser: in the address, as chips, from the view, and what is refused."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from streamlit.testing.v1 import AppTest

from attnviz import locale
from attnviz.server import forward
from attnviz.server.experiments import BACKGROUND
from attnviz.server.routes import routes
from attnviz.server.traces import TraceKey
from attnviz.server.what_if import what_if
from attnviz.ui.explorer.state import Chip, ExplorerState
from tests.ui.asgi import awaited, get
from tests.ui.pages import address, click, messages, run, state_of
from tests.ui.test_explorer import header, open_page, shown

APP = Starlette(routes=routes())
OFF = "off:encoder.1.self:0"
TEXT = "g f e d c"
KEY = TraceKey("reverse", TEXT)


def edit(page: AppTest, text: str) -> AppTest:
    """Play the view's event."""
    page.session_state["view"] = {"edit": text}
    run(page)
    del page.session_state["view"]
    return page


def edits_in_address(page: AppTest) -> str:
    return address(page).get("edits", "")


def test_an_edited_picture_stands_beside_the_one_before() -> None:
    page = open_page(model="reverse", text=TEXT, edits=OFF)
    assert shown(page)["beside"]["names"] == "edit"
    assert edits_in_address(page) == OFF
    plain = click(page, "chip-0")
    assert shown(plain)["beside"] is None
    assert edits_in_address(plain) == f"-{OFF}"
    assert shown(click(plain, "chip-0"))["beside"] is not None
    assert edits_in_address(click(page, "chip-remove-0")) == ""


def test_the_view_adds_edits_and_each_is_undone() -> None:
    page = open_page(model="reverse", text=TEXT)
    assert not [button for button in page.button if button.key.startswith("chip")]
    edit(page, OFF)
    edit(page, "cut:encoder.0.self:*:1:2")
    assert edits_in_address(page) == f"{OFF};cut:encoder.0.self:*:1:2"
    assert "`f` #1" in page.button(key="chip-1").label
    edit(page, "off:encoder.1.self:00")  # it is there already
    assert len(state_of(page, ExplorerState).chips) == 2
    edit(page, "undo")
    edit(page, "undo")
    assert edits_in_address(page) == OFF
    assert edits_in_address(click(page, "chips-undo")) == ""


def test_an_edit_of_all_layers_is_one_chip_that_says_what_to_look_at() -> None:
    page = open_page(model="reverse", text=TEXT)
    edit(page, shown(page)["what_if"]["no-scale"]["edits"])
    (chip,) = state_of(page, ExplorerState).chips
    assert chip == Chip("no-scale:encoder.0.self:*;no-scale:encoder.1.self:*")
    assert locale.t("en", "view.whatif.look.no-scale") in messages(page)
    assert locale.t("en", "view.whatif.means.no-scale") in messages(page)


@pytest.mark.parametrize(
    ("text", "asked", "pairs"),
    [("a b c d e", "*", "0-5"), ("g f d c", "*", "0-1,3-5=2"), ("g f d c", "3", "3=2")],
    ids=["one length", "equal blocks", "one position"],
)
def test_a_patch_takes_the_positions_that_belong_together(text: str, asked: str, pairs: str) -> None:
    page = open_page(model="reverse", text=TEXT)
    edit(page, f"patch:encoder.0.self:1:{asked}:{text}")
    assert edits_in_address(page) == f"patch:encoder.0.self:1:{pairs}:{text}"
    assert shown(page)["beside"] is not None


@pytest.mark.parametrize("lang", locale.LANGUAGES)
@pytest.mark.parametrize(
    "wrong", ["x", "off:encoder.1.self", f"{OFF};cut:a:*:*:*", "patch:encoder.0.self:0:5-3:a", ";".join([OFF] * 65)]
)
def test_a_forged_edit_is_said_and_the_plain_picture_shown(lang: str, wrong: str) -> None:
    page = open_page(model="reverse", text=TEXT, edits=wrong, lang=lang)
    assert messages(page)
    assert shown(page)["beside"] is None
    assert edits_in_address(page) == ""


@pytest.mark.parametrize("wrong", ["off:encoder.9.self:0", "off:encoder.1.self:9", "cut:encoder.0.self:*:99:0"])
def test_an_edit_that_does_not_fit_is_said_and_kept_for_a_text_that_it_fits(wrong: str) -> None:
    page = open_page(model="reverse", text=TEXT, edits=wrong)
    assert "without edits" in messages(page)
    assert shown(page)["beside"] is None
    assert edits_in_address(page) == wrong


def test_a_text_to_patch_from_that_cannot_be_read_changes_nothing() -> None:
    page = open_page(model="reverse", text=TEXT)
    edit(page, "patch:encoder.0.self:1:*:日本")
    assert "日" in messages(page)
    assert edits_in_address(page) == ""


def test_the_twin_with_a_layer_less_opens_on_the_same_text() -> None:
    page = open_page(model="induction", text="a b c a b")
    edit(page, "twin")
    assert page.session_state[ExplorerState.model.key] == "induction-one-layer"
    assert page.text_area(key="text").value == "a b c a b"


def test_another_model_begins_without_edits_and_a_frozen_page_offers_none() -> None:
    page = open_page(model="reverse", text=TEXT, edits=OFF)
    page.selectbox(key="model").set_value("sort")
    assert edits_in_address(run(page)) == ""
    frozen = open_page(model="reverse", text=TEXT, edits=OFF, lock="all")
    assert shown(frozen)["what_if"] is None
    assert shown(frozen)["beside"] is not None
    assert frozen.button(key="chip-0").disabled


def test_what_a_model_cannot_give_says_why() -> None:
    """No scale, no mask and no positions; a network without attention."""
    told = what_if(forward.run(TraceKey("sentiment-en", "a good film")).trace, "en")
    assert told is not None
    assert "not scaled" in told["no-scale"]["why"]
    assert "no key is masked" in told["no-mask"]["why"]
    assert "positions" in told["no-positions"]["why"]
    assert not told["patch"]["why"]
    assert what_if(forward.run(TraceKey("sentiment-far-last", "a good film")).trace, "en") is None
    page = open_page(model="sentiment-far-last")
    assert "nothing to edit here" in messages(page)
    assert header(page) is None or shown(page)["what_if"] is None


def asked(path: str, **params: str) -> dict[str, object]:
    """Return the server's answer when it is over."""
    return awaited(APP, BACKGROUND, path, **params)


def test_the_sweep_and_the_score_of_a_trace_by_its_address() -> None:
    held = forward.run(KEY._replace(edits=OFF))
    base = f"/attnviz/trace/{held.id}"
    result = asked(f"{base}/sweep", row="0", output="4")["result"]
    assert isinstance(result, dict)
    assert result["sites"] == ["encoder.0.self", "encoder.1.self"]
    assert [len(row) for row in result["probability"]] == [2, 2]
    assert result["probability"][1][0] == pytest.approx(result["before"]["probability"])  # it is off already
    score = asked(f"{base}/accuracy")["result"]
    assert isinstance(score, dict)
    assert (score["n"], score["before"]) == (512, 1.0)
    assert score["change"][0] <= score["after"] - score["before"] <= score["change"][1] < 0
    assert BACKGROUND.thread is None


def test_a_score_is_named_in_the_language_of_the_page() -> None:
    plain, edited = (forward.run(KEY._replace(edits=edits)).trace for edits in ("", OFF))
    names = [what_if(plain, lang, edited=edited) for lang in locale.LANGUAGES]
    assert [told and told["score"] for told in names] == ["Exact match", "完全匹配率"]
    assert (what_if(plain, "en") or {})["score"] == ""


def test_experiments_that_mean_nothing_are_refused() -> None:
    base = f"/attnviz/trace/{forward.run(KEY).id}"
    assert get(APP, f"{base}/accuracy", params={"who": "me"}).status == 400, "without an edit"
    assert get(APP, f"{base}/sweep", params={"who": "me", "row": "x", "output": "1"}).status == 400
    assert get(APP, f"{base}/sweep", params={"who": "<b>", "row": "0", "output": "1"}).status == 400
    assert "position 99" in str(asked(f"{base}/sweep", row="99", output="1")["failed"])
    assert "位置 99" in str(asked(f"{base}/sweep", row="99", output="1", lang="zh")["failed"])
    cut = forward.run(KEY._replace(edits="cut:encoder.0.self:*:1:2"))
    assert get(APP, f"/attnviz/trace/{cut.id}/accuracy", params={"who": "me"}).status == 400, "of one text"


def test_heads_are_found_of_the_model_of_a_trace_and_kept_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    held = forward.run(TraceKey("induction", "a c d b a c d b"))
    result = asked(f"/attnviz/trace/{held.id}/heads", lang="zh")["result"]
    assert isinstance(result, dict)
    assert [(head["site"], head["label"]) for head in result["heads"]] == [
        ("decoder.0.self", "previous"),
        ("decoder.1.self", "induction"),
    ]
    assert (result["texts"], result["strings"]["heads.way.induction"]) == (48, "归纳")
    monkeypatch.setattr("attnviz.heads.find_heads", None)  # not called again
    other = forward.run(TraceKey("induction", "c d c d c"))
    assert asked(f"/attnviz/trace/{other.id}/heads", lang="zh")["result"] == result


def test_a_token_is_searched_for_over_the_texts_of_the_model() -> None:
    held = forward.run(TraceKey("induction", "a c d b a c d b"))
    address, head = f"/attnviz/trace/{held.id}/reads", {"site": "decoder.1.self", "head": "0"}
    result = asked(address, token=" c ", **head)["result"]
    assert isinstance(result, dict)
    assert (result["token"], result["texts"]) == ("c", 48)
    assert 0 < len(result["places"]) <= result["n"]
    first = result["places"][0]
    assert first["around"][first["at"]] == "c" == first["text"].split()[first["key"]]
    assert first["label"] == first["text"].split()[first["query"]]
    assert first["weight"] == max(place["weight"] for place in result["places"]) > 0.9
    for wrong in ({"token": ""}, {"token": "x" * 101}, {"site": "decoder.9.self"}, {"head": "1"}):
        assert get(APP, address, params={"who": "me", "token": "c", **head, **wrong}).status == 400


def test_a_token_is_searched_for_in_the_trace_alone_where_no_texts_come_with_its_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("attnviz.heads.shipped_texts", lambda model: [])
    held = forward.run(TraceKey("induction", "e c d b e c d b"))
    result = asked(f"/attnviz/trace/{held.id}/reads", token="e", site="decoder.1.self", head="0")["result"]
    assert isinstance(result, dict)
    assert (result["texts"], {place["text"] for place in result["places"]}) == (1, {None})
    assert {place["key"] for place in result["places"]} == {0, 4}
