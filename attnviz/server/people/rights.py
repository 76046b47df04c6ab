"""What a person may do with a run: its owner and the teacher steer it, others look at it where they may.

A run that was made on the command line, or by a browser that keeps no cookies, has no owner: everybody steers it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from attnviz.errors import RunNotYours
from attnviz.server.people.identity import identity
from attnviz.training import runs_root
from attnviz.training.run.folder import owner_of

__all__ = ["NOBODY", "Authority", "Person", "authority", "checked_authority", "person_of"]

Authority = Literal["owner", "anyone", ""]


@dataclass(frozen=True)
class Person:
    """Who sits at a browser.

    Attributes:
        id: see `identity`; "" for one who keeps no cookies.
    """

    id: str = ""


NOBODY = Person()


def person_of(cookies: Mapping[str, str]) -> Person:
    """Return who sends a request with these cookies."""
    return Person(identity(cookies))


def authority(person: Person, folder: Path) -> Authority:
    """Return as what a person may steer, rename, delete and download the run in a folder; "": may not."""
    if folder.parent != runs_root():
        return ""
    owner = owner_of(folder)
    if not owner:
        return "anyone"
    return "owner" if owner == person.id else ""


def checked_authority(person: Person, folder: Path) -> Authority:
    """Return as what a person may change the run in a folder.

    Raises:
        RunNotYours: may not.
    """
    found = authority(person, folder)
    if not found:
        raise RunNotYours(folder.name)
    return found
