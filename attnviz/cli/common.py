"""What all commands share: exit codes, wrong usage, whole numbers."""

from __future__ import annotations

import argparse
from typing import TypeAlias

__all__ = [
    "FAILURE",
    "SUCCESS",
    "USAGE",
    "WHERE",
    "CommandError",
    "Commands",
    "UsageError",
    "not_negative",
    "port",
    "positive",
]

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

SUCCESS, FAILURE, USAGE = 0, 1, 2
WHERE = "Runs are folders in ATTNVIZ_RUNS (default: ./runs)."


class CommandError(Exception):
    """A command that fails, and why."""


class UsageError(CommandError):
    """What was typed cannot be done; nothing was begun."""


def positive(text: str) -> int:
    """A whole number above 0."""
    return _whole_number(text, 1)


def not_negative(text: str) -> int:
    """A whole number that a seed can be."""
    return _whole_number(text, 0, 2**63 - 2**22)


def port(text: str) -> int:
    """A port to listen on."""
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
