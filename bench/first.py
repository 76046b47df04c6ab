"""Time a first visit in real Chromium: the Explorer's first picture against an empty Streamlit page.

Each visit has a browser context of its own, so nothing is kept from the one before. Both pages in turns, without and
with a delay of 100 ms on every answer of the network.
"""

from __future__ import annotations

import shutil
import statistics
import time

from playwright.sync_api import Browser, sync_playwright

from bench.common import Figure, report
from bench.server import CHROMIUM_FLAGS, ROOT, serve

ROUNDS = 9
WARM_UP = 2  # visits of each page, in which the server and the browser make what they keep
PICTURE = ".attnviz[data-ready=true]"
EMPTY = "[data-testid=stText]"


def visit(browser: Browser, address: str, shown: str, latency: int) -> tuple[float, int]:
    """Seconds until that element is on the page for a new visitor, and the requests until then."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    try:
        page = context.new_page()
        network = context.new_cdp_session(page)
        network.send("Network.enable")
        conditions = {"offline": False, "latency": latency, "downloadThroughput": -1, "uploadThroughput": -1}
        network.send("Network.emulateNetworkConditions", conditions)
        requests = 0

        def count(_: object) -> None:
            nonlocal requests
            requests += 1

        page.on("request", count)
        start = time.perf_counter()
        page.goto(address, wait_until="commit")
        page.wait_for_selector(shown, timeout=60_000)
        return time.perf_counter() - start, requests
    finally:
        context.close()


def measure() -> list[Figure]:
    figures = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_FLAGS)
        try:
            with serve(ROOT / "app.py") as app, serve(ROOT / "bench" / "empty_fragment.py") as empty:
                for latency in (0, 100):
                    rounds = [
                        (visit(browser, app, PICTURE, latency), visit(browser, empty, EMPTY, latency))
                        for _ in range(ROUNDS + WARM_UP)
                    ][WARM_UP:]
                    ratios = [ours / theirs for (ours, _), (theirs, _) in rounds]
                    name = f"{latency} ms latency"
                    figures += [
                        Figure(f"{name}: first picture / empty page", statistics.median(ratios), "x", 1.25),
                        Figure(f"{name}: first picture", statistics.median(ours for (ours, _), _ in rounds), "s"),
                        Figure(f"{name}: empty page", statistics.median(theirs for _, (theirs, _) in rounds), "s"),
                        Figure(f"{name}: requests to the first picture", rounds[-1][0][1], ""),
                        Figure(f"{name}: requests to the empty page", rounds[-1][1][1], ""),
                    ]
        finally:
            browser.close()
    return figures


if __name__ == "__main__":
    report(measure, __doc__)
