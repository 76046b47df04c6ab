"""Many people at one server: how long they wait while runs train, and what is left of them when they have gone.

One person alone, then many who change text, head and model every two seconds while runs train; then, for longer, tabs
that come and go. Everything is on this machine and ends by itself; `--minutes 0` or `--soak 0` leaves a part out, and
`--servers 2` puts two servers behind nginx (Debian: apt-get install nginx-light).
"""

from __future__ import annotations

import asyncio
import os
import re
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import NamedTuple

import psutil

from attnviz.server.listing import shipped
from attnviz.training import RECIPES, Run, RunConfig, RunState
from bench.common import Figure, report
from bench.front import free_ports, nginx
from bench.server import ROOT, start, wait
from bench.tab import Tab, open_tab

EVERY = 2.0  # seconds from one change of a person to the next
ALONE = 45  # changes of the one person
AWAY = 150.0  # seconds after which a server has let go of who left: Streamlit keeps a session for 120
LIVES = (5.0, 40.0)  # seconds for which a tab is open while tabs come and go
SAMPLE = 5.0  # seconds between two looks at the memory
SETTLED = 5.0  # minutes of the soak that do not count
MODELS = ("reverse", "induction", "english", "sentiment-en", "entities", "dates", "translation")
FOREVER = 10**6  # steps
MB = 1e6


class Change(NamedTuple):
    """A deed of somebody, and how many seconds it took until it was on the page."""

    kind: str
    seconds: float


class Watched:
    """The processes that serve."""

    def __init__(self, pids: Sequence[int], logs: Sequence[Path]) -> None:
        self.processes = [psutil.Process(pid) for pid in pids]
        self.logs = logs

    def memory(self) -> float:
        """MB of the servers themselves, their training processes left out."""
        return sum(process.memory_info().rss for process in self.processes) / MB

    def held(self) -> Counter[str]:
        """Threads and open files of the servers themselves."""
        counted = (Counter(threads=each.num_threads(), files=each.num_fds()) for each in self.processes)
        return sum(counted, Counter[str]())

    def seconds(self) -> float:
        """CPU seconds of the servers themselves so far."""
        times = [process.cpu_times() for process in self.processes]
        return float(sum(each.user + each.system for each in times))

    def failures(self) -> int:
        """Errors in their logs."""
        return sum(len(re.findall("^Traceback", log.read_text("utf-8"), re.MULTILINE)) for log in self.logs)


