"""Take the pictures of the documentation anew: `python docs/pictures.py`, with the app and Chromium installed.

Every page once, as it opens, parts of the Explorer, and the moving picture of the README.
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from attnviz.ui import PAGES  # noqa: E402
from bench.server import CHROMIUM_FLAGS, serve  # noqa: E402

ASSETS = Path(__file__).parent / "assets"
SIZE = {"width": 1280, "height": 800}
COLOURS = 128
SETTLED_MS = 5000  # until a page has drawn all it has
LINKS = {"runs": "run=grokking", "training": "recipe=reverse"}
CELL = "model=induction&text=a+c+d+b+a&layer=1&head=0&q=4&k=1&lock=1&tab=why"
PARTS = {"why": CELL, "why-numbers": CELL}
OPENED = {"why-numbers": ".avy-more summary"}
"""Elements that are pressed before a picture is taken."""
MOVING = "model=reverse&text=s+t+r+e+s+s+e+d"
FRAME_MS = 3000


def main() -> None:
    """Take all of them."""
    with sync_playwright() as playwright, serve(ROOT / "app.py") as app:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_FLAGS)
        page = browser.new_page(viewport=SIZE, locale="en-US")
        shown = {name: f"{name}?{LINKS.get(name, '')}" for name in PAGES} | {n: f"?{link}" for n, link in PARTS.items()}
        for name, address in shown.items():
            page.goto(f"{app}/{address}")
            _settle(page)
            if name in PARTS:
                page.locator(".av-tabs").scroll_into_view_if_needed()
            if name in OPENED:
                page.locator(OPENED[name]).click()
                page.locator(OPENED[name]).evaluate(
                    "(element) => element.parentElement.scrollIntoView({ block: 'end' })"
                )
            _shot(page).save(ASSETS / f"{name}.png", optimize=True)
            print(f"{name}.png")
        first, *others = _frames(page, app)
        first.save(
            ASSETS / "explorer.gif", save_all=True, append_images=others, duration=FRAME_MS, loop=0, optimize=True
        )
        print("explorer.gif")
        browser.close()


def _settle(page: Page) -> None:
    page.wait_for_selector(".st-key-head-row")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(SETTLED_MS)


def _shot(page: Page) -> Image.Image:
    return Image.open(io.BytesIO(page.screenshot())).convert("P", palette=Image.Palette.ADAPTIVE, colors=COLOURS)


def _frames(page: Page, app: str) -> list[Image.Image]:
    """The answer, the query behind one of its letters, another head, the formula, a projector."""
    page.goto(f"{app}/?{MOVING}")
    _settle(page)
    frames = [_shot(page)]

    def then(selector: str) -> None:
        page.locator(selector).first.click()
        page.mouse.move(0, 0)
        page.wait_for_timeout(SETTLED_MS)
        frames.append(_shot(page))

    then('.ava-token[data-row="2"]')
    then('.av-thumb[data-site="encoder.0.self"][data-head="0"]')
    then('.av-tab[data-tab="formula"]')
    then('.av-thumb[data-site="encoder.1.self"][data-head="0"]')
    page.keyboard.press("p")
    page.wait_for_timeout(SETTLED_MS)
    return [*frames, _shot(page)]


if __name__ == "__main__":
    main()
