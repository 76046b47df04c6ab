"""A worker process as the queue sees it: what it trains, what it is told, what it says.

A line between them is a list in JSON. A run has a number, given when it is to be trained. To the worker:

    ["train", NUMBER, FOLDER, LEASE]    train a run beside those that it trains; its lease of that number is left to it
    ["look", NUMBER]                    somebody looks at it
    ["give back", NUMBER]               interrupt it; another process goes on with it

and from it:

    ["away", CODE, DETAILS]             it cannot begin yet; the error says why
    ["ready"]                           it is warm
    ["turn", NUMBER, N]                 a run has its turn, of N that take turns; the others wait, paused or slowed down
    ["given back", NUMBER]              a run is interrupted, as it was asked to
    ["ended", NUMBER]                   a run has ended, whichever way

Everything else about a run is in its folder.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any, NamedTuple, TextIO

from attnviz.training.run.folder import Run
from attnviz.training.run.lease import Lease

__all__ = [
    "AWAY",
    "DIED",
    "ENDED",
    "GIVEN_BACK",
    "GIVE_BACK",
    "LOOK",
    "READY",
    "TRAIN",
    "TURN",
    "WORKER_DIED",
    "Hired",
    "Job",
    "speaker",
]

TRAIN, LOOK, GIVE_BACK = "train", "look", "give back"
AWAY, READY, TURN, GIVEN_BACK, ENDED = "away", "ready", "turn", "given back", "ended"
DIED = "died"
"""In place of a word, when the process has ended."""
WORKER_DIED = 3
"""Exit status of a process that stands for a worker of a cluster: what it trained is the likely cause of its death."""
NUMBERS = count(1)

log = logging.getLogger(__name__)


class Job(NamedTuple):
    """A run that is to be trained.

    Attributes:
        run: it.
        lease: held for it while it waits; the worker that begins takes it over.
        large: whether it has a process of its own.
    """

    run: Run
    lease: Lease
    large: bool


class Hired:
    """A fresh interpreter that trains or stands for one that does, never a fork of this process and its threads.

    Args:
        hear: is told, in a thread of its own, every word that the process says, and last that it has died.
        cluster: address of the cluster on which it trains, see cluster.py; "": on this machine.

    Attributes:
        cluster: as given.
        jobs: what it trains, by number.
        warm: whether it has begun to work.
        turn: number of the run that it is working on; 0 before the first.
        sharing: how many of its runs take turns all the time.
        crashed: whether it ended otherwise than it should.
        blames: whether a run may be the cause of that.
    """

    def __init__(self, hear: Callable[[Hired, str, list[Any]], None], cluster: str = "") -> None:
        self.cluster = cluster
        self.jobs: dict[int, Job] = {}
        self.warm = False
        self.turn, self.sharing = 0, 0
        self.crashed = self.blames = False
        self._hear = hear
        there = ["cluster", cluster] if cluster else ["worker"]
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.{there[0]}", *there[1:]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        self.thread = threading.Thread(target=self._listen, daemon=True, name="attnviz-worker")
        self.thread.start()

    @property
    def alone(self) -> bool:
        """Whether it trains one large run and nothing beside it."""
        return any(job.large for job in self.jobs.values())

    def train(self, job: Job) -> None:
        """Have it train a run: a large one alone, others beside those that it has."""
        number = next(NUMBERS)
        self.jobs[number] = job
        self._tell(TRAIN, number, str(job.run.folder.absolute()), job.lease.epoch)

    def number_of(self, run: Run) -> int | None:
        """Return the number of a run that it trains, else None."""
        return next((number for number, job in list(self.jobs.items()) if job.run.folder == run.folder), None)

    def look(self, number: int) -> None:
        """Tell it that somebody looks at one of its runs."""
        self._tell(LOOK, number)

    def give_back(self) -> None:
        """Have it interrupt the run that came last."""
        self._tell(GIVE_BACK, max(self.jobs))

    def retire(self) -> None:
        """Let it end when its runs have ended."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def _tell(self, *words: object) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(words) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:  # it died, as will be heard in a moment
            log.debug("worker %s had unread input", self._process.pid)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                word, *rest = json.loads(line)
                self._hear(self, word, rest)
        status = self._process.wait()
        self.crashed, self.blames = status != 0, status == WORKER_DIED or (status != 0 and not self.cluster)
        self._hear(self, DIED, [])
        with suppress(BrokenPipeError):
            self.retire()


def speaker(out: TextIO) -> Callable[..., None]:
    """Return what a worker says its words with; when nobody hears it any more, its runs go on."""

    def say(*words: object) -> None:
        nonlocal out
        try:
            print(json.dumps(words), file=out, flush=True)
        except BrokenPipeError:
            out = open(os.devnull, "w")  # noqa: SIM115 - for good

    return say
