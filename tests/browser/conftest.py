"""One server and one Chromium for all browser tests; any error of the console and any foreign request fails a test."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Response,
    TimeoutError,
    expect,
    sync_playwright,
)

from attnviz import locale
from attnviz.ui.frame.table import ROW
from tests.tiny import tiny_models

ROOT = Path(__file__).parents[2]
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
QUIET += ["--disable-sync", "--no-first-run"]

PATIENCE = 20_000  # ms
expect.set_options(timeout=PATIENCE)  # a busy machine is slow, not wrong

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def runs_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server keeps its runs; a test puts runs of its own names there."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="session")
def server(models_folder: Path, runs_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app as `make run` starts it, on a free port, with the tiny models beside the zoo."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("server") / "log"
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    command += ["--server.headless", "true"]
    environment = {**os.environ, "ATTNVIZ_MODELS": str(models_folder), "ATTNVIZ_RUNS": str(runs_folder)}
    environment["OMP_WAIT_POLICY"] = "PASSIVE"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            address = f"http://localhost:{port}"
            _wait(address, process, log)
            yield address
        finally:
            process.terminate()
            process.wait(20)
    assert "Traceback" not in log.read_text("utf-8"), log.read_text("utf-8")


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(240):
        assert process.poll() is None, log.read_text("utf-8")
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health"):
                return
        except (URLError, ConnectionError):
            time.sleep(0.25)
    pytest.fail(f"the server did not start:\n{log.read_text('utf-8')}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def no_uncaught_errors(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever a test looks at: an error that no script of the page catches fails it."""
    uncaught: list[str] = []
    new_context = browser.new_context

    def watched(**options: Any) -> BrowserContext:
        context = new_context(**options)
        context.on("weberror", lambda web: uncaught.append(str(web.error)))
        return context

    monkeypatch.setattr(browser, "new_context", watched)
    yield
    assert uncaught == []


def is_probe(url: str) -> bool:
    """Opened at a page's own address, Streamlit asks below it first where its server is."""
    return "/_stcore/" in url


@pytest.fixture
def open_page(server: str, browser: Browser) -> Iterator[Open]:
    """Opens the Explorer in a browser of its own: open_page(model="tiny-encoder", head="1", width=390, ...)."""
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not is_probe(message.location["url"]):
            problems.append(message.text)

    def answered(answer: Response) -> None:
        if answer.status >= 400 and not is_probe(answer.url):
            problems.append(f"{answer.status} {answer.url}")

    def asked(url: str) -> None:
        if not url.startswith((server, "data:", "blob:", server.replace("http", "ws"))):
            problems.append(f"request to {url}")

    def open_page(
        width: int = 1440,
        height: int = 900,
        scheme: str = "light",
        path: str = "",
        prepare: Callable[[Page], None] = lambda page: None,
        **link: str,
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,  # type: ignore[arg-type]
            locale="en-US",
            accept_downloads=True,
            permissions=["clipboard-read", "clipboard-write"],
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", heard)
        page.on("dialog", lambda dialog: problems.append(f"a script ran: {dialog.message}") or dialog.dismiss())
        page.on("response", answered)
        page.on("request", lambda request: asked(request.url))
        prepare(page)
        page.goto(f"{server}/{path}?{urlencode(link)}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


def view(page: Page) -> Locator:
    """The view, once its picture is there."""
    page.wait_for_selector(".attnviz[data-ready=true]:not(.avp-byhand)")
    return page.locator(".attnviz:not(.avp-byhand)")


def address(page: Page) -> dict[str, str]:
    """What the address bar says."""
    return {name: values[0] for name, values in parse_qs(urlsplit(page.evaluate("location.href")).query).items()}


def until(page: Page, holds: Callable[[], bool], problem: str) -> None:
    """Waits for what a test has heard of the page, which goes on meanwhile."""
    for _ in range(PATIENCE // 20):
        if holds():
            return
        page.wait_for_timeout(20)
    pytest.fail(problem)


def choose(field: Locator, option: str, written: bool = False) -> None:
    """From a list that opens at a click, or as one writes; a page that runs again may close it: it is opened again."""
    offered = field.page.get_by_role("option", name=option, exact=True)
    for _ in range(10):
        if written:  # a long list shows only what begins like it
            field.fill(option)
        else:
            field.click()
        try:
            offered.click(timeout=PATIENCE / 10)
        except TimeoutError:
            continue
        return
    pytest.fail(f"{option} is not offered")


def row(page: Page, name: str) -> Locator:
    """The row of the page's table that has a cell with this text; screen readers find it inside of the canvas."""
    return page.locator(".stDataFrame canvas tbody tr").filter(
        has=page.locator(f"td:text-is({json.dumps(name, ensure_ascii=False)})")
    )


def click_row(page: Page, name: str, column: int = 0) -> None:
    """Click the checkbox of a row, or the button beside it (1): both are painted."""
    index = int(row(page, name).get_attribute("aria-rowindex") or 0)  # 1 is the head
    position = {"x": (16, 72)[column], "y": ROW * (index - 0.5)}
    page.locator(".stDataFrame .dvn-scroller").click(position=position)  # type: ignore[arg-type]


def card(page: Page, title: str) -> Locator:
    """A card of the list that stands for the table on a narrow screen."""
    return page.locator(".st-key-cards li").filter(
        has=page.locator(f"strong:text-is({json.dumps(title, ensure_ascii=False)})")
    )


def link_to(page: Page, name: str) -> Locator:
    """Of the navigation, in English."""
    return page.locator(".st-key-pages").get_by_role("link", name=locale.t("en", f"page.{name}"))
