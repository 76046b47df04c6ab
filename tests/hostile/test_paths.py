"""A path that cannot be read or written is refused at once, on one line in words of ours."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from attnviz.cli import main

DATA = "a\tb\n" * 30
PATH = "PATH"
READ = {
    "data to train on": (["train", "own-labels", "--text", PATH], 2, "cannot be read: "),
    "data to sweep": (["sweep", "own-pairs", "--grid", "n_layers=1", "--text", PATH], 2, "cannot be read: "),
    "data to fine-tune on": (["finetune", "base", "--data", PATH], 2, "cannot be read: "),
    "data of the test": (["finetune", "base", "--data", "data.tsv", "--test", PATH], 2, "cannot be read: "),
    "base to fine-tune": (["finetune", PATH, "--data", "data.tsv"], 2, "cannot be opened: "),
    "texts of an atlas": (["atlas", "zoo/induction", "--texts", PATH], 1, "cannot be used: "),
    "model": (["trace", PATH, "a"], 1, "cannot be opened: "),
    "folder of models": (["models", "--models", PATH], 2, "folder"),
}
WRITTEN = {
    "model of a task": (["train", "sort", "--out", PATH], 2, "cannot be used: "),
    "tuned model": (["finetune", "base", "--data", "data.tsv", "--out", PATH], 2, "cannot be used: "),
    "page of a head": (["trace", "zoo/reverse", "a b", "--html", PATH], 1, "cannot be used: "),
    "numbers of all heads": (["trace", "zoo/reverse", "a b", "--npz", PATH], 1, "cannot be used: "),
}


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with data that would do, and something at every path."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ATTNVIZ_RUNS", str(tmp_path / "runs"))
    (tmp_path / "data.tsv").write_text(DATA)
    if hasattr(os, "mkfifo"):
        (tmp_path / "file").mkdir()
        os.mkfifo(tmp_path / "file" / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    return tmp_path


def refusals(arguments: list[str], paths: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    found = {}
    for path in paths:
        assert main([path if part == PATH else part for part in arguments]) == code, path
        said = capsys.readouterr()
        assert said.out == "", path
        found[path] = said.err.removeprefix("attnviz: ").strip()
        assert "\n" not in found[path]
        assert "[Errno" not in found[path]
    return found


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("what", READ)
def test_what_cannot_be_read(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, code, said = READ[what]
    paths = ["missing", "file/pipe", "loop", "data.tsv/in", "x" * 300, "a\x1b[2J"]
    paths += ["/dev/zero"] * os.path.exists("/dev/zero") + ["file"] * (what != "folder of models")
    found = refusals(arguments, paths, code, capsys)
    assert [path for path in paths if said not in found[path]] == []
    assert "\x1b" not in found["a\x1b[2J"]


@pytest.mark.parametrize("what", WRITTEN)
def test_what_cannot_be_written(what: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, code, said = WRITTEN[what]
    found = refusals(arguments, ["loop", "data.tsv/in", "x" * 300], code, capsys)
    assert [path for path, words in found.items() if said not in words] == []
    assert not (place / "runs").exists()
