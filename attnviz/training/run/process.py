"""Identify a process: neither a dead one nor another with its number is taken for it."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

__all__ = ["ProcessId", "process_space"]


@dataclass(frozen=True)
class ProcessId:
    """A process of a machine.

    Attributes:
        host: name of the machine.
        pid: its number there, used again after its end.
        started: when it started, in the words of the operating system; with the number, unique.

    Raises:
        ValueError: one of them is none.
    """

    host: str
    pid: int
    started: str

    def __post_init__(self) -> None:
        if type(self.host) is not str or type(self.started) is not str or type(self.pid) is not int or self.pid < 1:
            raise ValueError(f"a process is a host, a number above 0 and a start, not {str(self)[:100]}")

    @classmethod
    def current(cls) -> ProcessId:
        """Return the id of this process."""
        return cls(socket.gethostname(), os.getpid(), _started(os.getpid()))

    def alive(self) -> bool:
        """Whether it still runs, on this machine; for those of others see `lease.looked_after`."""
        return self.host == socket.gethostname() and self.started != "" and _started(self.pid) == self.started

    def effort(self) -> float:
        """Return the processor seconds that it has had, on this machine; 0 where that cannot be told."""
        try:
            times = psutil.Process(self.pid).cpu_times()
            return float(times.user + times.system)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return 0.0


@cache
def process_space() -> str:
    """Return what those processes have in common that see each other: the machine, its start, and their container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{socket.gethostname()} {boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:  # not on Linux
        return socket.gethostname()


def _started(pid: int) -> str:
    """When a process started; "" when there is none of that number, or only what is left of a dead one."""
    if Path("/proc/self/stat").exists():
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return ""
        fields = stat.rpartition(")")[2].split()  # after the name, which may hold blanks: state, parent ...
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return "" if fields[0] in "ZX" else f"{boot}:{fields[19]}"  # ticks since the machine started
    try:
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else str(process.create_time())
    except (psutil.NoSuchProcess, psutil.AccessDenied):  # whoever asks may look into its own processes
        return ""
