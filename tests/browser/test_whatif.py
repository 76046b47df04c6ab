"""Edits of the Explorer in a real browser: by keyboard, with the mouse, and by touch."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from attnviz import locale
from tests.browser.conftest import Open, address, addresses, expect_no_overflow, expect_within, tabs, until, view
from tests.browser.test_explorer import wait_for_address

LINK = {"model": "reverse", "text": "g f e d c", "layer": "1", "head": "0"}
OFF = "off:encoder.1.self:0"
HEAD = '.av-thumb[data-site="encoder.1.self"][data-head="0"]'
MENU = ".avw-menu"

# Chooses an entry of the menu; what the sentence tells when the answer has changed, and after the pointer moved then.
ANSWER_FIRST = """(entry) => new Promise((resolve) => {
  const page = entry.getRootNode();
  const told = () => page.querySelector(".av-sentence").textContent;
  new MutationObserver((_, observer) => {
    if (!page.querySelector(".ava-change")) return;
    observer.disconnect();
    const first = told();
    page.querySelector(".ava").dispatchEvent(new PointerEvent("pointermove", { bubbles: true, composed: true }));
    resolve([first, told()]);
  }).observe(page, { childList: true, subtree: true });
  entry.click();
})"""


def top(page: Page) -> float:
    box = page.locator(".av-weights canvas").first.bounding_box()
    assert box is not None
    return box["y"]


def entry(page: Page, name: str, lang: str = "en") -> None:
    page.locator(MENU).get_by_role("menuitem", name=locale.t(lang, f"view.whatif.{name}"), exact=True).click()


def test_a_head_is_switched_off_and_on_again_by_keyboard(open_page: Open) -> None:
    page = open_page(1280, 720, **LINK)
    root = view(page)
    answer = page.get_by_role("region", name="Answer")
    before = top(page)
    head = page.locator(HEAD)
    head.focus()
    expect(head).to_be_focused()
    head.press("e")
    expect(page.locator(MENU).get_by_role("menuitem").first).to_be_focused()
    page.keyboard.press("Enter")
    chip = page.locator(".st-key-chip-0 button:visible")
    expect(chip).to_contain_text("layer 1 · head 0: off (zero)")
    wait_for_address(page, edits=OFF)
    expect(answer).to_contain_text("100 → 84%")
    expect(page.locator(HEAD)).to_be_focused()  # its grid is drawn anew, and the keyboard stays where it was
    expect(root).to_have_attribute("data-head", "0")
    until(page, lambda: top(page) <= before, "the picture is pushed down")

    difference = page.locator('[data-side="difference"]')
    expect(difference).to_be_visible()  # with the numbers behind the answer
    difference.focus()
    page.keyboard.press("Enter")
    wait_for_address(page, side="difference", edits=OFF)
    page.keyboard.press("Control+z")
    wait_for_address(page, edits=None)
    expect(chip).to_have_count(0)
    expect(answer).not_to_contain_text("→")

    page.locator(HEAD).click(button="right")
    flatten = page.locator(MENU).get_by_role("menuitem", name=locale.t("en", "view.whatif.flatten"), exact=True)
    told = page.locator(".av-sentence").inner_text()
    first, then = flatten.evaluate(ANSWER_FIRST)
    assert first == told != then  # the answer comes first; whoever moves finds numbers of the same trace
    wait_for_address(page, edits="uniform:encoder.1.self:0")
    page.locator(HEAD).focus()
    page.keyboard.press("Meta+z")
    wait_for_address(page, edits=None)
    expect(chip).to_have_count(0)
    page.go_back()
    wait_for_address(page, edits="uniform:encoder.1.self:0")
    expect(chip).to_contain_text("uniform weights")
    page.go_back()
    wait_for_address(page, edits=None)
    expect(chip).to_have_count(0)

    steps = page.get_by_role("group", name=locale.t("en", "view.whatif.group.break"))
    expect(steps.get_by_role("button")).to_have_text(["No positions", "No scale"])  # nothing is masked here
    scale = steps.get_by_role("button", name="No scale")
    scale.focus()
    page.keyboard.press("Enter")
    wait_for_address(page, edits="no-scale:encoder.0.self:*;no-scale:encoder.1.self:*")
    expect(page.locator(".st-key-chips")).to_contain_text(locale.t("en", "view.whatif.look.no-scale"))
    expect(scale).to_be_focused()


def test_an_edge_is_cut_by_touch(browser: Browser, server: str) -> None:
    lang = "zh"
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    with tabs(context, addresses(server)) as new_tab:
        page = new_tab(390, 844)
        page.goto(f"{server}/?model=reverse&text=g+f+e+d+c&layer=0&head=1&q=3&k=2&lock=1&lang={lang}")
        view(page)
        page.locator(".avw-open").tap()
        menu = page.locator(MENU)
        expect_within(page, menu)
        menu.locator('[data-edit="cut.head"]').first.tap()
        wait_for_address(page, edits="cut:encoder.0.self:1:3:2")
        chip = page.locator(".st-key-chip-0 button:visible")
        expect(chip).to_contain_text("切断")
        answer = page.locator(".ava-token")
        expect(answer.nth(3)).to_contain_text("→")
        for shown in (0, 3):  # the box does not scroll where the query is in sight
            expect(answer.nth(shown)).to_be_in_viewport(ratio=0.99)
        expect_no_overflow(page)
        chip.tap()
        wait_for_address(page, edits="-cut:encoder.0.self:1:3:2")
        page.locator(".st-key-chip-remove-0 button:visible").tap()
        wait_for_address(page, edits=None)
        expect(chip).to_have_count(0)
        assert "side" not in address(page)
    context.close()
