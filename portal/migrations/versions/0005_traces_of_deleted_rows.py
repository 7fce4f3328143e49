"""Traces of deleted rows

Revision: 0005, after 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import portal.db
from portal import traces

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deleted_row",
        sa.Column("table_name", sa.String(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("deleted_at", portal.db.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("table_name", "row_id", name=op.f("pk_deleted_row")),
    )
    traces.make(None, op.get_bind())


def downgrade() -> None:
    traces.drop(op.get_bind())
    op.drop_table("deleted_row")
