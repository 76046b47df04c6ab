"""The Explorer's modes in a real browser: Compare by keyboard, several texts by touch."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from attnviz import locale
from tests.browser.conftest import Open, address, addresses, expect_no_overflow, in_each_language, tabs, view
from tests.browser.test_explorer import wait_for_address


def press(page: Page, selector: str, key: str = "Enter") -> None:
    page.locator(selector).focus()
    page.keyboard.press(key)


def test_two_texts_are_compared_by_keyboard(open_page: Open) -> None:
    link = {"model": "tiny-encoder", "text": "a b a", "text2": "c a b a"}
    page = open_page(mode="compare", layer="0", head="0", q="1", k="0", lock="1", **link)
    root = view(page)
    expect(page.locator(".avp-beside .av-matrix")).to_have_attribute("aria-busy", "false")

    press(page, '[data-side="difference"]')
    for lang in in_each_language(page):
        title = locale.t(lang, "view.frame.side.pair.title", title=locale.t(lang, "view.frame.stage.weights"))
        expect(page.locator(".av-weights .av-matrix-title")).to_have_text(title)
        expect(page.locator(".av-note")).to_have_text(locale.t(lang, "view.frame.side.pair.note"))
    expect(root).to_have_attribute("data-loaded", "true")

    press(page, '[data-side="other"]')  # the lock follows its tokens, and another head of B stays beside A's
    expect(root).to_have_attribute("data-query", "2")
    press(page, '.av-thumb[data-at="0/0"]', "ArrowRight")
    expect(root).to_have_attribute("data-head", "1")
    press(page, '[data-side=""]')
    expect(root).to_have_attribute("data-query", "1")
    expect(root).to_have_attribute("data-head", "0")
    wait_for_address(page, pin="0.1", q="1", k="0", side=None)

    press(page, '.av-tab[data-tab="beside"]', "ArrowRight")
    press(page, '.avp-distances-head[data-at="0/1"]')
    expect(root).to_have_attribute("data-head", "1")
    expect(page.locator(".avp-distances-head[aria-pressed=true]")).to_have_attribute("data-at", "0/1")
    wait_for_address(page, head="1", tab="distances")
    page.reload()
    expect(view(page)).to_have_attribute("data-head", "1")
    assert address(page)["text2"] == "c a b a"


def test_several_texts_open_by_touch_and_come_back(browser: Browser, server: str) -> None:
    zh = {name: locale.t("zh", f"mode.{name}") for name in ("look", "several")}
    with browser.new_context(has_touch=True, locale="zh-CN") as window, tabs(window, addresses(server)) as new_tab:
        page = new_tab(390, 844)
        page.goto(f"{server}/?model=tiny-encoder&lang=zh")
        view(page)
        page.get_by_role("radio", name=zh["several"]).tap()
        pictures = page.locator(".avv-picture")
        expect(pictures.first).to_be_visible()
        expect_no_overflow(page)
        wanted = page.get_by_label(locale.t("zh", "several.texts", n=16)).input_value().splitlines()[1]
        pictures.nth(1).tap()
        expect(page.get_by_label(locale.t("zh", "page.text"), exact=True)).to_have_value(wanted)
        view(page)
        wait_for_address(page, mode=None, text=wanted)
        expect(page.get_by_role("radio", name=zh["look"])).to_be_checked()  # the head follows what is below it
        page.go_back()
        expect(pictures.nth(1)).to_be_visible()
        wait_for_address(page, mode="several")
        expect(page.get_by_role("radio", name=zh["several"])).to_be_checked()
