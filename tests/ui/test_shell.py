import json
import re
from pathlib import Path

import pytest
import streamlit
from starlette.applications import Starlette

from attnviz import locale
from attnviz.server.shell import WIDGETS, shell, widget_files
from attnviz.view import modules, texts
from tests.ui.asgi import get

STATIC = Path(streamlit.__file__).parent / "static"
APP = Starlette(routes=shell(STATIC, {"explorer": "/", "training": "/training"}))
ADDRESS = re.compile(r'(?:href|src)="\./((?:static|attnviz)/[^"]+)"')


@pytest.mark.parametrize("path", ["/", "/training", "/trainning"])
@pytest.mark.parametrize(
    ("query", "accepted", "lang"),
    [
        ({}, "", "en"),
        ({}, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ({"lang": "zh"}, "en-GB", "zh"),
        ({"lang": "<b>"}, "fr, zh", "en"),
    ],
)
def test_the_document_speaks_the_language_of_the_page(
    path: str, query: dict[str, str], accepted: str, lang: str
) -> None:
    answer = get(APP, path, query, headers={"Accept-Language": accepted})
    document = answer.content.decode()
    assert answer.headers["cache-control"] == "private, no-cache"
    assert f'<html lang="{lang}">' in document
    title = locale.t(
        lang, "page.title", page=locale.t(lang, "page.training" if path == "/training" else "page.explorer")
    )
    assert document.count("<title>") == document.count(f"<title>{title}</title>") == 1
    assert texts.address(lang) in document
    assert modules.address() in document


@pytest.mark.parametrize(
    ("query", "target"),
    [
        ({"model": "sort", "theme": "dark", "text": "a b"}, "?model=sort&embed_options=dark_theme&text=a+b"),
        ({"theme": "light", "embed_options": "dark_theme", "embed": "true"}, "?embed_options=light_theme&embed=true"),
    ],
)
def test_a_link_in_a_theme_is_turned_to_the_frameworks_own(query: dict[str, str], target: str) -> None:
    answer = get(APP, "/training", query)
    assert (answer.status, answer.headers["location"]) == (307, target)
    assert get(APP, "/training", {"theme": "blue"}).status == 200


def test_the_document_asks_for_each_file_once_and_all_are_there() -> None:
    asked = ADDRESS.findall(get(APP, "/").content.decode())
    assert len(asked) == len(set(asked))
    framework = [address for address in asked if address.startswith("static/")]
    assert len(framework) > len(WIDGETS)
    assert [address for address in framework if not (STATIC / address).is_file()] == []


@pytest.mark.parametrize("widget", WIDGETS)
def test_every_widget_is_one_of_the_framework(widget: str) -> None:
    scripts = widget_files(STATIC / "static" / "js", [widget])
    assert scripts[0].startswith(f"{widget}.")


def test_an_unknown_widget_asks_for_nothing() -> None:
    assert widget_files(STATIC / "static" / "js", ["Unheard"]) == []


def test_what_is_renamed_is_what_the_framework_says() -> None:
    """Another release may say it in other words: then they have to be found anew."""
    scripts = "".join(path.read_text("utf-8") for path in sorted((STATIC / "static" / "js").glob("*.js")))
    for key, said in locale.strings("en", "framework.").items():
        plain = re.sub(r"(: )?{\w+}", "", said)
        parts = said.split(". ")
        assert f"`{said}`" in scripts or "{" in said or (parts[1:] and all(part in scripts for part in parts)), key
        assert all(word in scripts for word in re.findall("[A-Za-z]{4,}", plain)), key
    for lang in locale.LANGUAGES:
        words = json.dumps(locale.t(lang, "framework.fullscreen"), ensure_ascii=False)
        assert (f'"Fullscreen": {words}' in get(APP, "/").content.decode()) == (lang != "en")
