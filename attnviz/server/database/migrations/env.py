"""Run by Alembic: the changes are made in the transaction of `attnviz.server.database.migrate`."""

from __future__ import annotations

from alembic import context

if __name__ == "env_py":  # Alembic's name for it
    context.configure(connection=context.config.attributes["connection"], render_as_batch=True)
    context.run_migrations()
