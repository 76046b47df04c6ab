"""Starts processes for sandboxes: on Linux forked from one that has imported everything, elsewhere begun anew."""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from typing import IO

import psutil

__all__ = ["Started", "prepare", "start"]

KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR")
"""Variables of the server's environment that the processes get: no token, no address, no setting."""

ALONE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HOME": os.path.join(tempfile.gettempdir(), "attnviz-no-hub"),  # nothing is there
    "OMP_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONIOENCODING": "utf-8",
}
FORKS = sys.platform == "linux"

_lock = threading.Lock()
_template: tuple[subprocess.Popen[bytes], socket.socket] | None = None


@dataclass
class Started:
    """A process with its three streams.

    Attributes:
        process: process to watch and to end; safe against another process with its number.
        stdin, stdout, stderr: the server's ends of the pipes.
    """

    process: psutil.Process
    stdin: IO[str]
    stdout: IO[str]
    stderr: IO[str]

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        try:
            return bool(self.process.is_running()) and self.process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def end(self) -> None:
        """Kill it, and wait until it is gone."""
        try:
            self.process.kill()
            self.process.wait(10)
        except psutil.NoSuchProcess:
            pass  # it went by itself
        finally:
            try:
                self.stdin.close()
            except OSError:  # what it was told and never read
                return


def start() -> Started:
    """Start a process that waits for its job, see `attnviz.sandbox.child`.

    Raises:
        OSError: the system has no room for another process.
    """
    if not FORKS:
        return _begin()
    with _lock:
        try:
            return _fork(_running_template())
        except (OSError, EOFError):  # somebody ended it
            _end_template()
            return _fork(_running_template())


def prepare() -> None:
    """Import what the processes need ahead of the first of them, without waiting for it."""
    if FORKS:
        with _lock:
            _running_template()


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in KEPT if name in os.environ} | ALONE


def _begin() -> Started:
    process = subprocess.Popen(
        [sys.executable, "-m", "attnviz.sandbox.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        env=_environment(),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    return Started(psutil.Process(process.pid), process.stdin, process.stdout, process.stderr)


def _running_template() -> socket.socket:
    """Return the connection to the process that others are forked from, started when there is none."""
    global _template
    if _template is None or _template[0].poll() is not None:
        _end_template()
        here, there = socket.socketpair()
        with there:
            process = subprocess.Popen(
                [sys.executable, "-m", "attnviz.sandbox.template", str(there.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[there.fileno()],
                env=_environment(),
            )
        _template = (process, here)
        atexit.register(_end_template)
    return _template[1]


def _end_template() -> None:
    global _template
    atexit.unregister(_end_template)
    if _template is not None:
        process, connection = _template
        connection.close()  # it ends by itself
        process.kill()
        process.wait()
        _template = None


def _fork(connection: socket.socket) -> Started:
    """Hand three pipes to the template; a child of it has them as its streams, and its number comes back."""
    pipes = [os.pipe() for _ in range(3)]
    (in_read, in_write), (out_read, out_write), (err_read, err_write) = pipes
    theirs, ours = (in_read, out_write, err_write), (in_write, out_read, err_read)
    try:
        socket.send_fds(connection, [b"."], theirs)
        number = connection.recv(16)
        if not number:
            raise EOFError("the template ended")
        process = psutil.Process(int(number))
    except BaseException:
        for each in ours:
            os.close(each)
        raise
    finally:
        for each in theirs:
            os.close(each)
    modes = zip(ours, ("w", "r", "r"), strict=True)
    return Started(process, *(os.fdopen(each, mode, encoding="utf-8", errors="replace") for each, mode in modes))
