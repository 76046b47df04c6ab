"""The views of the tab Outputs in a real browser."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from attnviz import locale
from tests.browser.conftest import Open, expect_no_overflow, view
from tests.browser.test_explorer import wait_for_address

LINK = {"model": "induction", "text": "k d w q a k d w", "layer": "0", "head": "0", "tab": "outputs"}


def test_the_answer_is_read_layer_by_layer_and_its_parts_open_their_head(open_page: Open) -> None:
    page = open_page(390, 844, **LINK)
    root = view(page)
    page.get_by_role("button", name=locale.t("en", "view.logits.view.lens")).click()
    table = page.get_by_role("grid", name=locale.t("en", "view.logits.lens.table"))
    expect(table.get_by_role("rowheader")).to_have_text(["Embeddings", "Layer 0", "Layer 1 = answer"])
    page.mouse.move(0, 0)  # what it points at is chosen too
    table.focus()
    page.keyboard.press("End")
    expect(page.locator(".avl-says")).to_contain_text("“q” is the most likely output from layer 1 on")
    page.keyboard.press("Enter")
    expect(root).to_have_attribute("data-locked", "true")
    expect(table.locator("td.is-chosen")).to_have_count(3)
    table.locator('tbody tr:last-child td[data-position="6"]').click()
    wait_for_address(page, outputs="lens", q="6", lock="1")
    expect_no_overflow(page)

    page.get_by_role("button", name=locale.t("en", "view.logits.view.parts")).click()
    bars = page.locator(".avl-bars li")
    expect(bars.last).to_contain_text(locale.t("en", "view.logits.parts.sum"))
    page.get_by_label(locale.t("en", "view.logits.against")).select_option(label="k")
    expect(bars.last).to_contain_text(locale.t("en", "view.logits.parts.sum.against"))
    head = bars.filter(has=page.get_by_role("button", name="Layer 1 · head 0"))
    expect(bars.first).to_contain_text(locale.t("en", "view.logits.parts.removed"))
    expect(head.locator(".avp-number").last).to_have_text(re.compile(r"^[+−-]?\d"))
    head.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(root).to_have_attribute("data-site", "decoder.1.self")
    expect(root).to_have_attribute("data-query", "6")
    wait_for_address(page, outputs="parts", layer="1", q="6", lock="1", tab="outputs")
    expect_no_overflow(page)
