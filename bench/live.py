"""A run that trains beside the app: does looking slow it down, and does it slow down the others who use the app?"""

from __future__ import annotations

import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from string import ascii_lowercase
from typing import NamedTuple
from urllib.parse import quote

import psutil
import websockets
from playwright.sync_api import Page, sync_playwright
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from attnviz.training import Run, all_runs
from bench.common import Figure
from bench.server import CHROMIUM_FLAGS, ROOT, serve

ROUNDS = 8
SECONDS = 4.0  # of one look at the run
SESSIONS = 10
PAUSE = 1.0  # seconds a person looks at the picture before touching it again
NEWS_SECONDS = 0.25  # between two questions of a page that watches a run


class Trained(NamedTuple):
    """A run, and the process that trains it."""

    run: Run
    process: psutil.Process

    def steps(self) -> int:
        """So far."""
        return self.run.metrics_path.read_bytes().count(b"\n")

    def seconds_per_step(self) -> float:
        """CPU seconds for a step, over a while."""
        before, start = self.process.cpu_times(), self.steps()
        time.sleep(SECONDS)
        after, end = self.process.cpu_times(), self.steps()
        return (after.user + after.system - before.user - before.system) / (end - start)


def figures() -> list[Figure]:
    """Measure the live page, and ten sessions in the Explorer."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(ROOT / "app.py", ATTNVIZ_RUNS=Path(folder)) as app,
        _training(Path(folder)) as trained,
    ):
        return [_open_over_closed(app, trained), *_busy_over_idle(app, trained)]


@contextmanager
def _training(folder: Path) -> Iterator[Trained]:
    """Yield a run that does not end by itself."""
    environment = os.environ | {"OMP_WAIT_POLICY": "PASSIVE", "ATTNVIZ_RUNS": str(folder)}
    command = [sys.executable, "-m", "attnviz", "train", "induction", "--steps", "1000000"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        while not (runs := [run for run in all_runs(folder) if isinstance(run, Run) and run.metrics_path.exists()]):
            if process.poll() is not None:
                raise RuntimeError(f"training ended with code {process.returncode}")
            time.sleep(0.1)
        yield Trained(runs[0], psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait()


def _open_over_closed(app: str, trained: Trained) -> Figure:
    """CPU time of a step while a browser shows the run live, over that while none does; taking turns."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        try:
            _watch(page, app, trained.run)  # everything is in the browser's cache
            ratios = []
            for _ in range(ROUNDS):
                page.goto("about:blank")
                closed = trained.seconds_per_step()
                _watch(page, app, trained.run)
                ratios.append(trained.seconds_per_step() / closed)
        finally:
            browser.close()
    return Figure("live page open / closed: CPU time of a step", statistics.median(ratios), "x", 1.05)


def _watch(page: Page, app: str, run: Run) -> None:
    page.goto(f"{app}/training?run={quote(run.name)}")
    page.locator(".attnviz[data-ready=true]").wait_for(timeout=60_000)
    time.sleep(1)


def _busy_over_idle(app: str, trained: Trained) -> list[Figure]:
    """Measure how long ten sessions wait for the Explorer while a watched run trains, and while none does."""
    waits: dict[bool, list[float]] = {False: [], True: []}
    asyncio.run(_sessions(app, 2))  # the server is warm
    for index in range(2 * ROUNDS):
        trains = index % 2 == 1
        trained.run.commands.send("resume" if trains else "pause")
        time.sleep(0.5)
        with _watcher(app, trained.run) if trains else _nobody():
            waits[trains] += asyncio.run(_sessions(app, 4))
    idle, busy = (statistics.quantiles(waits[trains], n=20)[-1] for trains in (False, True))
    return [
        Figure("ten sessions' 95th percentile, a run trains / none does", busy / idle, "x", 2.0),
        Figure("ten sessions' 95th percentile while a run trains", 1000 * busy, "ms"),
    ]


@contextmanager
def _nobody() -> Iterator[None]:
    yield


@contextmanager
def _watcher(app: str, run: Run) -> Iterator[None]:
    """Somebody who asks for the run's news as a page does."""
    over = threading.Event()

    def ask() -> None:
        while not over.wait(NEWS_SECONDS):
            urllib.request.urlopen(f"{app}/attnviz/runs/{quote(run.name)}/news?lang=en").read()

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


async def _sessions(app: str, touches: int) -> list[float]:
    """Seconds that each of ten sessions waits after each touch."""
    found = await asyncio.gather(*(_session(app, index, touches) for index in range(SESSIONS)))
    return [seconds for session in found for seconds in session]


async def _session(app: str, index: int, touches: int) -> list[float]:
    """One who changes the text again and again; the first picture is not counted."""
    waits = []
    field = ""  # the text field's id
    random = Random(f"{index} {time.perf_counter()}")  # a text that nobody has asked about
    address = app.replace("http", "ws", 1) + "/_stcore/stream"
    async with websockets.connect(address, subprotocols=[websockets.Subprotocol("streamlit")], max_size=None) as socket:
        await asyncio.sleep(PAUSE * index / SESSIONS)
        for _ in range(touches + 1):
            message = BackMsg()
            message.rerun_script.query_string = "model=reverse"
            if field:
                text = " ".join(random.choices(ascii_lowercase, k=8))
                message.rerun_script.widget_states.widgets.add(id=field, string_value=text)
            start = time.perf_counter()
            await socket.send(message.SerializeToString())
            field = await _answer(socket) or field
            assert field
            waits.append(time.perf_counter() - start)
            await asyncio.sleep(PAUSE)
    return waits[1:]


async def _answer(socket: websockets.ClientConnection) -> str:
    """Wait until the page is whole; gives the id of the text field in it, "" when there was none."""
    field = ""
    while True:
        answer = ForwardMsg()
        answer.ParseFromString(bytes(await socket.recv(decode=False)))
        if answer.WhichOneof("type") == "script_finished":
            return field
        element = answer.delta.new_element
        if element.WhichOneof("type") == "text_area":
            field = element.text_area.id
