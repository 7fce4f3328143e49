"""Notices of logins

Revision: 0011, after 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    kinds = sa.Enum("dead", "ending", name="noticekind", native_enum=False, length=32)
    states = sa.Enum("waiting", "told", "dropped", "failed", name="noticestate", native_enum=False, length=32)
    op.create_table(
        "notice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", kinds, nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("ends_at", portal.db.Instant(), nullable=True),
        sa.Column("state", states, nullable=False),
        sa.Column("due_at", portal.db.Instant(), nullable=False),
        sa.Column("lease_until", portal.db.Instant(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("facts", portal.db.Json, nullable=False),
        sa.Column("created_at", portal.db.Instant(), nullable=False),
        sa.Column("told_at", portal.db.Instant(), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_notice_client_id_client")),
        sa.ForeignKeyConstraint(["connection_id"], ["connection.id"], name=op.f("fk_notice_connection_id_connection")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_notice_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint(
            "connection_id", "kind", "about", "person_id", name=op.f("uq_notice_connection_id_kind_about_person_id")
        ),
    )
    op.create_index(op.f("ix_notice_client_id"), "notice", ["client_id"])
    op.create_index("ix_notice_state_due_at", "notice", ["state", "due_at"])
    op.drop_column("connection", "told_at")


def downgrade() -> None:
    op.add_column("connection", sa.Column("told_at", portal.db.Instant(), nullable=True))
    op.drop_table("notice")
