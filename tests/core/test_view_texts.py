"""Give the texts that the views of a language read beside numbers."""

from __future__ import annotations

import json
import re

import pytest

from attnviz import locale
from attnviz.view import PANELS, STATIC
from attnviz.view.texts import CODE, TERMS, address, texts, written


def test_code_on_show_is_the_code_that_ran() -> None:
    assert CODE["scores"]["source"].startswith("def dot_product_scores(")
    assert "def masked_scores(" in CODE["masked"]["source"]
    assert CODE["output"]["name"] == "attention.head_output"
    assert CODE["additive"]["name"] == "attention.additive_scores"


def test_queries_and_keys_have_the_code_of_a_projection_and_turned_ones_that_of_the_turn_too() -> None:
    assert CODE["q"] == CODE["k"] == CODE["v"]
    assert "rotate" not in CODE["q"]["name"]
    assert CODE["rotated"]["name"] == f"{CODE['q']['name']}, positions.rotate"


@pytest.mark.parametrize("lang", locale.LANGUAGES)
def test_all_messages_of_the_views_are_there(lang: str) -> None:
    strings = texts(lang)["strings"]
    assert strings == {
        key: text for key, text in locale.catalogue(lang).items() if key.startswith(("view.", "watch.", *TERMS))
    }
    assert json.loads(written(lang)) == texts(lang)


@pytest.mark.parametrize("name", PANELS)
def test_every_panel_has_a_tab(name: str) -> None:
    assert f"view.frame.tab.{name}" in texts("en")["strings"]


@pytest.mark.parametrize("lang", locale.LANGUAGES)
def test_every_term_of_the_views_is_in_the_glossary(lang: str) -> None:
    assert {f"glossary.{term}." for term in locale.glossary(lang)} >= set(TERMS)


def test_the_views_ask_for_no_other_terms() -> None:
    source = "".join(path.read_text("utf-8") for path in sorted(STATIC.glob("**/*.js")))
    asked = re.findall(r'terms\??\.button\("([\w-]+)"', source)
    asked += re.findall(r'"([\w-]+)"', "".join(re.findall(r"(?:TERM_OF|KIND) = \{(.*?)\};", source, re.DOTALL)))
    toolbar = (STATIC / "matrix/toolbar.js").read_text("utf-8")
    asked += re.findall(r'(?:\}, |\), )"([\w-]+)"(?:\]|\))', toolbar)
    assert {f"glossary.{term}." for term in asked} | {"glossary.query.", "glossary.key."} == set(TERMS)


def test_each_content_has_an_address() -> None:
    assert len({address(lang) for lang in locale.LANGUAGES}) == len(locale.LANGUAGES)
    assert address("en").startswith("attnviz/view/texts/en?v=")
