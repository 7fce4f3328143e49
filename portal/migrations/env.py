"""Alembic's entry: migrations run on the connection they are given (portal.db.upgrade)."""

from __future__ import annotations

from typing import cast

from alembic import context
from sqlalchemy import Connection

from portal import models
from portal.db import metadata

connection = cast("Connection", context.config.attributes["connection"])
assert models  # imported for its tables
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
