"""`attnviz runs`, `tell`, `export`, `rename` and `delete`."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from attnviz.cli import main
from attnviz.training import Command, RunState, open_run, record
from attnviz.training.run.export import metrics_csv, model_files, pytorch_script
from attnviz.training.run.process import ProcessId
from tests.training.command_line import refused
from tests.training.runs import contents, small_run

pytestmark = pytest.mark.usefixtures("runs")


def test_a_run_is_told(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = small_run(runs / "mine")
    run.write_state(RunState("running", process=ProcessId.current()))
    assert main(["tell", "mine", "learning_rate", "0.01"]) == 0
    assert main(["tell", "mine", "stop"]) == 0
    assert run.commands.poll() == [Command("learning_rate", 0.01), Command("stop")]
    assert main(["tell", "mine", "learning_rate"]) == 1
    assert "learning_rate is None; it must be above 0" in capsys.readouterr().err


def test_runs_that_cannot_be_read_are_listed_too(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = small_run(runs / "bad")
    (bad.folder / "config.json").write_text("{}")
    small_run(runs / "good")
    (runs / "good" / "state.json").write_text("{}")
    assert main(["runs"]) == 0
    out = capsys.readouterr().out
    assert "The run bad cannot be opened: config.json cannot be read" in out
    assert "The run good cannot be opened: state.json cannot be read" in out


def test_a_run_is_exported(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = small_run(runs / "mine", 3)
    record(run)
    files = {name: tmp_path / f"it.{name}" for name in ("csv", "safetensors", "script", "tensorboard", "zip")}
    options = [text for name, path in files.items() for text in (f"--{name}", str(path))]
    assert main(["export", "mine", *options]) == 0
    assert files["csv"].read_text() == metrics_csv(run)
    assert files["safetensors"].read_bytes() == model_files(run, 3)
    assert files["script"].read_text("utf-8") == pytorch_script(run)
    (events,) = files["tensorboard"].iterdir()
    assert zipfile.ZipFile(io.BytesIO(files["zip"].read_bytes())).testzip() is None
    written = [files["csv"], files["safetensors"], files["script"], events, files["zip"]]
    assert capsys.readouterr().out.splitlines() == [f"written to {path}" for path in written]
    assert main(["export", "mine", "--safetensors", str(files["safetensors"]), "--step", "1"]) == 0
    assert files["safetensors"].read_bytes() == model_files(run, 1)


def test_exports_that_cannot_be(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(small_run(runs / "mine", 3))
    file = str(tmp_path / "file")
    assert "say what to write: --csv, " in refused(["export", "mine"], capsys)
    assert "--step N belongs to --safetensors" in refused(["export", "mine", "--csv", file, "--step", "1"], capsys)
    wrong_step = refused(["export", "mine", "--safetensors", file, "--step", "9"], capsys)
    assert wrong_step == "run mine has no checkpoint of step 9; there are 0, 1, 2, 3"
    assert "There is no run" in refused(["export", "other", "--csv", file], capsys, 1)
    assert "No such file" in refused(["export", "mine", "--csv", str(tmp_path / "no" / "file")], capsys, 1)
    assert not Path(file).exists()


def test_a_run_is_renamed(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = small_run(runs / "mine", 3)
    record(run)
    before = contents(run)
    assert main(["rename", "mine", "排序 1"]) == 0
    assert capsys.readouterr().out == "run mine is 排序-1 now\n"
    assert contents(open_run("排序-1")) == before
    assert "A run cannot be called" in refused(["rename", "排序-1", "../up"], capsys)
    assert "There is no run" in refused(["rename", "mine", "new"], capsys, 1)
    small_run(runs / "taken")
    assert "There is already a run taken" in refused(["rename", "排序-1", "taken"], capsys, 1)


def asked(monkeypatch: pytest.MonkeyPatch, answer: str) -> list[str]:
    questions: list[str] = []

    def reply(question: str) -> str:
        questions.append(question)
        return answer

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", reply)
    return questions


@pytest.mark.parametrize(("answer", "gone"), [("y", True), (" YES ", True), ("n", False), ("", False), ("x", False)])
def test_deleting_asks(
    answer: str, gone: bool, runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small_run(runs / "mine")
    questions = asked(monkeypatch, answer)
    assert main(["delete", "mine"]) == 0
    assert questions == ["delete run mine with all its files? [y/N] "]
    assert capsys.readouterr().out == f"run mine is {'deleted' if gone else 'kept'}\n"
    assert (runs / "mine").exists() != gone


def test_deleting_where_nobody_can_be_asked(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small_run(runs / "mine")
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert "nobody can be asked here, say --yes" in refused(["delete", "mine"], capsys)
    assert (runs / "mine").exists()
    assert main(["delete", "mine", "--yes"]) == 0
    assert not (runs / "mine").exists()
    assert "There is no run" in capsys.readouterr().out + refused(["delete", "mine", "--yes"], capsys, 1)


def test_an_active_run_is_not_deleted(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = small_run(runs / "mine")
    run.write_state(RunState("running", process=ProcessId.current()))
    for arguments in (["delete", "mine", "--yes"], ["rename", "mine", "new"]):
        assert "is already being trained. Watch it, or stop it first" in refused(arguments, capsys, 1)
