"""The worker processes of this server, and the queue of training runs before them."""

from __future__ import annotations

import os
from functools import cache

from attnviz.server.keeper import Keeper
from attnviz.server.sweeps import Tuner
from attnviz.server.words import in_words
from attnviz.training import Run, TrainingQueue, runs_root
from attnviz.training.run.manage import clear_leftovers
from attnviz.training.run.queue import Share

__all__ = ["look", "queue", "trouble"]


@cache
def queue() -> TrainingQueue:
    """Return the queue of this server; from the first call on, a worker process is kept warm.

    What a server that was killed left behind is put in order first: runs that waited wait again, half files go.
    From then on, runs that are lost on other servers of the same folder go on here, and so do sweeps.
    """
    made = TrainingQueue(cluster=os.environ.get("ATTNVIZ_RAY_ADDRESS", ""))
    clear_leftovers(runs_root())
    made.restore(runs_root())
    Keeper(made).start()
    Tuner(made).start()
    return made


def look(run: Run) -> Share | None:
    """Note that somebody looks at a run, and return its share of the machine; see `TrainingQueue.look`."""
    return queue().look(run) if queue.cache_info().currsize else None


def trouble(lang: str) -> str:
    """Say why no run that waits can begin; "" where they only wait for their turn."""
    found = queue().trouble if queue.cache_info().currsize else None
    return in_words(lang, *found) if found else ""
