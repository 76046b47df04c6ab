"""The command line: `attnviz run`, `models` and `trace`, `train` and `resume`, and what is done with runs."""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
from collections.abc import Sequence

from attnviz import __version__
from attnviz.bounded import reason
from attnviz.cli.atlas import add_atlas
from attnviz.cli.common import FAILURE, SUCCESS, USAGE, CommandError, Parser, UsageError, add_command, one_line
from attnviz.cli.edits import add_sweep
from attnviz.cli.finetune import add_finetuning
from attnviz.cli.manage import add_managing
from attnviz.cli.models import add_models
from attnviz.cli.run import add_run
from attnviz.cli.sweep import add_tuning
from attnviz.cli.trace import add_trace
from attnviz.cli.train import add_training
from attnviz.cli.why import add_why
from attnviz.cli.write import add_write
from attnviz.errors import AttnvizError, OwnFault, PathUnusable
from attnviz.guard import reason_of
from attnviz.zoo import zoo

__all__ = ["main"]

logger = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code: 0, 1 when it failed, 2 when it was not begun because of wrong usage."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # any text can be shown on any terminal
    try:
        try:
            options = _parser().parse_args(arguments)
            code: int = options.command(options)
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt as interrupt:
        return _fail(str(interrupt) or "stopped", FAILURE)
    except UsageError as error:
        return _fail(str(error), USAGE)
    except BrokenPipeError:  # whoever reads has seen enough, as in `attnviz models | head -1`
        _discard_output()
        return FAILURE
    except (AttnvizError, CommandError) as error:
        return _fail(str(error), FAILURE)
    except OSError as error:  # of a file or folder that was named, mostly
        named = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else "the output"
        return _fail(str(PathUnusable(named, reason(error))), FAILURE)
    except Exception as error:  # a mistake of ours, which nobody foresaw
        logger.error("a fault of attnviz", exc_info=error)
        return _fail(str(OwnFault("this command", reason_of(error))), FAILURE)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="attnviz",
        description="See every number of a live Transformer's attention.",
        epilog="attnviz COMMAND --help says more about a command and gives examples.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"attnviz {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    add_run(commands)
    add_models(commands)
    add_trace(commands)
    add_sweep(commands)
    add_why(commands)
    add_atlas(commands)
    add_write(commands)

    listing = add_command(
        commands,
        "zoo",
        "list the shipped models and how good they are",
        "List the models that come with attnviz: name, architecture, size, and what each reached on test data.",
        ["zoo", "trace zoo/reverse 'g f e d c'"],
    )
    listing.set_defaults(command=_zoo)

    add_training(commands)
    add_tuning(commands)
    add_finetuning(commands)
    add_managing(commands)
    return parser


def _zoo(options: argparse.Namespace) -> int:
    for entry in zoo():
        print(
            f"{entry.name:<10} {entry.architecture:<16} {entry.size:>8,} parameters  {entry.metric} {entry.score:.3f}"
        )
    return SUCCESS


def _fail(message: str, code: int) -> int:
    sys.stderr.write(one_line(message))
    try:
        sys.stdout.flush()
    except OSError:  # a full disk: what could not be written is given up, or Python complains about it at its end
        _discard_output()
    return code


def _discard_output() -> None:
    """Let what still waits to be written go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
