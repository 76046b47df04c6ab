"""Cards with mistakes: think first, then the numbers that prove it."""

from __future__ import annotations

import pytest

from attnviz import locale
from attnviz.calculator.mistakes import MISTAKES
from tests.ui.pages import address, open_page, run


@pytest.mark.parametrize("lang", locale.LANGUAGES)
@pytest.mark.parametrize("name", MISTAKES)
def test_cards_think_first_and_then_prove(name: str, lang: str) -> None:
    page = open_page("mistakes", card=name, lang=lang)
    assert locale.t(lang, f"calculator.mistake.{name}.title") in [title.value for title in page.header]
    before = len(page.latex) + len(page.code)
    page.toggle(key="mistake-shown").set_value(True)
    page = run(page)
    assert len(page.latex) + len(page.code) > before
    assert address(page) == {"card": f"{name}.shown", "lang": lang}


def test_a_card_opens_its_preset_in_the_calculator() -> None:
    page = open_page("mistakes", card="positions.shown")
    (link,) = [link.proto for link in page.get("page_link") if "preset" in link.proto.query_string]
    assert link.query_string == "preset=five"
