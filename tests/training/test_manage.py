"""Runs are renamed and deleted whole or not at all, and never under who trains them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from attnviz.errors import InvalidRunName, RunBusy, RunCorrupt, RunExists, RunNotFound, RunUnwritable
from attnviz.training import RunState, all_runs, open_run, record
from attnviz.training.run.manage import delete_run, normalised_name, rename_run
from attnviz.training.run.process import ProcessId
from tests.training.runs import contents, small_run

BAD_NAMES = ("", " ", "../up", "a/b", "/etc", "..", ".hidden", "-dash", "a\0b", "what?", "<b>", "x" * 101, "写" * 100)


def test_a_renamed_run_is_the_same_run(tmp_path: Path) -> None:
    run = small_run(tmp_path / "old", 3)
    record(run)
    before = contents(run)
    renamed = rename_run("old", " my  new run ", tmp_path)
    assert renamed.name == "my-new-run"
    assert renamed.config == run.config
    assert contents(renamed) == before
    assert [path.name for path in tmp_path.iterdir()] == ["my-new-run"]
    with pytest.raises(RunNotFound):
        open_run("old", tmp_path)


def test_a_renamed_run_goes_on(tmp_path: Path) -> None:
    run = small_run(tmp_path / "old", 3)
    run.commands.send("stop")
    assert record(run, run.commands).state == "stopped"
    assert record(rename_run("old", "new", tmp_path)).state == "done"


@pytest.mark.parametrize(
    ("typed", "name"),
    [("排序-第一次", "排序-第一次"), ("  Über mich ", "Über-mich"), ("cafe\u0301", "café"), ("a.b_c-1", "a.b_c-1")],
)
def test_names_are_normalised(typed: str, name: str, tmp_path: Path) -> None:
    small_run(tmp_path / "run")
    assert rename_run("run", typed, tmp_path).name == name
    assert open_run(name, tmp_path).name == name


@pytest.mark.parametrize("name", BAD_NAMES)
def test_what_is_no_name_is_refused(name: str, tmp_path: Path) -> None:
    small_run(tmp_path / "run")
    with pytest.raises(InvalidRunName, match="A run cannot be called") as caught:
        rename_run("run", name, tmp_path)
    assert caught.value.details == {"name": name}
    with pytest.raises(RunNotFound):
        rename_run(name, "new", tmp_path)
    with pytest.raises(RunNotFound):
        delete_run(name, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_taken_name_is_refused(tmp_path: Path) -> None:
    first, second = small_run(tmp_path / "first"), small_run(tmp_path / "second", seed=5)
    (tmp_path / "empty").mkdir()
    for taken in ("second", "empty"):
        with pytest.raises(RunExists):
            rename_run("first", taken, tmp_path)
    assert open_run("first", tmp_path).config == first.config
    assert open_run("second", tmp_path).config == second.config


def test_a_run_may_keep_its_name(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run")
    assert rename_run("run", " run ", tmp_path) == run


def test_there_must_be_a_run(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "precious.txt").write_text("mine")
    for name in ("folder", "nothing"):
        with pytest.raises(RunNotFound):
            rename_run(name, "new", tmp_path)
        with pytest.raises(RunNotFound):
            delete_run(name, tmp_path)
    assert (tmp_path / "folder" / "precious.txt").read_text() == "mine"


@pytest.mark.parametrize("state", ["queued", "running", "paused"])
def test_an_active_run_is_left_alone(state: str, tmp_path: Path) -> None:
    run = small_run(tmp_path / "run")
    run.write_state(RunState(state, process=ProcessId.current()))  # type: ignore[arg-type]
    with pytest.raises(RunBusy):
        rename_run("run", "new", tmp_path)
    with pytest.raises(RunBusy):
        delete_run("run", tmp_path)
    assert open_run("run", tmp_path).config == run.config


def test_a_claimed_run_is_left_alone(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run")
    with run.claimed():
        with pytest.raises(RunBusy):
            rename_run("run", "new", tmp_path)
        with pytest.raises(RunBusy):
            delete_run("run", tmp_path)
    assert rename_run("run", "new", tmp_path).name == "new"


def test_a_run_whose_process_died_can_go(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run")
    run.write_state(RunState("running", process=ProcessId(ProcessId.current().host, 2**22 + 1, "never")))
    delete_run("run", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_deleting_removes_the_folder_and_nothing_else(tmp_path: Path) -> None:
    record(small_run(tmp_path / "run", 2))
    other = small_run(tmp_path / "run-2")
    delete_run("run", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["run-2"]
    assert all_runs(tmp_path) == [other]


def test_a_damaged_run_can_be_deleted_but_not_renamed(tmp_path: Path) -> None:
    small_run(tmp_path / "run")
    for file in ("config.json", "state.json"):
        (tmp_path / "run" / file).write_text("{")
    with pytest.raises(RunCorrupt):
        rename_run("run", "new", tmp_path)
    assert (tmp_path / "run").is_dir()
    delete_run("run", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_half_deleted_run_is_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_run(tmp_path / "run")

    def fails(path: Path) -> None:
        (path / "metrics.jsonl").unlink(missing_ok=True)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(shutil, "rmtree", fails)
    with pytest.raises(RunUnwritable, match="Input/output error"):
        delete_run("run", tmp_path)
    assert all_runs(tmp_path) == []
    (left,) = tmp_path.iterdir()
    with pytest.raises(RunNotFound):
        open_run(left.name, tmp_path)


def test_a_folder_that_cannot_be_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_run(tmp_path / "run")

    def fails(self: Path, target: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(RunUnwritable, match="Permission denied"):
        rename_run("run", "new", tmp_path)
    with pytest.raises(RunUnwritable, match="Permission denied"):
        delete_run("run", tmp_path)
    assert open_run("run", tmp_path).name == "run"


def test_runs_are_found_in_the_usual_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTNVIZ_RUNS", os.fspath(tmp_path))
    small_run(tmp_path / "run")
    assert rename_run("run", "new").folder == tmp_path / "new"
    delete_run("new")
    assert list(tmp_path.iterdir()) == []


def test_a_normal_name_stays_normal() -> None:
    for name in ("a", "sort-20260101-120000", "排序", "é"):
        assert normalised_name(normalised_name(name)) == normalised_name(name) == name
