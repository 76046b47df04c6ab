"""`attnviz run`: the app, in a process of its own that ends with the command."""

from __future__ import annotations

import argparse
import errno
import os
import socket
import sys

from attnviz.cli.attend import attend
from attnviz.cli.common import (
    FAILURE,
    SUCCESS,
    Commands,
    UsageError,
    add_command,
    add_models_option,
    models_root,
    port,
    positive,
)
from attnviz.downloads import DOWNLOADS
from attnviz.errors import InvalidOrigin
from attnviz.library import MODELS_FOLDER
from attnviz.server.hosts import FRAMES, HOSTS, checked_frames, checked_hosts
from attnviz.server.people.classes import CLASS
from attnviz.training import runs_root
from attnviz.ui import ENTRANCE

__all__ = ["add_run"]

MOST_NAME = 60  # characters of a class


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
            "run --host 0.0.0.0    # for other machines too",
            "run --host 0.0.0.0 --class 7b    # prints a link for the teacher and one for the students",
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
    run.add_argument(
        "--class",
        dest="class_name",
        nargs="?",
        const="1",
        type=_class_name,
        metavar="NAME",
        help="hold a class: print the teacher's link and the students' link; one of that name that is not over goes on "
        "(default name: %(const)s)",
    )
    run.add_argument(
        "--class-hours", type=positive, default=12, metavar="N", help="when the class ends (default: in %(default)s)"
    )
    run.add_argument(
        "--class-address",
        metavar="URL",
        help="what the links begin with, where students reach the server through a proxy: https://lab.school.org",
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
    if options.class_name is not None:
        environment |= _hold_class(options)
    command = [sys.executable, "-m", "streamlit", "run", str(ENTRANCE / "app.py")]
    command += ["--server.port", str(options.port), "--server.address", options.host]
    return SUCCESS if attend(command, ENTRANCE, environment) else FAILURE


def _class_name(text: str) -> str:
    """Return the name of a class: what people can read, on one line."""
    name = " ".join(text.split())
    if not 0 < len(name) <= MOST_NAME or not name.isprintable():
        raise argparse.ArgumentTypeError(f"{text!r} is no name of a class: 1 to {MOST_NAME} characters")
    return name


def _hold_class(options: argparse.Namespace) -> dict[str, str]:
    """Begin a class, or go on with it, and print its links; returns the environment that names it.

    The secrets stand in the fragments of the links, which browsers send nowhere.
    """
    from attnviz.server.people.register import hold  # it brings SQLAlchemy

    links = hold(options.class_name, options.class_hours)
    base = os.environ.get("STREAMLIT_SERVER_BASE_URL_PATH", "").strip("/")
    name = socket.gethostname() if options.host in ("0.0.0.0", "::") else options.host
    own = f"http://{f'[{name}]' if ':' in name else name}:{options.port}{f'/{base}' if base else ''}"
    address = (options.class_address or own).rstrip("/")
    print(f"class {options.class_name}, open for {options.class_hours} hours")
    print(f"  for you alone, the teacher:  {address}/join#{links.teacher}")
    print(f"  for the students:            {address}/join#{links.student}", flush=True)
    return {CLASS: links.id}


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
