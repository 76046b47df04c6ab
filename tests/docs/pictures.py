"""Take the pictures of the documentation from a running app: `python -m tests.docs.pictures http://localhost:8501`."""

from __future__ import annotations

import io
import shutil
import sys
from urllib.parse import urljoin

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.docs.tables import DOCS

SIZE = (1280, 800)
COLOURS = 224  # of the moving picture
FRAME_MS = 2600
REST_MS = 8000  # until a page has drawn everything

STRESSED = "?model=reverse&text=s t r e s s e d&layer=1&head=0"
EXPLORER = (f"{STRESSED}&tab=outputs", f"{STRESSED}&q=1&k=6&lock=1&tab=formula", f"{STRESSED}&head=1&layer=0&tab=lines")
STILLS = {"training.png": "training?recipe=modular&run=grokking", "applications.png": "applications?app=digits"}


def take(page: Page, address: str) -> Image.Image:
    """Return what a page shows when it has come to rest."""
    page.goto(address)
    page.wait_for_timeout(REST_MS)
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def main(server: str) -> None:
    """Write explorer.gif, a frame for each address of `EXPLORER`, and the still pictures."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
        frames = [take(page, urljoin(server, address)) for address in EXPLORER]
        for name, address in STILLS.items():
            take(page, urljoin(server, address)).save(DOCS / "assets" / name, optimize=True)
        browser.close()
    side_by_side = Image.new("RGB", (SIZE[0] * len(frames), SIZE[1]))
    for number, frame in enumerate(frames):
        side_by_side.paste(frame, (SIZE[0] * number, 0))
    palette = side_by_side.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    first, *others = (frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames)
    first.save(
        DOCS / "assets" / "explorer.gif", save_all=True, append_images=others, duration=FRAME_MS, loop=0, optimize=True
    )


if __name__ == "__main__":
    main(sys.argv[1])
