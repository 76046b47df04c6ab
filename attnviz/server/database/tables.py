"""The tables as they are now; `migrations` says how a database comes to have them.

Times are seconds since 1970. Secrets and people are kept as hashes, see `attnviz.server.people.identity`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

__all__ = ["Base", "ClassRow", "LinkRow", "MemberRow"]


class Base(DeclarativeBase):
    """Root of the tables."""


class ClassRow(Base):
    """A class.

    Attributes:
        rules: what its students may do, see `attnviz.server.people.classes.Rules`.
        shown: address that the students' pages follow; "" for none.
        shown_at: when it was opened: the same page can be opened again.
    """

    __tablename__ = "classes"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    created: Mapped[float]
    expires: Mapped[float]
    rules: Mapped[dict[str, Any]] = mapped_column(JSON)
    shown: Mapped[str] = mapped_column(String(8000), default="")
    shown_at: Mapped[float] = mapped_column(default=0.0)


class LinkRow(Base):
    """A secret that makes whoever shows it a member of a class."""

    __tablename__ = "links"

    secret: Mapped[str] = mapped_column(String(64), primary_key=True)
    class_id: Mapped[str] = mapped_column(ForeignKey("classes.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(String(16))


class MemberRow(Base):
    """A browser that showed a link.

    Attributes:
        number: counts the members of a class, from 1.
        nickname: made up by whoever sits there; "" for none.
    """

    __tablename__ = "members"

    class_id: Mapped[str] = mapped_column(ForeignKey("classes.id", ondelete="CASCADE"), primary_key=True)
    person: Mapped[str] = mapped_column(String(64), primary_key=True)
    role: Mapped[str] = mapped_column(String(16))
    number: Mapped[int]
    nickname: Mapped[str] = mapped_column(String(40), default="")
    joined: Mapped[float]
