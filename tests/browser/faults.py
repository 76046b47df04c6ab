"""Find with axe whatever keeps somebody from using a page."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

from tests.browser.conftest import ROOT

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"

RULES = {"target-size": {"enabled": True}}
COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}  # the rules that another theme can break
FAULTS = """async ({ parts, ...options }) => {
  const { violations } = await axe.run(parts.length ? parts : document, { resultTypes: ["violations"], ...options });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html, any, all, none }) =>
    [id, html.slice(0, 200), ...[...any, ...all, ...none].map(({ message }) => message)].join(" | ")));
}"""


# The promise of an animation's end is not asked for: of one that is taken away it may never come.
AT_REST = """() => !document.getAnimations().some((each) =>
  each.playState === "running" && each.effect.getComputedTiming().endTime !== Infinity)"""


def _rest(page: Page) -> None:
    """Wait until no colour is on its way to another one."""
    page.evaluate(
        "async () => { for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame); }"
    )
    page.wait_for_function(AT_REST, polling=50)


def find_faults(page: Page, *parts: Locator, **options: object) -> list[str]:
    """Return the faults of the page at rest, or of these parts of it."""
    _rest(page)
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))
    shown = [element for part in parts for element in part.element_handles()]
    found: list[str] = page.evaluate(FAULTS, {"parts": shown, "rules": RULES, **options})
    return found
