"""First schema

Revision: 0001, after None
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table(
        "attempt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "under_way",
                "delivered",
                "transient",
                "throttled",
                "rejected",
                "reauth",
                "misconfigured",
                "target_gone",
                "storage_full",
                "lost",
                "broken",
                name="outcome",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("facts", portal.db.Json, nullable=False),
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("started_at", portal.db.Instant(), nullable=False),
        sa.Column("ended_at", portal.db.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
        sa.UniqueConstraint("delivery_id", "number", name=op.f("uq_attempt_delivery_id_number")),
    )
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("firm_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("facts", portal.db.Json, nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("at", portal.db.Instant(), nullable=False),
        sa.Column("previous", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
        sa.UniqueConstraint("firm_id", "number", name=op.f("uq_audit_entry_firm_id_number")),
    )
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_entry_client_id"), ["client_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_entry_subject_id"), ["subject_id"], unique=False)

    op.create_table(
        "audit_head",
        sa.Column("firm_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("firm_id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "firm",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("created_at", portal.db.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_firm")),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("until", portal.db.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", portal.db.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("email", name=op.f("uq_person_email")),
    )
    op.create_table(
        "client",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("firm_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sort_name", sa.String(), nullable=False),
        sa.Column("sought", sa.String(), nullable=False),
        sa.Column("vat_id", sa.String(), nullable=True),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("created_at", portal.db.Instant(), nullable=False),
        sa.Column("active_at", portal.db.Instant(), nullable=False),
        sa.Column("archived_at", portal.db.Instant(), nullable=True),
        sa.ForeignKeyConstraint(["firm_id"], ["firm.id"], name=op.f("fk_client_firm_id_firm")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client")),
        sa.UniqueConstraint("firm_id", "number", name=op.f("uq_client_firm_id_number")),
    )
    with op.batch_alter_table("client", schema=None) as batch_op:
        batch_op.create_index("ix_client_active", ["firm_id", "active_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_client_firm_id"), ["firm_id"], unique=False)
        batch_op.create_index("ix_client_name", ["firm_id", "sort_name", "id"], unique=False)

    op.create_table(
        "installation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("firm_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("settings", sa.String(), nullable=False),
        sa.Column("installed_at", portal.db.Instant(), nullable=False),
        sa.Column("installed_by", sa.Uuid(), nullable=True),
        sa.Column("removed_at", portal.db.Instant(), nullable=True),
        sa.ForeignKeyConstraint(["firm_id"], ["firm.id"], name=op.f("fk_installation_firm_id_firm")),
        sa.ForeignKeyConstraint(["installed_by"], ["person.id"], name=op.f("fk_installation_installed_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    with op.batch_alter_table("installation", schema=None) as batch_op:
        batch_op.create_index(
            "uq_installation_live",
            ["firm_id", "kind"],
            unique=True,
            sqlite_where=sa.text("removed_at IS NULL"),
            postgresql_where=sa.text("removed_at IS NULL"),
        )

    op.create_table(
        "invitation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("secret_digest", sa.String(), nullable=False),
        sa.Column("expires_at", portal.db.Instant(), nullable=False),
        sa.Column("used_at", portal.db.Instant(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_invitation_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("secret_digest", name=op.f("uq_invitation_secret_digest")),
    )
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_invitation_person_id"), ["person_id"], unique=False)

    op.create_table(
        "member",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("firm_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "owner", "admin", "accountant", "assistant", "client_manager", name="role", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column("ended_at", portal.db.Instant(), nullable=True),
        sa.ForeignKeyConstraint(["firm_id"], ["firm.id"], name=op.f("fk_member_firm_id_firm")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_member_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member")),
        sa.UniqueConstraint("person_id", name=op.f("uq_member_person_id")),
    )
    with op.batch_alter_table("member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_member_firm_id"), ["firm_id"], unique=False)

    op.create_table(
        "saved_view",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("page", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("query", portal.db.Json, nullable=False),
        sa.Column("created_at", portal.db.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_saved_view_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint("person_id", "page", "name", name=op.f("uq_saved_view_person_id_page_name")),
    )
    with op.batch_alter_table("saved_view", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_saved_view_person_id"), ["person_id"], unique=False)

    op.create_table(
        "sign_in",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("secret_digest", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("browser", sa.String(), nullable=False),
        sa.Column("created_at", portal.db.Instant(), nullable=False),
        sa.Column("seen_at", portal.db.Instant(), nullable=False),
        sa.Column("ended_at", portal.db.Instant(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_sign_in_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
    )
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_person_id"), ["person_id"], unique=False)

    op.create_table(
        "stored_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("firm_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("stored_at", portal.db.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["firm_id"], ["firm.id"], name=op.f("fk_stored_file_firm_id_firm")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored_file")),
        sa.UniqueConstraint("firm_id", "sha256", name=op.f("uq_stored_file_firm_id_sha256")),
    )
    op.create_table(
        "api_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("secret_digest", sa.String(), nullable=False),
        sa.Column("scopes", portal.db.Json, nullable=False),
        sa.Column("expires_at", portal.db.Instant(), nullable=False),
        sa.Column("created_at", portal.db.Instant(), nullable=False),
        sa.Column("used_at", portal.db.Instant(), nullable=True),
        sa.Column("revoked_at", portal.db.Instant(), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_api_token_member_id_member")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("secret_digest", name=op.f("uq_api_token_secret_digest")),
    )
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_token_member_id"), ["member_id"], unique=False)

    op.create_table(
        "assignment",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("since_at", portal.db.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_assignment_client_id_client")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_assignment_member_id_member")),
        sa.PrimaryKeyConstraint("client_id", "member_id", name=op.f("pk_assignment")),
    )
    with op.batch_alter_table("assignment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_assignment_member_id"), ["member_id"], unique=False)

    op.create_table(
        "bank_account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("iban", sa.String(), nullable=True),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("created_at", portal.db.Instant(), nullable=False),
        sa.Column("closed_at", portal.db.Instant(), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_bank_account_client_id_client")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_account")),
        sa.UniqueConstraint("client_id", "iban", name=op.f("uq_bank_account_client_id_iban")),
        sa.UniqueConstraint("client_id", "name", name=op.f("uq_bank_account_client_id_name")),
    )
    with op.batch_alter_table("bank_account", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bank_account_client_id"), ["client_id"], unique=False)

    op.create_table(
        "connection",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("installation_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("live", "dead", "ended", name="connectionstate", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("account_name", sa.String(), nullable=False),
        sa.Column("account_email", sa.String(), nullable=True),
        sa.Column("space_left", sa.BigInteger(), nullable=True),
        sa.Column("space_total", sa.BigInteger(), nullable=True),
        sa.Column("token", sa.String(), nullable=True),
        sa.Column("token_number", sa.Integer(), nullable=False),
        sa.Column("expires_at", portal.db.Instant(), nullable=True),
        sa.Column("refreshing_until", portal.db.Instant(), nullable=True),
        sa.Column("refreshing_by", sa.String(), nullable=True),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("facts", portal.db.Json, nullable=False),
        sa.Column("told_at", portal.db.Instant(), nullable=True),
        sa.Column("created_at", portal.db.Instant(), nullable=False),
        sa.Column("ended_at", portal.db.Instant(), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_connection_client_id_client")),
        sa.ForeignKeyConstraint(
            ["installation_id"], ["installation.id"], name=op.f("fk_connection_installation_id_installation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connection")),
    )
    with op.batch_alter_table("connection", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_connection_client_id"), ["client_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_connection_installation_id"), ["installation_id"], unique=False)

    op.create_table(
        "contact",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role",
            sa.Enum("owner", "admin", "member", name="contactrole", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("ended_at", portal.db.Instant(), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_contact_client_id_client")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_contact_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
        sa.UniqueConstraint("client_id", "person_id", name=op.f("uq_contact_client_id_person_id")),
    )
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_client_id"), ["client_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_contact_person_id"), ["person_id"], unique=False)

    op.create_table(
        "refusal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("filename", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column(
            "source",
            sa.Enum("upload", "api", "mail", "import", "portal", name="source", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("facts", portal.db.Json, nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("refused_at", portal.db.Instant(), nullable=False),
        sa.Column("seen_at", portal.db.Instant(), nullable=True),
        sa.ForeignKeyConstraint(["by"], ["person.id"], name=op.f("fk_refusal_by_person")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_refusal_client_id_client")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refusal")),
    )
    with op.batch_alter_table("refusal", schema=None) as batch_op:
        batch_op.create_index("ix_refusal_list", ["client_id", "refused_at", "id"], unique=False)

    op.create_table(
        "consent",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("text_digest", sa.String(), nullable=False),
        sa.Column("given_at", portal.db.Instant(), nullable=False),
        sa.Column("revoked_at", portal.db.Instant(), nullable=True),
        sa.Column("revoked_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["connection_id"], ["connection.id"], name=op.f("fk_consent_connection_id_connection")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_consent_person_id_person")),
        sa.ForeignKeyConstraint(["revoked_by"], ["person.id"], name=op.f("fk_consent_revoked_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_consent_connection_id"), ["connection_id"], unique=False)

    op.create_table(
        "document",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("filename", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column(
            "source",
            sa.Enum("upload", "api", "mail", "import", "portal", name="source", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "incoming_invoice",
                "outgoing_invoice",
                "receipt",
                "statement",
                "other",
                name="documentkind",
                native_enum=False,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column(
            "reading", sa.Enum("waiting", "settled", name="reading", native_enum=False, length=32), nullable=False
        ),
        sa.Column("arrived_at", portal.db.Instant(), nullable=False),
        sa.Column("added_by", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("party_name", sa.String(), nullable=True),
        sa.Column("party_vat_id", sa.String(), nullable=True),
        sa.Column("party_email", sa.String(), nullable=True),
        sa.Column("number", sa.String(), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("currency", sa.String(), nullable=True),
        sa.Column("net", sa.BigInteger(), nullable=True),
        sa.Column("tax", sa.BigInteger(), nullable=True),
        sa.Column("gross", sa.BigInteger(), nullable=True),
        sa.Column("lines", portal.db.Json, nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("twin_id", sa.Uuid(), nullable=True),
        sa.Column("twin_accepted", sa.Boolean(), nullable=False),
        sa.Column("removed_at", portal.db.Instant(), nullable=True),
        sa.Column("removed_reason", sa.String(), nullable=True),
        sa.Column(
            "folder",
            sa.Enum(
                "incoming_invoice",
                "outgoing_invoice",
                "receipt",
                "statement",
                "other",
                name="documentkind",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("dated_on", sa.Date(), nullable=False),
        sa.Column("party_key", sa.String(), nullable=False),
        sa.Column("number_key", sa.String(), nullable=False),
        sa.Column("gross_key", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["bank_account.id"], name=op.f("fk_document_account_id_bank_account")),
        sa.ForeignKeyConstraint(["added_by"], ["person.id"], name=op.f("fk_document_added_by_person")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_document_client_id_client")),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_document_file_id_stored_file")),
        sa.ForeignKeyConstraint(["twin_id"], ["document.id"], name=op.f("fk_document_twin_id_document")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
    )
    with op.batch_alter_table("document", schema=None) as batch_op:
        batch_op.create_index("ix_document_arrival", ["client_id", "arrived_at", "id"], unique=False)
        batch_op.create_index(
            "ix_document_attention",
            ["client_id"],
            unique=False,
            sqlite_where=sa.text(
                "removed_at IS NULL AND ((kind IS NULL AND reading = 'settled') OR (twin_id IS NOT NULL AND NOT twin_accepted))"
            ),
            postgresql_where=sa.text(
                "removed_at IS NULL AND ((kind IS NULL AND reading = 'settled') OR (twin_id IS NOT NULL AND NOT twin_accepted))"
            ),
        )
        batch_op.create_index(
            "ix_document_by_arrived_at",
            ["client_id", "folder", "arrived_at", "id"],
            unique=False,
            sqlite_where=sa.text("removed_at IS NULL"),
            postgresql_where=sa.text("removed_at IS NULL"),
        )
        batch_op.create_index(
            "ix_document_by_dated_on",
            ["client_id", "folder", "dated_on", "id"],
            unique=False,
            sqlite_where=sa.text("removed_at IS NULL"),
            postgresql_where=sa.text("removed_at IS NULL"),
        )
        batch_op.create_index(
            "ix_document_by_gross_key",
            ["client_id", "folder", "gross_key", "id"],
            unique=False,
            sqlite_where=sa.text("removed_at IS NULL"),
            postgresql_where=sa.text("removed_at IS NULL"),
        )
        batch_op.create_index(
            "ix_document_by_number_key",
            ["client_id", "folder", "number_key", "id"],
            unique=False,
            sqlite_where=sa.text("removed_at IS NULL"),
            postgresql_where=sa.text("removed_at IS NULL"),
        )
        batch_op.create_index(
            "ix_document_by_party_key",
            ["client_id", "folder", "party_key", "id"],
            unique=False,
            sqlite_where=sa.text("removed_at IS NULL"),
            postgresql_where=sa.text("removed_at IS NULL"),
        )
        batch_op.create_index("ix_document_client_id_sha256", ["client_id", "sha256"], unique=False)
        batch_op.create_index("ix_document_file_id", ["file_id"], unique=False)
        batch_op.create_index("ix_document_reading", ["reading", "arrived_at"], unique=False)
        batch_op.create_index("ix_document_twin", ["client_id", "number_key", "party_key"], unique=False)
        batch_op.create_index("ix_document_twin_id", ["twin_id"], unique=False)

    op.create_table(
        "instance",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("installation_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("draft", "active", "paused", "held", "removed", name="instancestate", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("settings", portal.db.Json, nullable=False),
        sa.Column("takes", portal.db.Json, nullable=False),
        sa.Column("on_click", sa.Boolean(), nullable=False),
        sa.Column("earlier_on", sa.Date(), nullable=True),
        sa.Column("sync_from", portal.db.Instant(), nullable=True),
        sa.Column("activated_at", portal.db.Instant(), nullable=True),
        sa.Column("next_run_at", portal.db.Instant(), nullable=True),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("facts", portal.db.Json, nullable=False),
        sa.Column("rest_until", portal.db.Instant(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", portal.db.Instant(), nullable=False),
        sa.Column("removed_at", portal.db.Instant(), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_instance_client_id_client")),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connection.id"], name=op.f("fk_instance_connection_id_connection")
        ),
        sa.ForeignKeyConstraint(["created_by"], ["person.id"], name=op.f("fk_instance_created_by_person")),
        sa.ForeignKeyConstraint(
            ["installation_id"], ["installation.id"], name=op.f("fk_instance_installation_id_installation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instance")),
    )
    with op.batch_alter_table("instance", schema=None) as batch_op:
        batch_op.create_index("ix_instance_client_id_state", ["client_id", "state"], unique=False)
        batch_op.create_index(batch_op.f("ix_instance_connection_id"), ["connection_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_instance_installation_id"), ["installation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_instance_next_run_at"), ["next_run_at"], unique=False)

    op.create_table(
        "api_upload",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("begun_at", portal.db.Instant(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=True),
        sa.Column("refusal_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_api_upload_client_id_client")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_api_upload_document_id_document")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_api_upload_person_id_person")),
        sa.ForeignKeyConstraint(["refusal_id"], ["refusal.id"], name=op.f("fk_api_upload_refusal_id_refusal")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_upload")),
        sa.UniqueConstraint("client_id", "person_id", "key", name=op.f("uq_api_upload_client_id_person_id_key")),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("instance_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("operation", sa.Enum("copy", "send", name="operation", native_enum=False, length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "before_activation",
                "reading",
                "action_needed",
                "waiting",
                "queued",
                "sending",
                "delivered",
                "failed",
                "held",
                "excluded",
                "removed",
                name="state",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("facts", portal.db.Json, nullable=False),
        sa.Column(
            "actor",
            sa.Enum(
                "accountant", "connection_owner", "firm_admin", "nobody", name="actor", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column("due_at", portal.db.Instant(), nullable=True),
        sa.Column("lease_until", portal.db.Instant(), nullable=True),
        sa.Column("claimed_by", sa.String(), nullable=True),
        sa.Column("reservation", sa.String(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", portal.db.Instant(), nullable=False),
        sa.Column("changed_at", portal.db.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["asked_by"], ["person.id"], name=op.f("fk_delivery_asked_by_person")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_delivery_client_id_client")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_delivery_document_id_document")),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"], name=op.f("fk_delivery_instance_id_instance")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint(
            "document_id",
            "instance_id",
            "operation",
            "version",
            name=op.f("uq_delivery_document_id_instance_id_operation_version"),
        ),
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index("ix_delivery_client", ["client_id", "state", "id"], unique=False)
        batch_op.create_index(
            "ix_delivery_due",
            ["instance_id", "due_at", "id"],
            unique=False,
            sqlite_where=sa.text("state = 'queued'"),
            postgresql_where=sa.text("state = 'queued'"),
        )
        batch_op.create_index(
            "ix_delivery_lease",
            ["lease_until"],
            unique=False,
            sqlite_where=sa.text("state = 'sending'"),
            postgresql_where=sa.text("state = 'sending'"),
        )
        batch_op.create_index(
            "ix_delivery_open",
            ["client_id", "state"],
            unique=False,
            sqlite_where=sa.text("current AND state IN ('action_needed', 'failed', 'held')"),
            postgresql_where=sa.text("current AND state IN ('action_needed', 'failed', 'held')"),
        )
        batch_op.create_index("ix_delivery_recent", ["client_id", "id"], unique=False)
        batch_op.create_index("ix_delivery_state", ["instance_id", "state", "document_id"], unique=False)
        batch_op.create_index(
            "uq_delivery_current",
            ["document_id", "instance_id", "operation"],
            unique=True,
            sqlite_where=sa.text("current"),
            postgresql_where=sa.text("current"),
        )

    op.create_table(
        "document_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("fields", portal.db.Json, nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("at", portal.db.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["person.id"], name=op.f("fk_document_version_by_person")),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name=op.f("fk_document_version_document_id_document")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_version")),
        sa.UniqueConstraint("document_id", "version", name=op.f("uq_document_version_document_id_version")),
    )
    op.create_table(
        "pending_sign_in",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("state_digest", sa.String(), nullable=False),
        sa.Column("sign_in_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("installation_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=True),
        sa.Column("instance_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("consent_text", sa.String(), nullable=False),
        sa.Column("verifier", sa.String(), nullable=True),
        sa.Column("redirect_uri", sa.String(), nullable=False),
        sa.Column("expires_at", portal.db.Instant(), nullable=False),
        sa.Column("used_at", portal.db.Instant(), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_pending_sign_in_client_id_client")),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connection.id"], name=op.f("fk_pending_sign_in_connection_id_connection")
        ),
        sa.ForeignKeyConstraint(
            ["installation_id"], ["installation.id"], name=op.f("fk_pending_sign_in_installation_id_installation")
        ),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"], name=op.f("fk_pending_sign_in_instance_id_instance")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_pending_sign_in_person_id_person")),
        sa.ForeignKeyConstraint(["sign_in_id"], ["sign_in.id"], name=op.f("fk_pending_sign_in_sign_in_id_sign_in")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pending_sign_in")),
        sa.UniqueConstraint("state_digest", name=op.f("uq_pending_sign_in_state_digest")),
    )
    op.create_table(
        "receipt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("instance_id", sa.Uuid(), nullable=False),
        sa.Column("operation", sa.Enum("copy", "send", name="operation", native_enum=False, length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("remote_id", sa.String(), nullable=False),
        sa.Column("remote_version", sa.String(), nullable=True),
        sa.Column("link", sa.String(), nullable=True),
        sa.Column("checksum", sa.String(), nullable=True),
        sa.Column("path", sa.String(), nullable=True),
        sa.Column("extras", portal.db.Json, nullable=False),
        sa.Column("received_at", portal.db.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_receipt_document_id_document")),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"], name=op.f("fk_receipt_instance_id_instance")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
        sa.UniqueConstraint(
            "document_id",
            "instance_id",
            "operation",
            "version",
            name=op.f("uq_receipt_document_id_instance_id_operation_version"),
        ),
    )
    with op.batch_alter_table("receipt", schema=None) as batch_op:
        batch_op.create_index("ix_receipt_instance_id", ["instance_id", "document_id"], unique=False)

    op.create_table(
        "remembered",
        sa.Column("instance_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"], name=op.f("fk_remembered_instance_id_instance")),
        sa.PrimaryKeyConstraint("instance_id", "key", name=op.f("pk_remembered")),
    )
    op.create_table(
        "run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("instance_id", sa.Uuid(), nullable=False),
        sa.Column(
            "trigger",
            sa.Enum("finish", "schedule", "person", "catch_up", name="runtrigger", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("due_at", portal.db.Instant(), nullable=False),
        sa.Column("started_at", portal.db.Instant(), nullable=True),
        sa.Column("ended_at", portal.db.Instant(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("delivered", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("stopped_at", portal.db.Instant(), nullable=True),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["by"], ["person.id"], name=op.f("fk_run_by_person")),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"], name=op.f("fk_run_instance_id_instance")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.create_index("ix_run_list", ["instance_id", "due_at", "id"], unique=False)


def downgrade() -> None:

    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.drop_index("ix_run_list")

    op.drop_table("run")
    op.drop_table("remembered")
    with op.batch_alter_table("receipt", schema=None) as batch_op:
        batch_op.drop_index("ix_receipt_instance_id")

    op.drop_table("receipt")
    op.drop_table("pending_sign_in")
    op.drop_table("document_version")
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index("uq_delivery_current", sqlite_where=sa.text("current"), postgresql_where=sa.text("current"))
        batch_op.drop_index("ix_delivery_state")
        batch_op.drop_index("ix_delivery_recent")
        batch_op.drop_index(
            "ix_delivery_open",
            sqlite_where=sa.text("current AND state IN ('action_needed', 'failed', 'held')"),
            postgresql_where=sa.text("current AND state IN ('action_needed', 'failed', 'held')"),
        )
        batch_op.drop_index(
            "ix_delivery_lease",
            sqlite_where=sa.text("state = 'sending'"),
            postgresql_where=sa.text("state = 'sending'"),
        )
        batch_op.drop_index(
            "ix_delivery_due", sqlite_where=sa.text("state = 'queued'"), postgresql_where=sa.text("state = 'queued'")
        )
        batch_op.drop_index("ix_delivery_client")

    op.drop_table("delivery")
    op.drop_table("api_upload")
    with op.batch_alter_table("instance", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_instance_next_run_at"))
        batch_op.drop_index(batch_op.f("ix_instance_installation_id"))
        batch_op.drop_index(batch_op.f("ix_instance_connection_id"))
        batch_op.drop_index("ix_instance_client_id_state")

    op.drop_table("instance")
    with op.batch_alter_table("document", schema=None) as batch_op:
        batch_op.drop_index("ix_document_twin_id")
        batch_op.drop_index("ix_document_twin")
        batch_op.drop_index("ix_document_reading")
        batch_op.drop_index("ix_document_file_id")
        batch_op.drop_index("ix_document_client_id_sha256")
        batch_op.drop_index(
            "ix_document_by_party_key",
            sqlite_where=sa.text("removed_at IS NULL"),
            postgresql_where=sa.text("removed_at IS NULL"),
        )
        batch_op.drop_index(
            "ix_document_by_number_key",
            sqlite_where=sa.text("removed_at IS NULL"),
            postgresql_where=sa.text("removed_at IS NULL"),
        )
        batch_op.drop_index(
            "ix_document_by_gross_key",
            sqlite_where=sa.text("removed_at IS NULL"),
            postgresql_where=sa.text("removed_at IS NULL"),
        )
        batch_op.drop_index(
            "ix_document_by_dated_on",
            sqlite_where=sa.text("removed_at IS NULL"),
            postgresql_where=sa.text("removed_at IS NULL"),
        )
        batch_op.drop_index(
            "ix_document_by_arrived_at",
            sqlite_where=sa.text("removed_at IS NULL"),
            postgresql_where=sa.text("removed_at IS NULL"),
        )
        batch_op.drop_index(
            "ix_document_attention",
            sqlite_where=sa.text(
                "removed_at IS NULL AND ((kind IS NULL AND reading = 'settled') OR (twin_id IS NOT NULL AND NOT twin_accepted))"
            ),
            postgresql_where=sa.text(
                "removed_at IS NULL AND ((kind IS NULL AND reading = 'settled') OR (twin_id IS NOT NULL AND NOT twin_accepted))"
            ),
        )
        batch_op.drop_index("ix_document_arrival")

    op.drop_table("document")
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_consent_connection_id"))

    op.drop_table("consent")
    with op.batch_alter_table("refusal", schema=None) as batch_op:
        batch_op.drop_index("ix_refusal_list")

    op.drop_table("refusal")
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contact_person_id"))
        batch_op.drop_index(batch_op.f("ix_contact_client_id"))

    op.drop_table("contact")
    with op.batch_alter_table("connection", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_connection_installation_id"))
        batch_op.drop_index(batch_op.f("ix_connection_client_id"))

    op.drop_table("connection")
    with op.batch_alter_table("bank_account", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_bank_account_client_id"))

    op.drop_table("bank_account")
    with op.batch_alter_table("assignment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_assignment_member_id"))

    op.drop_table("assignment")
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_token_member_id"))

    op.drop_table("api_token")
    op.drop_table("stored_file")
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sign_in_person_id"))

    op.drop_table("sign_in")
    with op.batch_alter_table("saved_view", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_saved_view_person_id"))

    op.drop_table("saved_view")
    with op.batch_alter_table("member", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_member_firm_id"))

    op.drop_table("member")
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_invitation_person_id"))

    op.drop_table("invitation")
    with op.batch_alter_table("installation", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_installation_live",
            sqlite_where=sa.text("removed_at IS NULL"),
            postgresql_where=sa.text("removed_at IS NULL"),
        )

    op.drop_table("installation")
    with op.batch_alter_table("client", schema=None) as batch_op:
        batch_op.drop_index("ix_client_name")
        batch_op.drop_index(batch_op.f("ix_client_firm_id"))
        batch_op.drop_index("ix_client_active")

    op.drop_table("client")
    op.drop_table("person")
    op.drop_table("lease")
    op.drop_table("firm")
    op.drop_table("audit_head")
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_entry_subject_id"))
        batch_op.drop_index(batch_op.f("ix_audit_entry_client_id"))

    op.drop_table("audit_entry")
    op.drop_table("attempt")
