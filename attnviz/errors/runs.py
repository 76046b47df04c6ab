"""Errors of training runs, and of what a machine cannot do."""

from __future__ import annotations

from attnviz.errors.base import AttnvizError

__all__ = [
    "InvalidRunName",
    "MeasuringBusy",
    "OutOfMemory",
    "RunBusy",
    "RunCorrupt",
    "RunError",
    "RunExists",
    "RunNotFound",
    "RunUnwritable",
    "TrainingDiverged",
]


MOST_WORDS = 400  # characters of a reason


class RunError(AttnvizError):
    """A training run that cannot be opened, written or started."""

    code = "run"


class RunNotFound(RunError):
    """There is no run of that name."""

    code = "run_not_found"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}: there is no such run. A run is a folder with config.json in it.", name=name)


class RunExists(RunError):
    """There is a run of that name already; nothing is written over it."""

    code = "run_exists"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}: there is a run of that name already. Choose another name.", name=name)


class InvalidRunName(RunError):
    """A run cannot be called that."""

    code = "run_name"

    def __init__(self, name: str) -> None:
        super().__init__(
            f'{name!r} is no name for a run: use letters, digits, "_", "." and "-", begin with a letter or digit, '
            "100 characters at most.",
            name=name,
        )


class RunCorrupt(RunError):
    """One of the files of a run cannot be read: damaged, edited by hand, or written by a newer version."""

    code = "run_corrupt"

    def __init__(self, name: str, file: str, reason: str) -> None:
        short = reason if len(reason) <= MOST_WORDS else f"{reason[:MOST_WORDS]} …"  # it may hold what the file holds
        super().__init__(f"run {name}: {file} cannot be read: {short}", name=name, file=file, reason=short)


class RunUnwritable(RunError):
    """The disk is full, or the folder cannot be written to; what is on disk stays readable."""

    code = "run_unwritable"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"run {name} cannot be written: {reason}. What was recorded so far is kept: make room, then resume it.",
            name=name,
            reason=reason,
        )


class RunBusy(RunError):
    """Another process trains this run."""

    code = "run_busy"

    def __init__(self, name: str) -> None:
        super().__init__(f"run {name} is being trained already: watch it, or stop it first.", name=name)


class MeasuringBusy(AttnvizError):
    """This server measures already: two measurements at once would disturb each other."""

    code = "measuring_busy"

    def __init__(self) -> None:
        super().__init__("somebody else on this server is measuring: two at once would disturb each other. Try again.")


class OutOfMemory(AttnvizError, MemoryError):
    """There was not enough memory for the model, or for a text of this length."""

    code = "out_of_memory"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name}: there is not enough memory: a shorter text or a smaller model takes less.", name=name
        )


class TrainingDiverged(AttnvizError, FloatingPointError):
    """The loss is not a number any more, or far above where it began."""

    code = "training_diverged"

    def __init__(self, step: int, loss: float, learning_rate: float) -> None:
        super().__init__(
            f"the loss is {loss:.4g} at step {step}: lower the learning rate of {learning_rate:g}",
            step=step,
            loss=f"{loss:.4g}",
            learning_rate=f"{learning_rate:g}",
        )
