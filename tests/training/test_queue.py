"""The queue: real processes, in order, few at once; commands reach them, and their death is seen."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from attnviz.errors import ConfigError, RunBusy, RunUnwritable, WorkerDied
from attnviz.training import Run, RunState, TrainingQueue, place_in_queue, record
from attnviz.training.run import worker
from attnviz.training.run.hired import DIED, ENDED, READY, TRAIN, TURN, Job
from attnviz.training.run.manage import clear_leftovers
from attnviz.training.run.process import ProcessId
from attnviz.training.run.queue import default_workers
from tests.training.runs import contents, small_config, small_run, stop_after

LONG = 1_000_000  # steps: a run that ends only when it is told to


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another process does; only a fault makes this take long."""
    limit = time.monotonic() + 900
    while not condition():
        assert time.monotonic() < limit, "nothing happened for a quarter of an hour"
        time.sleep(0.05)


def reaches(run: Run, state: str) -> None:
    until(lambda: run.state().state == state)


def kill_worker_of(run: Run) -> ProcessId:
    """kill -9 of the process that trains a run, once it does."""
    until(lambda: run.state().state == "running" and len(run.metrics()) > 0)
    process = run.state().process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    return process


@pytest.fixture(scope="module")
def queue() -> Iterator[TrainingQueue]:
    """One run at a time: the others wait."""
    with TrainingQueue(workers=1, at_once=1) as queue:
        yield queue


def test_a_person_can_steer_a_run_in_another_process(queue: TrainingQueue, tmp_path: Path) -> None:
    run, second, third = (small_run(tmp_path / name, steps) for name, steps in (("a", LONG), ("b", 3), ("c", 3)))
    for each in (run, second, third):
        queue.submit(each)
    until(lambda: len(run.metrics()) > 3)
    assert [place_in_queue(each) for each in (run, second, third)] == [None, 1, 2]
    assert run.state().process is not None
    assert run.state().process.pid != os.getpid()  # type: ignore[union-attr]
    for busy in (run, second):
        with pytest.raises(RunBusy):
            queue.submit(busy)
    run.commands.send("pause")
    reaches(run, "paused")
    step = run.state().step
    assert len(run.metrics()) == step
    run.commands.send("step")
    until(lambda: run.state().step == step + 1)
    assert run.state().state == "paused"
    run.commands.send("learning_rate", 0.05)
    run.commands.send("resume")
    until(lambda: run.metrics()[-1].step > step + 4)
    rates = {m.step: m.learning_rate for m in run.metrics()}
    assert rates[step + 4] > 10 * rates[step + 1]
    assert queue.withdraw(third)
    assert not queue.withdraw(run)
    run.commands.send("stop")
    reaches(run, "stopped")
    reaches(second, "done")
    assert third.state().state == "stopped"
    queue.submit(run)  # goes on; the old commands are forgotten
    until(lambda: run.state().state == "running")
    run.commands.send("stop")
    reaches(run, "stopped")


def test_the_run_of_a_worker_that_dies_goes_on_by_itself(queue: TrainingQueue, tmp_path: Path) -> None:
    config = small_config(LONG)
    run, through = Run.create(tmp_path / "run", config), Run.create(tmp_path / "through", config)
    following = small_run(tmp_path / "following", 3)
    run.commands.send("stop")  # before it is submitted: forgotten
    queue.submit(run)
    queue.submit(following)
    until(lambda: len(run.metrics()) > 20)
    kill_worker_of(run)
    until(lambda: len(run.metrics()) > 60)
    run.commands.send("stop")
    reaches(run, "stopped")
    reaches(following, "done")
    record(through, stop_after(run.state().step))
    assert contents(run) == contents(through)


def test_a_run_that_workers_die_of_fails(queue: TrainingQueue, tmp_path: Path) -> None:
    """The second time that it is in turn when its worker dies; it can be tried again."""
    run = small_run(tmp_path / "run", LONG)
    queue.submit(run)
    first = kill_worker_of(run)
    until(lambda: run.state().process not in (None, first) and run.state().state == "running")
    kill_worker_of(run)
    reaches(run, "failed")
    assert run.state().message == str(WorkerDied("run"))
    assert run.state().resumable
    queue.submit(run)
    until(lambda: run.state().state == "running")
    run.commands.send("stop")
    reaches(run, "stopped")


def test_a_worker_that_dies_while_it_waits_is_replaced(queue: TrainingQueue, tmp_path: Path) -> None:
    first, second = small_run(tmp_path / "first", LONG), small_run(tmp_path / "second", 3)
    queue.submit(first)
    reaches(first, "running")
    process = first.state().process
    assert process is not None
    first.commands.send("stop")
    reaches(first, "stopped")
    os.kill(process.pid, signal.SIGKILL)
    until(lambda: not process.alive())
    queue.submit(second)
    reaches(second, "done")


