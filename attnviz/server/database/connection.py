"""A database: transactions, tried again for a while when it is locked or gone."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from time import monotonic, sleep
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, NullPool, create_engine, event
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, TimeoutError
from sqlalchemy.orm import Session

from attnviz.errors import DatabaseUnavailable
from attnviz.server.database.address import file_of, uri_of

__all__ = ["Database"]

T = TypeVar("T")

PATIENCE = 25.0
"""Seconds for which a write is tried again."""

BUSY = 2.0  # seconds that one try waits for a lock
PAUSE = 0.1  # seconds before the second try; then twice as many, up to MOST_PAUSE
MOST_PAUSE = 1.0
HOPELESS = ("disk is full", "no space left", "readonly", "read-only", "malformed", "password authentication")
"""Parts of what a driver says when no second try helps."""

log = logging.getLogger(__name__)


class Database:
    """A database of SQLite or PostgreSQL.

    What is done in it may be done twice where the first answer was lost on the way, so it must bear that.

    Args:
        url: see `attnviz.server.database.address.database_url`.
        patience: seconds for which something is tried again.
    """

    def __init__(self, url: URL, patience: float = PATIENCE) -> None:
        self.url, self.patience = url, patience
        self.file = file_of(url)
        if self.file is None:
            self.engine = create_engine(url, pool_pre_ping=True, pool_timeout=BUSY, connect_args={"connect_timeout": 5})
        else:
            # opened each time, which takes a tenth of a millisecond: a file that was moved away is noticed
            self.engine = create_engine(url, poolclass=NullPool, creator=self._open)
            event.listen(self.engine, "begin", _begin)

    def _open(self) -> sqlite3.Connection:
        assert self.file is not None
        connection = sqlite3.connect(uri_of(self.file), uri=True, timeout=BUSY, isolation_level=None)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    def create(self) -> None:
        """Make the file of SQLite, where there is none; PostgreSQL has its own ways.

        Raises:
            DatabaseUnavailable: it cannot be made.
        """
        if self.file is None:
            return
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self.file, timeout=self.patience)
            connection.execute("PRAGMA journal_mode = WAL")  # kept in the file: who reads and who writes do not wait
            connection.close()
        except (OSError, sqlite3.Error) as error:
            raise DatabaseUnavailable(str(error)) from error

    def read(self, work: Callable[[Session], T]) -> T:
        """Return what some work reads, without a second try.

        Raises:
            DatabaseUnavailable: it is locked, gone or damaged.
        """
        try:
            return self._done(work, writes=False)
        except (DBAPIError, TimeoutError) as error:
            raise DatabaseUnavailable(_reason(error)) from error

    def write(self, work: Callable[[Session], T]) -> T:
        """Do some work in one transaction, which is tried again while the database is locked or gone.

        Raises:
            DatabaseUnavailable: it stayed so for too long, it is full, or it cannot be written to.
        """
        end, pause = monotonic() + self.patience, PAUSE
        while True:
            try:
                return self._done(work, writes=True)
            except (DBAPIError, TimeoutError) as error:
                if not _may_heal(error) or monotonic() + pause > end:
                    raise DatabaseUnavailable(_reason(error)) from error
                log.warning("the database does not answer, and is asked again: %s", _reason(error))
            sleep(pause)
            pause = min(2 * pause, MOST_PAUSE)

    def _done(self, work: Callable[[Session], T], writes: bool) -> T:
        connection = self.engine.connect().execution_options(writes=writes)
        with connection, connection.begin(), Session(connection, expire_on_commit=False) as session:
            found = work(session)
            session.flush()
        return found


def _begin(connection: Connection) -> None:
    """Take the lock of SQLite at once for a transaction that writes: two that read first would wait for each other."""
    writes = connection.get_execution_options().get("writes", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _may_heal(error: Exception) -> bool:
    return isinstance(error, OperationalError | InterfaceError | TimeoutError) and not any(
        word in _reason(error).lower() for word in HOPELESS
    )


def _reason(error: Any) -> str:
    """Say what the driver says, on one line, without the statement and its values."""
    return " ".join(str(getattr(error, "orig", None) or error).split())[:300]
