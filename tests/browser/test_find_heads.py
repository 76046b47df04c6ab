"""The head finder on the Explorer's grid in a real browser."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from attnviz import locale
from tests.browser.conftest import Open, expect_no_overflow, view
from tests.browser.test_explorer import wait_for_address

LINK = {"model": "induction", "text": "a c d b e a c d b e a c", "layer": "0", "head": "0"}
OPEN = locale.t("en", "view.find.open")


def test_the_grid_is_sorted_and_filtered_by_what_heads_look_for(open_page: Open) -> None:
    page = open_page(1280, 720, **LINK)
    root = view(page)
    button = page.get_by_role("button", name=OPEN)
    button.focus()
    page.keyboard.press("Enter")
    found = page.locator(".avw-sweep")
    expect(found).to_have_attribute("data-ready", "true", timeout=120_000)
    wait_for_address(page, sort="previous")
    listed = found.locator(".avh-list").first.get_by_role("button")
    expect(listed).to_have_text(["0.0 previous token", "1.0 induction"])
    found.get_by_role("combobox").select_option("induction")
    wait_for_address(page, sort="induction")
    expect(listed).to_have_text(["1.0 induction", "0.0 previous token"])
    found.get_by_role("checkbox").check()
    expect(listed).to_have_text(["1.0 induction"])
    wait_for_address(page, only="1")
    listed.first.click()
    expect(root).to_have_attribute("data-site", "decoder.1.self")
    expect_no_overflow(page)
    field = found.get_by_role("searchbox", name=locale.t("en", "view.find.token"))
    field.fill("c")
    field.press("Enter")
    place = page.locator(".avh-place").first
    expect(place).to_have_attribute(
        "href", re.compile(r"text=\w\+.*layer=1&head=0.*&q=\d+&k=\d+&lock=1"), timeout=60_000
    )
    expect(place.locator("mark")).to_have_text("c")
    expect_no_overflow(page)
    found.get_by_role("button", name=locale.t("en", "view.sweep.close")).click()
    expect(found).to_have_count(0)
    wait_for_address(page, sort=None, only=None)
