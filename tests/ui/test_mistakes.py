"""Cards with mistakes: think first, then the numbers that prove it."""

from __future__ import annotations

import pytest

from attnviz import locale
from attnviz.calculator.mistakes import MISTAKES
from tests.ui.pages import address, click, open_page, run


@pytest.mark.parametrize("lang", locale.LANGUAGES)
@pytest.mark.parametrize("name", MISTAKES)
def test_cards_think_first_and_then_prove(name: str, lang: str) -> None:
    page = open_page("mistakes", card=name, lang=lang)
    assert locale.t(lang, f"calculator.mistake.{name}.title") in [title.value for title in page.header]
    before = len(page.latex) + len(page.code)
    assert address(page) == {"card": name, "lang": lang}
    mistake = MISTAKES[name]
    kind = "radio" if mistake.options else "number_input"
    getattr(page, kind)(key=f"mistake-{name}").set_value(mistake.right)
    page = run(page)
    assert len(page.latex) + len(page.code) > before
    assert locale.t(lang, "calculator.mistakes.right") in "".join(text.value for text in page.markdown)
    assert address(page) == {"card": f"{name}.shown", "lang": lang}
    wrong = next(each for each in (*mistake.options, 7) if each != mistake.right)
    getattr(page, kind)(key=f"mistake-{name}").set_value(wrong)
    assert locale.t(lang, "calculator.mistakes.wrong") in "".join(text.value for text in run(page).markdown)


def test_the_proof_is_there_without_an_answer_too() -> None:
    page = click(open_page("mistakes", card="heads"), "mistake-show")
    assert page.code[-1].value.startswith("def reshape_with_heads")


def test_a_card_opens_its_preset_in_the_calculator() -> None:
    page = open_page("mistakes", card="positions.shown")
    (link,) = [link.proto for link in page.get("page_link") if "preset" in link.proto.query_string]
    assert link.query_string == "preset=five"
