"""The process that trains: started before it is needed, told on standard input which run to train next.

Every line of standard input is the path of a run's folder; on standard output one line answers that the process is
warm, and one each that a run has ended. Everything else about a run is in its folder. When standard input closes, the
process ends after the run it is working on: a server that was killed does not take its runs along.
"""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from pathlib import Path

import torch

from attnviz.errors import AttnvizError
from attnviz.models.network import build_network
from attnviz.tasks import Reverse
from attnviz.training.engine.config import TrainConfig
from attnviz.training.engine.loop import train
from attnviz.training.run.folder import Run
from attnviz.training.run.lease import take_from_parent
from attnviz.training.run.recorder import record

__all__ = ["ENDED", "READY", "main"]

READY, ENDED = "ready", "ended"

log = logging.getLogger("attnviz.worker")


def main() -> None:
    """Train the runs named on standard input, one after the other, on one thread."""
    logging.basicConfig(format="%(name)s: %(message)s")
    torch.set_num_threads(1)
    take_from_parent()
    _warm_up()
    print(READY, flush=True)
    for line in sys.stdin:
        folder = Path(line.rstrip("\n"))
        try:
            run = Run.open(folder)
            record(run, run.commands)
        except AttnvizError as error:  # the run's state says so as well
            log.warning("%s", error)
        except Exception:  # a fault of this program: the next run must not suffer for it
            log.exception("%s", folder)
        print(ENDED, flush=True)


def _warm_up() -> None:
    """Train a small run for one step: what torch loads and sets up on first use is there when a person presses Play."""
    task = Reverse()
    config = TrainConfig(steps=1, batch_size=2, validation_size=2)
    list(train(build_network(task.model_config(), 0), task, config))


if __name__ == "__main__":
    with suppress(KeyboardInterrupt, BrokenPipeError):  # the run's state says "interrupted"; the server has gone
        main()
