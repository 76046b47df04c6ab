"""The Applications page in a real browser: every application, its controls, its address, a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from attnviz import locale
from attnviz.ui.applications.registry import APPLICATIONS
from attnviz.zoo import ORDER
from tests.browser.conftest import Open, address, choose, expect_no_overflow, switch_language
from tests.browser.faults import find_faults


def say(key: str, lang: str = "en", **params: object) -> str:
    return locale.t(lang, f"applications.{key}", **params)


def facts(page: Page, application: str, lang: str = "en", recipe: str = "") -> Locator:
    """What stands at the right, once all of it is there."""
    shown = page.locator(".st-key-app-facts")
    own = f"task.{recipe or APPLICATIONS[application].recipes[0]}.shows"
    text = (locale.t(lang, own) if locale.has(lang, own) else say(f"{application}.shows", lang))[:40]
    note = shown.get_by_test_id("stAlert")
    expect(note).to_contain_text(text)
    return shown


@pytest.mark.parametrize("name", APPLICATIONS)
def test_every_application_opens_fits_a_phone_and_is_for_everybody(open_page: Open, name: str) -> None:
    shipped = next(recipe for recipe in APPLICATIONS[name].recipes if recipe in ORDER)
    page = open_page(390, 844, "dark", path="applications", app=name, model=shipped, lang="zh")
    facts(page, name, "zh")
    expect_no_overflow(page)
    for box in page.locator("ol.av-strip").all():
        found = box.bounding_box()
        assert found is not None
        assert found["x"] + found["width"] <= 390
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(reduced_motion="reduce")
    switch_language(page, "en")
    expect(facts(page, name).locator("table").first).to_contain_text(locale.t("en", f"task.{shipped}.title"))
    expect(page.locator(".st-key-app-view")).to_be_visible()
    page.wait_for_function("model => new URLSearchParams(location.search).get('model') === model", arg=shipped)
    page.wait_for_selector('.stApp[data-test-script-state="notRunning"]')
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    for chart in page.locator(".js-plotly-plot").all()[:1]:
        chart.hover()  # its tools appear
    assert find_faults(page) == []
    page.locator(".st-key-app-all button").click()
    page.locator(".st-key-gallery").wait_for()


def test_leafing_and_choosing_stand_in_the_address(open_page: Open) -> None:
    page = open_page(path="applications")
    page.locator(".st-key-open-translation button").click()
    facts(page, "translation")
    field = page.locator(".st-key-app-text textarea")
    before = field.input_value()
    page.locator(".st-key-app-n button").last.click()
    expect(field).not_to_have_value(before)
    page.wait_for_function("new URLSearchParams(location.search).get('n') === '2'")
    choose(page.locator(".st-key-app-model").get_by_role("combobox"), locale.t("en", "task.dates.title"))
    page.wait_for_function("new URLSearchParams(location.search).get('model') === 'dates'")
    link = address(page)
    page.evaluate("history.back()")
    page.wait_for_function("new URLSearchParams(location.search).get('model') === 'translation'")
    again = open_page(path="applications", **link)
    facts(again, "translation", recipe="dates")
    expect(again.locator(".st-key-app-n input")).to_have_value("1")
    assert address(again)["model"] == "dates"


def test_a_text_of_ones_own_is_read_and_a_wrong_one_is_explained(open_page: Open) -> None:
    page = open_page(path="applications", app="sentiment")
    facts(page, "sentiment")
    field = page.locator(".st-key-app-text textarea")
    field.fill("the food was not good")
    field.press("Control+Enter")
    expect(page.locator("ol.av-strip li")).to_have_text(["<bos>", "the", "food", "was", "not", "good"])
    field.fill("<img src=x> 🙂")
    field.press("Control+Enter")
    expect(page.locator(".st-key-messages").get_by_role("alert")).to_contain_text("<img")
    expect(field).to_have_value("<img src=x> 🙂")


def test_the_explorer_shows_the_same_text(open_page: Open) -> None:
    page = open_page(path="applications", app="sentiment", text="the food was not good")
    facts(page, "sentiment").get_by_role("link", name=say("explorer")).click()
    page.wait_for_selector(".attnviz[data-ready=true]")
    assert address(page)["model"] == "sentiment-en"
    assert address(page)["text"] == "the food was not good"
