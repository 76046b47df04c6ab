"""SQLite and PostgreSQL: the same tables, made once, and a database that is locked or gone for a while."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, inspect, select, text
from sqlalchemy.orm import Session

from attnviz.errors import DatabaseNewer, DatabaseUnavailable, InvalidDatabase
from attnviz.server.database import connection
from attnviz.server.database.address import DATABASE, EXAMPLES, database_url
from attnviz.server.database.connection import Database
from attnviz.server.database.migrate import migrate
from attnviz.server.database.tables import Base, ClassRow, LinkRow, MemberRow
from tests.refused import refused


def a_class(session: Session) -> None:
    session.add(ClassRow(id="c", name="7b", created=1.0, expires=2.0, rules={"look": True}))
    session.flush()
    session.add(LinkRow(secret="s", class_id="c", role="student"))
    session.add(MemberRow(class_id="c", person="p", role="student", number=1, joined=1.0))


def classes(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(ClassRow)) or 0


def naps(monkeypatch: pytest.MonkeyPatch, after: int, then: Callable[[], object]) -> list[float]:
    """Do something in the n-th pause between two tries; no pause takes time."""
    taken: list[float] = []

    def sleep(seconds: float) -> None:
        taken.append(seconds)
        if len(taken) == after:
            then()

    monkeypatch.setattr(connection, "sleep", sleep)
    return taken


def test_the_migrations_make_the_tables_that_the_code_has(made: Database) -> None:
    migrate(made)
    with made.engine.connect() as connected:
        looked = inspect(connected)
        for table in Base.metadata.sorted_tables:
            found = {column["name"]: column for column in looked.get_columns(table.name)}
            assert found.keys() == {column.name for column in table.columns}
            for column in table.columns:
                assert found[column.name]["nullable"] == column.nullable, column
                assert str(found[column.name]["type"].as_generic()) == str(column.type.as_generic()), column


def test_what_is_written_is_read_and_goes_with_its_class(made: Database) -> None:
    migrate(made)
    made.write(a_class)
    assert made.read(lambda session: session.scalars(select(MemberRow)).one().nickname) == ""
    made.write(lambda session: session.delete(session.scalars(select(ClassRow)).one()))
    assert made.read(lambda session: [*session.scalars(select(LinkRow)), *session.scalars(select(MemberRow))]) == []


def test_servers_that_start_together_make_the_tables_once(address: str) -> None:
    several = [Database(database_url()) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(migrate, several))
    migrate(several[0])  # there is nothing left to do
    assert several[0].read(classes) == 0
    for each in several:
        each.engine.dispose()


def test_tables_of_a_newer_version_are_left_alone(made: Database) -> None:
    migrate(made)
    made.write(lambda session: session.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(DatabaseNewer):
        migrate(made)


def test_a_failed_piece_of_work_leaves_nothing(made: Database) -> None:
    migrate(made)

    def half(session: Session) -> None:
        a_class(session)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        made.write(half)
    assert made.read(classes) == 0


def test_a_locked_database_goes_on_by_itself(made: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate(made)
    other = made.engine.connect()
    other.begin()
    if made.file is None:
        other.execute(text("LOCK TABLE classes IN ACCESS EXCLUSIVE MODE"))
        with made.engine.begin() as each:
            each.execute(text("ALTER DATABASE attnviz SET lock_timeout = '10ms'"))
        made.engine.pool.dispose()  # connections from now on wait that long
    taken = naps(monkeypatch, 3, other.close)
    made.write(a_class)
    assert len(taken) == 3
    assert made.read(classes) == 1


def test_a_reader_does_not_wait_for_who_writes(made: Database) -> None:
    migrate(made)
    with made.engine.begin() as other:
        other.execute(text("DELETE FROM classes"))
        assert made.read(classes) == 0


def test_a_database_that_was_away_goes_on_by_itself(
    request: pytest.FixtureRequest, made: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(made)
    if made.file is not None:
        away = made.file.rename(made.file.with_name("away"))
        file = made.file

        def back() -> Any:
            return away.rename(file)

    else:
        server = request.getfixturevalue("postgres")
        server.stop()
        back = server.ensure_postgres_running
    with pytest.raises(DatabaseUnavailable):
        made.read(classes)
    taken = naps(monkeypatch, 2, back)
    made.write(a_class)
    assert len(taken) == 2
    assert made.read(classes) == 1


def test_patience_ends(made: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate(made)
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(connection, "monotonic", lambda: float(next(clock)))
    taken = naps(monkeypatch, 0, int)

    def gone(session: Session) -> None:
        raise connection.OperationalError("", {}, Exception("it is away"))

    with refused(DatabaseUnavailable("it is away")):
        made.write(gone)
    assert len(taken) == 2  # at 10 and at 20 of 25 seconds


@pytest.mark.parametrize("said", ["database or disk is full", "attempt to write a readonly database"])
def test_what_no_second_try_heals_is_said_at_once(tmp_path: Path, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Database(database_url(f"sqlite:///{tmp_path}/classes.db"))
    migrate(made)
    taken = naps(monkeypatch, 0, int)

    def fails(session: Session) -> None:
        raise connection.OperationalError("INSERT secret", {}, sqlite3.OperationalError(said))

    with refused(DatabaseUnavailable(said)):
        made.write(fails)
    assert taken == []


def test_a_file_that_is_no_database_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "classes.db").write_bytes(b"no database" * 1000)
    taken = naps(monkeypatch, 0, int)
    with refused(DatabaseUnavailable("file is not a database")):
        migrate(Database(database_url(f"sqlite:///{tmp_path}/classes.db")))
    assert taken == []


def test_without_an_address_it_lies_in_the_folder_of_the_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DATABASE, raising=False)
    monkeypatch.setenv("ATTNVIZ_RUNS", str(tmp_path / "runs"))
    assert database_url().database == str(tmp_path / "runs" / "classes.db")


@pytest.mark.parametrize(
    "given", ["no address", "mysql://host/name", "postgresql://user:secret@host", "sqlite://", "sqlite:///:memory:"]
)
def test_another_address_is_refused_without_its_password(given: str) -> None:
    with refused(InvalidDatabase(DATABASE, EXAMPLES)):
        database_url(given)
