"""A client's bank accounts."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from portal import clock, ids
from portal.db import Instant


class BankAccount(SQLModel, table=True):
    """One account of a client; its name becomes a folder's name in storage exports (E2)."""

    __tablename__ = "bank_account"
    __table_args__ = (UniqueConstraint("client_id", "name"), UniqueConstraint("client_id", "iban"))

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    client_id: UUID = Field(foreign_key="client.id", index=True)
    name: str
    iban: str | None = None  # without blanks, checked (ISO 13616)
    currency: str = "EUR"
    created_at: datetime = Field(default_factory=clock.now, sa_type=Instant)
    closed_at: datetime | None = Field(default=None, sa_type=Instant)
