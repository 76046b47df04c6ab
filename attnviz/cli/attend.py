"""A server in a process of its own, that ends with this one. Nothing of attnviz is needed for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

__all__ = ["attend"]

STOPPING = [number for number in signal.Signals if number.name in ("SIGINT", "SIGTERM", "SIGHUP")]
APART: dict[str, Any] = {"process_group": 0}
if sys.platform == "win32":
    APART = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}


def attend(command: list[str], folder: Path, environment: dict[str, str]) -> bool:
    """Run a server in a folder until it ends, or until this process is told to stop; then it ends too.

    The server leads a process group of its own, so that Ctrl-C reaches this process alone. It is asked to stop by
    SIGTERM, on which Streamlit puts everything away in silence; on SIGINT it would report that it was aborted. Runs
    that are being trained end with the terminal (they can be resumed); a service that is restarted leaves them alone.

    Returns:
        Whether it ended as it should: told to, or by itself with no error.
    """
    server: subprocess.Popen[bytes] | None = None
    told: int | None = None

    def stop(number: int, _: FrameType | None) -> None:
        nonlocal told
        first, told = told is None, number  # noted at once: the next may come while the server is asked
        if server is not None:
            (server.terminate if first else server.kill)()  # who asks twice does not want to wait

    before = {number: signal.getsignal(number) for number in STOPPING}
    heard = [number for number, handler in before.items() if handler is not signal.SIG_IGN]  # nohup ignores SIGHUP
    try:
        for number in heard:
            signal.signal(number, stop)
        server = subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, **APART)
        if told is not None:  # before there was a server to be asked
            server.terminate()
        code = server.wait()
    finally:
        for number in heard:
            signal.signal(number, before[number])
    if told not in (None, signal.SIGTERM) and hasattr(os, "killpg"):
        with suppress(ProcessLookupError):  # nothing is left of its group
            os.killpg(server.pid, signal.SIGTERM)
    return told is not None or code == 0
