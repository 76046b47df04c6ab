"""Use two servers behind nginx, as deploy/ sets it up, in real Chromium; then kill -9 the one that a browser is at.

With the cookie that keeps a browser at one server, and without it. Needs nginx (Debian: apt-get install nginx-light).
What fails is named; else how long the browsers take to have their picture again.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Error, Page, Response, expect, sync_playwright

from attnviz.ui import PAGES
from bench.front import free_ports, nginx
from bench.server import CHROMIUM_FLAGS, ROOT, wait
from tests.ui.real import zip_of

NAME = "lab.example.org"
BROWSERS = 4
PATIENCE = 60_000  # ms
WITHIN = 10  # seconds in which the picture is there again
PICTURE = ".attnviz[data-ready=true]"
TEXT = "dacbe"
expect.set_options(timeout=PATIENCE)


@contextmanager
def serving(port: int, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start a server as the unit of deploy/ does, with the settings that servers share."""
    shared = {
        "ATTNVIZ_RUNS": str(folder / "runs"),
        "ATTNVIZ_UPLOADS": str(folder / "uploads"),
        "ATTNVIZ_HOSTS": NAME,
        "STREAMLIT_SERVER_COOKIE_SECRET": "of both",
        "STREAMLIT_SERVER_HEADLESS": "true",
        "OMP_WAIT_POLICY": "PASSIVE",
    }
    command = [sys.executable, "-m", "attnviz", "run", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / f"server-{port}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=os.environ | shared, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)


class Visitor:
    """A browser of its own, with its cookie; notes what went wrong."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.url = url
        self.problems: list[str] = []
        self.sockets = 0
        self.context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.on("response", self._answered)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("websocket", self._opened)

    def _answered(self, answer: Response) -> None:
        if answer.status >= 400 and "/_stcore/health" not in answer.url and "/_stcore/host-config" not in answer.url:
            self.problems.append(f"{answer.status} {answer.url.partition('?')[0]}")

    def _opened(self, _: object) -> None:
        self.sockets += 1

    def open(self, path: str) -> Page:
        self.page.goto(f"{self.url}/{path}")
        return self.page

    def see(self, path: str) -> None:
        """Open a page with a picture, and wait for it."""
        self.open(path).wait_for_selector(PICTURE)

    def picture(self) -> str:
        """Return what the picture says, and of what it is."""
        return str(self.page.locator(".av-sentence").first.inner_text())

    def is_at_rest(self) -> bool:
        """Whether the page has a server and a picture."""
        lost = self.page.locator("[data-testid=stConnectionStatus]").count()
        return not lost and self.page.locator(PICTURE).count() > 0

    def write(self, text: str) -> None:
        """Ask for another text, and wait for its picture."""
        field = self.page.get_by_label("Your text", exact=True)
        field.fill(text)
        field.press("Control+Enter")
        self.page.wait_for_function("text => new URLSearchParams(location.search).get('text') === text", arg=text)
        self.page.wait_for_selector(PICTURE)


def use(visitor: Visitor, archive: Path) -> list[str]:
    """Go through everything once; returns what did not work."""
    failed: list[str] = []

    def step(name: str, act: Callable[[], None]) -> None:
        begin = time.perf_counter()
        visitor.problems.clear()
        try:
            act()
            said = "; ".join(dict.fromkeys(visitor.problems))
        except (Error, AssertionError) as error:
            said = "; ".join((first_line(error), *visitor.problems))
        print(f"    {name}: {said or 'ok'} ({time.perf_counter() - begin:.1f} s)", flush=True)
        if said:
            failed.append(f"{name}: {said}")

    def pages() -> None:
        for name in PAGES:
            visitor.open("" if name == "explorer" else name)
            visitor.page.locator("[data-testid=stSidebarNav], .stMain h1, .attnviz").first.wait_for()
            visitor.page.wait_for_timeout(700)

    def deep() -> None:
        visitor.see(f"?model=reverse&text={'+'.join(TEXT)}&head=1")
        visitor.write("e d c b a")
        visitor.page.reload()
        visitor.page.wait_for_selector(PICTURE)

    def hand_in() -> None:
        page = visitor.open("models")
        page.locator("[data-testid=stFileUploader] input").set_input_files(archive)
        expect(page.locator(".st-key-messages")).to_contain_text("is open")

    def play() -> None:
        page = visitor.open("training?recipe=parity&steps=100000&batch=8")
        page.locator(".st-key-play button").click()
        root = page.locator(".attnviz:not(.avp-byhand)")
        expect(root).to_have_attribute("data-state", "running")
        expect(root).to_have_attribute("data-snapshots", re.compile(r"^([3-9]|\d\d)"))
        page.locator(".attnviz .aw-transport").get_by_role("button", name="Stop", exact=True).click()
        expect(root).to_have_attribute("data-state", "stopped")

    step("all pages", pages)
    step("a deep link, another text, a reload", deep)
    step("an upload", hand_in)
    step("Play, live view, Stop", play)
    return failed


def lose_one(visitors: list[Visitor], server: subprocess.Popen[bytes]) -> list[str]:
    """Kill a server with -9: every browser that was at it has its picture again at the other, and all go on."""
    for n, visitor in enumerate(visitors):
        visitor.see(f"?model=reverse&text={'+'.join(TEXT[n:] + TEXT[:n])}&head=1")
    for visitor in visitors:
        visitor.page.wait_for_timeout(2000)  # the address has settled
    before = [(visitor.picture(), visitor.page.url, visitor.sockets) for visitor in visitors]
    processes = psutil.Process(server.pid).children(recursive=True)
    for process in (server, *processes):
        process.kill()
    begin, back, failed = time.perf_counter(), {}, []
    while time.perf_counter() < begin + 2 * WITHIN:
        for n, visitor in enumerate(visitors):
            visitor.page.wait_for_timeout(50)
            if n not in back and visitor.sockets > before[n][2] and visitor.is_at_rest():
                back[n] = time.perf_counter() - begin
    for n, visitor in enumerate(visitors):
        if (now := (visitor.picture(), visitor.page.url)) != before[n][:2]:
            failed.append(f"browser {n} lost its picture: {before[n][:2]} became {now}")
        visitor.problems.clear()
        try:
            visitor.write("b b a c")
            failed += [f"browser {n}: {problem}" for problem in visitor.problems]
        except Error as error:
            failed.append(f"browser {n} does not go on: {first_line(error)}")
    slowest = max(back.values(), default=0.0)
    if slowest > WITHIN:
        failed.append(f"a browser took {slowest:.1f} s")
    print(
        f"    a server killed: {len(back)} of {len(visitors)} browsers were at it, back after {slowest:.1f} s at most"
    )
    return failed


def first_line(error: Exception) -> str:
    """Return what an error says first."""
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"


def try_all(browser: Browser, sticky: bool, quick: bool, folder: Path) -> list[str]:
    """Start everything, use it, lose a server; returns what failed."""
    with ExitStack() as stack:
        front, *ports = free_ports(3)
        servers = [stack.enter_context(serving(port, folder)) for port in ports]
        for port in ports:
            wait(f"http://127.0.0.1:{port}")
        stack.enter_context(nginx(folder, front, ports, sticky))
        archive = zip_of(ROOT / "attnviz" / "zoo" / "reverse", folder / "mine.zip")
        visitors = [Visitor(browser, f"http://{NAME}:{front}") for _ in range(BROWSERS)]
        failed = [] if quick else use(visitors[0], archive)
        failed += lose_one(visitors, servers[0])
        for visitor in visitors:
            visitor.context.close()
        for log in folder.glob("*.log"):
            if "Traceback" in (text := log.read_text("utf-8", "replace")):
                failed.append(f"{log.name}: {text[-3000:]}")
    return failed


def main() -> int:
    """Try both ways; the exit status is the number of things that failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("with", "without"), help="the cookie")
    parser.add_argument("--quick", action="store_true", help="lose a server at once")
    given = parser.parse_args()
    failed: list[str] = []
    with sync_playwright() as playwright:
        flags = [*CHROMIUM_FLAGS, f"--host-resolver-rules=MAP {NAME} 127.0.0.1"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        for way in ("with", "without"):
            if given.only in (None, way):
                print(f"{way} the cookie", flush=True)
                with tempfile.TemporaryDirectory() as folder:
                    failed += try_all(browser, way == "with", given.quick, Path(folder))
        browser.close()
    print("\n".join(failed) or "all is well")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
