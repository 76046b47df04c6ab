"""The lease of a run: one process works on it, and every machine that shares the folder sees whether it still does.

folder/.lease-7    the holder as JSON; its time is renewed while the holder lives, and 1970 once it was given back

The number rises with every holder. A file of the next number is made as a hard link, which one of many can do, on a
network file system as well; the one before is then deleted. A holder looks for both before it writes.

Ages are judged by the clock of the file server, which sets the time of every file, or by watching: a lease whose time
did not change for three times its length has no living holder. What the clocks of the machines say does not matter.
On a machine that is overloaded a holder may be alive and have no time to say so, while it loads a model above all: who
shares the machine sees it use the processor, and has more patience.

A network file system answers `stat` from what it knew some seconds ago, and for half a minute forgets no name that was
not there. It asks its server when a file is opened, and looks at a folder anew after it has changed something in it.
"""

from __future__ import annotations

import errno
import json
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import NamedTuple
from uuid import uuid4

from attnviz.bounded import MALFORMED, open_regular, read_json, reason
from attnviz.errors import RunBusy, RunNotFound, RunTaken, RunUnwritable
from attnviz.training.run.files import UNFINISHED
from attnviz.training.run.process import ProcessId, process_space
from attnviz.training.run.state import RunState

__all__ = ["LEASE_SECONDS", "SILENT", "Lease", "claim", "is_leased", "lease_seconds", "looked_after"]

LEASE_SECONDS = "ATTNVIZ_LEASE_S"
"""Environment variable of the operator: seconds of a lease, the same for all that share a folder; 3 where unset."""

NAME = re.compile(r"\.lease-([1-9]\d{0,11})", re.ASCII)
SILENT = 3
"""Leases without a renewal: the holder is gone."""
BUSY = 60  # leases, of a holder that is seen to use the processor: it may have hung
RENEWALS = 3  # in one lease
NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)  # a file system without hard links
MOST_SEEN = 10_000


def lease_seconds() -> float:
    """Return the length of a lease, as the operator says."""
    try:
        seconds = float(os.environ.get(LEASE_SECONDS, ""))
    except ValueError:
        seconds = 0.0
    return seconds if 0.01 <= seconds <= 3600 else 3.0


class _Found(NamedTuple):
    """The newest lease in a folder."""

    epoch: int
    path: Path
    mtime: int


def _newest(folder: Path) -> _Found | None:
    """Return the newest lease in a folder; None where there is none, as in folders of older versions.

    Raises:
        OSError: the folder cannot be listed.
    """
    while True:
        epochs = _epochs(folder)
        if not epochs:
            return None
        path = _path(folder, epochs[-1])
        if (status := _status(path)) is not None:
            return _Found(epochs[-1], path, status.st_mtime_ns)
        _look_anew(folder)  # it was taken over just now


def _epochs(folder: Path) -> list[int]:
    return sorted(int(match[1]) for name in os.listdir(folder) if (match := NAME.fullmatch(name)))


def _path(folder: Path, epoch: int) -> Path:
    return folder / f".lease-{epoch}"


def _status(path: Path) -> os.stat_result | None:
    """Return what is true of a file now; None where there is none."""
    try:
        with open_regular(path) as file:
            return os.fstat(file.fileno())
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ESTALE):
            return None
        raise


def _look_anew(folder: Path) -> None:
    """Change something in a folder, so that names are seen which others have made there."""
    with TemporaryFile(dir=folder):
        pass


def is_leased(folder: Path) -> bool:
    """Whether a folder has, or had, a holder.

    Raises:
        OSError: the folder cannot be listed.
    """
    return _newest(folder) is not None


def looked_after(folder: Path, state: RunState) -> bool:
    """Whether somebody is at work on a run that says so, or will be."""
    if not state.active or state.process is None:
        return False
    try:
        lease = _newest(folder)
    except OSError:  # it cannot be listed now: nothing speaks against the state
        return True
    return state.process.alive() if lease is None else _held(lease)  # older versions had none


