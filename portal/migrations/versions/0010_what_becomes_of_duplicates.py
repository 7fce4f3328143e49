"""What becomes of duplicates

Revision: 0010, after 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    policies = sa.Enum("hold", "accept", "refuse", name="duplicates", native_enum=False, length=32)
    op.add_column("firm", sa.Column("duplicates", policies, nullable=False, server_default="hold"))


def downgrade() -> None:
    op.drop_column("firm", "duplicates")
