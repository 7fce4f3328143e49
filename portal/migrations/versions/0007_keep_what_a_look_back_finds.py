"""Keep what a look back finds

Revision: 0007, after 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "drift",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("instance_id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("changed", "moved", "gone", "folder_gone", name="driftkind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("remote_id", sa.String(), nullable=False),
        sa.Column("before", portal.db.Json, nullable=False),
        sa.Column("now", portal.db.Json, nullable=True),
        sa.Column("found_at", portal.db.Instant(), nullable=False),
        sa.Column("settled_at", portal.db.Instant(), nullable=True),
        sa.Column(
            "settlement",
            sa.Enum(
                "followed",
                "comes_back",
                "left_out",
                "restored",
                "accepted",
                "vanished",
                name="settlement",
                native_enum=False,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["by"], ["person.id"], name=op.f("fk_drift_by_person")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_drift_client_id_client")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_drift_document_id_document")),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"], name=op.f("fk_drift_instance_id_instance")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drift")),
    )
    with op.batch_alter_table("drift", schema=None) as batch_op:
        batch_op.create_index("ix_drift_client", ["client_id", "id"], unique=False)
        batch_op.create_index("ix_drift_pair", ["document_id", "instance_id"], unique=False)
        batch_op.create_index(
            "uq_drift_open",
            ["instance_id", "document_id"],
            unique=True,
            sqlite_where=sa.text("settled_at IS NULL"),
            postgresql_where=sa.text("settled_at IS NULL"),
        )

    # plain ADD and DROP COLUMN: a table that is copied loses the triggers that trace deleted rows
    op.add_column("delivery", sa.Column("tries_before", sa.Integer(), nullable=False, server_default="0"))
    for name in ("look_due_at", "looking_until", "looked_at"):
        op.add_column("instance", sa.Column(name, portal.db.Instant(), nullable=True))
    op.add_column("instance", sa.Column("look_after", sa.Uuid(), nullable=True))
    op.add_column("instance", sa.Column("look_text", sa.String(), nullable=True))
    op.add_column("instance", sa.Column("look_facts", portal.db.Json, nullable=False, server_default="{}"))
    op.create_index("ix_instance_look_due_at", "instance", ["look_due_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_instance_look_due_at", table_name="instance")
    for name in ("look_facts", "look_text", "look_after", "looked_at", "looking_until", "look_due_at"):
        op.drop_column("instance", name)
    op.drop_column("delivery", "tries_before")
    op.drop_table("drift")