def _held(lease: _Found) -> bool:
    holder = _holder(lease)
    if lease.mtime == 0 or (holder is not None and not holder.alive()):  # given back, or there is nobody to wait for
        return False
    silent, idle = _SEEN.silence(lease, holder.effort() if holder else 0.0)
    return silent <= SILENT * lease_seconds() or (silent <= BUSY * lease_seconds() and idle <= SILENT * lease_seconds())


def _holder(lease: _Found) -> ProcessId | None:
    """Return the process that a lease names; None: it cannot be seen from here, or the lease is not readable."""
    try:
        values = read_json(lease.path, strict=True)
        return ProcessId(**values) if values.pop("space") == process_space() else None
    except MALFORMED:
        return None


class _Sight(NamedTuple):
    """A look at a lease: its time and its holder's effort, and since when each was that at the latest."""

    mtime: int
    effort: float
    renewed: float
    worked: float


class _Watch:
    """Since when each lease is known to be silent, on the clock of this process, which nobody sets."""

    def __init__(self) -> None:
        self._seen: dict[Path, _Sight] = {}
        self._lock = threading.Lock()

    def silence(self, lease: _Found, effort: float) -> tuple[float, float]:
        """Return the seconds for which a lease was not renewed, and for which its holder did nothing at all.

        At first sight both are as the file server's clock has it.

        Args:
            effort: processor seconds of the holder; always the same where it cannot be seen from here.
        """
        with self._lock:
            seen = self._seen.get(lease.path)
        age = 0.0 if seen else max(0.0, _file_time(lease.path.parent, lease.mtime) - lease.mtime) / 1e9
        now = time.monotonic()
        renewed = seen.renewed if seen and seen.mtime == lease.mtime else now - age
        worked = seen.worked if seen and (seen.mtime, seen.effort) == (lease.mtime, effort) else now - age
        with self._lock:
            if len(self._seen) >= MOST_SEEN:
                self._seen.clear()
            self._seen[lease.path] = _Sight(lease.mtime, effort, renewed, worked)
        return now - renewed, now - worked


def _file_time(folder: Path, default: int) -> int:
    """Return the time that the file server gives to a file now, in nanoseconds; the default where nobody may write."""
    try:
        with TemporaryFile(dir=folder) as file:
            file.write(b".")
            file.flush()
            return os.fstat(file.fileno()).st_mtime_ns
    except OSError:
        return default


_SEEN = _Watch()


class Lease:
    """A lease that this process holds and renews; left as a context, it is given back.

    Args:
        folder: folder of the run.
        epoch: number of the lease.
    """

    def __init__(self, folder: Path, epoch: int) -> None:
        self.epoch = epoch
        self.moved(folder)
        self.seconds = lease_seconds()
        self._renewed = time.monotonic()
        self._held = True
        self._lock = threading.Lock()  # not renewed after it was given back
        _RENEWER.add(self)

    def check(self) -> None:
        """Before a write: make sure that nobody has taken the run over.

        A process that was halted renews its lease before it looks, and who takes over looks once more after taking: of
        the two, at most one goes on.

        Raises:
            RunTaken: somebody has; nothing may be written any more.
            OSError: the folder cannot be reached.
        """
        if time.monotonic() - self._renewed > self.seconds:
            self.renew()
            _look_anew(self.folder)
        if not self._is_newest():
            raise RunTaken(self.folder.name)

    def _is_newest(self) -> bool:
        if _status(self._path) is None:
            self.folder.stat()  # a folder that is out of reach was taken by nobody
            return False
        return not os.path.lexists(self._next)

    def renew(self) -> None:
        """Say that the holder lives.

        Raises:
            OSError: the folder cannot be reached or written to.
        """
        with self._lock:
            if self._held:
                with suppress(FileNotFoundError):  # taken over, or out of reach: `check` tells which
                    os.utime(self._path)
                    self._renewed = time.monotonic()

    def moved(self, folder: Path) -> None:
        """Go on in another place: the holder has renamed the folder."""
        self.folder = folder
        self._path, self._next = (_path(folder, epoch) for epoch in (self.epoch, self.epoch + 1))

    def release(self) -> None:
        """Give the lease back: the next one need not wait."""
        _RENEWER.remove(self)
        with self._lock:
            self._held = False
            with suppress(OSError):  # deleted, taken over, or out of reach: then it falls silent
                os.utime(self._path, ns=(0, 0))

    def __enter__(self) -> Lease:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class _Renewer:
    """One thread that renews all leases of this process, while there are any."""

    def __init__(self) -> None:
        self._leases: set[Lease] = set()
        self._changed = threading.Condition()
        self._running = False

    def add(self, lease: Lease) -> None:
        with self._changed:
            self._leases.add(lease)
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, daemon=True, name="attnviz-leases").start()
            self._changed.notify()

    def remove(self, lease: Lease) -> None:
        with self._changed:
            self._leases.discard(lease)
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait(lease_seconds() / RENEWALS)
                if not self._leases:
                    self._running = False
                    return
                leases = list(self._leases)
            for lease in leases:
                with suppress(OSError):  # the holder is told before its next write
                    lease.renew()


