"""Every page for everybody: nothing that axe finds, in either theme."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from attnviz.ui import PAGES
from tests.browser.conftest import ROOT, SCHEMES, Open, Scheme

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"

RULES = {"target-size": {"enabled": True}, "heading-order": {"enabled": False}}
FAULTS = """async (rules) => {
  const { violations } = await axe.run({ resultTypes: ["violations"], rules });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html, any, all, none }) =>
    [id, html.slice(0, 200), ...[...any, ...all, ...none].map(({ message }) => message)].join(" | ")));
}"""


def settle(page: Page) -> None:
    """Wait until the page is there with all of its tables and views."""
    page.wait_for_selector('.stApp[data-test-script-state="notRunning"]')
    page.wait_for_load_state("networkidle")
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    for place in page.locator(".st-key-view, .st-key-watch-box, .st-key-comparison").all():
        place.locator(".attnviz[data-ready=true]").first.wait_for()


def show(page: Page, scheme: Scheme) -> None:
    """Switch the theme, and wait until the page has its colours."""
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.wait_for_function(
        "dark => (getComputedStyle(document.querySelector('.stApp')).colorScheme === 'dark') === dark",
        arg=scheme == "dark",
    )
    page.wait_for_timeout(300)  # for transitions of colours


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(open_page: Open, name: str) -> None:
    page = open_page(path=name)
    settle(page)
    page.evaluate(AXE.read_text("utf-8"))
    tabs = page.locator(".av-tabs [role=tab]:visible")
    faults = []
    for scheme in SCHEMES:
        show(page, scheme)
        faults += [(scheme, fault) for fault in page.evaluate(FAULTS, RULES)]
        for tab in tabs.all()[1:]:
            tab.click()
            faults += [(scheme, tab.text_content(), fault) for fault in page.evaluate(FAULTS, RULES)]
    assert faults == []
