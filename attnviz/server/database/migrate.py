"""Bring a database to the tables of this version, and open that of this server."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import text
from sqlalchemy.orm import Session

from attnviz.errors import DatabaseNewer
from attnviz.server.database.address import database_url
from attnviz.server.database.connection import Database

__all__ = ["database", "migrate"]

SCRIPTS = Path(__file__).parent / "migrations"
LOCK = 0x617474  # any number, the same for all servers


def migrate(database: Database) -> None:
    """Bring a database to the tables of this version; of servers that start together, one does it and the others wait.

    All of it is one transaction: it is done or it is not.

    Raises:
        DatabaseUnavailable: it cannot be reached or written to.
        DatabaseNewer: a newer version of attnviz has changed its tables.
    """
    database.create()
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    newest = ScriptDirectory.from_config(config).get_current_head()

    def upgrade(session: Session) -> None:
        connection = session.connection()  # of SQLite, it has the lock
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        if MigrationContext.configure(connection).get_current_revision() == newest:
            return
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise DatabaseNewer(str(error)) from error

    database.write(upgrade)


@cache
def database() -> Database:
    """Return the database of this server, with the tables that it should have.

    Raises:
        DatabaseUnavailable: it cannot be reached.
        InvalidDatabase: its address is none.
    """
    made = Database(database_url())
    migrate(made)
    return made
