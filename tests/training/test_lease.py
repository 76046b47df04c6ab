"""One holder of a run on all machines: taken over exactly once, and whoever wakes up afterwards writes nothing more.

A lease of an hour never falls silent by itself, however slow the machine: tests set the time of its file back.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest

from attnviz.errors import RunBusy, RunTaken, RunUnwritable
from attnviz.training import Run, RunState, Step, record
from attnviz.training.run import lease as module
from attnviz.training.run.lease import LEASE_SECONDS, Lease, claim, lease_seconds
from attnviz.training.run.process import ProcessId, process_space
from tests.training.runs import contents, small_run
from tests.training.test_at_once import at_once
from tests.training.test_queue import until

HOUR = 3600

CHILD = """
import sys
from pathlib import Path
from attnviz.errors import RunTaken
from attnviz.training import Run, record

def wait(step):
    if step.step == 5:
        print("waits", flush=True)
        sys.stdin.readline()

for folder in map(Path, sys.argv[1:]):
    try:
        print(record(Run.open(folder), on_step=wait).state, flush=True)
    except RunTaken as error:
        print(error, flush=True)
"""


@pytest.fixture(autouse=True)
def _long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LEASE_SECONDS, str(HOUR))


def leases(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob(".lease*"))


def silence(folder: Path, seconds: float = 3.1 * HOUR) -> None:
    """Set the time of the newest lease back, for one who has not looked at it before."""
    module._SEEN._seen.clear()
    path = module._path(folder, module._epochs(folder)[-1])
    now = module._file_time(folder, 0)
    os.utime(path, ns=(now, now - int(seconds * 1e9)))


def elsewhere(run: Run, epoch: int = 1) -> None:
    """The run is being trained on another machine."""
    process = ProcessId("elsewhere", 7, "today")
    run.write_state(RunState("running", 0, process))
    holder = {**vars(process), "space": "elsewhere"}
    module._path(run.folder, epoch).write_text(json.dumps(holder), "utf-8")


def taken_over(run: Run) -> Lease:
    """Take a run from this process, as another machine does that has not heard of it."""
    silence(run.folder)
    return claim(run.folder)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Return what a run that went through without a break leaves."""
    run = small_run(tmp_path_factory.mktemp("whole") / "run")
    record(run)
    return contents(run)


def test_a_lease_is_held_once_and_given_back(tmp_path: Path) -> None:
    with claim(tmp_path):
        with pytest.raises(RunBusy):
            claim(tmp_path)
        assert leases(tmp_path) == [".lease-1"]
    with claim(tmp_path) as second:
        second.check()
        assert leases(tmp_path) == [".lease-2"], "the number rises, and one file is left"


