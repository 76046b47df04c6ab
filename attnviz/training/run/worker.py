"""The process that trains: started before it is needed, told on standard input which runs to train.

What it is told and what it says is described in hired.py. When standard input closes, the process ends after the runs
it is working on: a server that was killed does not take its runs along. On another machine cluster.py talks with it.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import torch

from attnviz.errors import AttnvizError
from attnviz.models.network import build_network
from attnviz.tasks import Reverse
from attnviz.training.engine.config import TrainConfig
from attnviz.training.engine.loop import train
from attnviz.training.run.folder import Run
from attnviz.training.run.hired import ENDED, GIVE_BACK, GIVEN_BACK, LOOK, READY, TRAIN, TURN, speaker
from attnviz.training.run.recorder import Work, in_turns
from attnviz.training.run.turns import Turns

__all__ = ["main", "work"]

NICENESS = 10  # of 19
log = logging.getLogger("attnviz.worker")


def main() -> None:
    """Train the runs named on standard input."""
    logging.basicConfig(format="%(name)s: %(message)s")
    work(sys.stdin, speaker(sys.stdout))


def work(lines: Iterable[str], say: Callable[..., None]) -> None:
    """Train runs side by side, on one thread, until the orders end and the runs have ended.

    Args:
        lines: orders.
        say: is given the words of what there is to say.
    """
    torch.set_num_threads(1)
    _warm_up()
    _step_back()
    say(READY)
    orders = _Orders(lines)
    with closing(Turns()) as turns:
        told = (0, 0)
        while (wait := turns.wait()) is not None or orders.open:
            for word, number, *rest in orders.take(wait):
                if not _obey(turns, word, number, *rest):
                    say(GIVEN_BACK, number)
            if turns.wait() != 0:
                continue
            number = turns.next()
            news = told[0] if turns.waits(number) else number, turns.sharing
            if news != told:
                told = news
                say(TURN, *told)
            if not _take(turns, number, orders.waiting):
                say(ENDED, number)


def _step_back() -> None:
    """Leave the processor to the pages where they want it; training has what they leave, so all of an idle machine."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)


def _take(turns: Turns, number: int, is_wanted: Callable[[], bool]) -> bool:
    """Give a run its turn; False when it has ended, be it by a fault, for which the others must not suffer."""
    try:
        return turns.take(number, is_wanted)
    except AttnvizError as error:  # the run's state says so as well
        log.warning("%s", error)
    except Exception:  # a fault of this program
        log.exception("a run ended by a fault")
    return False


class _Orders:
    """Lines that are read by a thread of its own: nobody waits who has something to train."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.open = True
        self._lines: SimpleQueue[str] = SimpleQueue()
        threading.Thread(target=self._read, args=(lines,), daemon=True).start()

    def _read(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._lines.put(line)
        self._lines.put("")

    def waiting(self) -> bool:
        """Whether there is an order."""
        return not self._lines.empty()

    def take(self, seconds: float | None) -> list[list[Any]]:
        """Return all orders that are there, or wait for one; None: without end."""
        taken: list[list[Any]] = []
        with suppress(Empty):
            while line := self._lines.get(timeout=0 if taken else seconds):
                taken.append(json.loads(line))
            self.open = False
        return taken


def _obey(turns: Turns, word: str, number: int, folder: str = "", lease: int = 0) -> bool:
    """Do as told; False when a run was given back."""
    if word == TRAIN:
        turns.add(number, _work(Path(folder), lease))
    elif word == LOOK:
        turns.look(number)
    return not (word == GIVE_BACK and turns.remove(number))


def _work(folder: Path, lease: int) -> Work:
    """Open a run when it has its first turn, and train it."""
    run = Run.open(folder)
    return (yield from in_turns(run, run.commands, left=lease))


def _warm_up() -> None:
    """Train a small run for one step: what torch loads and sets up on first use is there when a person presses Play."""
    task = Reverse()
    config = TrainConfig(steps=1, batch_size=2, validation_size=2)
    list(train(build_network(task.model_config(), 0), task, config))


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):  # the runs' states say "interrupted"
        main()
