"""Every page for everybody: nothing that axe finds in either theme, and room for everything at any width."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from attnviz import locale
from attnviz.ui import PAGES
from tests.browser.conftest import SCHEMES, Open, Scheme, addresses, at, switch_language, tabs, view
from tests.browser.faults import COLOURS, find_faults

WIDTHS = (360, 390, 640, 768, 961, 1024, 1200, 1280, 2560)
"""Pixels; 640 are what a screen of 1280 has at twice the size."""

CHINESE_WIDTHS = (390, 1024, 1280)

CROWDED = """async () => {
  const CONTROLS = "a[href], button, input, select, textarea, summary, [role=slider], [role=tab], [role=combobox]";
  const parent = (element) => element.parentElement ?? element.getRootNode().host;
  const isIn = (outer, element) => element && (element === outer || isIn(outer, parent(element)));
  const below = (e) => (e.shadowRoot ? [e, ...all(e.shadowRoot)] : [e]);
  const all = (root) => [...root.querySelectorAll("*")].flatMap(below);
  const box = (element) => {
    let { left, top, right, bottom } = element.getBoundingClientRect();
    for (let around = parent(element); around; around = parent(around)) {
      if (getComputedStyle(around).overflow === "visible") continue;
      const frame = around.getBoundingClientRect();
      [left, top] = [Math.max(left, frame.left), Math.max(top, frame.top)];
      [right, bottom] = [Math.min(right, frame.right), Math.min(bottom, frame.bottom)];
    }
    return { element, left, top, right, bottom };
  };
  const name = ({ element }) => (element.ariaLabel || element.textContent || element.outerHTML).slice(0, 60);
  const find = () => {
    const scrolled = [document.scrollingElement, document.querySelector(".stMain")];
    const faults = scrolled.filter((e) => e.scrollWidth > innerWidth).map((e) => `${e.scrollWidth} pixels wide`);
    const isSeen = (e) => e.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    const controls = all(document).filter((e) => e.matches(CONTROLS) && isSeen(e));
    const boxes = controls.map(box).filter(({ left, top, right, bottom }) => right - left > 1 && bottom - top > 1);
    boxes.forEach((a, at) => boxes.slice(at + 1).forEach((b) => {
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (across > 1 && down > 1 && !isIn(a.element, b.element) && !isIn(b.element, a.element))
        faults.push(`${name(a)} lies over ${name(b)}`);
    }));
    return faults;
  };
  for (let at = 0; ; at += 1) {
    const faults = find();
    if (!faults.length || at === 50) return faults;
    await new Promise((later) => setTimeout(later, 100));
  }
}"""
"""What is too wide, and which controls lie over each other, once the page has had time to adapt."""


HIGHLIGHT = """() => {
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style = "forced-color-adjust: none; color: Highlight";
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}"""

IS_DRAWN = "picture => picture.getContext('2d').getImageData(0, 0, picture.width, picture.height).data.some(Boolean)"


def settle(page: Page) -> None:
    """Wait until the page is there with all of its tables and views."""
    page.wait_for_selector('.stApp[data-test-script-state="notRunning"]')
    page.wait_for_load_state("networkidle")
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    for place in page.locator(".st-key-view, .st-key-watch-box, .st-key-comparison").all():
        place.locator(".attnviz[data-ready=true]").first.wait_for()


def show(page: Page, scheme: Scheme) -> None:
    """Switch the theme, and wait until the page has it."""
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.wait_for_function(
        "dark => (getComputedStyle(document.querySelector('.stApp')).colorScheme === 'dark') === dark",
        arg=scheme == "dark",
    )


def find_crowded(page: Page, lang: str, widths: tuple[int, ...]) -> list[tuple[str, int, str]]:
    """Return all that has no room on the page in this language, at these widths."""
    page.wait_for_function("lang => document.documentElement.lang === lang", arg=lang)
    settle(page)
    found = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": 800})
        found += [(lang, width, fault) for fault in page.evaluate(CROWDED)]
    return found


@pytest.mark.parametrize(("name", "link"), [*((name, {}) for name in PAGES), ("explorer", {"model": "dialogue"})])
def test_a_page_is_for_everybody(open_page: Open, name: str, link: dict[str, str]) -> None:
    page = open_page(path=name, lang="zh", **link)
    crowded = find_crowded(page, "zh", CHINESE_WIDTHS)
    switch_language(page, "en")
    crowded += find_crowded(page, "en", WIDTHS)
    assert crowded == []
    tabs, panel = page.locator(".av-tabs"), page.locator(".av-panel")
    faults = []
    for scheme, options in zip(SCHEMES, ({}, COLOURS), strict=True):
        show(page, scheme)
        faults += [(scheme, "", fault) for fault in find_faults(page, **options)]
        for tab in tabs.locator("[role=tab]:visible").all():
            tab.click()
            faults += [(scheme, tab.inner_text(), fault) for fault in find_faults(page, tabs, panel, **options)]
    assert faults == []


def test_a_second_tap_unlocks_wherever_the_finger_lands_on_the_cell(server: str, browser: Browser) -> None:
    with browser.new_context(has_touch=True, locale="en-US") as window, tabs(window, addresses(server)) as new_tab:
        page = new_tab(390, 844)
        page.goto(f"{server}/?model=english")  # cells of a few pixels
        root = view(page)
        matrix = page.locator(".av-weights .av-scroller")
        for x, locked in ((0.6, "true"), (0.6, "false"), (0.6, "true"), (0.61, "false"), (0.6, "true"), (0.9, "true")):
            matrix.tap(position=at(matrix, x, 0.6))
            expect(root).to_have_attribute("data-locked", locked)


def test_the_systems_colours_show_what_is_on_and_paper_every_stage(open_page: Open) -> None:
    page = open_page(model="reverse")
    page.emulate_media(forced_colors="active", reduced_motion="reduce")
    settle(page)
    highlight = page.evaluate(HIGHLIGHT)
    for on, colour in {
        ".av-button[aria-pressed=true]": "background-color",
        ".av-tab[aria-selected=true]": "background-color",
        ".st-key-nav-places [aria-current=page]": "background-color",
        ".st-key-lang [aria-checked=true]": "background-color",
        ".av-thumb[aria-selected=true]": "outline-color",
    }.items():
        expect(page.locator(on).first).to_have_css(colour, highlight)

    expect(view(page)).to_have_attribute("data-layer", re.compile("."))  # all of its numbers are here
    page.locator(".av-chain").get_by_role("button", name=locale.t("en", "view.frame.chain.forward")).click()
    expect(page.locator(".av-closed")).not_to_have_count(0)
    page.wait_for_url(re.compile("chain=0"))  # the address follows what is shown
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(forced_colors="none", media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    for frame in page.locator(".av-stage .av-matrix-frame").all():  # whole, and no wider than a sheet
        expect(frame.locator(".av-more")).to_have_text("")
        box = frame.bounding_box()
        assert box is not None
        assert box["width"] <= 661
    stages = page.locator(".av-stage-body").all()
    assert len(stages) == 7
    for stage in stages:
        expect(stage).to_have_css("opacity", "1")
        for picture in stage.locator("canvas.av-base").all():
            assert picture.evaluate(IS_DRAWN)
    controls = page.locator(".av-button, .av-small, .av-tab, [data-testid^=stBaseButton], textarea, input, select")
    expect(controls.locator("visible=true")).to_have_count(0)
    foot = page.evaluate("getComputedStyle(document.querySelector('.stMain'), '::after').content")
    assert foot == f'"{page.url}"'


def test_the_picture_is_told_its_table_walked_and_letters_switched_off(open_page: Open) -> None:
    page = open_page(model="reverse")
    view(page)
    weights = page.locator(".av-weights .av-matrix-frame")
    expect(weights).to_have_attribute("aria-description", re.compile(r"mirror position.*100%.*(1\.00|0\.\d+)"))

    page.locator(".av-weights .av-matrix-buttons button").first.click()
    grid = page.get_by_role("grid", name=locale.t("en", "view.frame.stage.weights")).last
    expect(grid.get_by_role("gridcell").first).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(grid.locator("tbody tr").nth(1).locator("td").nth(1)).to_be_focused()
    page.keyboard.press("Control+Home")
    expect(grid.get_by_role("columnheader").first).to_be_focused()
    page.keyboard.press("Escape")

    clear = page.get_by_role("dialog", name=re.compile("cache", re.I))
    switch = page.locator(".st-key-shortcuts input")
    switch.uncheck()
    page.locator(".av-title").click()
    page.keyboard.press("c")
    page.wait_for_timeout(500)
    expect(clear).to_have_count(0)
    page.reload()
    expect(switch).not_to_be_checked()
