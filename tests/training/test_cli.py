"""The command line: trains, lists, refuses with one line and the right exit code."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import attnviz
from attnviz import cli
from attnviz.cli import main
from attnviz.training import RECIPES, Command, Run, RunState, all_runs, record
from attnviz.training.process import ProcessId
from tests.training.runs import small_run


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Runs of a test go to a folder of its own; `train` sets the number of threads, which others must not notice."""
    monkeypatch.setenv("ATTNVIZ_RUNS", str(tmp_path / "runs"))
    threads = torch.get_num_threads()
    yield tmp_path / "runs"
    torch.set_num_threads(threads)


def test_train_writes_a_model_that_opens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "mine"
    assert main(["train", "--recipe", "sort", "--steps", "3", "--seed", "5", "--out", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "sort: 32,286 parameters, 3 steps, seed 5" in out
    assert "step      3/3" in out
    assert "test: exact match" in out
    assert "not reached" in out
    model = attnviz.load_model(folder)
    assert model.card.recipe == "sort"
    assert model.card.seed == 5
    assert model.config == RECIPES["sort"].model
    trace = attnviz.trace(model, "d a c b > a")
    assert len(trace.sites) == model.config.n_layers


def test_train_records_a_run(tmp_path: Path, runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--recipe", "sort", "--steps", "3", "--out", str(tmp_path / "mine")]) == 0
    (run,) = all_runs()
    assert isinstance(run, Run)
    assert run.folder.parent == runs
    assert run.config.recipe == "sort"
    assert run.checkpoints() == [0, 1, 2, 3]
    written, kept = attnviz.load_model(tmp_path / "mine").network, run.network(3)
    assert all(torch.equal(a, b) for a, b in zip(written.parameters(), kept.parameters(), strict=True))
    out = capsys.readouterr().out
    assert f"run {run.name}\n" in out
    assert "done at step 3" in out
    assert main(["runs"]) == 0
    assert capsys.readouterr().out.split() == [run.name, "done", "3/3"]


def test_a_run_is_resumed_by_name(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = small_run(runs / "mine", 7)
    run.commands.send("stop")
    record(run, run.commands)
    assert main(["tell", "mine", "pause"]) == 1
    assert capsys.readouterr().err == "attnviz: run mine is stopped: nobody trains it\n"
    out = runs.parent / "model"
    assert main(["resume", "mine", "--out", str(out)]) == 0
    assert "done at step 7" in capsys.readouterr().out
    assert attnviz.load_model(out).card.title == "mine, step 7"
    assert main(["resume", "mine", "--out", str(out)]) == 1
    assert "holds a model already" in capsys.readouterr().err
    for name in ("other", "../mine"):
        assert main(["resume", name]) == 1
        assert "there is no such run" in capsys.readouterr().err


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
    assert "run bad: config.json cannot be read" in out
    assert "run good: state.json cannot be read" in out


def test_train_repeats_itself(tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert main(["train", "--recipe", "recall", "--steps", "2", "--out", str(tmp_path / name)]) == 0
    first, second = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("a", "b"))
    assert first == second


def test_train_overwrites_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.json").write_text("{}")
    assert main(["train", "--recipe", "sort", "--steps", "1", "--out", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert error == f"attnviz: {tmp_path} holds a model already: choose another folder with --out, or remove it\n"
    assert (tmp_path / "config.json").read_text() == "{}"


def test_train_into_a_file_fails_on_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.write_text("")
    assert main(["train", "--recipe", "sort", "--steps", "1", "--out", str(file)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("attnviz: ")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "required: COMMAND"),
        (["fly"], "invalid choice: 'fly'"),
        (["train"], "required: --recipe"),
        (["train", "--recipe", "chess"], "invalid choice: 'chess'"),
        (["train", "--recipe", "sort", "--steps", "0"], "'0' is not a whole number of at least 1"),
        (["train", "--recipe", "sort", "--steps", "many"], "'many' is not a whole number of at least 1"),
        (["train", "--recipe", "sort", "--seed", "-1"], "'-1' is not a whole number from 0 to"),
        (["run", "--port", "70000"], "'70000' is not a whole number from 1 to 65535"),
    ],
)
def test_wrong_usage(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_zoo_lists_every_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zoo"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [entry.name for entry in attnviz.zoo()]


def test_run_starts_streamlit_on_the_app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("")
    monkeypatch.setattr(cli, "__file__", str(tmp_path / "attnviz" / "cli.py"))
    started: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        started.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    assert main(["run", "--port", "8765"]) == 0
    app = str(tmp_path / "app.py")
    assert started == [[sys.executable, "-m", "streamlit", "run", app, "--server.port", "8765"]]


def test_run_without_the_app_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "__file__", str(tmp_path / "attnviz" / "cli.py"))
    assert main(["run"]) == 1
    assert "app.py not found: run the app from a copy of the repository" in capsys.readouterr().err


def test_python_m_attnviz() -> None:
    result = subprocess.run([sys.executable, "-m", "attnviz", "--help"], capture_output=True, text=True, check=True)
    assert "train a model of the zoo again" in result.stdout
