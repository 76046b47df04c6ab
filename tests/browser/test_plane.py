"""The plane of a head's queries and keys in a real browser."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from attnviz import locale
from tests.browser.conftest import Open, expect_no_overflow, view
from tests.browser.test_explorer import wait_for_address

LINK = {
    "model": "induction",
    "text": "k d w q a k d w",
    "layer": "1",
    "head": "0",
    "tab": "product",
    "q": "6",
    "lock": "1",
}


def test_the_plane_and_the_view_choose_the_same_query(open_page: Open) -> None:
    page = open_page(390, 844, **LINK)
    root = view(page)
    root.get_by_role("button", name=locale.t("en", "view.panel.product.view.plane")).click()
    plane = root.get_by_role("listbox", name=locale.t("en", "view.panel.plane.list"))
    expect(plane.get_by_role("option")).to_have_count(16)
    expect(plane.get_by_role("option", selected=True)).to_have_accessible_name("Query 6 d")
    expect(root.locator(".avx-says")).to_have_text(re.compile("Query 6 d reads most: w #2"))

    plane.focus()
    page.keyboard.press("End")
    expect(root).to_have_attribute("data-query", "7")
    expect(root.locator(".avx-says")).to_have_text(re.compile("Query 7 w reads most: q #3"))
    page.keyboard.press("ArrowUp")
    expect(plane.get_by_role("option", selected=True)).to_have_accessible_name("Key 7 w")
    page.keyboard.press("ArrowDown")
    wait_for_address(page, product="plane", q="7", lock="1")
    expect_no_overflow(page)
