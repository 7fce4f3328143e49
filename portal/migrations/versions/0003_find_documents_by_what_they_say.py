"""Find documents by what they say

Revision: 0003, after 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import portal.db

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# As it was made here, whatever portal.documents.search_tables says by now.
SEARCH = {
    "sqlite": (
        "CREATE VIRTUAL TABLE document_search USING fts5 (scope, words, more, tokenize = \"ascii tokenchars '~='\", columnsize = 0)",
    ),
    "postgresql": (
        "CREATE TABLE document_search (place BIGINT NOT NULL, vector TSVECTOR NOT NULL, CONSTRAINT pk_document_search PRIMARY KEY (place))",
        "CREATE INDEX ix_document_search_vector ON document_search USING gin (vector) WITH (fastupdate = off)",
    ),
}


def upgrade() -> None:
    op.create_table(
        "document_text",
        sa.Column("place", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("read_at", portal.db.Instant(), nullable=True),
        sa.Column("text", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_document_text_client_id_client")),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_document_text_document_id_document")),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_document_text")),
        sa.UniqueConstraint("document_id", name=op.f("uq_document_text_document_id")),
    )
    with op.batch_alter_table("document_text", schema=None) as batch_op:
        batch_op.create_index(
            "ix_document_text_unread",
            ["place"],
            unique=False,
            sqlite_where=sa.text("read_at IS NULL"),
            postgresql_where=sa.text("read_at IS NULL"),
        )
    for statement in SEARCH[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE document_search")
    op.drop_table("document_text")
