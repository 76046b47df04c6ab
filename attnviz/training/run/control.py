"""Telling a run what to do, from any process: lines appended to a small file in its folder, read by who trains it."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

from attnviz.bounded import MALFORMED, open_regular, parse_json
from attnviz.errors import SettingMisfit, SettingNotOffered, SettingOutside
from attnviz.errors.settings import check_whole
from attnviz.training.engine.config import MOST

__all__ = ["COMMANDS", "Command", "CommandFile", "Control"]

Name = Literal["pause", "resume", "step", "stop", "learning_rate", "speed", "until"]
COMMANDS: tuple[Name, ...] = get_args(Name)

LATELY = 2**12  # bytes in which the last command is looked for
AT_ONCE = 2**16  # bytes: more commands wait for the next look

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Command:
    """One thing a run is told.

    Attributes:
        name: "pause"; "resume" after a pause; "step": one step, then pause; "stop"; "learning_rate"; "speed"; "until":
            stop once a step is done, as soon as that step is the last one or behind.
        value: the new learning rate, at its highest as in `TrainConfig.learning_rate`, the schedule stays; or the
            speed in steps per second, at most, None for as fast as it goes; or the step until which it trains.
        by: as what somebody told it, "owner" or "teacher", or "rung": a sweep did; "" where nobody asked.

    Raises:
        ConfigError: an unknown name, or a learning rate, speed or step that is none.
    """

    name: Name
    value: float | None = None
    by: str = ""

    def __post_init__(self) -> None:
        if self.name not in COMMANDS:
            raise SettingNotOffered("command", self.name, COMMANDS)
        if self.name == "learning_rate" and not (
            isinstance(self.value, int | float) and isfinite(self.value) and 0 < self.value <= 1
        ):
            raise SettingMisfit("learning_rate", self.value, "rate", 0.003)
        if self.name == "speed" and not (
            self.value is None or (isinstance(self.value, int | float) and isfinite(self.value) and self.value > 0)
        ):
            raise SettingOutside("speed", self.value, "positive-or-none")
        if self.name == "until":
            if not (isinstance(self.value, int | float) and isfinite(self.value) and self.value == int(self.value)):
                raise SettingOutside("until", self.value, "whole")
            check_whole("until", int(self.value), 1, MOST)


class Control(Protocol):
    """Source of the commands for a run."""

    def poll(self) -> Sequence[Command]:
        """Return the commands since the last look, oldest first; does not wait."""


class CommandFile:
    """The commands in a run's folder: any process may send, one process polls."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read = 0  # bytes

    def send(self, name: Name, value: float | None = None, by: str = "") -> None:
        """Append a command; see `Command`.

        Raises:
            ConfigError: there is no such command.
            OSError: the folder cannot be written to.
        """
        given = asdict(Command(name, value, by))
        line = json.dumps(given if by else {"name": name, "value": value}) + "\n"
        if self.path.exists():
            open_regular(self.path).close()  # not a pipe, which would be waited for
        with self.path.open("ab", buffering=0) as file:
            file.write(line.encode())

    def clear(self) -> None:
        """Forget all commands: who starts a run begins with an empty file."""
        self.path.unlink(missing_ok=True)
        self._read = 0

    def last(self, *names: Name) -> Command | None:
        """Return the last command of some names, read or not; None where there is none among the last few."""
        try:
            with open_regular(self.path) as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - LATELY))
                lines = file.read(LATELY).splitlines()
        except OSError:  # there are none that can be read
            return None
        for line in reversed(lines):
            with suppress(*MALFORMED):
                command = Command(**parse_json(line, strict=True))
                if command.name in names:
                    return command
        return None

    def poll(self) -> list[Command]:
        """Return the commands since the last look; a line that is no command is logged and left out."""
        try:
            with open_regular(self.path) as file:  # not `stat`: see lease.py
                if os.fstat(file.fileno()).st_size <= self._read:
                    return []
                file.seek(self._read)
                lines = file.read(AT_ONCE).splitlines(keepends=True)
        except FileNotFoundError:
            return []
        commands: list[Command] = []
        for line in lines:
            if not line.endswith(b"\n"):  # still being written
                break
            self._read += len(line)
            try:
                values: dict[str, Any] = parse_json(line, strict=True)
                commands.append(Command(**values))
            except MALFORMED as error:
                log.warning("%s: %r is no command: %s", self.path, line[:100], error)
        return commands
