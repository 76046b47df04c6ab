"""Export what a class did: a table for a spreadsheet, statements for a learning record store (xAPI 1.0.3)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from attnviz.server.people.classes import Classroom, Member
from attnviz.server.people.wall import class_runs
from attnviz.server.shelf import Entry

__all__ = ["statements", "table"]

COLUMNS = ("student", "nickname", "run", "task", "created", "state", "step", "steps", "metric", "best")
VERBS = {
    "joined": "http://activitystrea.ms/schema/1.0/join",
    "launched": "http://adlnet.gov/expapi/verbs/launched",
    "completed": "http://adlnet.gov/expapi/verbs/completed",
}
HOME = "urn:attnviz:class"


def table(room: Classroom) -> str:
    """Return the runs of a class as CSV, a row each; `student` is the number in the class.

    What begins like a formula is preceded by an apostrophe, so that no spreadsheet computes it.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for member, entry in _runs(room):
        assert entry.run is not None
        config = entry.run.config
        number, nickname = ("", "") if member is None else (member.number, member.nickname)
        state = "" if entry.state is None else entry.state.state
        row: list[object] = [number, nickname, entry.name, config.recipe or config.task.name, config.created, state]
        row += [entry.step, config.training.steps, config.task.metric, "" if entry.best is None else entry.best]
        writer.writerow([_harmless(value) for value in row])
    return file.getvalue()


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def statements(room: Classroom) -> list[dict[str, Any]]:
    """Return what a class did as xAPI statements: who joined, which runs were started, and which came to their end.

    Actors are numbers of an account in the class: nobody is named, and nicknames are left out.
    """
    made = [
        _statement(room, member, "joined", f"{HOME}:{room.id}", room.name, _time(member.joined))
        for member in room.members.values()
    ]
    for member, entry in _runs(room):
        if member is None or entry.run is None:
            continue
        target, created = f"{HOME}:{room.id}:run:{entry.name}", entry.run.config.created
        made.append(_statement(room, member, "launched", target, entry.name, created))
        if entry.state is not None and entry.state.state == "done":
            try:
                changed = _changed(entry)
            except OSError:  # it was deleted a moment ago
                continue
            ended = _statement(room, member, "completed", target, entry.name, _time(changed))
            ended["result"] = {"completion": True}
            if entry.best is not None:
                ended["result"]["score"] = {"raw": entry.best}
            made.append(ended)
    return made


def _runs(room: Classroom) -> Iterator[tuple[Member | None, Entry]]:
    return ((room.members.get(entry.run.owner), entry) for entry in class_runs() if entry.run is not None)


def _changed(entry: Entry) -> float:
    assert entry.run is not None
    return (entry.run.folder / "state.json").stat().st_mtime


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _statement(room: Classroom, member: Member, verb: str, target: str, name: str, when: str) -> dict[str, Any]:
    return {
        "actor": {"objectType": "Agent", "account": {"homePage": f"{HOME}:{room.id}", "name": str(member.number)}},
        "verb": {"id": VERBS[verb], "display": {"en": verb}},
        "object": {"objectType": "Activity", "id": target, "definition": {"name": {"en": name}}},
        "timestamp": when,
    }
