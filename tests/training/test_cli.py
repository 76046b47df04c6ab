"""The command line as a whole: usage, help, the app, the zoo."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import attnviz
from attnviz.cli import main
from attnviz.training import RECIPES, RunState, all_runs

pytestmark = pytest.mark.usefixtures("runs")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "required: COMMAND"),
        (["fly"], "invalid choice: 'fly'"),
        (["train"], "required: TASK"),
        (["train", "chess"], "invalid choice: 'chess'"),
        (["train", "sort", "--steps", "0"], "'0' is not a whole number of at least 1"),
        (["train", "sort", "--steps", "many"], "'many' is not a whole number of at least 1"),
        (["train", "sort", "--seed", "-1"], "'-1' is not a whole number from 0 to"),
        (["run", "--port", "70000"], "'70000' is not a whole number from 1 to 65535"),
    ],
)
def test_wrong_usage(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("command", ["", "run", "zoo", "train", "resume", "runs", "tell", "export", "rename", "delete"])
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([*command.split(), "--help"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: attnviz {command}".rstrip())


def test_help_names_every_task_and_key(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    words = capsys.readouterr().out.replace(",", " ").split()
    assert {*RECIPES, "own-text", "n_layers", "positions", "learning_rate", "schedule", "target"} <= set(words)
    assert "vocab_size" not in words


def test_the_examples_in_the_help_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my.txt").write_text("A text of one's own. " * 20)
    rows = (f"{n},good film number {n},positive\n{n},dull film number {n},negative\n" for n in range(20))
    Path("reviews.csv").write_text("number,review,sentiment\n" + "".join(rows))
    for name, first in (("pairs", 0), ("train", 0), ("valid", 40), ("test", 60)):
        Path(f"{name}.tsv").write_text("".join(f"film {n}\t{n} films\n" for n in range(first, first + 40)))
    monkeypatch.setattr("attnviz.cli.train.record_run", lambda run: RunState("stopped"))
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    examples = [line.split()[1:] for line in capsys.readouterr().out.splitlines() if line.startswith("  attnviz train")]
    assert len(examples) == 9
    for arguments in examples:
        assert main(arguments) == 0
    assert len(all_runs()) == 9


def test_zoo_lists_every_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zoo"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [entry.name for entry in attnviz.zoo()]


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"attnviz {attnviz.__version__}\n"


def test_python_m_attnviz() -> None:
    result = subprocess.run([sys.executable, "-m", "attnviz", "--help"], capture_output=True, text=True, check=True)
    assert "train a small model on a task" in result.stdout
