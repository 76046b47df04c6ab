"""The worker processes of this server, and the queue of training runs before them."""

from __future__ import annotations

from functools import cache

from attnviz.server.keeper import Keeper
from attnviz.training import Run, TrainingQueue, runs_root
from attnviz.training.run.manage import clear_leftovers
from attnviz.training.run.queue import Share

__all__ = ["look", "queue"]


@cache
def queue() -> TrainingQueue:
    """Return the queue of this server; from the first call on, a worker process is kept warm.

    What a server that was killed left behind is put in order first: runs that waited wait again, half files go.
    From then on, runs that are lost on other servers of the same folder go on here.
    """
    made = TrainingQueue()
    clear_leftovers(runs_root())
    made.restore(runs_root())
    Keeper(made).start()
    return made


def look(run: Run) -> Share | None:
    """Note that somebody looks at a run, and return its share of the machine; see `TrainingQueue.look`."""
    return queue().look(run) if queue.cache_info().currsize else None