def test_a_run_that_fails_does_not_hold_up_the_queue(queue: TrainingQueue, tmp_path: Path) -> None:
    diverging = small_run(tmp_path / "diverging", 200, learning_rate=1.0, warmup_steps=0, clip=1e6)
    edited, good = small_run(tmp_path / "edited"), small_run(tmp_path / "good", 3)
    (edited.folder / "config.json").write_text("{}")
    for run in (diverging, edited, good):
        queue.submit(run)
    reaches(good, "done")
    assert diverging.state().state == "failed"
    assert "Lower the learning rate" in diverging.state().message
    with pytest.raises(ConfigError, match="learning_rate is 3; it must be above 0 and at most 1"):
        queue.submit(diverging, learning_rate=3)
    queue.submit(diverging, learning_rate=3e-3)
    reaches(diverging, "done")
    assert max(m.learning_rate for m in diverging.metrics()) <= 3e-3
    assert diverging.metrics()[-1].loss < 1.0
    assert edited.state().state == "interrupted"


def test_of_two_threads_that_submit_a_run_one_is_refused(queue: TrainingQueue, tmp_path: Path) -> None:
    """A person who presses Play twice, or two browsers that press it at once."""
    runs = [small_run(tmp_path / str(number), 2) for number in range(5)]
    barrier = threading.Barrier(2)

    def submit(run: Run) -> bool:
        barrier.wait()
        try:
            queue.submit(run)
        except RunBusy:
            return False
        return True

    first, last = small_run(tmp_path / "first", LONG), runs[-1]
    queue.submit(first)  # the others wait
    until(lambda: first.state().state == "running")
    with ThreadPoolExecutor(2) as threads:
        for run in runs:
            accepted = [threads.submit(submit, run) for _ in range(2)]
            assert sorted(future.result() for future in accepted) == [False, True]
    assert [place_in_queue(run) for run in runs] == [1, 2, 3, 4, 5]
    first.commands.send("stop")
    reaches(last, "done")


def test_two_servers_cannot_train_one_run(queue: TrainingQueue, tmp_path: Path) -> None:
    """Whether the other one trains it or has it waiting; the command line trains in its own process."""
    training, waiting = small_run(tmp_path / "training", LONG), small_run(tmp_path / "waiting", 3)
    queue.submit(training)
    queue.submit(waiting)
    until(lambda: len(training.metrics()) > 0)
    script = (
        "import sys; from pathlib import Path\n"
        "from attnviz.errors import RunBusy\n"
        "from attnviz.training import Run, TrainingQueue, record\n"
        "training, waiting = (Run.open(Path(path)) for path in sys.argv[1:])\n"
        "with TrainingQueue(workers=1, at_once=1) as queue:\n"
        "    for act, run in ((queue.submit, training), (queue.submit, waiting), (record, training)):\n"
        "        try: act(run)\n"
        "        except RunBusy as error: print(error)\n"
    )
    command = [sys.executable, "-c", script, str(training.folder), str(waiting.folder)]
    other = subprocess.run(command, capture_output=True, text=True, check=True)
    busy = [str(RunBusy(name)) for name in ("training", "waiting", "training")]
    assert other.stdout.splitlines() == busy
    training.commands.send("stop")
    reaches(waiting, "done")


def test_closing_ends_the_workers(tmp_path: Path) -> None:
    run, waiting = small_run(tmp_path / "run", LONG), small_run(tmp_path / "waiting", 3)
    with TrainingQueue(workers=1, at_once=1) as queue:
        queue.submit(run)
        queue.submit(waiting)
        until(lambda: len(run.metrics()) > 0)
    assert run.state().state == "interrupted"
    assert waiting.state().state == "stopped"


