"""Help, wrong usage, and output that nobody takes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path

import pytest

from attnviz.cli import main

COMMANDS = ["run", "models", "trace", "sweep-heads", "why", "atlas", "write", "zoo", "train", "resume", "sweep"]
COMMANDS += ["finetune", "evaluate", "runs", "tell", "export", "rename", "delete"]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_says_what_a_command_does_and_ends_with_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    assert stopped.value.code == 0
    usage, what, *_ = (text := capsys.readouterr().out).split("\n\n")
    assert usage.startswith(f"usage: attnviz {command}")
    assert what.replace("\n", " ").rstrip().endswith(".")
    examples = text.rpartition("\n\nexamples:\n")[2].splitlines()
    assert examples
    assert any(line.startswith(f"  attnviz {command}") for line in examples)
    assert all(line.startswith("  attnviz ") for line in examples)


def test_the_list_of_commands_is_complete(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    listed = re.findall(r"^ {4}(\S+)", capsys.readouterr().out, re.MULTILINE)
    assert listed == COMMANDS


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: COMMAND (see: attnviz --help)"),
        (["trace", "zoo/sort"], "the following arguments are required: TEXT (see: attnviz trace --help)"),
        (["trace", "a", "b", "--json", "--npz", "x"], "argument --npz: not allowed with argument --json"),
        (["trace", "a", "b", "--layer", "-1"], "argument --layer: '-1' is not a whole number"),
        (["run", "--port", "0"], "argument --port: '0' is not a whole number from 1 to 65535"),
        (["models", "--jso"], "unrecognized arguments: --jso"),
    ],
)
def test_wrong_usage_is_told_on_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.startswith(f"attnviz: {message}")
    assert streams.err.count("\n") == 1


def test_an_error_moves_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "a\x1b[2J\n", "b"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("attnviz: The model a⟨U+001B⟩[2J↵ cannot be opened")
    assert told.removesuffix("\n").isprintable()


def test_an_interrupted_command_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("attnviz.cli.zoo", interrupt)
    assert main(["zoo"]) == 1
    assert capsys.readouterr().err == "attnviz: stopped\n"


@contextmanager
def printing_to(monkeypatch: pytest.MonkeyPatch, stream: TextIOWrapper) -> Iterator[None]:
    """Python's own end follows: it writes what still waits, and complains if it cannot."""
    with monkeypatch.context() as patch, stream:
        patch.setattr(sys, "stdout", stream)
        yield


def test_a_reader_may_leave() -> None:
    command = [sys.executable, "-m", "attnviz", "models"]
    environment = {**os.environ, "PYTHONUNBUFFERED": ""}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()  # as head does when it has its lines, long before this one starts to write
        assert process.stderr.read() == ""
    assert process.returncode == 1


@pytest.mark.parametrize(("command", "unbuffered"), [("zoo", False), ("zoo", True), ("--help", False)])
def test_whoever_reads_may_leave_any_command(
    command: str, unbuffered: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with printing_to(monkeypatch, TextIOWrapper(open(writer, "wb"), write_through=unbuffered)):
        assert main([command]) == 1
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_full_disk_is_told_on_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with printing_to(monkeypatch, TextIOWrapper(open("/dev/full", "wb"))):
        assert main(["zoo"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("attnviz: the output cannot be used: No space left on device.")
    assert said.count("\n") == 1


def test_any_text_is_shown_on_any_terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with printing_to(monkeypatch, TextIOWrapper(open(tmp_path / "out", "wb"), encoding="ascii")):
        assert main(["trace", "zoo/chinese", "小猫"]) == 0
    assert "1 \\u5c0f" in (tmp_path / "out").read_text("ascii")
