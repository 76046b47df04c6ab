"""Errors of addresses: hosts that a server answers to, who may show its pages, and files for what is too long."""

from __future__ import annotations

from attnviz.errors.base import AttnvizError, ConfigError

__all__ = ["FileNotPage", "ForeignHost", "InvalidOrigin"]


class FileNotPage(AttnvizError, ValueError):
    """A file that no page saved, or another page, or that was changed since."""

    code = "file_not_page"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"{name} cannot be opened on this page: {reason}. Open it on the page that saved it.",
            name=name,
            reason=reason,
        )


class ForeignHost(AttnvizError):
    """A request for a host that this server does not answer for."""

    code = "foreign_host"

    def __init__(self, host: str, variable: str) -> None:
        super().__init__(
            f"This server does not answer to {host!r}: whoever runs it may list that name in {variable}, or start it "
            "with --allow-host.",
            host=host,
            variable=variable,
        )


class InvalidOrigin(ConfigError):
    """An entry in the operator's list of hosts or frames that cannot be one."""

    code = "invalid_origin"

    def __init__(self, variable: str, given: str, examples: str) -> None:
        super().__init__(
            f"{variable}: {given!r} cannot be that; it may be one of these: {examples}",
            variable=variable,
            given=given,
            examples=examples,
        )
