"""Help, wrong usage, and output that nobody takes."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import IO

import pytest

from attnviz.cli import main

COMMANDS = ["run", "models", "trace", "zoo", "train", "resume", "runs", "tell", "export", "rename", "delete"]


def attnviz(*arguments: str, stdout: int | IO[str] = subprocess.PIPE, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "attnviz", *arguments]
    environment = {**os.environ, "PYTHONUNBUFFERED": "", **environment}
    return subprocess.Popen(command, stdout=stdout, stderr=subprocess.PIPE, text=True, env=environment)


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
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line.startswith("    ")]
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


@pytest.mark.parametrize(("command", "unbuffered"), [("models", ""), ("models", "1"), ("--help", "")])
def test_a_reader_may_leave(command: str, unbuffered: str) -> None:
    with attnviz(command, PYTHONUNBUFFERED=unbuffered) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()  # as head does when it has its lines, long before this one starts to write
        assert process.stderr.read() == ""
    assert process.returncode == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_full_disk_is_told_on_one_line() -> None:
    with open("/dev/full", "w") as full, attnviz("zoo", stdout=full) as process:
        assert process.communicate()[1] == "attnviz: [Errno 28] No space left on device\n"
    assert process.returncode == 1


def test_any_text_is_shown_on_any_terminal() -> None:
    with attnviz("trace", "zoo/chinese", "小猫", PYTHONIOENCODING="ascii") as process:
        out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert "1 \\u5c0f" in out


def test_neither_the_app_nor_other_libraries_are_loaded_for_a_list() -> None:
    code = "import sys; from attnviz.cli import main; main(['models']); print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(result.stdout.splitlines()[-1].split())
    assert "attnviz.cli" in loaded
    assert not loaded & {"streamlit", "transformers", "plotly"}
