"""Limits that a process sets for itself before it opens what a stranger brought; they cannot be lifted again."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

__all__ = ["bound_memory", "seal"]

CALLS = ("bind", "connect", "getaddrinfo", "gethostbyaddr", "gethostbyname", "getnameinfo", "sendmsg", "sendto")
NETWORK = frozenset(f"socket.{call}" for call in CALLS)
PROGRAMS = ("subprocess.", "os.system", "os.exec", "os.spawn", "os.posix_spawn", "os.fork", "os.startfile", "pty.")
CHANGES = frozenset(
    f"os.{call}" for call in ("chmod", "chown", "link", "mkdir", "remove", "rename", "rmdir", "symlink", "truncate")
)
LISTINGS = frozenset({"os.listdir", "os.scandir"})
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
SYSTEM = ("/proc", "/sys/devices/system", "/sys/fs/cgroup", "/dev/null", "/dev/urandom", "/usr/share/zoneinfo")
"""Files from which libraries read the number of cores, the memory and random bits."""


MAX_CPU = 1200  # seconds, for a process that outlives its server in the middle of its work


def seal(folder: Path) -> list[str]:
    """Let this process reach no network, start no program, write no file, and read this folder and Python's own alone.

    Held by an audit hook, which no code in Python can take away.

    Args:
        folder: folder that may be read.

    Returns:
        A list that grows by what is tried in vain, whoever catches the error.
    """
    tried: list[str] = []
    of_python = [path for path in (*sys.path, sys.prefix, sys.base_prefix) if path]  # where it finds what it imports
    own = Path(__file__).parents[1]
    roots = tuple(os.path.realpath(path) for path in (folder, own, *map(Path, (*of_python, *SYSTEM))))

    def refuse(what: str) -> None:
        tried.append(what[:200])
        raise PermissionError(f"not allowed here: {what}")

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event in NETWORK:
            refuse(f"{event} {arguments[1:] if event == 'socket.connect' else arguments}")
        elif event.startswith(PROGRAMS) or event in CHANGES or event.startswith("shutil."):
            refuse(f"{event} {arguments[0] if arguments else ''}")
        elif event in LISTINGS and _outside(arguments[0] or os.curdir, roots):
            refuse(f"{event} {arguments[0]}")
        elif event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
            path, mode, flags = arguments
            writes = bool(flags & WRITING) if mode is None else any(sign in mode for sign in "wax+")
            if (writes and os.fspath(path) != os.devnull) or _outside(path, roots):
                refuse(f"open {os.fspath(path)!r}")

    sys.addaudithook(watch)
    return tried


def _outside(path: Any, roots: tuple[str, ...]) -> bool:
    if isinstance(path, int):
        return False  # it is open already
    real = os.path.realpath(os.fsdecode(path))
    return not any(real == root or real.startswith(root.rstrip(os.sep) + os.sep) for root in roots)


def bound_memory(nbytes: int) -> None:
    """Let this process take no more than that many bytes on top of what it has, where the system can hold it to that.

    Elsewhere (Windows, macOS) whoever started the process watches it.
    """
    if sys.platform != "linux":
        return
    import resource

    taken = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + nbytes, taken + nbytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU, MAX_CPU))
