"""Errors of a server: hosts that it answers to, who may show its pages, files for long addresses, its database."""

from __future__ import annotations

from attnviz.errors.base import AttnvizError, ConfigError

__all__ = [
    "ClassLinkWrong", "ClassOver", "DatabaseNewer", "DatabaseUnavailable", "FileNotPage", "ForeignHost",
    "ForeignOrigin", "InvalidDatabase", "InvalidOrigin", "NotInClass", "SwitchedOff", "TakesTooLong", "TooManyRuns",
    "TooManySteps", "TooManyWaiting",
]  # fmt: skip


class ClassLinkWrong(AttnvizError):
    """This link is not one of the class that the server holds, or the browser keeps no cookies."""


class ClassOver(AttnvizError):
    """The class was closed or has expired."""

    name: str


class NotInClass(AttnvizError):
    """Only members of the class train here."""


class SwitchedOff(AttnvizError):
    """The teacher has hidden this control."""


class TooManyRuns(AttnvizError):
    """The teacher lets a student have `most` runs."""

    most: int


class TooManySteps(AttnvizError):
    """The teacher lets a run have `most` steps."""

    steps: int
    most: int


class TakesTooLong(AttnvizError):
    """A computation beside the pages was ended after so many seconds."""

    seconds: int


class TooManyWaiting(AttnvizError):
    """So many computations beside the pages are waiting that no other one is taken."""

    most: int


class DatabaseUnavailable(AttnvizError):
    """The database is locked, gone, full or damaged."""

    reason: str


class DatabaseNewer(AttnvizError):
    """A newer version of attnviz has changed the database's tables."""

    reason: str


class InvalidDatabase(ConfigError):
    """The address in `variable` is none of a database; it is not repeated, for it may hold a password."""

    variable: str
    examples: str


class FileNotPage(AttnvizError, ValueError):
    name: str
    reason: str


class ForeignHost(AttnvizError):
    host: str
    variable: str


class ForeignOrigin(AttnvizError):
    """A page of another site caused the request."""

    origin: str


class InvalidOrigin(ConfigError):
    """An entry in the administrator's list of hosts or frames is not valid; `variable` holds the list."""

    variable: str
    given: str
    examples: str
