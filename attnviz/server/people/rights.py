"""Say who may do what with a run: its owner and the teacher steer it, others look at it where they may.

A run that was made on the command line, or by a browser that keeps no cookies, has no owner: everybody steers it, and
on a server that holds a class the teacher alone.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from attnviz.errors import DatabaseUnavailable, NotInClass, RunNotYours, SwitchedOff, TooManyRuns, TooManySteps
from attnviz.models.tuned_config import TunedConfig
from attnviz.server.people.classes import CLASS, Classroom, Role
from attnviz.server.people.identity import identity
from attnviz.training import RunConfig, runs_root
from attnviz.training.engine.memory import check_memory
from attnviz.training.recipes import OWN
from attnviz.training.run.folder import owner_of

__all__ = [
    "NOBODY", "Authority", "Person", "authority", "check_start", "checked_authority", "may_look", "offers", "person_of",
]  # fmt: skip

Authority = Literal["owner", "teacher", "anyone", ""]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Person:
    """Who sits at a browser.

    Attributes:
        id: see `identity`; "" for one who keeps no cookies.
        role: in the class that this server holds; "" for nobody of it, and for students when it is over.
        room: that class; None where this server holds none, or cannot tell.
    """

    id: str = ""
    role: Role | Literal[""] = ""
    room: Classroom | None = None


NOBODY = Person()


def person_of(cookies: Mapping[str, str]) -> Person:
    """Return who sends a request with these cookies."""
    who = identity(cookies)
    if not os.environ.get(CLASS):
        return Person(who)
    from attnviz.server.people.register import held  # it brings SQLAlchemy

    try:
        room = held()
    except DatabaseUnavailable as error:
        log.warning("nobody is known to be of the class: %s", error)
        return Person(who)
    member = None if room is None else room.members.get(who)
    if member is None or (member.role == "student" and room is not None and room.is_over):
        return Person(who, "", room)
    return Person(who, member.role, room)


def authority(person: Person, folder: Path) -> Authority:
    """Return as what a person may steer, rename, delete and download the run in a folder; "": may not."""
    if folder.parent != runs_root():
        return ""
    owner = owner_of(folder)
    if owner and owner == person.id:
        return "owner"
    if person.role == "teacher":
        return "teacher"
    return "anyone" if not owner and not os.environ.get(CLASS) else ""


def checked_authority(person: Person, folder: Path) -> Authority:
    """Return as what a person may change the run in a folder.

    Raises:
        RunNotYours: may not.
    """
    found = authority(person, folder)
    if not found:
        raise RunNotYours(folder.name)
    return found


def may_look(person: Person, folder: Path) -> bool:
    """Whether a person may see the run in a folder: of a class, its members where the teacher lets them."""
    if folder.parent != runs_root() or not os.environ.get(CLASS) or authority(person, folder):
        return True
    return person.role == "student" and person.room is not None and person.room.rules.look


def offers(person: Person, control: str) -> bool:
    """Whether a control, one of `attnviz.server.people.classes.CONTROLS`, is there for a person."""
    return person.role != "student" or person.room is None or control not in person.room.rules.controls


def check_start(person: Person, configs: Iterable[RunConfig]) -> None:
    """Refuse runs that a person may not start, where this server holds a class.

    Raises:
        NotInClass: is nobody of the class.
        SwitchedOff: the teacher has hidden training, or training on data of one's own.
        TooManyRuns: has as many as the teacher allows.
        TooManySteps: the teacher allows fewer.
        TooMuchMemory: the teacher allows less.
    """
    if not os.environ.get(CLASS) or person.role == "teacher":
        return
    if person.role != "student" or person.room is None:
        raise NotInClass
    rules, configs = person.room.rules, list(configs)
    brings = any(config.recipe in OWN or isinstance(config.model, TunedConfig) for config in configs)
    if not offers(person, "train") or (brings and not offers(person, "own")):
        raise SwitchedOff
    if rules.runs is not None and _count(person) + len(configs) > rules.runs:
        raise TooManyRuns(rules.runs)
    for config in configs:
        if rules.steps is not None and config.training.steps > rules.steps:
            raise TooManySteps(config.training.steps, rules.steps)
        if rules.megabytes is not None:
            check_memory(config.model, config.training.batch_size, config.task, rules.megabytes * 2**20)


def _count(person: Person) -> int:
    """Return how many runs a person has."""
    root = runs_root()
    return sum(owner_of(folder) == person.id for folder in root.iterdir()) if root.is_dir() else 0
