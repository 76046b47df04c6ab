"""Training on a cluster of Ray: real machines as processes of 127.0.0.1, steered and killed."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from attnviz.errors import ClusterAway, ClusterOpen, RayMissing
from attnviz.training import Run, TrainingQueue, record
from attnviz.training.run import cluster as cluster_module
from attnviz.training.run.cluster import reach
from tests.training.runs import contents, small_config, small_run, stop_after
from tests.training.test_queue import LONG, kill_worker_of, reaches, until


class Cluster:
    """Machines of a cluster; the first one trains nothing, as the one of a server."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("ray_nodes.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.address = ""
        self.add(0)

    def add(self, cores: int) -> int:
        """Add a machine; returns the number of its process that looks after the others there."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(cores, file=self._process.stdin, flush=True)
        self.address, processes = json.loads(self._process.stdout.readline())
        (raylet,) = processes["raylet"]
        return int(raylet)

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_health_check_period_ms", "1000")  # a dead machine is noticed in 5 s instead of 15
        cluster = Cluster()
        yield cluster
        cluster.close()


def machine_of(run: Run, step: int) -> int:
    """Return the process of the machine on which a run has been trained beyond a step; 0 before that."""
    state = run.state()
    if state.state != "running" or state.process is None or run.last_step() <= step:
        return 0
    return psutil.Process(state.process.pid).ppid()


def test_a_run_is_steered_on_a_cluster_and_outlives_its_worker_and_its_machine(
    cluster: Cluster, tmp_path: Path
) -> None:
    config = small_config(LONG)
    run, through = Run.create(tmp_path / "run", config), Run.create(tmp_path / "through", config)
    with TrainingQueue(cluster=cluster.address) as queue:
        queue.submit(run)  # waits for a machine
        machines = {cluster.add(1), cluster.add(1)}
        until(lambda: machine_of(run, 3) in machines)
        run.commands.send("pause")
        reaches(run, "paused")
        run.commands.send("resume")
        dead = kill_worker_of(run)
        until(lambda: run.state().process not in (None, dead))
        step = run.last_step()
        until(lambda: machine_of(run, step) in machines)

        worker, machine = run.state().process, machine_of(run, step)
        assert worker is not None
        for pid in (machine, worker.pid):
            os.kill(pid, signal.SIGKILL)
        reaches(run, "interrupted")
        assert queue.take_over(run)  # as a server does that sees it, before Ray does
        step = run.last_step()
        until(lambda: machine_of(run, step + 20) in machines - {machine})
        run.commands.send("stop")
        reaches(run, "stopped")
    record(through, stop_after(run.state().step))
    assert contents(run) == contents(through)


def test_what_waits_for_a_cluster_says_why_and_is_kept(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run")
    with TrainingQueue(cluster="127.0.0.1:1") as queue:
        queue.submit(run)
        until(lambda: queue.trouble is not None)
        assert queue.trouble == (ClusterAway.code, {"address": "127.0.0.1:1", "reason": "Connection refused"})
        assert run.state().state == "queued"
    assert run.state().resumable


def test_a_cluster_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    with pytest.raises(ClusterOpen):
        reach("192.0.2.1:6379")  # no packet is sent
    for address in ("127.0.0.1", "127.0.0.1:port", "127.0.0.1:99999"):
        with pytest.raises(ClusterAway):
            reach(address)
    monkeypatch.setattr(cluster_module, "find_spec", lambda _: None)
    with pytest.raises(RayMissing):
        reach("127.0.0.1:6379")
