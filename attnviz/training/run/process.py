"""Lock a run for one process, and identify it: neither a dead process nor another with its number is taken for it."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import psutil
from filelock import lock_descriptor

from attnviz.bounded import open_regular
from attnviz.errors import RunBusy, RunNotFound, RunUnwritable

__all__ = ["LOCK", "ProcessId", "claim"]

LOCK = "lock"


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
        """Whether it still runs; of another machine nothing is known, and it is believed to."""
        if self.host != socket.gethostname():
            return True
        return self.started != "" and _started(self.pid) == self.started


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


def claim(folder: Path) -> BinaryIO:
    """Lock a run against being trained, renamed or deleted by others; the lock ends with the process.

    The locked file is of a folder that is still in its place: it may be moved between the opening and the locking.

    Raises:
        RunBusy: somebody else is.
        RunNotFound: the folder is gone: it was deleted, or has another name now.
        RunUnwritable: the folder cannot be written to, or its file system has no locks.
    """
    while True:
        try:
            if (folder / LOCK).exists():
                open_regular(folder / LOCK).close()  # not a pipe, which would be waited for
            file = (folder / LOCK).open("ab")
        except FileNotFoundError as error:
            raise RunNotFound(folder.name) from error
        except OSError as error:
            raise RunUnwritable(folder.name, error.strerror or str(error)) from error
        try:
            if not lock_descriptor(file.fileno(), blocking=False):
                raise RunBusy(folder.name)
            if _is_at(file, folder / LOCK):
                return file
        except OSError as error:
            file.close()
            raise RunUnwritable(folder.name, error.strerror or str(error)) from error
        except RunBusy:
            file.close()
            raise
        file.close()  # it belongs to another run now, or to none: look again


def _is_at(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
