"""One server and one window of Chromium for all browser tests of a process.

Any error of the console and any foreign request fails a test.

To see whether tests are sure on a slow machine: `ATTNVIZ_SLOW_PAGES=4 pytest tests/browser` slows every page down.
"""

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
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal
from urllib.error import URLError
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Error,
    Locator,
    Page,
    Position,
    Request,
    Response,
    TimeoutError,
    expect,
    sync_playwright,
)

from attnviz import locale
from attnviz.errors import AttnvizError
from attnviz.training import open_run
from attnviz.ui import PLACES
from attnviz.ui.frame.table import ROW
from tests.tiny import tiny_models

ROOT = Path(__file__).parents[2]
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
QUIET += ["--disable-sync", "--no-first-run"]
QUIET += ["--font-render-hinting=none"]  # letters as wide as in a window

# The first is made for tests: without a window of its own, a page costs it less.
CHROMIUMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")

PATIENCE = 60_000  # ms
SLOWER = float(os.environ.pop("ATTNVIZ_SLOW_PAGES", "1"))  # popped: the servers need not know it
TAKEN, EMPTY = "about:blank", "about:blank#empty"  # a tab that a test has, and one that waits for a test
expect.set_options(timeout=PATIENCE)  # a busy machine is slow, not wrong

# Streamlit's grey bars pulse until a page is there, which is a third of what its pictures cost.
STILL = """addEventListener("DOMContentLoaded", () => {
  document.head.append(Object.assign(document.createElement("style"), {
    textContent: "[data-testid=stAppSkeleton] *, [data-testid=stSkeleton] { animation: none !important }",
  }));
})"""

# The size of an element that keeps it for a while.
GROWN = """async (element) => {
  const size = () => Object.values(element.getBoundingClientRect().toJSON()).slice(2, 4);
  for (let before = "", same = 0; same < 5; ) {
    same = String(size()) === before ? same + 1 : 0;
    before = String(size());
    await new Promise(requestAnimationFrame);
    await new Promise((later) => setTimeout(later, 20));
  }
  return size();
}"""

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def runs_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server keeps its runs; a test puts runs of its own names there."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(autouse=True)
def nothing_goes_on(runs_folder: Path) -> Iterator[None]:
    """A run that a test leaves under way, as one that fails does, takes no time from the tests after it."""
    yield
    for folder in runs_folder.iterdir():
        with suppress(AttnvizError):  # tests put damaged ones there
            run = open_run(folder.name, runs_folder)
            if run.noted_state().active:
                run.commands.send("stop")


