"""State of a run: state.json, replaced as a whole, so that it can be read at any time."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any, Literal, get_args

from attnviz.errors import AttnvizError
from attnviz.training.run.process import ProcessId

__all__ = ["Phase", "RunState"]

Phase = Literal["queued", "running", "paused", "stopped", "done", "interrupted", "failed"]
MOST_STEPS = 10**12
ACTIVE = ("queued", "running", "paused")  # somebody is at work or will be
POOR = ("halving", "pruner")


@dataclass(frozen=True)
class RunState:
    """Content of state.json.

    Attributes:
        state: "queued", "running" and "paused" while a process looks after the run; "stopped" by a person, or
            not begun; "done" at the last step or at the target; "interrupted" when the process died; "failed" with a
            message.
        step: updates done when it was written.
        process: process that looks after the run; the server's for a queued one.
        message: message in English, why it failed.
        error: code and details of that message, for other languages.
        by: who stopped it, where no person did: "rung": its sweep, until the others have come as far; "halving" or
            "pruner": its sweep, as others learn better. See `attnviz.training.sweep`.
        queued: orders those that wait: greater than that of all that waited when it came, whatever the clock says.
    """

    state: Phase
    step: int = 0
    process: ProcessId | None = None
    message: str = ""
    error: dict[str, Any] | None = None
    by: str = ""
    queued: float = 0.0

    @property
    def active(self) -> bool:
        """Whether somebody is at work on it or will be."""
        return self.state in ACTIVE

    @property
    def poor(self) -> bool:
        """Whether its sweep has stopped it, as others learn better."""
        return self.by in POOR

    @property
    def resumable(self) -> bool:
        """Whether it can go on where it was."""
        return self.state in ("stopped", "interrupted", "failed")

    @classmethod
    def failed(cls, error: Exception, step: int) -> RunState:
        """Return the state of a run that failed, with the words and the code of the error."""
        known = {"code": error.code, "details": error.details} if isinstance(error, AttnvizError) else None
        message = str(error) if known else f"{type(error).__name__}: {error}"
        return cls("failed", step, message=message, error=known)

    def failed_by(self, code: str) -> bool:
        """Whether it failed with an error of that code."""
        return self.state == "failed" and self.error is not None and self.error.get("code") == code

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RunState:
        """Return the state that `to_dict` described.

        Raises:
            MALFORMED: it is none; see bounded.py.
        """
        process, error = values.get("process"), values.get("error")
        state = cls(**{**values, "process": None if process is None else ProcessId(**process)})
        if state.state not in get_args(Phase):
            raise ValueError(f"state {str(state.state)[:40]!r} is unknown")
        if type(state.step) is not int or not 0 <= state.step <= MOST_STEPS:
            raise ValueError(f"step {str(state.step)[:40]!r} is none")
        if type(state.message) is not str or type(state.by) is not str or not isinstance(error, dict | None):
            raise TypeError("message and by must be texts, and error an object")
        if not isfinite(state.queued):
            raise ValueError("queued must be a number")
        return state
