"""Where a run stands: state.json, replaced as a whole, so that it is always readable."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from attnviz.training.process import ProcessId

__all__ = ["Phase", "RunState"]

Phase = Literal["queued", "running", "paused", "stopped", "done", "interrupted", "failed"]
ACTIVE = ("queued", "running", "paused")  # somebody is at work or will be


@dataclass(frozen=True)
class RunState:
    """What state.json says.

    Attributes:
        state: "queued", "running" and "paused" while a process looks after the run; "stopped" by a person, or
            not begun; "done" at the last step or at the target; "interrupted" when the process died; "failed" with a
            message.
        step: updates done when it was written.
        process: that looks after the run; the server's for a queued one.
        message: in English, why it failed.
        error: code and details of that message, for other languages.
        queued: when it was queued, seconds since 1970; orders the queue.
    """

    state: Phase
    step: int = 0
    process: ProcessId | None = None
    message: str = ""
    error: dict[str, Any] | None = None
    queued: float = 0.0

    @property
    def active(self) -> bool:
        """Whether somebody is at work on it or will be."""
        return self.state in ACTIVE

    @property
    def resumable(self) -> bool:
        """Whether it can go on where it was."""
        return self.state in ("stopped", "interrupted", "failed")

    def checked(self) -> RunState:
        """The same state, or "interrupted" when the process that looked after the run is gone."""
        if self.active and (self.process is None or not self.process.alive()):
            return replace(self, state="interrupted", process=None)
        return self

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RunState:
        """The state that `to_dict` described.

        Raises:
            TypeError, ValueError: it is none.
        """
        if values.get("state") not in get_args(Phase) or type(values.get("step")) is not int:
            raise ValueError(f"state {values.get('state')!r} at step {values.get('step')!r} is unknown")
        process = values.get("process")
        return cls(**{**values, "process": None if process is None else ProcessId(**process)})
