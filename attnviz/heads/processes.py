"""Heads over many texts, shared by processes: each takes a part of them at a time, and a lost part is done again."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple

import torch

from attnviz.errors import AttnvizError, NoTexts, ProcessLost
from attnviz.heads.corpus import Text
from attnviz.heads.effects import Asked, Effect
from attnviz.heads.find import Progress, effects_to_measure, joined, measure, tallied
from attnviz.heads.found import Heads, conclude
from attnviz.heads.tally import Tally
from attnviz.loading import load_model

__all__ = ["Found", "find_in_processes"]

PARTS = 4  # of the texts for each process at least: who is quick takes more of them
MOST = 25  # texts of a part: what is done again when a process is lost
TRIES = 2  # of a part


class Part(NamedTuple):
    """Some texts from an index on: to count how heads read them, or to measure effects on the one that it has."""

    start: int
    texts: tuple[Text, ...]
    asked: tuple[Asked, ...] | None = None


class Found(NamedTuple):
    """The heads, and the texts (from, to; counted from 1) whose process was lost each time."""

    heads: Heads
    lost: tuple[tuple[int, int], ...]
    cpu_seconds: float


@dataclass
class _Worker:
    process: BaseProcess
    part: Part | None = None


@dataclass
class _Pool:
    """Processes that each hold the model.

    Attributes:
        model: name for `load_model`.
        done: is told how many texts of a part are done.
        name: the model's own, once a part is done.
        cpu_seconds: what the parts took.
    """

    model: str
    processes: int
    done: Callable[[int], None]
    name: str = ""
    cpu_seconds: float = 0.0
    lost: list[Part] = field(default_factory=list)
    workers: dict[Connection, _Worker] = field(default_factory=dict)

    def run(self, parts: Sequence[Part]) -> Iterator[tuple[Part, Any]]:
        """Yield each part with its result, as they come.

        Raises:
            AttnvizError: what the model raises on a part.
            ProcessLost: no process gets as far as its first part.
        """
        waiting, going, tries = deque(parts), 0, dict.fromkeys(parts, 0)
        while waiting or going:
            self._employ(waiting, len(waiting) + going)
            going = sum(worker.part is not None for worker in self.workers.values())
            for connection in wait([each for each, worker in self.workers.items() if worker.part is not None]):
                assert isinstance(connection, Connection)  # it was given nothing else
                worker = self.workers[connection]
                part = worker.part
                assert part is not None  # idle ones are not waited for
                try:
                    result, seconds, name = connection.recv()
                except (EOFError, OSError):
                    self._dismiss(connection)
                    tries[part] += 1
                    if tries[part] < TRIES:
                        waiting.appendleft(part)
                    else:
                        self.lost.append(part)
                    going -= 1
                    continue
                if isinstance(result, AttnvizError):
                    raise result
                worker.part, going = None, going - 1
                self.cpu_seconds += seconds
                self.name = name
                self.done(len(part.texts))
                yield part, result

    def _employ(self, waiting: deque[Part], needed: int) -> None:
        """Give each process something to do; begin some where there are too few."""
        while len(self.workers) < min(self.processes, needed):
            context = get_context("spawn")
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, self.model), daemon=True)
            process.start()
            theirs.close()
            self.workers[ours] = _Worker(process)
        for connection, worker in [*self.workers.items()]:
            if worker.part is None and waiting:
                worker.part = waiting.popleft()
                try:
                    connection.send(worker.part)
                except OSError:  # it is gone, as the answer will tell
                    continue

    def _dismiss(self, connection: Connection) -> None:
        worker = self.workers.pop(connection)
        connection.close()
        worker.process.terminate()
        worker.process.join()

    def close(self) -> None:
        """End all processes."""
        for connection in [*self.workers]:
            self._dismiss(connection)


def find_in_processes(model: str, texts: Sequence[Text], processes: int, progress: Progress | None = None) -> Found:
    """Find heads as `find_heads` does, with the texts shared by several processes of one thread each.

    Args:
        model: name for `load_model`, which each process opens.
        processes: how many.
        progress: see `find_heads`.

    Raises:
        NoTexts, TextRefused: see `find_heads`.
        ProcessLost: every process ended before it had done anything.
    """
    if not texts:
        raise NoTexts(model)
    size = max(1, min(MOST, -(-len(texts) // (PARTS * processes))))
    parts = [Part(start, tuple(texts[start : start + size])) for start in range(0, len(texts), size)]
    done, total = 0, len(texts)
    report = progress or (lambda done, total: None)

    def more(n: int) -> None:
        nonlocal done
        done += n
        report(done, total)

    report(0, total)
    pool, tally = _Pool(model, processes, more), Tally()
    try:
        for _, arrays in pool.run(parts):
            tally.add(Tally.from_arrays(arrays))
            tally.keep_examples()
        if not tally.n_texts:
            raise ProcessLost(model)
        asked = effects_to_measure(tally)
        effects: dict[Asked, Effect] = {}
        total += len(asked)
        for _, found in pool.run([Part(at, (texts[at],), tuple(some)) for at, some in asked.items()]):
            joined(effects, found)
    finally:
        pool.close()
    lost = tuple((part.start + 1, part.start + len(part.texts)) for part in pool.lost)
    return Found(conclude(pool.name, tally, effects, tally.measurable), lost, pool.cpu_seconds)


def _serve(connection: Connection, name: str) -> None:
    """Do parts until nobody gives one."""
    torch.set_num_threads(1)
    model = None
    while True:
        try:
            part: Part = connection.recv()
        except EOFError:
            return
        try:
            model = model or load_model(name)
            begun = time.process_time()
            if part.asked is None:
                result: Any = tallied(model, part.texts, part.start).to_arrays()
            else:
                result = measure(model, part.texts[0], part.start, part.asked)
        except AttnvizError as error:
            connection.send((error, 0.0, name))
            return
        connection.send((result, time.process_time() - begun, model.facts.name))
