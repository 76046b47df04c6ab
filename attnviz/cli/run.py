"""`attnviz run`: the app, in a process of its own that ends with the command."""

from __future__ import annotations

import argparse
import errno
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from types import FrameType
from typing import Any

from attnviz.cli.common import FAILURE, SUCCESS, Commands, UsageError, add_command, add_models_option, models_root, port
from attnviz.downloads import DOWNLOADS
from attnviz.errors import InvalidOrigin
from attnviz.library import MODELS_FOLDER
from attnviz.server.hosts import FRAMES, HOSTS, checked_frames, checked_hosts
from attnviz.training import runs_root
from attnviz.ui import ENTRANCE

__all__ = ["add_run"]

STOPPING = [number for number in signal.Signals if number.name in ("SIGINT", "SIGTERM", "SIGHUP")]
APART: dict[str, Any] = {"process_group": 0}
if sys.platform == "win32":
    APART = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}


def add_run(commands: Commands) -> None:
    """The command that starts the app."""
    run = add_command(
        commands,
        "run",
        "start the app in a browser",
        "Start the app and open it in the browser. It shows the shipped models, the runs of the folder it is started "
        "in (or of ATTNVIZ_RUNS), and the models of --models. Ctrl-C stops it.",
        [
            "run",
            "run --port 9000 --models ~/models",
            "run --host 0.0.0.0    # for other machines too: they can steer runs",
        ],
    )
    add_models_option(run)
    run.add_argument("--port", type=port, default=8501, metavar="N", help="where to listen (default: %(default)s)")
    run.add_argument(
        "--host",
        default="localhost",
        metavar="ADDRESS",
        help="where to listen; 0.0.0.0 lets other machines in (default: %(default)s, this machine alone)",
    )
    run.add_argument(
        "--downloads", action="store_true", help="let visitors open models of the Hugging Face Hub by their id"
    )
    run.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help=f"a name by which browsers may call this server, such as that of a proxy before it; *.school.org, * for "
        f"any; may be repeated (default: {HOSTS}, and this machine's own)",
    )
    run.add_argument(
        "--allow-frame",
        action="append",
        default=[],
        metavar="ORIGIN",
        help=f"whose pages may show the app in a frame, such as https://moodle.school.org; * for all, none for nobody; "
        f"may be repeated (default: {FRAMES}, and its own)",
    )
    run.set_defaults(command=_run)


def _run(options: argparse.Namespace) -> int:
    environment = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ, "ATTNVIZ_RUNS": str(runs_root().absolute())}
    if options.downloads:
        environment[DOWNLOADS] = "1"
    environment |= _doors(options)
    root = models_root(options)
    if root is not None:
        environment[MODELS_FOLDER] = str(root.absolute())
    _check_address(options.host, options.port)
    command = [sys.executable, "-m", "streamlit", "run", str(ENTRANCE / "app.py")]
    command += ["--server.port", str(options.port), "--server.address", options.host]
    return _attend(command, environment)


def _doors(options: argparse.Namespace) -> dict[str, str]:
    """Return the environment that opens the server to the hosts and frames which the options list."""
    listed = {HOSTS: (options.allow_host, checked_hosts), FRAMES: (options.allow_frame, checked_frames)}
    found = {name: " ".join(given) or os.environ.get(name, "") for name, (given, _) in listed.items()}
    try:
        for name, (_, check) in listed.items():
            check(found[name])
    except InvalidOrigin as error:
        raise UsageError(str(error)) from error
    return found


def _check_address(host: str, number: int) -> None:
    """Whether one can listen there, tried as Streamlit does it: a name stands for an IPv4 address."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what ended a moment ago does not count
            probe.bind((host, number))
    except (socket.gaierror, UnicodeError) as error:
        raise UsageError(f"--host: {host!r} is no address") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UsageError(f"port {number} on {host} is in use: choose another one with --port N") from error
        raise UsageError(f"cannot listen on port {number} of {host}: {error.strerror}") from error


def _attend(command: list[str], environment: dict[str, str]) -> int:
    """Run a server until it ends, or until this process is told to stop; then it ends too, and that is a success.

    The server leads a process group of its own, so that Ctrl-C reaches this process alone. It is asked to stop by
    SIGTERM, on which Streamlit puts everything away in silence; on SIGINT it would report that it was aborted. Runs
    that are being trained end with the terminal (they can be resumed); a service that is restarted leaves them alone.
    """
    server: subprocess.Popen[bytes] | None = None
    told: int | None = None

    def stop(number: int, _: FrameType | None) -> None:
        nonlocal told
        if server is not None:
            (server.terminate if told is None else server.kill)()  # who asks twice does not want to wait
        told = number

    before = {number: signal.getsignal(number) for number in STOPPING}
    heard = [number for number, handler in before.items() if handler is not signal.SIG_IGN]  # nohup ignores SIGHUP
    try:
        for number in heard:
            signal.signal(number, stop)
        server = subprocess.Popen(command, cwd=ENTRANCE, env=environment, stdin=subprocess.DEVNULL, **APART)
        if told is not None:  # before there was a server to be asked
            server.terminate()
        code = server.wait()
    finally:
        for number in heard:
            signal.signal(number, before[number])
    if told not in (None, signal.SIGTERM) and hasattr(os, "killpg"):
        with suppress(ProcessLookupError):  # nothing is left of its group
            os.killpg(server.pid, signal.SIGTERM)
    return SUCCESS if told is not None or code == 0 else FAILURE
