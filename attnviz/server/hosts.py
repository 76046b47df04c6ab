"""The lists in which an operator says which hosts a server answers to, and whose pages may show it in a frame."""

from __future__ import annotations

import re
from ipaddress import ip_address

from attnviz.errors import InvalidOrigin

__all__ = ["FRAMES", "HOSTS", "checked_frames", "checked_hosts", "host_matches", "host_name", "is_address"]

HOSTS = "ATTNVIZ_HOSTS"
"""Environment variable: more names that this server answers to, between blanks or commas; "*.school.org", "*"."""

FRAMES = "ATTNVIZ_FRAMES"
"""Environment variable: origins whose pages may show this one in a frame; "*": all, "none": nobody."""

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(\*\.)?{_LABEL}(\.{_LABEL})*", re.ASCII)
_SOURCE = re.compile(rf"(https?://)?(\*\.)?{_LABEL}(\.{_LABEL})*(:(\d{{1,5}}|\*))?", re.ASCII | re.IGNORECASE)


def checked_hosts(text: str) -> tuple[str, ...]:
    """Return the names and addresses in a list.

    Raises:
        InvalidOrigin: one that is none; a name stands without "http://" and without a port.

    Example:
        >>> checked_hosts("lab.school.org, *.example.org")
        ('lab.school.org', '*.example.org')
    """
    hosts = tuple(each.lower().rstrip(".").strip("[]") for each in _listed(text))
    for host in hosts:
        if not (host == "*" or is_address(host) or _NAME.fullmatch(host)):
            raise InvalidOrigin(HOSTS, host, "lab.school.org, *.school.org, 192.0.2.7, *")
    return hosts


def checked_frames(text: str) -> str:
    """Return the sources of `frame-ancestors` in a list; this server's own pages where it is empty.

    Raises:
        InvalidOrigin: one that is none.

    Example:
        >>> checked_frames("https://moodle.school.org"), checked_frames("none")
        ("'self' https://moodle.school.org", "'none'")
    """
    sources = _listed(text)
    if sources in (["none"], ["*"]):
        return "'none'" if sources == ["none"] else "*"
    for source in sources:
        if not _SOURCE.fullmatch(source):
            raise InvalidOrigin(FRAMES, source, "https://moodle.school.org, https://*.school.org, *, none")
    return " ".join(["'self'", *sources])


def _listed(text: str) -> list[str]:
    return text.replace(",", " ").split()


def is_address(host: str) -> bool:
    """Whether a host is an IP address."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def host_matches(name: str, pattern: str) -> bool:
    """Whether a name is one of those that a pattern stands for."""
    return pattern == "*" or (pattern.startswith("*.") and name.endswith(pattern[1:]))


def host_name(host: str) -> str:
    """Return the name in a header Host, without its port; "" where it is none.

    Example:
        >>> host_name("Lab.School.org.:8501"), host_name("[::1]:8501"), host_name("a@b"), host_name("localhost:x")
        ('lab.school.org', '::1', '', '')
    """
    name, _, port = host.lower().partition(":")
    if host.startswith("["):
        name, bracket, rest = host[1:].lower().partition("]")
        port = rest.removeprefix(":")
        if not bracket or (rest and rest == port):
            return ""
    name = name.removesuffix(".")
    if port and not (port.isascii() and port.isdigit()):
        return ""
    return name if is_address(name) or (_NAME.fullmatch(name) and not name.startswith("*")) else ""
