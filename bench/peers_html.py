"""A picture of all heads: BertViz's page against our file, and against what the app's page is sent."""

from __future__ import annotations

import importlib.util
import shutil
import statistics
import time
from pathlib import Path

import torch

from attnviz.locale import DEFAULT
from attnviz.view.payload import overview
from attnviz.view.standalone import to_html
from attnviz.view.texts import address
from bench.peers_models import gpt2, token_ids, traced
from bench.server import CHROMIUM_FLAGS

FILE = "attnviz.html"
READY = ".attnviz[data-ready=true]"


def sizes(length: int, folder: Path, bertviz: bool) -> dict[str, int | None]:
    """Bytes of our file, which is left in the folder, of the payload, and of BertViz's page if asked and there."""
    ids = token_ids(length)
    trace = traced(ids)
    choice = {"site": 0, "head": 0, "query": None, "key": None, "locked": False}
    payload = overview(trace, trace_id="0" * 16, choice=choice, lang=DEFAULT, texts=address(DEFAULT))
    file = to_html(trace, folder / FILE).stat().st_size
    return {"file": file, "payload": len(payload), "BertViz": _bertviz(ids, list(trace.tokens)) if bertviz else None}


def _bertviz(ids: torch.Tensor, tokens: list[str]) -> int | None:
    """Bytes of its head view, as it would be written to a file."""
    if importlib.util.find_spec("bertviz") is None:
        return None
    from bertviz import head_view

    with torch.inference_mode():
        attentions = gpt2("eager")(input_ids=ids, use_cache=False, output_attentions=True).attentions
    return len(head_view(attentions, tokens, html_action="return").data.encode())


def seconds_to_open(file: Path, times: int = 5) -> float:
    """Median of the wall seconds from asking a new page of headless Chromium for a file to its view being ready."""
    from playwright.sync_api import sync_playwright

    seconds = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_FLAGS)
        try:
            for _ in range(times):
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                start = time.perf_counter()
                page.goto(file.as_uri())
                page.wait_for_selector(READY, timeout=60_000)
                seconds.append(time.perf_counter() - start)
                page.close()
        finally:
            browser.close()
    return statistics.median(seconds)
