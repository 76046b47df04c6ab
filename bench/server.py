"""A Streamlit server of our own on a free port, for a benchmark's browser."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parent.parent
START_SECONDS = 120
CHROMIUM_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@contextlib.contextmanager
def serve(script: Path, **variables: Path) -> Iterator[str]:
    """Run a Streamlit app until the block ends, with these environment variables; gives its address."""
    with start(script, None, **variables) as (address, _):
        yield address


@contextlib.contextmanager
def start(script: Path, log: IO[bytes] | None, **variables: Path | str) -> Iterator[tuple[str, int]]:
    """Run a Streamlit app as `serve` does, its errors to a file where one is given; gives its address and process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"OMP_WAIT_POLICY": "PASSIVE"} | {name: str(path) for name, path in variables.items()}
    command = [sys.executable, "-m", "streamlit", "run", str(script)]
    command += ["--server.port", str(port), "--server.address", "127.0.0.1", "--server.headless", "true"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=log)
    try:
        wait(f"http://127.0.0.1:{port}", process)
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:  # it finishes what a page had asked for, for nobody
            process.kill()
            process.wait()


def wait(address: str, process: subprocess.Popen[bytes] | None = None) -> None:
    """Wait until an address answers, as long as the process behind it runs."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            raise RuntimeError(f"the server ended with code {process.returncode}")
        with contextlib.suppress(urllib.error.URLError, ConnectionError), urllib.request.urlopen(address + "/healthz"):
            return
        time.sleep(0.2)
    raise TimeoutError(f"no answer from {address} within {START_SECONDS} s")
