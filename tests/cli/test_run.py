"""`attnviz run`: what it starts, what it refuses, and how it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.error import URLError

import pytest

from attnviz.cli import main
from attnviz.cli import run as module
from attnviz.cli.attend import attend
from tests.training.command_line import refused

ROOT = Path(__file__).parents[2]


@pytest.fixture
def port() -> int:
    with closing(socket.create_server(("localhost", 0))) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, str]]]:
    """What would be started: command and environment."""
    calls: list[tuple[list[str], dict[str, str]]] = []

    def attend(command: list[str], folder: Path, environment: dict[str, str]) -> bool:
        calls.append((command, environment))
        return True

    monkeypatch.setattr(module, "attend", attend)
    return calls


def test_streamlit_is_started_on_the_app(
    port: int, started: list[tuple[list[str], dict[str, str]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ATTNVIZ_RUNS")
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    Path("models").mkdir()
    assert main(["run", "--port", str(port), "--models", "models"]) == 0
    ((command, environment),) = started
    assert command[:5] == [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py")]
    assert command[5:] == ["--server.port", str(port), "--server.address", "localhost"]
    assert environment["ATTNVIZ_MODELS"] == str(tmp_path / "models")
    assert environment["ATTNVIZ_RUNS"] == str(tmp_path / "runs")
    assert environment["OMP_WAIT_POLICY"] == "PASSIVE"


def test_the_environment_is_kept(
    port: int, started: list[tuple[list[str], dict[str, str]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATTNVIZ_MODELS", str(tmp_path))
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    assert main(["run", "--port", str(port), "--host", "127.0.0.1"]) == 0
    ((command, environment),) = started
    assert command[-1] == "127.0.0.1"
    assert (environment["ATTNVIZ_MODELS"], environment["OMP_WAIT_POLICY"]) == (str(tmp_path), "ACTIVE")


@pytest.mark.parametrize(("options", "value"), [([], None), (["--downloads"], "1")])
def test_downloads_are_switched_on_by_an_option(
    options: list[str],
    value: str | None,
    port: int,
    started: list[tuple[list[str], dict[str, str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ATTNVIZ_DOWNLOADS", raising=False)
    assert main(["run", "--port", str(port), *options]) == 0
    assert started[0][1].get("ATTNVIZ_DOWNLOADS") == value


def test_what_cannot_be_started(
    port: int, started: list[tuple[list[str], dict[str, str]]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    on_port = ["run", "--port", str(port)]
    with closing(socket.create_server(("localhost", port))):
        assert refused(on_port, capsys) == f"port {port} on localhost is in use: choose another one with --port N"
    assert refused([*on_port, "--host", "192.0.2.1"], capsys).startswith(f"cannot listen on port {port} of 192.0.2.1: ")
    for host in ("no host", "a" * 80):
        assert refused([*on_port, "--host", host], capsys) == f"--host: {host!r} is no address"
    assert "there is no folder" in refused([*on_port, "--models", str(tmp_path / "no")], capsys)
    assert started == []


@pytest.mark.parametrize(("code", "result"), [(0, 0), (1, 1), (7, 1)])
def test_a_server_that_ends_by_itself(
    code: int, result: int, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = [sys.executable, "-c", f"raise SystemExit({code})"]
    monkeypatch.setattr(module, "attend", lambda command, folder, environment: attend(server, tmp_path, environment))
    handler = signal.getsignal(signal.SIGINT)
    assert main(["run", "--port", str(port)]) == result
    assert signal.getsignal(signal.SIGINT) is handler


ATTEND = """
import os, runpy, sys
attend = runpy.run_path(sys.argv[1])["attend"]  # without the package, which takes long to import
sys.exit(not attend([sys.executable, "-c", sys.argv[2]], None, dict(os.environ)))
"""
PATIENCE = 600  # seconds: only a fault takes so long
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, lambda *_: print("asked", flush=True))
print(flush=True)
time.sleep(900)
"""
PARENT = "import subprocess; child = subprocess.Popen(['sleep', '900']); print(child.pid, flush=True); child.wait()"


def listen_to_interrupts() -> None:
    """Undo, in a new process, that the checks themselves may run in the background, where interrupts are ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def attending(server: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that attends to a server of this code, and the line that the server prints when it is there."""
    command = [sys.executable, "-c", ATTEND, str(ROOT / "attnviz" / "cli" / "attend.py"), server]
    pipes = subprocess.PIPE
    with subprocess.Popen(
        command, stdout=pipes, stderr=pipes, text=True, start_new_session=True, preexec_fn=listen_to_interrupts
    ) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline()


def test_who_asks_twice_does_not_wait() -> None:
    with attending(STUBBORN) as (process, _):
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        assert process.stdout.readline() == "asked\n"
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=PATIENCE) == ("", "")
    assert process.returncode == 0


def test_an_interrupt_leaves_no_worker_behind() -> None:
    with attending(PARENT) as (process, _):
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=PATIENCE) == ("", "")  # the worker holds the pipes as long as it lives
    assert process.returncode == 0


def test_a_restarted_service_leaves_its_workers_alone() -> None:
    with attending(PARENT) as (process, worker):
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        os.kill(int(worker), signal.SIGKILL)  # it is there


@pytest.fixture
def server(port: int, tmp_path: Path, tiny: Path) -> Iterator[subprocess.Popen[str]]:
    """The command itself, called from another folder, and the app is there."""
    command = [sys.executable, "-m", "attnviz", "run", "--port", str(port), "--models", str(tiny)]
    environment = {**os.environ, "STREAMLIT_SERVER_HEADLESS": "true"}
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        text=True,
        start_new_session=True,
        preexec_fn=listen_to_interrupts,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        _wait(f"http://localhost:{port}/_stcore/health", process)
        yield process
    finally:
        process.kill()  # of no effect on a process that has ended, as it should have
        process.communicate()


def _wait(address: str, process: subprocess.Popen[str]) -> None:
    for _ in range(10 * PATIENCE):
        assert process.poll() is None, process.communicate()
        try:
            with urllib.request.urlopen(address) as answer:
                assert answer.read() == b"ok"
                return
        except URLError:
            time.sleep(0.1)
    raise TimeoutError(address)


def test_the_app_runs_until_it_is_interrupted(server: subprocess.Popen[str], port: int) -> None:
    os.killpg(server.pid, signal.SIGINT)  # what Ctrl-C does
    out, err = server.communicate(timeout=PATIENCE)  # nobody holds the pipes any more: no worker was left behind
    assert (server.returncode, err) == (0, "")
    assert f"http://localhost:{port}" in out
    with closing(socket.create_server(("localhost", port))):  # it is free again
        pass