def test_a_holder_of_another_machine_is_believed_while_it_renews(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run")
    elsewhere(run)
    assert run.state().state == "running"
    with pytest.raises(RunBusy):
        record(run)
    silence(run.folder, 2.9 * HOUR)
    assert run.state().state == "running"
    silence(run.folder)
    assert run.state().state == "interrupted"
    assert record(run).state == "done"


def test_of_six_who_take_over_one_gets_the_run(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run")
    elsewhere(run, epoch=41)
    silence(run.folder)
    got = at_once(lambda _: claim(run.folder), 6)
    holders = [each for each in got if isinstance(each, Lease)]
    assert Counter(each for each in got if not isinstance(each, Lease)) == {RunBusy: 5}
    assert leases(run.folder) == [".lease-42"]
    holders[0].check()
    holders[0].release()


@pytest.mark.parametrize("hours", [1, -1])
def test_the_clock_of_a_machine_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    monkeypatch.setattr(time, "time", lambda now=time.time: now() + hours * 24 * HOUR)
    run = small_run(tmp_path / "run")
    elsewhere(run)
    assert run.state().state == "running"
    with claim(small_run(tmp_path / "mine").folder) as mine:
        mine.check()


def test_a_file_server_whose_clock_went_back_is_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last renewal lies in the future: who watches for three leases knows what the clock does not tell."""
    run = small_run(tmp_path / "run")
    elsewhere(run)
    silence(run.folder, -HOUR)
    begin, later = time.monotonic(), [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: begin + later[0])
    assert run.state().state == "running"
    later[0] = 2.9 * HOUR
    assert run.state().state == "running"
    later[0] = 3.1 * HOUR
    assert run.state().state == "interrupted"
    os.utime(run.folder / ".lease-1")
    assert run.state().state == "running", "it was renewed"


def test_a_holder_that_has_no_time_to_renew_is_believed_while_it_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine that is overloaded, loading a model with the interpreter held: seen by who shares the machine."""
    run = small_run(tmp_path / "run")
    process = ProcessId.current()
    run.write_state(RunState("queued", 0, process))
    module._path(run.folder, 1).write_text(json.dumps({**vars(process), "space": process_space()}), "utf-8")
    begin, later = time.monotonic(), [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: begin + later[0])
    assert run.state().state == "queued"
    enough = time.process_time() + 0.1  # of the clock by which others see it
    while time.process_time() < enough:
        pass
    later[0] = 3.1 * HOUR
    assert run.state().state == "queued", "it works"
    monkeypatch.setattr(ProcessId, "effort", lambda _: 1e6)
    assert run.state().state == "queued"
    later[0] = 6.3 * HOUR
    assert run.state().state == "interrupted", "it does nothing"
    monkeypatch.setattr(ProcessId, "effort", lambda _: later[0])
    later[0] = 59.0 * HOUR
    assert run.state().state == "queued"
    later[0] = 60.1 * HOUR
    assert run.state().state == "interrupted", "it may have hung"


def test_who_is_taken_over_writes_nothing_more(tmp_path: Path, whole: dict[str, object]) -> None:
    run = small_run(tmp_path / "run")
    found: list[object] = []

    def take(step: Step) -> None:
        if step.step == 7:
            lease = taken_over(run)
            found.extend([files(run.folder), lease])

    with pytest.raises(RunTaken, match="Another process has taken over the run run"):
        record(run, on_step=take)
    assert files(run.folder) == found[0]
    assert run.state().state == "running", "it is the other's to say"
    assert isinstance(found[1], Lease)
    found[1].release()
    assert record(run).state == "done"
    assert contents(run) == whole


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_who_wakes_up_before_it_is_taken_over_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It renews before it looks, and who takes over looks again after taking: one of the two gives way."""
    real = module._linked
    with claim(tmp_path) as lease:
        silence(tmp_path)

        def woken(mine: Path, path: Path) -> bool:
            lease.renew()
            return real(mine, path)

        monkeypatch.setattr(module, "_linked", woken)
        with pytest.raises(RunBusy):
            claim(tmp_path)
        lease.check()
        assert leases(tmp_path) == [".lease-1"]


def test_a_lease_is_renewed_before_a_write_after_a_long_sleep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with claim(tmp_path) as lease:
        silence(tmp_path)
        now = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: now + 2 * HOUR)
        lease.check()
        with pytest.raises(RunBusy):
            claim(tmp_path)


@pytest.fixture
def child(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that trains two runs, and waits in each after its fifth step."""
    for name in ("first", "second"):
        small_run(tmp_path / name)
    command = [sys.executable, "-c", CHILD, str(tmp_path / "first"), str(tmp_path / "second")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_a_halted_and_a_killed_process_are_taken_over(
    child: subprocess.Popen[str], tmp_path: Path, whole: dict[str, object]
) -> None:
    assert child.stdin is not None
    assert child.stdout is not None
    first, second = Run.open(tmp_path / "first"), Run.open(tmp_path / "second")
    assert child.stdout.readline() == "waits\n"
    child.send_signal(signal.SIGSTOP)
    assert first.state().state == "running"
    silence(first.folder)
    assert first.state().state == "interrupted"
    assert record(first).state == "done"
    assert contents(first) == whole
    before = files(first.folder)
    child.send_signal(signal.SIGCONT)
    child.stdin.write("\n")
    child.stdin.flush()
    assert "taken over" in child.stdout.readline()
    assert files(first.folder) == before

    assert child.stdout.readline() == "waits\n"
    child.kill()
    child.wait()
    assert second.state().state == "interrupted", "of this machine nobody has to wait for three leases"
    assert record(second).state == "done"
    assert contents(second) == whole


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO, errno.ESTALE])
def test_a_folder_that_fails_on_the_way_is_said_and_nothing_is_lost(
    tmp_path: Path, whole: dict[str, object], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    run = small_run(tmp_path / "run")
    with monkeypatch.context() as patch:

        def fail(step: Step) -> None:
            if step.step == 7:
                refuse = Mock(side_effect=OSError(number, os.strerror(number)))
                patch.setattr("attnviz.training.run.folder.write_json", refuse)
                patch.setattr("attnviz.training.run.resume.write_atomically", refuse)

        with pytest.raises(RunUnwritable, match=os.strerror(number)):
            record(run, on_step=fail)
    assert run.state().state == "interrupted", "nobody looks after it, though the folder took no word of it"
    assert record(run).state == "done"
    assert contents(run) == whole


def test_a_folder_that_is_gone_for_a_while(tmp_path: Path, whole: dict[str, object]) -> None:
    run = small_run(tmp_path / "run")

    def lose(step: Step) -> None:
        if step.step == 7:
            run.folder.rename(tmp_path / "away")

    with pytest.raises(RunUnwritable, match="No such file or directory"):
        record(run, on_step=lose)
    assert not run.folder.exists(), "nothing is made in its place"
    (tmp_path / "away").rename(run.folder)
    silence(run.folder)
    assert record(run).state == "done"
    assert contents(run) == whole


def test_a_lease_that_cannot_be_renewed_is_an_error_before_the_write(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run")
    with pytest.MonkeyPatch.context() as patch:

        def fail(step: Step) -> None:
            if step.step == 7:
                now = time.monotonic()
                patch.setattr(time, "monotonic", lambda: now + 2 * HOUR)
                patch.setattr(os, "utime", Mock(side_effect=OSError(errno.EROFS, os.strerror(errno.EROFS))))

        with pytest.raises(RunUnwritable, match="Read-only file system"):
            record(run, on_step=fail)
    assert [line.step for line in run.metrics()] == list(range(1, 8))


def test_a_file_system_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", Mock(side_effect=OSError(errno.EPERM, os.strerror(errno.EPERM))))
    got = at_once(lambda _: claim(tmp_path), 6)
    assert Counter(each for each in got if not isinstance(each, Lease)) == {RunBusy: 5}
    assert leases(tmp_path) == [".lease-1"]


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff" * 9, b'{"space": 3}'])
def test_an_unreadable_lease_is_judged_by_its_time(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".lease-3").write_bytes(content)
    with pytest.raises(RunBusy):
        claim(tmp_path)
    silence(tmp_path)
    claim(tmp_path).release()


@pytest.mark.parametrize(("text", "seconds"), [("5", 5.0), ("0", 3.0), ("nan", 3.0), ("", 3.0), ("1e9", 3.0)])
def test_the_length_is_the_operators(monkeypatch: pytest.MonkeyPatch, text: str, seconds: float) -> None:
    monkeypatch.setenv(LEASE_SECONDS, text)
    assert lease_seconds() == seconds


def test_leases_are_renewed_while_they_are_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LEASE_SECONDS, "0.05")
    with claim(tmp_path):
        path = tmp_path / ".lease-1"
        for _ in range(2):
            os.utime(path, ns=(1, 1))
            until(lambda: path.stat().st_mtime_ns > 1)
