"""A worker on another machine: this process stands for one that trains on a Ray cluster, and is all that knows Ray.

To the queue it is a worker like any other (see hired.py): it hands on what either side says to the other. It is a
process of its own, for Ray ends every process that has lost its cluster. While there is no cluster, it says why, and
tries again; what it was told meanwhile waits.

The machines share the folder of the runs, by one path, and have the same version of this program. This one is a machine
of the cluster too, if only with 0 cores.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from queue import SimpleQueue
from typing import Any

from attnviz.bounded import reason
from attnviz.errors import AttnvizError, ClusterAway, ClusterBusy, ClusterOpen, RayMissing
from attnviz.errors.base import Why
from attnviz.training.run.hired import AWAY, WORKER_DIED, speaker
from attnviz.training.run.lease import LEASE_SECONDS

__all__ = ["main", "reach"]

RETRY = 3.0  # seconds between two tries to reach the cluster
PATIENCE = 20.0  # seconds after which a worker that waits for a core says so
POLL = 10.0  # seconds that an answer is waited for
HANDED_ON = (LEASE_SECONDS, "ATTNVIZ_TRAIN_MEMORY_MB")
"""Environment variables that hold for the runs, on whatever machine."""

log = logging.getLogger("attnviz.cluster")


class _Worker:
    """The worker on the other machine, an actor of Ray.

    Both ways lines are numbered: each is taken once, however often it is sent after the network failed.

    Args:
        settings: environment variables.
    """

    def __init__(self, settings: Mapping[str, str]) -> None:
        os.environ.update(settings)
        self._orders: SimpleQueue[str] = SimpleQueue()
        self._taken = 0
        self._said: list[tuple[int, tuple[Any, ...]]] = []
        self._number = 0
        self._ended = False
        self._changed = threading.Condition()
        threading.Thread(target=self._work, daemon=True, name="attnviz-work").start()

    def node(self) -> str:
        """Return the machine, as Ray calls it."""
        import ray

        return str(ray.get_runtime_context().get_node_id())

    def tell(self, number: int, line: str) -> None:
        """Take an order; "" for the last one."""
        with self._changed:
            if number > self._taken:
                self._taken = number
                self._orders.put(line)

    def hear(self, known: int) -> list[tuple[int, tuple[Any, ...]]] | None:
        """Wait a while for what was said after a line that is known; None: that was all."""
        with self._changed:
            self._said = [line for line in self._said if line[0] > known]
            self._changed.wait_for(lambda: self._said or self._ended, POLL)
            return self._said or (None if self._ended else [])

    def _work(self) -> None:
        from attnviz.training.run.worker import work  # torch, which only the other machine needs

        try:
            work(iter(self._orders.get, ""), self._say)
        except BaseException:  # a fault of this program: as in a process of this machine, that is its end
            log.exception("the worker ended by a fault")
            os._exit(1)
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _say(self, *words: object) -> None:
        with self._changed:
            self._number += 1
            self._said.append((self._number, words))
            self._changed.notify_all()


class _Orders:
    """Lines of standard input, read at once, so that it is seen when the server ends."""

    def __init__(self) -> None:
        self.lines: SimpleQueue[str] = SimpleQueue()
        self.closed = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in sys.stdin:
            self.lines.put(line)
        self.lines.put("")
        self.closed.set()


def main(address: str) -> int:
    """Stand for a worker on the cluster of an address, until it ends; returns the exit status of this process.

    `WORKER_DIED`: the worker died, though its machine did not; another one than 0: the cluster was lost.
    """
    logging.basicConfig(format="%(name)s: %(message)s")
    say = speaker(os.fdopen(os.dup(1), "w"))
    os.dup2(2, 1)  # what Ray prints is no word of the worker
    orders = _Orders()
    why = ""
    while True:
        try:
            reach(address)
            return _pass_on(address, orders, say)
        except AttnvizError as error:
            if str(error) != why:
                why = str(error)
                log.warning("%s", why)
                say(AWAY, error.code, error.details)
        if orders.closed.wait(RETRY):
            return 0


def reach(address: str) -> None:
    """Join the cluster of an address, "host:port".

    Raises:
        RayMissing: Ray is not installed.
        ClusterOpen: it is on other machines, and no token protects it.
        ClusterAway: it does not answer, or does not let this machine in.
    """
    if find_spec("ray") is None:
        raise RayMissing(address)
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or int(port) >= 2**16:
        raise ClusterAway(address, Why("host-port"))
    local = host in ("127.0.0.1", "localhost")
    if not local and os.environ.get("RAY_AUTH_MODE") != "token":
        raise ClusterOpen(address)
    try:
        socket.create_connection((host, int(port)), 5).close()  # Ray itself would try for a minute
    except OSError as error:
        raise ClusterAway(address, reason(error)) from error
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    if local:
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # else Ray looks for the address of the network card
    import ray

    try:
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:
        ray.shutdown()
        raise ClusterAway(address, _first_line(error)) from error


def _pass_on(address: str, orders: _Orders, say: Callable[..., None]) -> int:
    """Have a worker begin on a machine of the cluster, and hand on what both sides say.

    Raises:
        ClusterAway: the worker cannot begin there.
    """
    import ray

    settings = {name: os.environ[name] for name in HANDED_ON if name in os.environ}
    actor = ray.remote(num_cpus=1, max_restarts=0, max_task_retries=-1, max_concurrency=4)(_Worker)
    worker = actor.options(scheduling_strategy="SPREAD").remote(settings)
    machine = worker.node.remote()
    patience = time.monotonic() + PATIENCE
    while not ray.wait([machine], timeout=RETRY)[0]:
        if orders.closed.is_set():
            return 0
        if time.monotonic() > patience:
            patience = float("inf")
            busy = ClusterBusy(address)
            say(AWAY, busy.code, busy.details)
    try:
        node = ray.get(machine)
    except ray.exceptions.RayError as error:
        ray.shutdown()
        raise ClusterAway(address, _first_line(error)) from error
    threading.Thread(target=_tell, args=(worker, orders), daemon=True).start()
    known = 0
    try:
        while (lines := ray.get(worker.hear.remote(known))) is not None:
            for number, words in lines:
                known = number
                say(*words)
    except ray.exceptions.RayActorError as error:
        log.warning("%s", _first_line(error))
        return WORKER_DIED if any(each["NodeID"] == node and each["Alive"] for each in ray.nodes()) else 1
    return 0


def _tell(worker: Any, orders: _Orders) -> None:
    """Hand on the orders, each when the one before has arrived."""
    import ray

    number, line = 0, "first"
    try:
        while line:
            number, line = number + 1, orders.lines.get()
            ray.get(worker.tell.remote(number, line))
    except ray.exceptions.RayActorError as error:  # who listens notices as well
        log.debug("%s", error)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


if __name__ == "__main__":
    from attnviz.training.run import cluster  # by its name, as the other machine knows it

    sys.exit(cluster.main(sys.argv[1]))
