"""Errors of addresses: hosts that a server answers to, who may show its pages, and files for what is too long."""

from __future__ import annotations

from attnviz.errors.base import AttnvizError, ConfigError

__all__ = ["FileNotPage", "ForeignHost", "InvalidOrigin"]


class FileNotPage(AttnvizError, ValueError):
    name: str
    reason: str


class ForeignHost(AttnvizError):
    host: str
    variable: str


class InvalidOrigin(ConfigError):
    """An entry in the administrator's list of hosts or frames is not valid; `variable` holds the list."""

    variable: str
    given: str
    examples: str