def test_a_run_outlives_the_server(tmp_path: Path) -> None:
    """kill -9 of the process that holds the queue: what was training goes on and obeys, what waited can be resumed."""
    run, waiting = small_run(tmp_path / "run", LONG), small_run(tmp_path / "waiting", 3)
    script = (
        "import sys; from pathlib import Path; from attnviz.training import Run, TrainingQueue\n"
        "queue = TrainingQueue(workers=1, at_once=1)\n"
        "for path in sys.argv[1:]: queue.submit(Run.open(Path(path)))\n"
        "print('submitted', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, str(run.folder), str(waiting.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "submitted\n"
        until(lambda: len(run.metrics()) > 0)
        server.kill()
    assert waiting.state().state == "interrupted"
    seen = len(run.metrics())
    until(lambda: len(run.metrics()) > seen)
    run.commands.send("stop")
    reaches(run, "stopped")


def test_runs_that_waited_wait_again_in_their_order(tmp_path: Path) -> None:
    """kill -9 of a server with a queue, a clock that goes backwards; the next server trains them as they came."""
    first = small_run(tmp_path / "first", LONG)
    runs = [small_run(tmp_path / name, 3) for name in ("c", "a", "b")]
    script = (
        "import sys, time; from pathlib import Path; from attnviz.training import Run, TrainingQueue\n"
        "times = iter(range(10**9, 0, -1)); time.time = lambda: next(times)\n"
        "queue = TrainingQueue(workers=1, at_once=1)\n"
        "for path in sys.argv[1:]: queue.submit(Run.open(Path(path)), 0.005)\n"
        "print('submitted', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, *(str(run.folder) for run in (first, *runs))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "submitted\n"
        until(lambda: first.state().state == "running")
        assert [place_in_queue(run) for run in runs] == [1, 2, 3]
        server.kill()
    assert [run.state().state for run in runs] == ["interrupted"] * 3
    first.commands.send("stop")
    reaches(first, "stopped")
    with TrainingQueue(workers=1, at_once=1) as queue:
        blocking = small_run(tmp_path / "blocking", LONG)
        queue.submit(blocking)
        reaches(blocking, "running")
        assert queue.restore(tmp_path) == runs
        assert [place_in_queue(run) for run in runs] == [1, 2, 3]
        assert queue.restore(tmp_path) == [], "they are looked after"
        last = small_run(tmp_path / "0-last", 3)
        queue.submit(last)
        assert place_in_queue(last) == 4
        blocking.commands.send("stop")
        reaches(last, "done")
    assert [run.state().state for run in runs] == ["done"] * 3
    began = [(run.folder / "checkpoints" / "step-000000.safetensors").stat().st_mtime_ns for run in (*runs, last)]
    assert began == sorted(began)
    assert runs[0].metrics()[-1].learning_rate == pytest.approx(0.005 * 3 / 4), "as it was told"


def test_what_a_killed_server_left_half_done_is_cleared(tmp_path: Path) -> None:
    run, busy = small_run(tmp_path / "run", 3), small_run(tmp_path / "busy", 3)
    for folder in (run.folder, run.folder / "checkpoints", busy.folder):
        (folder / ".state.json.1-2.tmp").touch()
    (tmp_path / ".deleted-0123").mkdir()
    (tmp_path / ".deleted-0123" / "config.json").touch()
    (tmp_path / "notes.tmp").touch()
    for name in (".new-1.tmp", ".new-2.tmp"):
        (tmp_path / name).mkdir()
    os.utime(tmp_path / ".new-1.tmp", (0, 0))
    with busy.claimed():
        assert clear_leftovers(tmp_path) == 4
    assert {path.name for path in tmp_path.iterdir()} == {"run", "busy", "notes.tmp", ".new-2.tmp"}
    assert not [*run.folder.rglob("*.tmp")]
    assert [*busy.folder.rglob("*.tmp")], "somebody works on it"
    assert clear_leftovers(tmp_path / "none") == 0


def test_the_worker_answers_every_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run, bad = small_run(tmp_path / "run", 3), small_run(tmp_path / "bad", 3)
    orders = [[TRAIN, number, str(folder)] for number, folder in ((1, bad.folder / "x"), (2, run.folder))]
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{json.dumps(order)}\n" for order in orders)))
    threads = torch.get_num_threads()
    try:
        worker.main()
    finally:
        torch.set_num_threads(threads)
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert said[0] == [READY]
    assert [line[1] for line in said if line[0] == TURN][:2] == [1, 2]
    assert {tuple(line) for line in said if line[0] == ENDED} == {(ENDED, 1), (ENDED, 2)}
    assert run.state().state == "done"


def test_one_core_is_left_for_the_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, workers in ((1, 1), (2, 1), (8, 7)):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, cores=cores: set(range(cores)), raising=False)
        assert default_workers() == workers


def test_a_run_that_nobody_looks_after_is_taken_over(queue: TrainingQueue, tmp_path: Path) -> None:
    lost, full, ended = (small_run(tmp_path / name) for name in ("lost", "full", "ended"))
    lost.write_state(RunState("running", 0, replace(ProcessId.current(), host="elsewhere")))
    error = RunUnwritable("full", "No space left on device")
    full.write_state(RunState("failed", error={"code": error.code, "details": error.details}))
    assert queue.take_over(lost)
    assert queue.take_over(full)
    assert not queue.take_over(ended), "it was stopped"
    until(lambda: lost.state().state == full.state().state == "done")
    assert contents(lost) == contents(full)


def test_a_worker_that_fell_silent_is_replaced(queue: TrainingQueue, tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", LONG)
    queue.submit(run)
    reaches(run, "running")
    halted = run.noted_state().process
    assert halted is not None
    os.kill(halted.pid, signal.SIGSTOP)
    assert queue.take_over(run)
    until(lambda: run.state().state == "running" and run.noted_state().process != halted)
    run.commands.send("stop")
    reaches(run, "stopped")


class Stillborn:
    """A worker that dies before it is warm."""

    cluster, warm, alone, turn, sharing, crashed, blames = "", False, False, 0, 0, True, True

    def __init__(self, *_: object) -> None:
        self.jobs: dict[int, Job] = {}

    def train(self, job: Job) -> None:
        self.jobs[1] = job


def test_a_run_whose_worker_dies_before_it_is_warm_goes_on_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("attnviz.training.run.queue.Hired", Stillborn)
    queue, run = TrainingQueue(workers=1), small_run(tmp_path / "run")
    queue.submit(run)
    first = queue._crew[0]
    queue._hear(first, DIED, [])
    assert run.state().state == "queued"
    [second] = queue._crew
    assert second is not first
    assert [job.run for job in second.jobs.values()] == [run]
    queue._hear(second, DIED, [])
    assert run.state().state == "interrupted", "no worker can begin"
