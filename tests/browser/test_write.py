"""Writing in a real browser: by keyboard, by touch, in both languages."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from attnviz import locale
from tests.browser.conftest import Open, address, expect_no_overflow, until

SAMPLE = {"mode": "write", "model": "english", "text": "One day", "write": "sample,temperature=1.3,seed=3,max_new=8"}


def strip(page: Page) -> list[str]:
    return page.locator(".avw-token").all_inner_texts()


def test_by_keyboard_another_token_is_taken_and_a_reload_finds_it(open_page: Open) -> None:
    page = open_page(**SAMPLE)
    first = page.locator(".avw-token").first
    expect(first).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".avw-token")).to_have_count(8)
    before = strip(page)
    first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".avw-token").nth(1)).to_be_focused()
    page.keyboard.press("ArrowRight")
    third = page.locator(".avw-token").nth(2)
    expect(third).to_be_focused()
    heads = page.locator(".attnviz[data-site]")
    expect(heads).to_have_attribute("data-query", str(len("<One day") + 1))  # where the third one was predicted
    expect(page.locator(".avw-where")).to_contain_text("Token 3 of 8")
    other = page.locator(".avw-take:enabled").nth(1)
    taken = other.inner_text()
    other.focus()
    page.keyboard.press("Enter")
    expect(third).to_have_text(taken)
    expect(third).to_have_attribute("data-taken", "")
    after = strip(page)
    assert after[:2] == before[:2]
    page.wait_for_function("() => new URLSearchParams(location.search).get('write').includes('taken=')")
    page.reload()
    until(page, lambda: strip(page) == after, "another text after a reload")
    page.get_by_role("button", name="Undo choices").click()
    until(page, lambda: strip(page) == before, "the choices are not undone")


def test_by_touch_a_search_plays_and_shows_its_tree(open_page: Open) -> None:
    lang = "zh"
    page = open_page(390, 844, **{**SAMPLE, "write": "beam,beams=3,max_new=4", "lang": lang})
    expect_no_overflow(page)
    expect(page.locator(".avw-node[data-won]")).to_have_count(4)
    page.get_by_role("button", name=locale.t(lang, "view.write.play"), exact=True).click()
    expect(page.locator(".avw-token:visible")).to_have_count(4)
    expect(page.get_by_role("button", name=locale.t(lang, "view.write.play"), exact=True)).to_be_visible()
    page.locator(".avw-node").nth(3).click()
    expect(page.locator(".avw-token").nth(1)).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name=locale.t(lang, "view.write.more"), exact=True).click()
    expect(page.locator(".avw-token")).to_have_count(24)
    assert address(page)["write"] == "beam,beams=3,max_new=24"
