"""The address of the database: ATTNVIZ_DATABASE, or a file of SQLite in the folder of the runs."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from attnviz.errors import InvalidDatabase
from attnviz.training import runs_root

__all__ = ["DATABASE", "FILE", "database_url", "file_of"]

DATABASE = "ATTNVIZ_DATABASE"
"""Environment variable: the address of a PostgreSQL database, or of a file of SQLite."""

FILE = "classes.db"
EXAMPLES = "postgresql://user:password@host/name, sqlite:////srv/classes.db"
DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}


def database_url(given: str | None = None) -> URL:
    """Return the address of the database.

    Args:
        given: the address; None: that of the environment.

    Raises:
        InvalidDatabase: it is not an address of SQLite or PostgreSQL. A password in it is not repeated.

    Example:
        >>> database_url("postgresql://attnviz:secret@db.school.org/attnviz").render_as_string()
        'postgresql+psycopg://attnviz:***@db.school.org/attnviz'
    """
    text = os.environ.get(DATABASE, "") if given is None else given
    if not text:
        return URL.create(DRIVERS["sqlite"], database=str(runs_root().absolute() / FILE))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise InvalidDatabase(DATABASE, EXAMPLES) from error
    kind = url.get_backend_name()
    if kind not in DRIVERS or not url.database or url.database == ":memory:":
        raise InvalidDatabase(DATABASE, EXAMPLES)
    return url.set(drivername=DRIVERS[kind])


def file_of(url: URL) -> Path | None:
    """Return the file of SQLite at an address; None for PostgreSQL."""
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


def uri_of(file: Path) -> str:
    """Return a file as SQLite's URI, by which a missing one is an error and not a new, empty database."""
    return f"file:{quote(str(file.absolute()))}?mode=rw"
