"""Classes, their links and their members."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "classes",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("expires", sa.Double, nullable=False),
        sa.Column("rules", sa.JSON, nullable=False),
        sa.Column("shown", sa.String(8000), nullable=False),
        sa.Column("shown_at", sa.Double, nullable=False),
    )
    op.create_table(
        "links",
        sa.Column("secret", sa.String(64), primary_key=True),
        sa.Column(
            "class_id", sa.String(32), sa.ForeignKey("classes.id", ondelete="CASCADE"), nullable=False, index=True
        ),
        sa.Column("role", sa.String(16), nullable=False),
    )
    op.create_table(
        "members",
        sa.Column("class_id", sa.String(32), sa.ForeignKey("classes.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("person", sa.String(64), primary_key=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("nickname", sa.String(40), nullable=False),
        sa.Column("joined", sa.Double, nullable=False),
    )
