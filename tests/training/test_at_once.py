"""Many people at once: every run is made whole and once, and who comes too late is told so in words."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from attnviz.cli.train import _save
from attnviz.errors import AttnvizError, RunBusy, RunExists, RunNotFound
from attnviz.models.bundle import load_model
from attnviz.training import Run, all_runs, new_run, open_run, record
from attnviz.training.run import files as files_module
from attnviz.training.run.lease import claim
from attnviz.training.run.manage import delete_run, rename_run
from tests.training.runs import small_config, small_run, stop_after

CROWD = 24


def at_once(work: Callable[[int], object], n: int = CROWD) -> list[object]:
    """What each of n threads got, an error of ours included; all begin at the same moment."""
    gate = threading.Barrier(n)

    def one(number: int) -> object:
        gate.wait()
        try:
            return work(number)
        except AttnvizError as error:
            return type(error)

    with ThreadPoolExecutor(n) as pool:
        return list(pool.map(one, range(n)))


def test_all_who_press_play_in_one_second_get_a_run(tmp_path: Path) -> None:
    config = small_config()
    made = at_once(lambda _: new_run(config, root=tmp_path / "runs").name)
    assert len(set(made)) == CROWD
    assert all(isinstance(name, str) for name in made)
    runs = all_runs(tmp_path / "runs")
    assert {run.name for run in runs if isinstance(run, Run)} == set(made)
    assert all(run.state().state == "stopped" for run in runs if isinstance(run, Run))
    assert not list((tmp_path / "runs").glob(".*")), "nothing is left behind"


def test_one_name_is_given_once(tmp_path: Path) -> None:
    config = small_config()
    got = Counter(at_once(lambda _: type(new_run(config, "mine", tmp_path))))
    assert got == {Run: 1, RunExists: CROWD - 1}


def test_two_runs_of_one_new_name(tmp_path: Path) -> None:
    for number in range(CROWD):
        small_run(tmp_path / f"run-{number}")
    got = Counter(type(each) if isinstance(each, Run) else each for each in at_once(
        lambda number: rename_run(f"run-{number}", "winner", tmp_path)
    ))  # fmt: skip
    assert got == {Run: 1, RunExists: CROWD - 1}
    assert len(all_runs(tmp_path)) == CROWD, "none was lost"
    assert open_run("winner", tmp_path).state().state == "stopped"


def test_many_rename_one_run(tmp_path: Path) -> None:
    small_run(tmp_path / "run")
    got = at_once(lambda number: rename_run("run", f"name-{number}", tmp_path).name)
    assert sum(isinstance(each, str) for each in got) == 1
    assert {each for each in got if not isinstance(each, str)} <= {RunBusy, RunNotFound}
    assert len(all_runs(tmp_path)) == 1


def test_many_delete_one_run(tmp_path: Path) -> None:
    small_run(tmp_path / "run")
    got = Counter(at_once(lambda _: delete_run("run", tmp_path)))
    assert got[None] == 1
    assert set(got) <= {None, RunBusy, RunNotFound}
    assert not list(tmp_path.iterdir())


def test_many_resume_one_run(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run")
    record(run, stop_after(3))
    got = at_once(lambda _: record(Run.open(run.folder)).state, 4)
    assert "done" in got
    assert set(got) <= {"done", RunBusy}, "who came when it was done is told so"
    assert [line.step for line in run.metrics()] == list(range(1, 13))


def test_a_claim_is_on_the_run_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is moved, and another run takes its place, while the lease is made."""
    small_run(tmp_path / "run")
    real, moved = os.link, []

    def slow(source: Path, target: Path) -> None:
        if not moved:
            moved.append((tmp_path / "run").rename(tmp_path / "other"))
            small_run(tmp_path / "run")
        real(source, target)

    monkeypatch.setattr(os, "link", slow)
    with claim(tmp_path / "run"):
        with pytest.raises(RunBusy), claim(tmp_path / "run"):
            pass
        with claim(tmp_path / "other"):
            pass


def test_a_run_that_is_gone_is_not_claimed(tmp_path: Path) -> None:
    with pytest.raises(RunNotFound), claim(tmp_path / "run"):
        pass


def test_files_that_go_while_they_are_read(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", 5)
    record(run)
    run.metrics_path.unlink()
    run.timeline_path.unlink()
    assert run.metrics() == []
    assert run.last_step() == 0
    assert run.timeline().steps == ()


def test_a_name_that_is_a_file_is_taken(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept", "utf-8")
    (tmp_path / "empty").mkdir()
    with pytest.raises(RunExists):
        small_run(tmp_path / "file")
    assert (tmp_path / "file").read_text("utf-8") == "kept"
    assert small_run(tmp_path / "empty").state().state == "stopped"
    with pytest.raises(RunNotFound):
        files_module.move_folder(tmp_path / "nothing", tmp_path / "target")


def test_models_written_to_one_folder_at_once_are_all_kept(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", 1)
    record(run)
    model = run.model(1)
    written = at_once(lambda _: _save(model, tmp_path / "model"), 6)
    assert len(set(written)) == 6
    assert {load_model(str(folder)).card.name for folder in written} == {"run"}
