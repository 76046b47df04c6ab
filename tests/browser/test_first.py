"""The Explorer's picture before its page: drawn by the document, then taken over."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from playwright.sync_api import FloatRect, Locator, Page, Route, expect

from attnviz import locale
from tests.browser.conftest import Open, until, view

FRAMEWORK = re.compile(r"/static/js/index\.(?!esm)[\w-]+\.js$")
COLOURS = "e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]"
LINE = 24  # pixels: what is said above the picture takes one line or two


def before_its_page(open_page: Open, server: str, query: str, **look: Any) -> tuple[Page, list[Route]]:
    """Open the Explorer without the framework's own script; the requests for it wait in the list."""
    waiting: list[Route] = []

    def prepare(page: Page) -> None:
        page.route(FRAMEWORK, lambda route: waiting.append(route))

    page = open_page(path="favicon.png", prepare=prepare, **look)
    page.goto(f"{server}/?{query}", wait_until="commit")
    return page, waiting


def stays(root: Locator, before: FloatRect) -> bool:
    """Whether it is where it was, as wide as it was."""
    after = root.bounding_box()
    assert after is not None
    return abs(before["y"] - after["y"]) < LINE and (before["x"], before["width"]) == (after["x"], after["width"])


def let_it_come(page: Page, waiting: list[Route]) -> None:
    until(page, lambda: bool(waiting), "the framework was not asked for")
    for request in waiting:
        request.continue_()
    expect(page.locator("[data-test-script-state]")).to_have_attribute("data-test-script-state", "notRunning")


def test_the_picture_is_live_before_its_page_and_stays_when_it_comes(open_page: Open, server: str) -> None:
    for width, height, lang, scheme in ((1280, 720, "en", "dark"), (1024, 768, "zh", "light")):
        query = f"model=reverse&lang={lang}&text=d+a+c+b"
        page, waiting = before_its_page(open_page, server, query, width=width, height=height, scheme=scheme)
        root = page.locator("#attnviz-first .attnviz[data-ready=true]")
        expect(root).to_have_attribute("data-theme", scheme)
        expect(page.get_by_role("region", name=re.compile(locale.t(lang, "view.answer.title")))).to_be_visible()
        expect(page.locator(".av-thumb[data-at='1/1']")).to_have_attribute("aria-selected", "true")
        other = page.locator(".av-thumb[data-at='0/0']")
        other.click()
        before, colours = root.bounding_box(), root.evaluate(COLOURS)
        let_it_come(page, waiting)
        root = view(page)
        expect(page.locator("#attnviz-first")).to_have_count(0)
        expect(page.locator(".attnviz")).to_have_count(1)
        expect(other).to_have_attribute("aria-selected", "true")
        expect(other).to_be_focused()
        assert root.evaluate(COLOURS) == colours
        assert before is not None
        until(page, partial(stays, root, before), "the picture jumps")


def test_where_the_page_has_no_such_picture_it_goes_again(open_page: Open, server: str) -> None:
    page, waiting = before_its_page(open_page, server, "model=reverse&text=d+a+c+b")
    expect(page.locator("#attnviz-first .attnviz[data-ready=true]")).to_be_visible()
    page.evaluate("history.replaceState(null, '', '/runs')")  # the page that comes is another one
    let_it_come(page, waiting)
    expect(page.locator("#attnviz-first")).to_have_count(0)
