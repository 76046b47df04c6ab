"""The register of classes in the database: links are made and checked, members enter, rules and pages change.

It brings SQLAlchemy, so only a server that holds a class imports it.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import threading
import time
from dataclasses import asdict
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from attnviz.errors import ClassLinkWrong, ClassOver, DatabaseUnavailable
from attnviz.locale import visible
from attnviz.server.database.migrate import database
from attnviz.server.database.tables import ClassRow, LinkRow, MemberRow
from attnviz.server.people.classes import CLASS, Classroom, Member, Role, Rules
from attnviz.server.people.identity import TOKEN, hashed

__all__ = ["Links", "close", "delete", "held", "hold", "join", "rename_member", "set_rules", "show"]

FRESH = 1.0  # seconds for which what the database said is believed
LONGEST_NAME, LONGEST_ADDRESS = 40, 7000
ADDRESS = re.compile(r"\./[a-z]*(\?[^#\s]*)?", re.ASCII)

log = logging.getLogger(__name__)


class Links(NamedTuple):
    """A class that was begun, and the secrets of its links."""

    id: str
    teacher: str
    student: str


class _Seen:
    """The class as the database had it last."""

    lock = threading.Lock()
    room: Classroom | None = None
    until = 0.0


def held() -> Classroom | None:
    """Return the class that this server holds; None for a server without one.

    While the database does not answer, the class is as it was.

    Raises:
        DatabaseUnavailable: it never answered.
    """
    name = os.environ.get(CLASS, "")
    if not name:
        return None
    with _Seen.lock:
        known = _Seen.room if _Seen.room is not None and _Seen.room.id == name else None
        if known is not None and time.monotonic() < _Seen.until:
            return known
        try:
            known = database().read(lambda session: _room(session, name))
        except DatabaseUnavailable as error:
            if known is None:
                raise
            log.warning("the class stays as it was: %s", error)
        _Seen.room, _Seen.until = known, time.monotonic() + FRESH
        return known


def _room(session: Session, name: str) -> Classroom:
    row = session.get(ClassRow, name)
    if row is None:  # it was deleted: nobody is a member of it
        return Classroom(name, "", 0.0, 0.0)
    members = session.scalars(select(MemberRow).where(MemberRow.class_id == name).order_by(MemberRow.number))
    return Classroom(
        row.id,
        row.name,
        row.created,
        row.expires,
        Rules.of(row.rules),
        row.shown,
        row.shown_at,
        {each.person: Member(_role(each.role), each.number, each.nickname, each.joined) for each in members},
    )


def _role(text: str) -> Role:
    return "teacher" if text == "teacher" else "student"


def forget() -> None:
    """Ask the database again the next time."""
    with _Seen.lock:
        _Seen.until = 0.0


def hold(name: str, hours: float) -> Links:
    """Begin a class, or go on with the one of that name that is not over, with new links beside the old ones.

    Args:
        name: for people, such as "7b".
        hours: from now until it ends.

    Raises:
        DatabaseUnavailable: see `Database.write`.
    """
    made = Links(secrets.token_hex(16), secrets.token_urlsafe(32), secrets.token_urlsafe(32))
    now = time.time()

    def begin(session: Session) -> str:
        row = session.scalars(select(ClassRow).where(ClassRow.name == name, ClassRow.expires > now)).first()
        if row is None:
            row = ClassRow(id=made.id, name=name, created=now, rules=asdict(Rules()), shown="", shown_at=0.0)
            session.add(row)
        row.expires = now + hours * 3600
        session.flush()
        for role, secret in (("teacher", made.teacher), ("student", made.student)):
            session.merge(LinkRow(secret=hashed(secret), class_id=row.id, role=role))
        return row.id

    return made._replace(id=database().write(begin))


def join(secret: str, person: str) -> Role:
    """Make who shows the secret of a link a member of this server's class; a teacher stays one.

    Raises:
        ClassLinkWrong: there is no such link, or the browser keeps no cookies.
        ClassOver: the class is closed, or has expired.
    """
    room = held()
    if room is None or not person or not TOKEN.fullmatch(secret):
        raise ClassLinkWrong
    if room.is_over:
        raise ClassOver(room.name)

    def enter(session: Session) -> Role | None:
        link = session.get(LinkRow, hashed(secret))
        if link is None or link.class_id != room.id:
            return None
        session.get(ClassRow, room.id, with_for_update=True)  # members are counted one after the other
        member = session.get(MemberRow, (room.id, person))
        if member is None:
            count = select(func.coalesce(func.max(MemberRow.number), 0)).where(MemberRow.class_id == room.id)
            number = 1 + (session.scalar(count) or 0)
            member = MemberRow(class_id=room.id, person=person, number=number, nickname="", joined=time.time())
            member.role = link.role
            session.add(member)
        elif link.role == "teacher":
            member.role = "teacher"
        return _role(member.role)

    role = database().write(enter)
    forget()
    if role is None:
        raise ClassLinkWrong
    return role


def _change(room: Classroom, **values: Any) -> None:
    def change(session: Session) -> None:
        row = session.get(ClassRow, room.id)
        if row is not None:
            for name, value in values.items():
                setattr(row, name, value)

    database().write(change)
    forget()


def set_rules(room: Classroom, rules: Rules) -> None:
    """Give a class other rules."""
    _change(room, rules=asdict(rules))


def show(room: Classroom, address: str) -> bool:
    """Have the students' pages follow an address of the app, or "" to release them; False for what is no address."""
    if address and not (len(address) <= LONGEST_ADDRESS and ADDRESS.fullmatch(address)):
        return False
    _change(room, shown=address, shown_at=time.time())
    return True


def close(room: Classroom) -> None:
    """End a class now: its members are nobody special any more."""
    _change(room, expires=time.time(), shown="")


def delete(room: Classroom) -> None:
    """Delete a class with its links and its members."""

    def remove(session: Session) -> None:
        row = session.get(ClassRow, room.id)
        if row is not None:
            session.delete(row)

    database().write(remove)
    forget()


def rename_member(room: Classroom, person: str, nickname: str) -> None:
    """Give a member another nickname; "" for none."""
    shown = visible(" ".join(nickname.split()), LONGEST_NAME)[:LONGEST_NAME]

    def rename(session: Session) -> None:
        member = session.get(MemberRow, (room.id, person))
        if member is not None:
            member.nickname = shown

    database().write(rename)
    forget()
