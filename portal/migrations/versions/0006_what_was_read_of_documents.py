"""What was read of documents

Revision: 0006, after 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "document_reading",
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("begun_at", portal.db.Instant(), nullable=True),
        sa.Column("read_at", portal.db.Instant(), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("reading", portal.db.Json, nullable=True),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name=op.f("fk_document_reading_document_id_document")
        ),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_document_reading")),
    )


def downgrade() -> None:
    op.drop_table("document_reading")
