"""Documents that are pages of a file

Revision: 0009, after 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # plain ADD COLUMN: a table that is copied loses the triggers that trace deleted rows
    key = sa.ForeignKey("document.id", name=op.f("fk_document_part_of_document"))
    op.add_column("document", sa.Column("part_of", sa.Uuid(), key, nullable=True), inline_references=True)
    for name in ("first_page", "last_page", "split_version"):
        op.add_column("document", sa.Column(name, sa.Integer(), nullable=True))
    op.create_index("ix_document_part_of", "document", ["part_of"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_document_part_of", table_name="document")
    for name in ("split_version", "last_page", "first_page", "part_of"):
        op.drop_column("document", name)
