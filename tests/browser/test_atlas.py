"""The page of all heads in a real browser, opened as a file, without a network."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, expect

import attnviz
from attnviz.heads import Text, find_heads
from attnviz.view.atlas import atlas_page

LINK = re.compile(r"^http://localhost:8501/explorer\?model=zoo%2Finduction&text=a\+c")
TEXTS = [Text("a c d b e f g " * 4), Text("h i j k l m n o " * 4)]


def test_heads_are_sorted_filtered_and_opened(browser: Browser, tmp_path: Path) -> None:
    model = attnviz.load_model("zoo/induction")
    html = atlas_page(
        find_heads(model, TEXTS), TEXTS, model.facts, name="zoo/induction", server="http://localhost:8501"
    )
    file = tmp_path / "index.html"
    file.write_text(html, "utf-8")
    context = browser.new_context(locale="en-US", offline=True, viewport={"width": 1280, "height": 720})
    page = context.new_page()
    page.goto(f"{file.as_uri()}#sort=induction")
    expect(page.locator(".atlas")).to_have_attribute("data-ready", "true")
    rows = page.locator(".atlas-table tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("layer 1 · head 0")
    page.get_by_role("button", name="previous token 1").click()
    expect(rows).to_have_count(1)
    rows.first.get_by_role("button").press("Enter")
    expect(page.locator(".atlas-detail h2")).to_have_text("Decoder self-attention · layer 0 · head 0")
    expect(page.locator(".atlas-detail strong")).to_have_text("previous token")
    link = page.get_by_role("link", name="Open text 1 in the Explorer")
    expect(link.first).to_have_attribute("href", LINK)
    page.get_by_role("button", name="all heads 2").click()
    page.locator('[data-focus="head-0"]').press("ArrowUp")
    expect(page.locator('[data-focus="head-1"]')).to_be_focused()
    expect(page.locator(".atlas-detail strong")).to_have_text("induction")
    page.get_by_role("button", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh")
    expect(page.locator(".atlas-detail strong")).to_have_text("归纳")
    expect(page).to_have_url(re.compile(r"[#&]head=decoder\.1\.self(:|%3A)0(&|$)"))
    context.close()
