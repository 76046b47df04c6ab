"""The Compare page in a real browser, with real runs in a real worker."""

from __future__ import annotations

import re
from functools import partial

from playwright.sync_api import Locator, Page, expect

from attnviz import locale
from attnviz.training.comparison import CONTENDERS
from tests.browser.conftest import Open, address, in_each_language, until

TABLE = ".st-key-comparison-table table"
LINES = ".scatterlayer .trace"


def chart(page: Page, key: str) -> Locator:
    return page.locator(f".st-key-{key} .js-plotly-plot")


def is_within(part: Locator) -> bool:
    """Whether it is there, and on the screen of a phone from left to right: a chart is drawn wider at first."""
    box = part.bounding_box()
    return box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 390


def test_five_networks_learn_while_the_page_looks_on(open_page: Open) -> None:
    page = open_page(path="comparison", task="running-parity", steps="60")
    expect(page.get_by_text(locale.t("en", "comparison.empty")[:40])).to_be_visible()
    page.locator(".st-key-compare-train button").click()
    states = page.locator(f"{TABLE} tbody tr td:last-child")
    expect(states).to_have_text([re.compile("done, step")] * len(CONTENDERS), timeout=120_000)
    expect(page.locator(".st-key-compare-stop")).to_have_count(0)
    for over in ("step", "seconds"):
        expect(chart(page, f"comparison-{over}").locator(LINES)).to_have_count(len(CONTENDERS))
    page.wait_for_function("new URLSearchParams(location.search).has('group')")
    link = address(page)
    assert link["task"] == "running-parity"
    page.reload()
    expect(states).to_have_text([re.compile("done, step")] * len(CONTENDERS))
    assert address(page) == link
    page.locator(".st-key-comparison-links").get_by_role("link", name="LSTM + attention").click()
    page.wait_for_function(
        "group => new URLSearchParams(location.search).get('run') === `${group}.lstm-attention`", arg=link["group"]
    )


def test_what_was_measured_is_there_at_once_and_the_distance_can_be_changed(open_page: Open) -> None:
    page = open_page(path="comparison")
    expect(chart(page, "comparison-step").locator(LINES)).to_have_count(len(CONTENDERS))
    expect(chart(page, "cmp-distance-chart").locator(LINES)).to_have_count(len(CONTENDERS) + 1)
    expect(chart(page, "cmp-reach-chart").locator(LINES)).to_have_count(len(CONTENDERS))
    width = page.locator(f"{TABLE} tbody tr").first.locator("td").nth(2)
    before = width.inner_text()
    page.locator(".st-key-cmp-distance").get_by_text("200", exact=True).click()
    expect(width).not_to_have_text(before)
    page.wait_for_function("new URLSearchParams(location.search).get('distance') === '200'")
    page.go_back()
    expect(width).to_have_text(before)


def test_a_phone_shows_all_below_each_other(open_page: Open) -> None:
    page = open_page(path="comparison", width=390, height=844, scheme="dark")
    for lang in in_each_language(page):
        expect(chart(page, "cmp-reach-chart")).to_be_visible()
        expect(page.locator(".st-key-compare-train")).to_contain_text(locale.t(lang, "comparison.train"))
        until(page, lambda: page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is too wide")
        for key in ("comparison-step", "comparison-seconds", "cmp-distance-chart", "cmp-reach-chart"):
            until(page, partial(is_within, chart(page, key)), f"{key} sticks out, {lang}")
