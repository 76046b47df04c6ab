"""Measure the browser view in real Chromium, with a decoder in the shape of GPT-2 small.

Bytes to the first picture (all web socket frames and all data routes; not the modules, which the browser keeps); a
switch of head inside a loaded layer; a change that needs the server against the round trip of an empty fragment in
the same run; frames while hovering; opening 2,048 tokens.
"""

from __future__ import annotations

import base64
import shutil
import statistics
import tempfile
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import CDPSession, Locator, Page, sync_playwright

from attnviz.models import save_model
from bench.common import Figure, gpt2_small, report
from bench.server import CHROMIUM_FLAGS, ROOT, serve

FRAME_MS = 1000 / 60

# The time from a press of the pointer on a thumbnail to the frame that shows the weights of its head.
CHOOSE = """(thumbnail) => new Promise((resolve) => {
  const root = thumbnail.closest('.attnviz');
  const { site, head } = thumbnail.dataset;
  const start = performance.now();
  new MutationObserver((_, observer) => {
    if (root.dataset.site !== site || root.dataset.head !== head || root.dataset.loaded !== 'true') return;
    observer.disconnect();
    requestAnimationFrame(() => resolve(performance.now() - start));
  }).observe(root, { attributes: true });
  thumbnail.click();
})"""

# The time from a click to the frame that shows what an empty fragment changed.
AGAIN = """(button) => new Promise((resolve) => {
  const start = performance.now();
  new MutationObserver((_, observer) => {
    observer.disconnect();
    requestAnimationFrame(() => resolve(performance.now() - start));
  }).observe(document.querySelector('[data-testid=stText]'), { childList: true, characterData: true, subtree: true });
  button.click();
})"""

# When the first picture was drawn, in seconds since 1970.
DRAWN = "() => (performance.timeOrigin + performance.getEntriesByName('attnviz:painted')[0].startTime) / 1000"

# Moments of the frames while the pointer wanders over a box.
HOVER = """async (root, [x, y, width, height, frames]) => {
  const stamps = [];
  const page = root.getRootNode();
  for (let i = 0; i < frames; i += 1) {
    const at = { clientX: x + width * ((i * 7) % 97) / 97, clientY: y + height * ((i * 5) % 89) / 89 };
    const move = new PointerEvent('pointermove', { ...at, pointerType: 'mouse', bubbles: true, composed: true });
    page.elementFromPoint(at.clientX, at.clientY).dispatchEvent(move);
    stamps.push(await new Promise(requestAnimationFrame));
  }
  return stamps;
}"""


class Traffic:
    """Bytes and messages between page and server since the last reset."""

    def __init__(self, session: CDPSession) -> None:
        self._began = 0.0  # seconds since 1970 at the browser's moment 0
        self.reset()
        self._data_requests: set[str] = set()
        session.send("Network.enable")
        session.on("Network.webSocketFrameReceived", self._frame_received)
        session.on("Network.webSocketFrameSent", self._frame_sent)
        session.on("Network.requestWillBeSent", self._request)
        session.on("Network.dataReceived", self._data)

    def reset(self) -> None:
        self.sent = 0
        self._received: list[tuple[float, int]] = []  # the browser's moment, bytes

    def until(self, moment: float) -> int:
        """Bytes received up to a moment, in seconds since 1970."""
        return sum(size for at, size in self._received if self._began + at <= moment)

    def _frame_received(self, event: dict) -> None:  # type: ignore[type-arg]
        response = event["response"]
        payload = response["payloadData"]
        size = len(base64.b64decode(payload)) if response["opcode"] == 2 else len(payload)
        self._received.append((event["timestamp"], size))

    def _frame_sent(self, event: object) -> None:
        self.sent += 1

    def _request(self, event: dict) -> None:  # type: ignore[type-arg]
        self._began = event["wallTime"] - event["timestamp"]
        if "/attnviz/trace/" in event["request"]["url"]:
            self.sent += 1
            self._data_requests.add(event["requestId"])

    def _data(self, event: dict) -> None:  # type: ignore[type-arg]
        if event["requestId"] in self._data_requests:
            self._received.append((event["timestamp"], event["dataLength"]))


def view(page: Page) -> Locator:
    return page.locator(".attnviz")


def words(length: int) -> str:
    return " ".join(f"w{7 * index % 900}" for index in range(length))


