"""Errors of training runs, and of what a machine cannot do."""

from __future__ import annotations

from attnviz.errors.base import AttnvizError

__all__ = [
    "ClusterAway", "ClusterBusy", "ClusterError", "ClusterOpen", "FolderNotShared", "InvalidRunName", "MeasuringBusy",
    "OutOfMemory", "RayMissing", "RunBusy", "RunCorrupt", "RunError", "RunExists", "RunNotFound", "RunNotYours",
    "RunTaken", "RunUnwritable", "TrainingDiverged", "WorkerDied",
]  # fmt: skip


class RunError(AttnvizError):
    """A training run cannot be opened, written or started."""

    name: str


class RunNotFound(RunError):
    """There is no run of that name."""


class RunExists(RunError):
    """There is a run of that name already; nothing is written over it."""


class InvalidRunName(RunError, code="run_name"):
    """A run cannot have this name."""


class RunCorrupt(RunError):
    """A file of a run cannot be read: damaged, edited by hand, or written by a newer version."""

    file: str
    reason: str


class RunUnwritable(RunError):
    reason: str


class RunBusy(RunError):
    """Another process trains this run."""


class RunNotYours(RunError):
    """Somebody else started this run; it can be looked at."""


class RunTaken(RunError):
    """Another process has taken this run over; this one, which was silent for too long, writes nothing more."""


class MeasuringBusy(AttnvizError):
    """This server measures already; two measurements at once would disturb each other."""


class OutOfMemory(AttnvizError, MemoryError):
    name: str


class TrainingDiverged(AttnvizError, FloatingPointError):
    """The loss is no longer a number, or far above where it began; `learning_rate` is the rate of that step."""

    step: int
    loss: float
    learning_rate: float


class WorkerDied(RunError):
    """The process that trains ended while it was this run's turn, again."""


class ClusterError(AttnvizError):
    """The machines that are to train cannot be used; what waits for them goes on waiting."""

    address: str


class RayMissing(ClusterError):
    """A cluster is named, but Ray is not installed."""


class ClusterOpen(ClusterError):
    """The cluster is on other machines, and anybody who reaches it may run anything there."""


class ClusterAway(ClusterError):
    """The cluster does not answer, or does not let this machine in."""

    reason: str


class ClusterBusy(ClusterError):
    """No machine of the cluster has a core to spare."""


class FolderNotShared(RunError):
    """A machine of the cluster cannot open the folder of a run."""

    folder: str
