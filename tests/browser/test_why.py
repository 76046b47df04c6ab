"""The tab Why in a real browser: a walk through the circuit by keyboard and back again, and by touch."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from attnviz import locale
from tests.browser.conftest import Open, addresses, expect_no_overflow, switch_language, tabs, view
from tests.browser.faults import find_faults
from tests.browser.test_explorer import wait_for_address
from tests.huggingface.architectures import ARCHITECTURES
from tests.huggingface.tokenizers import byte_level

LINK = {"model": "induction", "text": "a c d b a", "layer": "1", "head": "0", "q": "4", "k": "1", "lock": "1"}
WALK = "1.0.4.1_0.0.1.0"
SAYS = {
    "en": ("a #4 reads c #1", "carries what head 0.0 wrote there", "c #1 reads a #0"),
    "zh": ("a #4 关注 c #1", "处带有 head 0.0 写入的内容", "c #1 关注 a #0"),
}


def keys(page: Page) -> Locator:
    """Parts of what is read."""
    return page.locator(".avy-side").nth(1)


@pytest.mark.parametrize("lang", locale.LANGUAGES)
def test_a_walk_through_the_circuit_by_keyboard_and_back(open_page: Open, lang: str) -> None:
    first, because, second = SAYS[lang]
    page = open_page(1280, 720, **LINK, lang=lang)
    root, says = view(page), page.locator(".avy-says")
    page.locator('.av-tab[data-tab="product"]').focus()
    page.keyboard.press("Enter")
    expect(page.locator(".av-panel[data-tab=product]")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(says).to_contain_text(first)
    expect(says).to_contain_text(because)
    wait_for_address(page, tab="why", walk=None)

    keys(page).get_by_role("button").press("Enter")
    expect(says).to_contain_text(second)
    expect(root).to_have_attribute("data-site", "decoder.0.self")
    expect(says).to_be_focused()
    wait_for_address(page, walk=WALK, layer="0", q="1", k="0")
    here = page.locator(".avy-walk [aria-current=step]")
    expect(here).to_contain_text("head 0.0")

    page.go_back()
    expect(says).to_contain_text(first)
    expect(root).to_have_attribute("data-site", "decoder.1.self")
    wait_for_address(page, walk=None, layer="1", q="4", k="1")
    expect(here).to_have_count(0)
    page.go_forward()
    expect(says).to_contain_text(second)
    wait_for_address(page, walk=WALK, layer="0")

    page.locator(".avy-more summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".avy-pairs")).to_be_visible()
    assert find_faults(page) == []


@pytest.fixture(scope="module")
def gpt2(models_folder: Path) -> str:
    """The name of a tiny GPT-2 among the models of the server, which looks into their folder when a page asks."""
    gpt2 = next(each for each in ARCHITECTURES if each.name == "GPT-2")
    for part in (gpt2.build(vocab_size=300), byte_level(["the cat sat on the mat"])):
        part.save_pretrained(models_folder / "tiny-gpt2")
    return "tiny-gpt2"


def test_a_model_of_transformers_says_why_on_a_phone(open_page: Open, gpt2: str) -> None:
    cell = {"layer": "1", "head": "0", "q": "3", "k": "2", "lock": "1", "tab": "why"}
    page = open_page(390, 844, model=gpt2, text="the cat sat on the mat", **cell)
    root, says = view(page), page.locator(".avy-says")
    expect(says).to_contain_text("#2")
    expect(page.locator(".avy-side tfoot .avp-number")).to_have_count(2)
    before = says.inner_text()
    head = keys(page).get_by_role("button").first
    expect_no_overflow(page)
    head.click()
    expect(root).to_have_attribute("data-site", "decoder.0.self")
    expect(root).to_have_attribute("data-query", "2")
    wait_for_address(page, layer="0", q="2")
    expect_no_overflow(page)
    page.go_back()
    expect(root).to_have_attribute("data-site", "decoder.1.self")
    expect(says).to_have_text(before)
    wait_for_address(page, walk=None, layer="1", q="3", k="2")

    switch_language(page, "zh")
    expect(says).to_contain_text("关注")
    expect(says).to_contain_text("#2")
    expect_no_overflow(page)
    head.click()
    expect(root).to_have_attribute("data-site", "decoder.0.self")
    wait_for_address(page, layer="0", q="2")
    expect_no_overflow(page)


def test_a_walk_by_touch_on_a_phone(browser: Browser, server: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    with tabs(context, addresses(server)) as new_tab:
        page = new_tab(390, 844)
        page.goto(f"{server}/?model=dates&layer=0&stack=decoder&kind=cross&head=2&q=3&k=2&lock=1&tab=why&lang=zh")
        root, says = view(page), page.locator(".avy-says")
        expect(says).to_contain_text("#2")
        keys(page).get_by_role("button").first.tap()
        expect(root).to_have_attribute("data-site", "encoder.0.self")
        expect(root).to_have_attribute("data-query", "2")
        back = page.locator(".avy-walk button")
        expect(back).to_contain_text("交叉")
        expect_no_overflow(page)
        back.tap()
        expect(root).to_have_attribute("data-site", "decoder.0.cross")
        wait_for_address(page, walk=None, q="3", k="2")
    context.close()
