"""The command line: trains, lists, refuses with one line and the right exit code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import attnviz
from attnviz import cli
from attnviz.cli import main
from attnviz.training import RECIPES


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
