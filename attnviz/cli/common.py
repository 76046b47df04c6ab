"""Parts shared by all commands: exit codes, wrong usage, help, folders, whole numbers."""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn, TypeAlias

from attnviz.cli.text import printable
from attnviz.library import MODELS_FOLDER

__all__ = [
    "FAILURE",
    "SUCCESS",
    "USAGE",
    "WHERE",
    "CommandError",
    "Commands",
    "Parser",
    "UsageError",
    "add_command",
    "add_models_option",
    "models_root",
    "not_negative",
    "one_line",
    "port",
    "positive",
    "text_or_input",
]

Commands: TypeAlias = "argparse._SubParsersAction[Parser]"

SUCCESS, FAILURE, USAGE = 0, 1, 2
WHERE = "Runs are folders in ATTNVIZ_RUNS (default: ./runs)."


class CommandError(Exception):
    """A command that fails, and why."""


class UsageError(CommandError):
    """A command that cannot be carried out as typed; nothing was begun."""


class Parser(argparse.ArgumentParser):
    """A parser that says on one line what is wrong."""

    def error(self, message: str) -> NoReturn:
        """End with the code of wrong usage."""
        self.exit(USAGE, one_line(f"{message} (see: {self.prog} --help)"))


def one_line(message: str) -> str:
    """Return an error as people see it on standard error."""
    return f"attnviz: {printable(' '.join(message.split()))}\n"


def add_command(
    commands: Commands, name: str, brief: str, what: str, examples: Sequence[str], more: str = ""
) -> argparse.ArgumentParser:
    """Return a command and its help.

    Args:
        commands: commands to which it is added.
        brief: description in the list of all commands.
        what: it does, in a sentence or a few.
        examples: command lines without "attnviz", which close the help.
        more: text in front of them.
    """
    lines = ["examples:", *(f"  attnviz {example}" for example in examples)]
    return commands.add_parser(
        name,
        help=brief,
        description=textwrap.fill(what, 80),
        epilog=f"{more}\n\n" * bool(more) + "\n".join(lines),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def add_models_option(command: argparse.ArgumentParser) -> None:
    """--models DIR, see `models_root`."""
    command.add_argument(
        "--models",
        type=Path,
        metavar="DIR",
        help=f"a folder whose sub-folders are models, of attnviz or of transformers (default: {MODELS_FOLDER})",
    )


def models_root(options: argparse.Namespace) -> Path | None:
    """Return the folder of models that was named on the command line or by the environment; None: there is none.

    Raises:
        UsageError: it is no folder.
    """
    named = os.environ.get(MODELS_FOLDER)
    root: Path | None = options.models or (Path(named) if named else None)
    if root is not None and not os.path.isdir(root):
        origin = "--models" if options.models else MODELS_FOLDER
        there = os.path.exists(root)
        raise UsageError(f"{origin}: {root} is no folder" if there else f"{origin}: there is no folder {root}")
    return root


def text_or_input(given: str) -> str:
    """Return the text, from standard input for "-" (a line break at its very end is not part of it)."""
    try:
        text = sys.stdin.read().removesuffix("\n") if given == "-" else given
        text.encode()
    except UnicodeError as error:
        raise UsageError(f"the text is no UTF-8: {error.reason if hasattr(error, 'reason') else error}") from error
    return text


def positive(text: str) -> int:
    """Return a whole number above 0."""
    return _whole_number(text, 1)


def not_negative(text: str) -> int:
    """Return a whole number that a seed can be."""
    return _whole_number(text, 0, 2**63 - 2**22)


def port(text: str) -> int:
    """Return a port to listen on."""
    return _whole_number(text, 1, 65535)


def _whole_number(text: str, lowest: int, highest: float = float("inf")) -> int:
    try:
        value = int(text)
    except ValueError:
        value = lowest - 1
    if not lowest <= value <= highest:
        limits = f"from {lowest} to {highest}" if highest < float("inf") else f"of at least {lowest}"
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number {limits}")
    return value
