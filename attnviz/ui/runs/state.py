"""State of the Runs page in a session."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["RunsState"]


@dataclass
class RunsState:
    """State of the Runs page.

    Attributes:
        chosen: names of the runs that are shown.
    """

    chosen: list[str] = field(default_factory=list)
