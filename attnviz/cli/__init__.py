"""The command line: `attnviz run` and `zoo`, `train` and `resume`, and what is done with runs."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from attnviz.cli.common import FAILURE, SUCCESS, USAGE, CommandError, UsageError, port
from attnviz.cli.manage import add_managing
from attnviz.cli.train import add_training
from attnviz.errors import AttnvizError
from attnviz.zoo import zoo

__all__ = ["main"]

APP = Path(__file__).resolve().parents[2] / "app.py"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code: 0, 1 when it failed, 2 when it was not begun because of wrong usage."""
    try:
        options = _parser().parse_args(arguments)
        code: int = options.command(options)
    except KeyboardInterrupt as interrupt:
        return _fail(str(interrupt) or "stopped", FAILURE)
    except UsageError as error:
        return _fail(str(error), USAGE)
    except (AttnvizError, CommandError, OSError) as error:
        return _fail(str(error), FAILURE)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="attnviz", description="See every number a live Transformer computes.", allow_abbrev=False
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="start the app in a browser", description="Start the app (Streamlit).")
    run.add_argument("--port", type=port, default=8501, metavar="N", help="where to listen (default: %(default)s)")
    run.set_defaults(command=_run)

    listing = commands.add_parser("zoo", help="list the shipped models", description="List the shipped models.")
    listing.set_defaults(command=_zoo)

    add_training(commands)
    add_managing(commands)
    return parser


def _run(options: argparse.Namespace) -> int:
    if not APP.is_file():
        raise CommandError(f"{APP} not found: run the app from a copy of the repository")
    command = [sys.executable, "-m", "streamlit", "run", str(APP), "--server.port", str(options.port)]
    return subprocess.run(command, cwd=APP.parent, env={"OMP_WAIT_POLICY": "PASSIVE", **os.environ}).returncode


def _zoo(options: argparse.Namespace) -> int:
    for entry in zoo():
        print(
            f"{entry.name:<10} {entry.architecture:<16} {entry.size:>8,} parameters  {entry.metric} {entry.score:.3f}"
        )
    return SUCCESS


def _fail(message: str, code: int) -> int:
    print(f"attnviz: {' '.join(message.split())}", file=sys.stderr)
    return code