@pytest.fixture(scope="session")
def server(models_folder: Path, runs_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app as `make run` starts it, on a free port, with the tiny models beside the zoo."""
    log = tmp_path_factory.mktemp("server") / "log"
    with serving(log, ATTNVIZ_MODELS=models_folder, ATTNVIZ_RUNS=runs_folder) as (port, process):
        address = f"http://localhost:{port}"
        wait_for(address, process, log)
        yield address
    assert "Traceback" not in log.read_text("utf-8"), log.read_text("utf-8")


@contextmanager
def serving(log: Path, **variables: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Start a server with these environment variables; gives its port and process, at once: see `wait_for`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    command += ["--server.headless", "true"]
    environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"} | {name: str(path) for name, path in variables.items()}
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            yield port, process
        finally:
            process.terminate()
            process.wait(PATIENCE / 1000)


def wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a server answers: where several start on a busy machine, each imports for minutes."""
    for _ in range(6 * PATIENCE // 250):
        assert process.poll() is None, log.read_text("utf-8")
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health"):
                return
        except (URLError, ConnectionError):
            time.sleep(0.25)
    pytest.fail(f"the server did not start:\n{log.read_text('utf-8')}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def window(browser: Browser) -> BrowserContext:
    """Where tests open their pages: what a browser keeps, as Streamlit's scripts, is fetched once for all."""
    window = browser.new_context(locale="en-US", permissions=["clipboard-read", "clipboard-write"])
    window.add_init_script(STILL)
    return window


def is_probe(url: str) -> bool:
    """Opened at a page's own address, Streamlit asks below it first where its server is."""
    return "/_stcore/" in url


@contextmanager
def tabs(window: BrowserContext, own: tuple[str, ...], forgiven: str | None = None) -> Iterator[Callable[..., Page]]:
    """Give tabs to a test, and take them back at the end: new_tab(width=390, scheme="dark").

    The next test gets them emptied: a tab that has read Streamlit's scripts once reads them faster. One that is changed
    before it opens a page (is_changed) is made for the test and closed at the end.

    Fails where a script failed or ran that should not, the console complained, an answer was an error (but of what is
    forgiven, by its text or its address), or an address was asked that does not begin with one's own.
    """
    pages: dict[Page, bool] = {}
    problems: list[str] = []

    def is_forgiven(*said: str) -> bool:
        return forgiven is not None and any(forgiven in text for text in said)

    def heard(message: ConsoleMessage) -> None:
        expected = is_probe(message.location["url"]) or is_forgiven(message.text, message.location["url"])
        expected = expected or "GL Driver Message" in message.text  # of a machine without a graphics card
        if message.type in ("error", "warning") and not expected:
            problems.append(message.text)

    def answered(answer: Response) -> None:
        if answer.status >= 400 and not is_probe(answer.url) and not is_forgiven(answer.url):
            problems.append(f"{answer.status} {answer.url}")

    def asked(request: Request) -> None:
        if not request.url.startswith(own):
            problems.append(f"request to {request.url}")

    def opened(dialog: Dialog) -> None:
        problems.append(f"a script ran: {dialog.message}")
        dialog.dismiss()

    def failed(error: Error) -> None:
        problems.append(f"{error}\n{error.stack}")

    listeners = {"console": heard, "pageerror": failed, "dialog": opened, "response": answered, "request": asked}

    def new_tab(width: int = 1440, height: int = 900, scheme: Scheme = "light", is_changed: bool = False) -> Page:
        empty = None if is_changed else next((page for page in window.pages if page.url == EMPTY), None)
        page = empty or window.new_page()
        pages[page] = is_changed
        page.goto(TAKEN)
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        page.set_default_timeout(PATIENCE)
        if SLOWER > 1:
            window.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        for event, listener in listeners.items():
            page.on(event, listener)  # type: ignore[call-overload]
        return page

    try:
        yield new_tab
    finally:
        for page, is_changed in pages.items():
            for event, listener in listeners.items():
                page.remove_listener(event, listener)
            if is_changed:
                page.close()
            else:
                empty_tab(page)
        window.clear_cookies()
    assert problems == []


def empty_tab(page: Page) -> None:
    """Leave nothing of a test in its tab: no page, no step of the history, no route, no place of the mouse."""
    page.goto(EMPTY)
    page.unroute_all(behavior="ignoreErrors")
    page.emulate_media(color_scheme="null", reduced_motion="null", forced_colors="null", media="null")
    page.mouse.move(0, 0)
    session = page.context.new_cdp_session(page)
    session.send("Page.resetNavigationHistory")
    session.detach()


def addresses(server: str) -> tuple[str, ...]:
    """Where pages of a server may ask."""
    return server, server.replace("http", "ws"), "data:", "blob:"


@pytest.fixture
def open_page(server: str, window: BrowserContext) -> Iterator[Open]:
    """Opens a page in a tab of its own: open_page(model="tiny-encoder", head="1", width=390, ...)."""
    with tabs(window, addresses(server)) as new_tab:

        def open_page(
            width: int = 1440,
            height: int = 900,
            scheme: Scheme = "light",
            path: str = "",
            prepare: Callable[[Page], None] | None = None,
            **link: str,
        ) -> Page:
            page = new_tab(width, height, scheme, is_changed=prepare is not None)
            if prepare is not None:
                prepare(page)
            page.goto(f"{server}/{path}?{urlencode(link)}")
            return page

        yield open_page


def view(page: Page) -> Locator:
    """The view, once its picture is there, and its page."""
    page.wait_for_selector(".attnviz[data-ready=true]:not(.avp-byhand, #attnviz-first *)")
    return page.locator(".attnviz:not(.avp-byhand)")


def expect_no_overflow(page: Page) -> None:
    """Nothing sticks out at the side, on a light page and on a dark one."""
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function("scheme => matchMedia(`(prefers-color-scheme: ${scheme})`).matches", arg=scheme)
        for part in ("document.scrollingElement", "document.querySelector('.stMain')"):
            until(page, lambda part=part: page.evaluate(f"{part}.scrollWidth <= innerWidth"), f"{part}, {scheme}")


def expect_within(page: Page, *parts: str | Locator) -> None:
    """Whole on the screen without scrolling, once the page stands still."""
    size = page.viewport_size
    assert size is not None

    def is_within(part: Locator) -> bool:
        box = part.bounding_box()
        if box is None or min(box["x"], box["y"]) < 0:
            return False
        return box["x"] + box["width"] <= size["width"] and box["y"] + box["height"] <= size["height"]

    for part in parts:
        found = page.locator(part).first if isinstance(part, str) else part
        until(page, lambda found=found: is_within(found), f"{part} is not whole on the screen")


def at(element: Locator, x: float, y: float) -> Position:
    """A place in an element, in shares of its size: for click, hover and tap, which look where it is by then."""
    width, height = element.evaluate(GROWN)
    return {"x": x * width, "y": y * height}


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
        if field.input_value() == option:  # the click came through, though its answer was late
            return
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


def switch_language(page: Page, lang: str) -> None:
    """To the other one, on the page that is open: what a text says follows a little later."""
    page.locator(".st-key-lang").get_by_text(locale.LANGUAGES[lang], exact=True).click()
    page.wait_for_function("lang => document.documentElement.lang === lang", arg=lang)


def in_each_language(page: Page) -> Iterator[str]:
    """Give English, in which the page was opened, and then each other language, to which the page is switched."""
    for lang in locale.LANGUAGES:
        if lang != locale.DEFAULT:
            switch_language(page, lang)
        yield lang


def link_to(page: Page, name: str, lang: str = "en") -> Locator:
    """Of the navigation: the first page of a place, or another page of the place that is open."""
    is_first = any(name == names[0] for names in PLACES)
    label = locale.t(lang, f"page.place.{name}" if is_first else f"page.{name}")
    return page.locator("[class*=st-key-nav-]").get_by_role("link", name=label, exact=True)
