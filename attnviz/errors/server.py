"""Errors of a server: hosts that it answers to, who may show its pages, files for long addresses, its database."""

from __future__ import annotations

from attnviz.errors.base import AttnvizError, ConfigError

__all__ = [
    "DatabaseNewer",
    "DatabaseUnavailable",
    "FileNotPage",
    "ForeignHost",
    "ForeignOrigin",
    "InvalidDatabase",
    "InvalidOrigin",
]


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