_RENEWER = _Renewer()


def claim(folder: Path, left: int = 0) -> Lease:
    """Be the only one, on any machine, who trains, renames or deletes a run; held until it is released.

    Args:
        folder: folder of the run.
        left: number of the lease that its holder leaves to this process; 0 for none.

    Raises:
        RunBusy: somebody else is.
        RunNotFound: the folder is gone: it was deleted, or has another name now.
        RunUnwritable: the folder cannot be written to.
    """
    while True:
        try:
            with _candidate(folder) as mine:
                return _take(folder, mine, left)
        except FileNotFoundError as error:
            if not folder.is_dir():
                raise RunNotFound(folder.name) from error  # else: half files were cleared away just now
        except OSError as error:
            raise RunUnwritable(folder.name, reason(error)) from error


@contextmanager
def _candidate(folder: Path) -> Iterator[Path]:
    """Write a file that says who this process is; a link to it becomes the lease."""
    path = folder / f".lease.{uuid4().hex}{UNFINISHED}"
    holder = {**asdict(ProcessId.current()), "space": process_space()}
    try:
        path.write_text(json.dumps(holder), "utf-8")
        yield path
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _take(folder: Path, mine: Path, left: int) -> Lease:
    before = _newest(folder)
    mine_to_take = before is None or before.epoch == left
    if before is not None and not mine_to_take and _held(before):
        raise RunBusy(folder.name)
    epoch = 1 if before is None else before.epoch + 1
    if not _linked(mine, _path(folder, epoch)):
        raise RunBusy(folder.name)  # of many at once, another one was first
    _look_anew(folder)
    epochs = _epochs(folder)
    if epochs[-1] != epoch or not (before is None or mine_to_take or _unchanged(before)):
        _path(folder, epoch).unlink(missing_ok=True)  # this one came late, or the holder before has woken up
        raise RunBusy(folder.name)
    for old in epochs[:-1]:
        _path(folder, old).unlink(missing_ok=True)
    return Lease(folder, epoch)


def _linked(mine: Path, path: Path) -> bool:
    try:
        os.link(mine, path)
    except FileExistsError:
        status = _status(mine)  # the answer of a network file system may be lost, and its question comes again
        return status is not None and status.st_nlink > 1
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        try:
            with path.open("xb") as file:
                file.write(mine.read_bytes())
        except FileExistsError:
            return False
    return True


def _unchanged(lease: _Found) -> bool:
    status = _status(lease.path)
    return status is None or status.st_mtime_ns == lease.mtime  # one that is gone cannot be renewed any more
