"""Runs on a network file system: what one machine knows is old, until it opens a file or changes something in a folder.

`Machine` looks at files as the client of NFS does that answers from what it knew, here for ever.
"""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from attnviz.errors import RunTaken
from attnviz.training import RunState
from attnviz.training.run import lease as module
from attnviz.training.run.lease import LEASE_SECONDS, claim
from attnviz.training.run.manage import delete_run
from tests.training.runs import small_run

REAL = {name: getattr(os, name) for name in ("stat", "lstat", "listdir", "open", "link", "unlink", "rename", "replace")}
OPEN = io.open


class Machine:
    """A machine whose view of a folder is its own; used as a context, this process looks at files as it does."""

    def __init__(self, folder: Path) -> None:
        self._folder = os.fspath(folder)
        self._known: dict[tuple[str, str], Any] = {}

    @contextmanager
    def here(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            for name in ("stat", "lstat", "listdir"):
                patch.setattr(os, name, self._remembering(name))
            for name in ("link", "unlink", "rename", "replace"):
                patch.setattr(os, name, self._changing(name))
            patch.setattr(os, "open", self._open)
            patch.setattr(io, "open", self._io_open)
            yield

    def _remembering(self, name: str) -> Any:
        def ask(path: Any = ".", **how: Any) -> Any:
            if isinstance(path, int) or not os.fspath(path).startswith(self._folder):
                return REAL[name](path, **how)
            if (name, os.fspath(path)) not in self._known:
                try:
                    answer = REAL[name](path, **how)
                except FileNotFoundError as error:
                    answer = error
                self._known[name, os.fspath(path)] = answer
            answer = self._known[name, os.fspath(path)]
            if isinstance(answer, FileNotFoundError):
                raise answer
            return answer

        return ask

    def _changing(self, name: str) -> Any:
        def change(*paths: Any, **how: Any) -> Any:
            try:
                return REAL[name](*paths, **how)
            finally:
                self._known.clear()

        return change

    def _is_missing(self, path: Any) -> bool:
        """Whether it knows, or believes to know, that there is no such file."""
        known = (self._known.get((name, os.fspath(path))) for name in ("stat", "lstat"))
        return any(isinstance(each, FileNotFoundError) for each in known)

    def _open(self, path: Any, flags: int, *mode: Any, **how: Any) -> int:
        if flags & getattr(os, "O_TMPFILE", 0) == getattr(os, "O_TMPFILE", -1):
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
        if flags & os.O_CREAT:
            self._known.clear()
        elif self._is_missing(path):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), os.fspath(path))
        return int(REAL["open"](path, flags, *mode, **how))

    def _io_open(self, path: Any, mode: str = "r", *rest: Any, **how: Any) -> Any:
        if isinstance(path, int):
            return OPEN(path, mode, *rest, **how)
        if "r" not in mode:
            self._known.clear()
        elif self._is_missing(path):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), os.fspath(path))
        return OPEN(path, mode, *rest, **how)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setenv(LEASE_SECONDS, "3600")
    return Machine(tmp_path)


def test_a_lease_that_is_renewed_elsewhere_is_seen(machine: Machine, tmp_path: Path) -> None:
    with claim(tmp_path):
        with machine.here():
            first = module._newest(tmp_path)
        os.utime(tmp_path / ".lease-1", ns=(7, 7))
        with machine.here():
            second = module._newest(tmp_path)
            assert first is not None
            assert second is not None
            assert not module._unchanged(first)
        assert (second.epoch, second.mtime) == (1, 7)


def test_who_was_taken_over_sees_it_before_the_next_write(machine: Machine, tmp_path: Path) -> None:
    with machine.here():
        lease = claim(tmp_path)
        lease.check()
    with claim(tmp_path, left=1):
        with machine.here(), pytest.raises(RunTaken):
            lease.check()
        with machine.here():  # it finds the new one, though the list of names that it has is old
            found = module._newest(tmp_path)
    assert found is not None
    assert found.epoch == 2


def test_who_wakes_up_looks_for_the_next_one_anew(machine: Machine, tmp_path: Path) -> None:
    with machine.here():
        lease = claim(tmp_path)
        lease.check()
    (tmp_path / ".lease-2").write_text("{}")  # somebody is taking over, and has not deleted the one before yet
    lease._renewed = -float("inf")
    with machine.here(), pytest.raises(RunTaken):
        lease.check()


def test_a_link_whose_answer_got_lost_was_made(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(source: Path, target: Path) -> None:
        os.stat(source)  # what is known of it is from before
        REAL["link"](source, target)
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))

    with machine.here():
        monkeypatch.setattr(os, "link", link)
        with claim(tmp_path) as lease:
            assert lease.epoch == 1
            lease.check()


def test_commands_from_another_machine_arrive(machine: Machine, tmp_path: Path) -> None:
    run = small_run(tmp_path / "run")
    commands = run.commands
    with machine.here():
        assert commands.poll() == []
    run.commands.send("pause")
    with machine.here():
        run.write_state(RunState("running", 1))  # a run writes into its folder about once a second
        assert [command.name for command in commands.poll()] == ["pause"]
    run.commands.send("resume")
    with machine.here():
        assert [command.name for command in commands.poll()] == ["resume"]
        assert commands.poll() == []


def test_a_run_is_deleted_though_somebody_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_run(tmp_path / "run")

    def held(_: Path) -> None:
        raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY))

    monkeypatch.setattr("attnviz.training.run.manage.shutil.rmtree", held)
    delete_run("run", tmp_path)
    assert not (tmp_path / "run").exists()
