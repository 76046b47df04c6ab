"""The worker processes of this server, and the queue of training runs before them."""

from __future__ import annotations

from functools import cache

from attnviz.server.keeper import Keeper
from attnviz.training import TrainingQueue, runs_root
from attnviz.training.run.manage import clear_leftovers

__all__ = ["queue"]


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
