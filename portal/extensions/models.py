"""Installations: an extension of the store, installed and configured for a firm."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from portal import clock, ids
from portal.db import Instant


class Installation(SQLModel, table=True):
    """One kind at one firm; ``settings`` is its ``Connector.App`` encrypted (the firm's own OAuth app)."""

    __table_args__ = (
        # one live installation of a kind per firm; uninstalled ones stay as history
        Index(
            "uq_installation_live",
            "firm_id",
            "kind",
            unique=True,
            sqlite_where=text("removed_at IS NULL"),
            postgresql_where=text("removed_at IS NULL"),
        ),
    )

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    firm_id: UUID = Field(foreign_key="firm.id")
    kind: str
    settings: str  # ciphertext
    installed_at: datetime = Field(default_factory=clock.now, sa_type=Instant)
    installed_by: UUID | None = Field(default=None, foreign_key="person.id")
    removed_at: datetime | None = Field(default=None, sa_type=Instant)
