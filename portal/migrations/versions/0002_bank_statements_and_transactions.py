"""Bank statements and transactions

Revision: 0002, after 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bank_statement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "format",
            sa.Enum(
                "camt.052", "camt.053", "camt.054", "mt940", "mt942", "csv", name="format", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("opening", sa.BigInteger(), nullable=True),
        sa.Column("opening_on", sa.Date(), nullable=True),
        sa.Column("closing", sa.BigInteger(), nullable=True),
        sa.Column("closing_on", sa.Date(), nullable=True),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("adds_up", sa.Boolean(), nullable=True),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("imported_at", portal.db.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["bank_account.id"], name=op.f("fk_bank_statement_account_id_bank_account")
        ),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_bank_statement_client_id_client")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_statement")),
        sa.UniqueConstraint("account_id", "digest", name=op.f("uq_bank_statement_account_id_digest")),
    )
    with op.batch_alter_table("bank_statement", schema=None) as batch_op:
        batch_op.create_index("ix_bank_statement_chain", ["account_id", "closing_on", "id"], unique=False)

    op.create_table(
        "bank_transaction",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column(
            "format",
            sa.Enum(
                "camt.052", "camt.053", "camt.054", "mt940", "mt942", "csv", name="format", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("valued_on", sa.Date(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("iban", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("end_to_end_id", sa.String(), nullable=False),
        sa.Column("mandate", sa.String(), nullable=False),
        sa.Column("bank_reference", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("posting", sa.String(), nullable=False),
        sa.Column("details", portal.db.Json, nullable=False),
        sa.Column("imported_at", portal.db.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["bank_account.id"], name=op.f("fk_bank_transaction_account_id_bank_account")
        ),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_bank_transaction_client_id_client")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_transaction")),
        sa.UniqueConstraint("account_id", "key", name=op.f("uq_bank_transaction_account_id_key")),
    )
    with op.batch_alter_table("bank_transaction", schema=None) as batch_op:
        batch_op.create_index("ix_bank_transaction_amount", ["client_id", "amount"], unique=False)
        batch_op.create_index("ix_bank_transaction_list", ["account_id", "booked_on", "id"], unique=False)

    op.create_table(
        "table_columns",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("signature", sa.String(), nullable=False),
        sa.Column("columns", portal.db.Json, nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("confirmed_at", portal.db.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["bank_account.id"], name=op.f("fk_table_columns_account_id_bank_account")
        ),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_table_columns_client_id_client")),
        sa.ForeignKeyConstraint(["confirmed_by"], ["person.id"], name=op.f("fk_table_columns_confirmed_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_table_columns")),
        sa.UniqueConstraint("client_id", "signature", name=op.f("uq_table_columns_client_id_signature")),
    )
    op.create_table(
        "statement_file",
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_statement_file_document_id_document")),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["bank_statement.id"], name=op.f("fk_statement_file_statement_id_bank_statement")
        ),
        sa.PrimaryKeyConstraint("statement_id", "document_id", name=op.f("pk_statement_file")),
    )
    with op.batch_alter_table("statement_file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_statement_file_document_id"), ["document_id"], unique=False)

    op.create_table(
        "statement_import",
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "reading", "imported", "account", "columns", "failed", name="importstate", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("facts", portal.db.Json, nullable=False),
        sa.Column("notes", portal.db.Json, nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("known", sa.Integer(), nullable=False),
        sa.Column("done_at", portal.db.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_statement_import_client_id_client")),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name=op.f("fk_statement_import_document_id_document")
        ),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_statement_import")),
    )
    with op.batch_alter_table("statement_import", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_statement_import_client_id"), ["client_id"], unique=False)

    op.create_table(
        "statement_line",
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("transaction_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["bank_statement.id"], name=op.f("fk_statement_line_statement_id_bank_statement")
        ),
        sa.ForeignKeyConstraint(
            ["transaction_id"], ["bank_transaction.id"], name=op.f("fk_statement_line_transaction_id_bank_transaction")
        ),
        sa.PrimaryKeyConstraint("statement_id", "transaction_id", name=op.f("pk_statement_line")),
    )
    with op.batch_alter_table("statement_line", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_statement_line_transaction_id"), ["transaction_id"], unique=False)

    op.create_table(
        "transaction_document",
        sa.Column("transaction_id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("attached_by", sa.Uuid(), nullable=True),
        sa.Column("attached_at", portal.db.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["attached_by"], ["person.id"], name=op.f("fk_transaction_document_attached_by_person")
        ),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name=op.f("fk_transaction_document_document_id_document")
        ),
        sa.ForeignKeyConstraint(
            ["transaction_id"],
            ["bank_transaction.id"],
            name=op.f("fk_transaction_document_transaction_id_bank_transaction"),
        ),
        sa.PrimaryKeyConstraint("transaction_id", "document_id", name=op.f("pk_transaction_document")),
    )
    with op.batch_alter_table("transaction_document", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_transaction_document_document_id"), ["document_id"], unique=False)

    with op.batch_alter_table("bank_account", schema=None) as batch_op:
        batch_op.add_column(sa.Column("number", sa.String(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("bank_account", schema=None) as batch_op:
        batch_op.drop_column("number")

    with op.batch_alter_table("transaction_document", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_transaction_document_document_id"))

    op.drop_table("transaction_document")
    with op.batch_alter_table("statement_line", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_statement_line_transaction_id"))

    op.drop_table("statement_line")
    with op.batch_alter_table("statement_import", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_statement_import_client_id"))

    op.drop_table("statement_import")
    with op.batch_alter_table("statement_file", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_statement_file_document_id"))

    op.drop_table("statement_file")
    op.drop_table("table_columns")
    with op.batch_alter_table("bank_transaction", schema=None) as batch_op:
        batch_op.drop_index("ix_bank_transaction_list")
        batch_op.drop_index("ix_bank_transaction_amount")

    op.drop_table("bank_transaction")
    with op.batch_alter_table("bank_statement", schema=None) as batch_op:
        batch_op.drop_index("ix_bank_statement_chain")

    op.drop_table("bank_statement")
