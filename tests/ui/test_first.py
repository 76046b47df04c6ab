from __future__ import annotations

import pytest
from starlette.applications import Starlette

from attnviz.server.first import FIRST, first_picture, first_route
from attnviz.server.forward import run
from attnviz.server.listing import shipped
from attnviz.server.picture import choice_of, picture
from attnviz.server.shell import shell
from attnviz.server.traces import TraceKey
from attnviz.server.what_if import what_if
from tests.ui.asgi import get
from tests.ui.test_shell import STATIC

APP = Starlette(routes=[first_route(""), *shell(STATIC, {"explorer": "/", "training": "/training"})])


def shown(model: str, text: str, target: str, link: dict[str, str], lang: str) -> bytes:
    key = TraceKey(model, text, target)
    held = run(key)
    return picture(key, held, choice_of(held.trace, link, 1)[0], lang, what_if=what_if(held.trace, lang))


@pytest.mark.parametrize(
    ("link", "read"),
    [
        ({}, None),
        ({"model": "translation"}, None),
        ({"model": "sort", "text": "d a c", "target": "left out"}, ("d a c", "")),
        ({"model": "sort", "text": "d a c", "layer": "0", "head": "1", "q": "99"}, ("d a c", "")),
    ],
)
def test_the_first_picture_is_the_one_that_the_page_shows(link: dict[str, str], read: tuple[str, str] | None) -> None:
    listed = shipped()[link["model"]] if "model" in link else next(iter(shipped().values()))
    answer = get(APP, f"/{FIRST}", {**link, "lang": "zh"})
    assert (answer.status, answer.content) == (200, shown(listed.name, *(read or listed.examples[0]), link, "zh"))
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "link",
    [
        {"model": "gone"},
        {"model": "run/anything@1"},
        {"model": "upload/" + "0" * 32},
        {"model": "sort", "text": ""},
        {"model": "sort", "text": "日本"},
        {"model": "dates", "text": "hello"},
        {"model": "sort", "text": "a " * 6000},
        {"model": "sort", "edits": "off:decoder.0.self:0"},
    ],
)
def test_what_only_the_page_can_tell_has_no_first_picture(link: dict[str, str]) -> None:
    assert first_picture(link, "en") is None
    assert get(APP, f"/{FIRST}", link).status == 204


@pytest.mark.parametrize("query", [{"embed": "true"}, {"present": "1"}, {"tour": "2"}, {"lock": "all"}])
def test_a_page_with_a_look_of_its_own_is_not_drawn_ahead(query: dict[str, str]) -> None:
    assert FIRST not in get(APP, "/", query).content.decode()


def test_the_document_asks_for_the_picture_of_its_own_address() -> None:
    document = get(APP, "/", {"model": "sort", "text": '"><script>'}).content.decode()
    assert f'href="./{FIRST}?model=sort&amp;text=%22%3E%3Cscript%3E"' in document
    assert FIRST not in get(APP, "/training", {"model": "sort"}).content.decode()