def open_picture(page: Page, address: str, length: int) -> float:
    """Open the page on a text of that length; wall seconds until the first picture is painted."""
    start = time.perf_counter()
    page.goto(f"{address}/?model=gpt2-shape&layer=3&text={quote(words(length))}")
    page.wait_for_selector(".attnviz[data-ready=true]", timeout=180_000)
    return time.perf_counter() - start


def settled(page: Page) -> None:
    """Wait until the page asks for nothing more, the heads one arrow key away included."""
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1500)


def measure() -> list[Figure]:
    folder = Path(tempfile.mkdtemp())
    try:
        model = gpt2_small(vocab_size=1000, max_len=2048)
        save_model(replace(model, card=replace(model.card, name="gpt2-shape")), folder / "gpt2-shape")
        del model
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_FLAGS)
            try:
                with (
                    serve(ROOT / "app.py", ATTNVIZ_MODELS=folder) as app,
                    serve(ROOT / "bench" / "empty_fragment.py") as empty,
                ):
                    page = browser.new_page(viewport={"width": 1440, "height": 900})
                    fragment = browser.new_page()
                    fragment.goto(empty)
                    fragment.get_by_role("button", name="again").wait_for()
                    page.goto(f"{app}/?model=gpt2-shape&text=w1")  # the server opens the model
                    page.wait_for_selector(".attnviz[data-ready=true]", timeout=180_000)
                    return figures(page, fragment, app)
            finally:
                browser.close()
    finally:
        shutil.rmtree(folder)


def figures(page: Page, fragment: Page, app: str) -> list[Figure]:
    traffic = Traffic(page.context.new_cdp_session(page))
    result = []
    for length, goal in ((128, 0.6), (512, 4.0)):
        page.goto("about:blank")
        traffic.reset()
        open_picture(page, app, length)
        drawn = page.evaluate(DRAWN)
        result.append(Figure(f"T={length}: bytes to the first picture", traffic.until(drawn) / 1e6, "MB", goal))

    # T = 512 is open: a layer that the browser does not hold against an empty fragment, alternating
    settled(page)
    rounds = [(choose(page, layer, 7), round_trip(fragment)) for layer in (6, 9, 1, 11, 4, 8, 2, 10)]
    result += [
        Figure("T=512: another layer / empty fragment", statistics.median(a / b for a, b in rounds), "x", 1.3),
        Figure("T=512: another layer", statistics.median(a for a, _ in rounds), "ms"),
        Figure("empty fragment's round trip", statistics.median(b for _, b in rounds), "ms"),
    ]

    page.goto("about:blank")
    open_picture(page, app, 256)
    page.wait_for_selector(".attnviz[data-layer]", timeout=60_000)
    settled(page)
    traffic.reset()
    switches = [choose(page, 3, head) for head in [*range(1, 12), *range(11)]]
    box = page.locator(".attnviz .av-weights canvas").first.bounding_box()
    assert box is not None
    stamps = view(page).evaluate(HOVER, [box["x"], box["y"], box["width"], box["height"], 120])
    gaps = [after - before for before, after in pairwise(stamps)]
    result += [
        Figure("T=256: messages to the server in head switches", traffic.sent, "", 0),
        Figure("T=256: switch of head to paint, median", statistics.median(switches), "ms", 20),
        Figure("T=256: frames a second while hovering", 1000 * len(gaps) / sum(gaps), "fps", 59, at_least=True),
        Figure("T=256: frames late by more than half, hovering", sum(gap > 1.5 * FRAME_MS for gap in gaps), "of 119"),
    ]

    page.goto("about:blank")
    result.append(Figure("T=2048: opened, model run included", open_picture(page, app, 2048), "s"))
    return result


def choose(page: Page, layer: int, head: int) -> float:
    """Milliseconds from choosing a head to its weights on screen."""
    thumbnail = page.locator(f'.av-thumb[data-site="decoder.{layer}.self"][data-head="{head}"]')
    milliseconds: float = thumbnail.evaluate(CHOOSE)
    settled(page)
    return milliseconds


def round_trip(page: Page) -> float:
    """Milliseconds from a click to the text that an empty fragment changes."""
    milliseconds: float = page.get_by_role("button", name="again").evaluate(AGAIN)
    return milliseconds


if __name__ == "__main__":
    report(measure, __doc__)
