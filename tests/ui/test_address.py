"""Links: the language they ask for, parts that a page does not have, other spellings of a page's path."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest
from starlette.responses import PlainTextResponse

from attnviz import locale
from attnviz.server.paths import PagePaths
from attnviz.ui import PAGES
from attnviz.ui.frame.state import Session
from tests.ui.asgi import get
from tests.ui.pages import messages, open_page


@pytest.mark.parametrize("page", PAGES)
def test_a_part_that_a_page_does_not_have_is_said(page: str) -> None:
    opened = open_page(page, modle="sort", utm_source="letter")
    assert locale.t("en", "page.unknown_parts", names="`modle`") in messages(opened)
    opened.run()
    assert "modle" not in messages(opened)  # once


@pytest.mark.parametrize("page", PAGES)
def test_a_link_without_a_query_says_nothing(page: str) -> None:
    assert not open_page(page).warning


@pytest.mark.parametrize(
    ("page", "link"),
    [
        ("explorer", {"tab": "formula", "layer": "1", "head": "0", "keep": "50"}),
        (
            "explorer",
            {"hide": "specials", "words": "1", "pair": "ab", "scale": "contrast", "heads": "0,1", "keep": "0"},
        ),
        ("explorer", {"stack": "encoder", "kind": "self", "q": "0", "k": "1", "lock": "1", "keep": "100"}),
        ("runs", {"run": "grokking", "step": "100", "site": "decoder.0.self", "head": "1", "seq": "0"}),
        ("calculator", {"preset": "decoder", "layer": "0", "head": "1"}),
    ],
)
def test_what_a_view_writes_is_known(page: str, link: dict[str, str]) -> None:
    assert not [said.value for said in open_page(page, **link).warning]


@pytest.mark.parametrize(
    ("page", "name", "value"),
    [
        ("explorer", "layer", "99"),
        ("explorer", "stack", "text"),
        ("explorer", "lock", "yes"),
        ("explorer", "tab", "xyz"),
        ("explorer", "theme", "blue"),
        ("explorer", "hide", ""),
        ("explorer", "words", "2"),
        ("explorer", "pair", "ac"),
        ("explorer", "scale", "dark"),
        ("explorer", "heads", "0,99"),
        ("explorer", "heads", "all"),
        ("explorer", "keep", "101"),
        ("explorer", "keep", ""),
        ("runs", "step", "-1"),
        ("training", "site", "nowhere"),
        ("calculator", "tab", "xyz"),
        ("calculator", "layer", "99"),
        ("applications", "n", "1000"),
        ("calculator", "section", "nothing"),
        ("mistakes", "card", "nothing"),
        ("positions", "pe", "nothing"),
        ("cost", "cost_d", "0"),
        ("calculator", "i", "0"),
        ("calculator", "h", "x"),
        ("comparison", "seed", "-1"),
        ("training", "steps", "many"),
    ],
)
def test_a_value_that_does_not_exist_is_said(page: str, name: str, value: str) -> None:
    assert f"`{name}`" in messages(open_page(page, **{name: value}))


@pytest.mark.parametrize("page", ["runs", "training"])
@pytest.mark.parametrize(
    ("place", "said"),
    [
        ({"step": "1500", "site": "decoder.0.self", "head": "3", "seq": "0"}, ""),
        ({"step": "1501"}, "`step`"),
        ({"head": "4", "seq": "1"}, "`head`, `seq`"),
        ({"site": "decoder.1.self"}, "`site`"),
    ],
)
def test_a_place_outside_of_the_run_is_said(page: str, place: dict[str, str], said: str) -> None:
    said_now = messages(open_page(page, run="grokking", **place))
    assert said in said_now
    assert said or locale.t("en", "page.unknown_place", names="").split("(")[0] not in said_now


@pytest.mark.parametrize(("tag", "lang"), [("zh", "zh"), ("zh-CN", "zh"), ("zh_Hant_TW", "zh"), ("EN-gb", "en")])
def test_a_language_is_found_by_its_tag(tag: str, lang: str) -> None:
    page = open_page("models", lang=tag)
    assert page.session_state[Session.lang.key] == lang
    assert not page.warning


def test_a_language_that_is_not_there_is_said() -> None:
    page = open_page("models", lang="fr")
    assert locale.t("en", "page.unknown_language", name="`fr`") in messages(page)


async def rest(scope: Any, receive: Any, send: Any) -> None:
    await PlainTextResponse("the rest")(scope, receive, send)


@pytest.mark.parametrize(
    ("path", "target"),
    [("/explorer", "/"), ("/Explorer/", "/"), ("/Training", "/training"), ("/RUNS/", "/runs"), ("/models/", "/models")],
)
@pytest.mark.parametrize("root", ["", "/attention"])
def test_another_spelling_of_a_page_leads_to_it(path: str, target: str, root: str) -> None:
    answer = get(PagePaths(rest, list(PAGES), root), root + path, {"lang": "zh", "text": "a b"})
    assert answer.status == 307
    assert answer.headers["location"] == f"{root}{target}?lang=zh&text=a+b"


@pytest.mark.parametrize(
    ("query", "target"),
    [
        ("section=mistakes&card=residual.shown&layer=0&X=1_2&lang=zh", "/mistakes?card=residual.shown&lang=zh"),
        ("section=positions&pe=alibi&pe_head=3", "/positions?pe=alibi&pe_head=3"),
        ("section=cost", "/cost"),
    ],
)
@pytest.mark.parametrize("root", ["", "/attention"])
def test_a_part_of_the_calculator_became_a_page(query: str, target: str, root: str) -> None:
    answer = get(PagePaths(rest, list(PAGES), root), f"{root}/calculator", dict(parse_qsl(query)))
    assert answer.headers["location"] == root + target
    assert {target.partition("?")[0].strip("/")} <= PAGES.keys()


@pytest.mark.parametrize("path", ["/", "/training", "/attnviz/view/modules.js", "/_stcore/health", "//elsewhere.org"])
def test_other_paths_are_left_alone(path: str) -> None:
    assert get(PagePaths(rest, list(PAGES)), path).content == b"the rest"
