"""A class in both kinds of database: links, members, rules, its end, and a database that does not answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from attnviz.errors import ClassLinkWrong, ClassOver, DatabaseUnavailable
from attnviz.server.database.connection import Database
from attnviz.server.database.migrate import database
from attnviz.server.people import register
from attnviz.server.people.classes import CLASS, Classroom, Rules
from attnviz.server.people.register import Links
from tests.refused import refused


@pytest.fixture
def links(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Links]:
    """A class that this server holds; what the database says is asked each time."""
    monkeypatch.setattr(register, "FRESH", -1.0)
    made = register.hold("7b", 2)
    monkeypatch.setenv(CLASS, made.id)
    yield made
    database().engine.dispose()
    database.cache_clear()


def room() -> Classroom:
    found = register.held()
    assert found is not None
    return found


def test_a_server_without_a_class_asks_no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CLASS, raising=False)
    monkeypatch.setattr(register, "database", None)
    assert register.held() is None


def test_who_has_a_link_is_a_member(links: Links) -> None:
    assert (register.join(links.student, "ann"), register.join(links.teacher, "tom")) == ("student", "teacher")
    assert register.join(links.student, "ann") == "student"  # again
    assert register.join(links.student, "tom") == "teacher"  # stays one
    assert {who: member.number for who, member in room().members.items()} == {"ann": 1, "tom": 2}
    assert register.join(links.teacher, "ann") == "teacher"


@pytest.mark.parametrize("secret", ["", "x" * 43, "x" * 42, "é" * 43, "' OR 1=1 --" + "x" * 32, "x" * 10**5])
def test_a_forged_link_leads_nowhere(links: Links, secret: str) -> None:
    with refused(ClassLinkWrong()):
        register.join(secret, "eve")
    with refused(ClassLinkWrong()):
        register.join(links.student, "")  # a browser without cookies
    assert room().members == {}


def test_a_link_of_another_class_leads_nowhere(links: Links) -> None:
    other = register.hold("8a", 2)
    with refused(ClassLinkWrong()):
        register.join(other.teacher, "eve")


def test_the_database_has_no_secret(links: Links) -> None:
    from sqlalchemy import select

    from attnviz.server.database.tables import LinkRow

    kept = database().read(lambda session: [row.secret for row in session.scalars(select(LinkRow))])
    assert len(kept) == 2
    assert not {links.teacher, links.student} & set(kept)


def test_a_class_that_goes_on_keeps_its_members_and_its_old_links(links: Links) -> None:
    register.join(links.student, "ann")
    again = register.hold("7b", 3)
    assert again.id == links.id
    assert register.join(again.student, "ben") == register.join(links.student, "cem") == "student"
    assert list(room().members) == ["ann", "ben", "cem"]


def test_rules_the_open_page_and_nicknames_are_kept(links: Links) -> None:
    register.join(links.student, "ann")
    rules = Rules(False, ("models",), ("upload",), 3, 500, 64)
    register.set_rules(room(), rules)
    assert register.show(room(), "./training?run=a&step=5")
    register.rename_member(room(), "ann", "  Blue \n heron\x00" + "x" * 90)
    found = room()
    assert (found.rules, found.shown) == (rules, "./training?run=a&step=5")
    assert found.members["ann"].nickname.startswith("Blue heron⟨U+0000⟩xxx")
    assert len(found.members["ann"].nickname) == 40
    register.show(found, "")
    assert room().shown == ""


@pytest.mark.parametrize(
    "odd",
    [
        "https://evil.example",
        "//evil.example",
        "./a/b",
        "./../x",
        "javascript:alert(1)",
        "./x?a b",
        "./x#y",
        "x" * 9000,
    ],
)
def test_only_pages_of_the_app_are_opened_for_all(links: Links, odd: str) -> None:
    assert not register.show(room(), odd)
    assert room().shown == ""


def test_nobody_enters_a_class_that_is_over(links: Links) -> None:
    register.close(room())
    assert room().is_over
    with refused(ClassOver("7b")):
        register.join(links.student, "ann")
    assert register.hold("7b", 1).id != links.id  # another one of that name


def test_a_deleted_class_has_nobody(links: Links) -> None:
    register.join(links.teacher, "tom")
    register.delete(room())
    assert (room().members, room().is_over) == ({}, True)


def test_while_the_database_does_not_answer_the_class_is_as_it_was(
    links: Links, monkeypatch: pytest.MonkeyPatch
) -> None:
    register.join(links.teacher, "tom")
    before = room()

    def gone(self: Database, work: object) -> None:
        raise DatabaseUnavailable("it is away")

    monkeypatch.setattr(Database, "read", gone)
    assert room() == before
    monkeypatch.setattr(register._Seen, "room", None)
    with refused(DatabaseUnavailable("it is away")):
        register.held()
