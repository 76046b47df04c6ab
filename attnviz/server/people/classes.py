"""A class as its server knows it: members, rules, and the page that is open for all."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

__all__ = ["CLASS", "CONTROLS", "Classroom", "Member", "Role", "Rules"]

CLASS = "ATTNVIZ_CLASS"
"""Environment variable: id of the class that a server holds, which `attnviz run --class` sets; empty for none."""

CONTROLS = ("train", "own", "upload", "export", "edits", "modes")
"""Controls that a teacher can hide: starting runs, training on data of one's own, handing in files, taking runs away,
what if, and the Explorer's further modes.
"""

Role = Literal["teacher", "student"]


@dataclass(frozen=True)
class Rules:
    """Rules for the students of a class.

    Attributes:
        look: they see each other's runs.
        pages: pages that are hidden from them.
        controls: those of CONTROLS that are hidden from them.
        runs: the most that one student may have; None: any number.
        steps: the most that a run may have.
        megabytes: the most memory that a step of a run may take.
    """

    look: bool = True
    pages: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    runs: int | None = None
    steps: int | None = None
    megabytes: int | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Rules:
        """Return the rules that the database holds."""
        made = cls(**values)
        return replace(made, pages=tuple(made.pages), controls=tuple(made.controls))


class Member(NamedTuple):
    """A member of a class, see `MemberRow`."""

    role: Role
    number: int
    nickname: str
    joined: float


@dataclass(frozen=True)
class Classroom:
    """A class, as it was a moment ago.

    Attributes:
        shown: address that the students' pages follow, relative to the app; "" for none.
        shown_at: when it was opened.
        members: by their identity.
    """

    id: str
    name: str
    created: float
    expires: float
    rules: Rules = Rules()
    shown: str = ""
    shown_at: float = 0.0
    members: Mapping[str, Member] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Whether it was closed or has expired."""
        return time.time() >= self.expires
