"""What repeated uploads need: which key of whom led to which document."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from portal import clock, ids
from portal.db import Instant


class ApiUpload(SQLModel, table=True):
    """One Idempotency-Key of one person for one client; ``document_id`` is None until the file was taken."""

    __tablename__ = "api_upload"
    __table_args__ = (UniqueConstraint("client_id", "person_id", "key"),)

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    client_id: UUID = Field(foreign_key="client.id")
    person_id: UUID = Field(foreign_key="person.id")
    key: str
    digest: str  # of the bytes and everything said with them
    begun_at: datetime = Field(default_factory=clock.now, sa_type=Instant)
    document_id: UUID | None = Field(default=None, foreign_key="document.id")
    refusal_id: UUID | None = Field(default=None, foreign_key="refusal.id")
