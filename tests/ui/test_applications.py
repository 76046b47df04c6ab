"""The Applications page as the server builds it: every application with every model that ships for it."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from streamlit.testing.v1 import AppTest

from attnviz import locale
from attnviz.server.listing import listed
from attnviz.tasks import Digits, Seasonal
from attnviz.tasks.signals.digits import drawn
from attnviz.training import RECIPES
from attnviz.ui.applications.case import examples
from attnviz.ui.applications.first import first_example
from attnviz.ui.applications.registry import APPLICATIONS
from attnviz.ui.frame.language import plain
from attnviz.zoo import ORDER
from tests.ui.pages import address, click, messages, open_page, run

SHIPPED = [(name, recipe) for name, app in APPLICATIONS.items() for recipe in app.recipes if recipe in ORDER]


def open_application(name: str, model: str, **params: str) -> AppTest:
    return open_page("applications", app=name, model=model, **params)


@pytest.mark.parametrize(("name", "recipe"), SHIPPED)
def test_every_model_of_every_application_is_shown(name: str, recipe: str) -> None:
    page = open_application(name, recipe)
    assert not page.error
    assert not page.warning
    task = RECIPES[recipe].task
    first = first_example(listed()[recipe], APPLICATIONS[name].works)
    assert page.text_area(key="app-text").value == task.text_of(examples(task)[first - 1])[0]
    table = next(each.value for each in page.markdown if each.value.startswith("| "))
    assert locale.t("en", f"applications.metric.{task.metric.replace(' ', '-')}") in "".join(
        m.value for m in page.markdown
    )
    assert table.count("\n") >= 1
    own = f"task.{recipe}.shows"
    limits = locale.t("en", own if locale.has("en", own) else f"applications.{name}.shows")
    assert plain(limits) in [each.value for each in page.info]
    assert {"app": name, "model": recipe, "n": str(first)}.items() <= address(page).items()


@pytest.mark.parametrize("name", APPLICATIONS)
def test_every_application_ships_with_a_model_and_its_words(name: str) -> None:
    assert any(recipe in ORDER for recipe in APPLICATIONS[name].recipes)
    assert set(APPLICATIONS[name].recipes) & set(RECIPES)
    for lang in locale.LANGUAGES:
        assert all(locale.has(lang, f"applications.{name}.{part}") for part in ("title", "about"))
        for recipe in APPLICATIONS[name].recipes:
            assert locale.has(lang, f"task.{recipe}.title"), recipe
            kinds = (f"task.{recipe}", f"applications.{name}")
            assert any(locale.has(lang, f"{kind}.shows") for kind in kinds), recipe


def test_another_example_is_another_text() -> None:
    page = open_application("translation", "dates")
    before = page.text_area(key="app-text").value
    page.number_input(key="app-n").set_value(7)
    run(page)
    assert page.text_area(key="app-text").value != before
    assert address(page)["n"] == "7"
    assert "text" not in address(page)


def test_a_text_of_ones_own_stands_in_the_address_and_comes_back() -> None:
    page = open_application("translation", "dates")
    page.text_area(key="app-text").set_value("4 May 1999")
    run(page)
    link = address(page)
    assert link["text"] == "4 May 1999"
    again = open_page("applications", **{key: value for key, value in link.items() if key != "lang"})
    assert again.text_area(key="app-text").value == "4 May 1999"


@pytest.mark.parametrize("lang", locale.LANGUAGES)
def test_a_question_of_ones_own_is_answered_in_a_text_of_ones_own(lang: str) -> None:
    typed = "Who sold the lamp? Boris bought the coat on the hill. Anna sold the old lamp at noon."
    page = open_application("comprehension", "comprehension", text=typed, lang=lang)
    (warning,) = page.warning
    assert "Who" in warning.value
    page = click(page, "app-fit")
    text = "who sold the lamp ? boris bought the coat on the hill . anna sold the old lamp at noon ."
    assert page.text_area(key="app-text").value == text
    assert not page.warning
    (said,) = [each.value for each in page.markdown if ":green[✓]" in each.value or ":red[✗]" in each.value]
    assert locale.t(lang, "applications.truth", answer="`anna`") in said
    assert said.count("anna") == 2, "the model's answer is right"
    strip = next(each.proto.body for each in page.get("html") if 'class="av-strip"' in each.proto.body)
    assert strip.count("is-tinted") == 8, "the sentence of the answer"


@pytest.mark.parametrize("lang", locale.LANGUAGES)
def test_a_question_that_its_text_does_not_answer_is_said_to_be_none(lang: str) -> None:
    unlike = locale.t(lang, "applications.comprehension.unlike")
    for text in ("the lamp", "who sold the lamp ? boris bought the coat .", "who sold the lamp ?", "? ?"):
        page = open_application("comprehension", "comprehension", text=text, lang=lang)
        assert not page.error
        assert unlike in [each.value for each in page.caption], text
    page = open_application("comprehension", "comprehension", text="who sold the piano ? anna sold the piano .")
    assert "piano" in page.warning[0].value


@pytest.mark.parametrize("lang", locale.LANGUAGES)
@pytest.mark.parametrize("text", ["", "  ", "🙂", "<b>x</b>", "4 " * 2500, "日本", "שלום"])
def test_what_cannot_be_read_is_said(lang: str, text: str) -> None:
    page = open_application("translation", "dates", text=text, lang=lang)
    assert len(page.warning) == 1
    assert page.text_area(key="app-text").value == text


@pytest.mark.parametrize(
    ("link", "key"),
    [({"app": "none"}, "applications.unknown"), ({"app": "translation", "model": "zoo/none"}, "page.unknown_model")],
)
def test_a_link_to_what_is_not_here_falls_back(link: dict[str, str], key: str) -> None:
    page = open_page("applications", **link)
    assert locale.t("en", key, name="").split("{")[0][:20] in messages(page)
    assert address(page).get("app", "") in (*APPLICATIONS, "")


@pytest.mark.parametrize("lang", locale.LANGUAGES)
def test_the_gallery_has_a_card_for_each_application_and_leads_there_and_back(lang: str) -> None:
    page = open_page("applications", lang=lang)
    assert "app" not in address(page)
    pictures = [each.proto.body for each in page.get("html") if each.proto.body.startswith("<div")]
    assert len(pictures) == len(APPLICATIONS)
    assert all("aria-label" in picture for picture in pictures)
    titles = [locale.t(lang, f"applications.{name}.title") for name in APPLICATIONS]
    assert [button.label for button in page.button if button.key.startswith("open-")] == titles
    page = click(page, "open-language")
    own = "chinese" if lang == "zh" else "english"  # people begin with texts that they can read
    assert {"app": "language", "model": own}.items() <= address(page).items()
    assert "app" not in address(click(page, "app-all"))


def test_the_first_examples_show_what_the_application_is_about() -> None:
    page = open_page("applications", app="entities")
    assert "<unk>" not in page.text_area(key="app-text").value
    page = open_page("applications", app="gridworld")
    said = locale.t("en", "applications.gridworld.paid", goal="", steps="", shortest="").split("(")[0]
    assert any(text.value.startswith(said) for text in page.markdown)


def test_digits_can_be_drawn() -> None:
    page = open_page("applications", app="digits")
    before = page.text_area(key="app-text").value
    page.session_state["app-drawn"] = {"drawn": {"lines": [[[0.5, 0.1], [0.5, 0.9]]]}}
    page = run(page)
    typed = page.text_area(key="app-text").value
    assert typed != before
    ids, features = Digits().tokens(drawn([[(0.5, 0.1), (0.5, 0.9)]])[None])
    assert typed == Digits().tokenizer.decode(ids[0].tolist(), features[0])
    assert "**`1`**" in next(each.value for each in page.markdown if "`1`" in each.value)
    page.session_state["app-drawn"] = {"drawn": {"lines": [["x"]]}}
    assert run(page).text_area(key="app-text").value == typed


def test_a_series_is_changed_by_sliders() -> None:
    page = open_page("applications", app="series")
    before = Seasonal().tokenizer.features(page.text_area(key="app-text").value)[:, 0]
    page.slider(key="app-value-2").set_value(1.5)
    page = run(page)
    after = Seasonal().tokenizer.features(page.text_area(key="app-text").value)[:, 0]
    assert float(after[2::8].mean()) == pytest.approx(1.5, abs=0.01)
    others = [place for place in range(len(after)) if place % 8 != 2]
    assert after[others].tolist() == before[others].tolist()
    assert [slider.value for slider in page.slider if slider.key.startswith("app-value")][2] == 1.5


@pytest.mark.parametrize("n", ["0", "65", "-1", "x", "9" * 40])
def test_an_example_that_there_is_not_is_the_first(n: str) -> None:
    assert open_application("translation", "dates", n=n).number_input(key="app-n").value == 1


def test_tokens_are_text_never_markup() -> None:
    class Tags(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.found: set[str] = set()

        def handle_starttag(self, tag: str, attrs: object) -> None:
            self.found.add(tag)

    page = AppTest.from_function(_hostile).run()
    tags = Tags()
    tags.feed(page.get("html")[0].proto.body)
    assert tags.found == {"ol", "li", "small", "span"}


def _hostile() -> None:
    from attnviz.ui.applications.strip import Chip, strip

    strip([Chip("<img src=x onerror=y>", 0.7, above='"', below="<b>", title="'<i>")], label='"><script>')
