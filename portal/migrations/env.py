"""Alembic's entry: migrations run on the connection they are given (portal.db.upgrade)."""

from __future__ import annotations

from typing import Literal, cast

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import JSON, Connection
from sqlmodel import AutoString

from portal import models
from portal.db import Instant, metadata
from portal.documents.search_tables import is_described

__all__ = ["models"]  # imported for its tables


def render_item(kind: str, item: object, _context: AutogenContext) -> str | Literal[False]:
    """Write our own column types by their names."""
    if kind != "type":
        return False
    if isinstance(item, AutoString):
        return "sa.String()"
    if isinstance(item, Instant):
        return "portal.db.Instant()"
    return "portal.db.Json" if isinstance(item, JSON) else False


connection = cast("Connection", context.config.attributes["connection"])
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=True,
    render_item=render_item,
    include_name=is_described,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
