"""Documents by e-mail

Revision: 0004, after 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mail_account",
        sa.Column("firm_id", sa.Uuid(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column(
            "security",
            sa.Enum("tls", "starttls", "none", name="security", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("folder", sa.String(), nullable=False),
        sa.Column("moves_to", sa.String(), nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=True),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("looked_at", portal.db.Instant(), nullable=True),
        sa.Column("due_at", portal.db.Instant(), nullable=False),
        sa.Column("unassigned", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("facts", portal.db.Json, nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firm.id"], name=op.f("fk_mail_account_firm_id_firm")),
        sa.PrimaryKeyConstraint("firm_id", name=op.f("pk_mail_account")),
    )
    with op.batch_alter_table("mail_account", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mail_account_due_at"), ["due_at"], unique=False)

    op.create_table(
        "mail_settings",
        sa.Column("firm_id", sa.Uuid(), nullable=False),
        sa.Column("domain", sa.String(), nullable=False),
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("proof_host", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firm.id"], name=op.f("fk_mail_settings_firm_id_firm")),
        sa.PrimaryKeyConstraint("firm_id", name=op.f("pk_mail_settings")),
    )
    op.create_table(
        "mail",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("identity", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("peer", sa.String(), nullable=False),
        sa.Column("envelope_from", sa.String(), nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("sender_name", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column(
            "proof", sa.Enum("unasked", "passed", "failed", name="proof", native_enum=False, length=32), nullable=False
        ),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("waiting", "held", "taken", "refused", name="mailstate", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("facts", portal.db.Json, nullable=False),
        sa.Column("received_at", portal.db.Instant(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("leased_until", portal.db.Instant(), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_mail_client_id_client")),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"], name=op.f("fk_mail_decided_by_person")),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_mail_file_id_stored_file")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail")),
        sa.UniqueConstraint("client_id", "identity", name=op.f("uq_mail_client_id_identity")),
    )
    with op.batch_alter_table("mail", schema=None) as batch_op:
        batch_op.create_index(
            "ix_mail_held",
            ["client_id"],
            unique=False,
            sqlite_where=sa.text("state = 'held'"),
            postgresql_where=sa.text("state = 'held'"),
        )
        batch_op.create_index("ix_mail_list", ["client_id", "received_at", "id"], unique=False)
        batch_op.create_index(
            "ix_mail_waiting",
            ["id"],
            unique=False,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )

    op.create_table(
        "mail_address",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("local", sa.String(), nullable=False),
        sa.Column("created_at", portal.db.Instant(), nullable=False),
        sa.Column("retired_at", portal.db.Instant(), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_mail_address_client_id_client")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_address")),
        sa.UniqueConstraint("local", name=op.f("uq_mail_address_local")),
    )
    with op.batch_alter_table("mail_address", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mail_address_client_id"), ["client_id"], unique=False)
        batch_op.create_index(
            "uq_mail_address_live",
            ["client_id"],
            unique=True,
            sqlite_where=sa.text("retired_at IS NULL"),
            postgresql_where=sa.text("retired_at IS NULL"),
        )

    op.create_table(
        "mail_sender",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("pattern", sa.String(), nullable=False),
        sa.Column("added_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", portal.db.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["added_by"], ["person.id"], name=op.f("fk_mail_sender_added_by_person")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_mail_sender_client_id_client")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_sender")),
        sa.UniqueConstraint("client_id", "pattern", name=op.f("uq_mail_sender_client_id_pattern")),
    )
    op.create_table(
        "mail_part",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("mail_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("filename", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum("document", "refused", "left_out", name="partoutcome", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("document_id", sa.Uuid(), nullable=True),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("facts", portal.db.Json, nullable=False),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_mail_part_document_id_document")),
        sa.ForeignKeyConstraint(["mail_id"], ["mail.id"], name=op.f("fk_mail_part_mail_id_mail")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_part")),
        sa.UniqueConstraint("mail_id", "number", name=op.f("uq_mail_part_mail_id_number")),
    )
    with op.batch_alter_table("mail_part", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mail_part_document_id"), ["document_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("mail_part", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mail_part_document_id"))

    op.drop_table("mail_part")
    op.drop_table("mail_sender")
    with op.batch_alter_table("mail_address", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_mail_address_live",
            sqlite_where=sa.text("retired_at IS NULL"),
            postgresql_where=sa.text("retired_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_mail_address_client_id"))

    op.drop_table("mail_address")
    with op.batch_alter_table("mail", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_mail_waiting", sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'")
        )
        batch_op.drop_index("ix_mail_list")
        batch_op.drop_index(
            "ix_mail_held", sqlite_where=sa.text("state = 'held'"), postgresql_where=sa.text("state = 'held'")
        )

    op.drop_table("mail")
    op.drop_table("mail_settings")
    with op.batch_alter_table("mail_account", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mail_account_due_at"))

    op.drop_table("mail_account")