class Crowd:
    """People who use the server, and what became of what they did."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.changes: list[Change] = []
        self.failed: list[str] = []
        self.late = 0.0  # the most seconds for which this process itself kept its people waiting

    async def person(self, number: int, seconds: float, most: int = FOREVER) -> None:
        """One who changes something again and again."""
        random = Random(number)
        end = time.monotonic() + seconds
        try:
            async with open_tab(self.address, model=random.choice(MODELS)) as tab:
                await self._look(tab, random.random() * EVERY)
                while time.monotonic() < end and most > 0:
                    began = time.monotonic()
                    await self._change(tab, random)
                    most -= 1
                    await self._look(tab, began + EVERY - time.monotonic())
        except Exception as error:  # whatever it is, it is counted, and said
            self.failed.append(f"{type(error).__name__}: {error}"[:300])

    async def _look(self, tab: Tab, seconds: float) -> None:
        """Look at the picture while its view fetches the rest of the layer."""
        began = time.monotonic()
        await asyncio.sleep(0.2)
        if tab.header is not None and tab.header["sites"]:
            choice = tab.header["choice"]
            await tab.layer(choice["site"] or 0, choice["head"])
        await asyncio.sleep(max(0.0, began + seconds - time.monotonic()))

    async def _change(self, tab: Tab, random: Random) -> None:
        kind = random.choice(("text", "head", "model"))
        pictures = tab.pictures
        began = time.perf_counter()
        if kind == "head" and tab.header is not None and tab.header["sites"]:
            await tab.numbers(random.randrange(len(tab.header["sites"])), [0], "weights")
        elif kind == "model":
            name = random.choice(MODELS)
            await tab.run("selectbox", tab.models[list(shipped()).index(name)])
        else:
            await tab.run("text_area", text_for(tab.header["model"]["name"] if tab.header else MODELS[0], random))
        self.changes.append(Change(kind, time.perf_counter() - began))
        if kind != "head" and tab.pictures == pictures:
            self.failed.append(f"no picture after a change of {kind}")

    async def lag(self) -> None:
        """Note how late this process is."""
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.05)
            self.late = max(self.late, time.perf_counter() - began - 0.05)


def text_for(model: str, random: Random) -> str:
    """Return a text that nobody has asked about: the words of an example in another order."""
    words = random.choice(shipped()[model].examples)[0].split()
    return " ".join(random.sample(words, len(words)))


@contextmanager
def served(servers: int, runs: int = 0) -> Iterator[tuple[str, Watched]]:
    """Run servers in whose folder some runs wait to be trained; several of them behind nginx, as deploy/ sets it up."""
    with tempfile.TemporaryDirectory() as made, ExitStack() as stack:
        folder = Path(made)
        recipe = RECIPES["induction"]
        for number in range(runs):
            training = replace(recipe.training, steps=FOREVER, seed=number)
            run = Run.create(folder / "runs" / f"run-{number}", RunConfig(recipe.task, recipe.model, training))
            run.write_state(RunState("queued", queued=float(number)))
        shared = {"ATTNVIZ_RUNS": folder / "runs", "ATTNVIZ_UPLOADS": folder / "uploads"}
        logs, started = [folder / f"log-{number}" for number in range(servers)], list[tuple[str, int]]()
        for log in logs:
            output = stack.enter_context(log.open("wb"))
            serving = start(ROOT / "app.py", output, STREAMLIT_SERVER_COOKIE_SECRET="of all", **shared)
            started.append(stack.enter_context(serving))
        address = started[0][0]
        if servers > 1:
            (port,) = free_ports(1)
            stack.enter_context(nginx(folder, port, [int(address.rpartition(":")[2]) for address, _ in started]))
            address = f"http://127.0.0.1:{port}"
            wait(address)
        yield address, Watched([pid for _, pid in started], logs)


async def crowd(address: str, server: Watched, users: int, minutes: float) -> list[Figure]:
    """Many at once; the runs train already."""
    people = Crowd(address)
    lag = asyncio.create_task(people.lag())
    before, mine, began = server.seconds(), time.process_time(), time.monotonic()
    await asyncio.gather(*(people.person(number, minutes * 60) for number in range(1, users + 1)))
    passed = time.monotonic() - began
    lag.cancel()
    spent = server.seconds() - before
    print_failures(people)
    seconds = sorted(change.seconds for change in people.changes)
    kinds = {kind: [each.seconds for each in people.changes if each.kind == kind] for kind in ("text", "head", "model")}
    return [
        Figure(f"{users} people: changes", len(seconds), ""),
        Figure(f"{users} people: errors", len(people.failed), "", 0),
        Figure(f"{users} people: a change, median", 1000 * statistics.median(seconds), "ms"),
        Figure(f"{users} people: a change, 95th percentile", 1000 * percentile(seconds), "ms"),
        *(Figure(f"{users} people: {kind}, 95th percentile", 1000 * percentile(v), "ms") for kind, v in kinds.items()),
        Figure(f"{users} people: CPU of the server", spent / passed, "cores"),
        Figure(f"{users} people: CPU of the server, a change", 1000 * spent / len(seconds), "ms"),
        Figure(f"{users} people: CPU of this bench", (time.process_time() - mine) / passed, "cores"),
        Figure(f"{users} people: this bench late, at most", 1000 * people.late, "ms"),
    ]


def percentile(seconds: list[float]) -> float:
    """Return the 95th."""
    return statistics.quantiles(seconds, n=20)[-1]


def print_failures(people: Crowd) -> None:
    for said, n in Counter(people.failed).most_common(5):
        print(f"{n} x {said}", file=sys.stderr)


def many(users: int, minutes: float, runs: int, servers: int) -> list[Figure]:
    """Measure one person, then many, and what stays when they have gone."""
    with served(servers) as (address, server):
        one = Crowd(address)
        asyncio.run(one.person(0, 600, 10))  # the server is warm
        one.changes.clear()
        asyncio.run(one.person(0, 600, ALONE))
        print_failures(one)
        alone = [change.seconds for change in one.changes]
    with served(servers, runs) as (address, server):
        asyncio.run(Crowd(address).person(0, 600, 10))
        memory, held = server.memory(), server.held()
        figures = asyncio.run(crowd(address, server, users, minutes))
        peak = server.memory()
        time.sleep(AWAY)
        asyncio.run(Crowd(address).person(0, 600, 1))  # whose coming lets those go who are gone
        after, left = server.memory(), server.held()
        p95 = next(figure.value for figure in figures if "95th" in figure.figure)
        return [
            Figure("one person: a change, median", 1000 * statistics.median(alone), "ms"),
            Figure("one person: a change, 95th percentile", 1000 * percentile(alone), "ms"),
            *figures,
            Figure("95th percentile of many / median of one", p95 / 1000 / statistics.median(alone), "x", 3.0),
            Figure("memory of the server before", memory, "MB"),
            Figure("memory of the server at the end", peak, "MB"),
            Figure("memory when all have left / before", after / memory, "x", 1.1),
            Figure("threads more when all have left", left["threads"] - held["threads"], ""),
            Figure("open files more when all have left", left["files"] - held["files"], ""),
            Figure("errors in the server's log", server.failures(), "", 0),
        ]


async def come_and_go(address: str, server: Watched, tabs: int, minutes: float) -> list[Figure]:
    """Tabs are opened, used for a while and closed, and another one comes in the place of each."""
    people = Crowd(address)
    end = time.monotonic() + minutes * 60
    samples: list[tuple[float, float]] = []

    async def place(number: int) -> None:
        random = Random(number)
        while time.monotonic() < end:
            await people.person(random.randrange(10**9), random.uniform(*LIVES))

    async def look() -> None:
        while True:
            samples.append((time.monotonic(), server.memory()))
            await asyncio.sleep(SAMPLE)

    looking = asyncio.create_task(look())
    await asyncio.gather(*(place(number) for number in range(tabs)))
    looking.cancel()
    print_failures(people)
    begin = samples[0][0] + 60 * min(SETTLED, minutes / 6)
    counted = [sample for sample in samples if sample[0] >= begin]
    times, sizes = [at / 60 for at, _ in counted], [size for _, size in counted]
    return [
        Figure(f"soak: changes in {minutes:g} minutes", len(people.changes), ""),
        Figure("soak: errors", len(people.failed) + server.failures(), "", 0),
        Figure("soak: memory of the server, first", sizes[0], "MB"),
        Figure("soak: memory of the server, last", sizes[-1], "MB"),
        Figure("soak: memory a minute", statistics.linear_regression(times, sizes).slope, "MB", 1.0),
    ]


def measure(users: int, minutes: float, runs: int, soak: float, servers: int) -> list[Figure]:
    figures = [Figure("load of this machine before", os.getloadavg()[0], "")]
    if minutes:
        figures += many(users, minutes, runs, servers)
    if soak:
        with served(servers) as (address, server):
            figures += asyncio.run(come_and_go(address, server, max(1, users // 4), soak))
    return figures


if __name__ == "__main__":
    report(measure, __doc__, users=40, minutes=10.0, runs=10, soak=30.0, servers=1)
