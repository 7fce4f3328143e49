"""Clients of a firm, their contacts, and which members work for them."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, UniqueConstraint, event
from sqlmodel import Field, SQLModel

from portal import clock, ids
from portal.db import Instant, Json, States


class ContactRole(StrEnum):
    """What a contact may do for the own company."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"  # adds and sees documents


class Client(SQLModel, table=True):
    """A company whose books the firm keeps: the unit of access."""

    __table_args__ = (
        UniqueConstraint("firm_id", "number"),
        Index("ix_client_name", "firm_id", "sort_name", "id"),
        Index("ix_client_active", "firm_id", "active_at", "id"),
    )

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    firm_id: UUID = Field(foreign_key="firm.id", index=True)
    number: str  # the firm's own, as text: "10042"
    name: str
    sort_name: str = ""  # folded name: lower case, without accents; kept by the table itself
    sought: str = ""  # folded name, number and VAT id, for the search
    vat_id: str | None = None
    email: str | None = None
    note: str | None = None
    created_at: datetime = Field(default_factory=clock.now, sa_type=Instant)
    active_at: datetime = Field(default_factory=clock.now, sa_type=Instant)  # last activity, for the board
    archived_at: datetime | None = Field(default=None, sa_type=Instant)


def fold(text: str) -> str:
    """Text as it is compared: lower case, accents off, ß as ss. The same on SQLite and PostgreSQL."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(char for char in plain if not unicodedata.combining(char)).split())


@event.listens_for(Client, "before_insert")
@event.listens_for(Client, "before_update")
def _keep_folded(_mapper: Any, _connection: Any, client: Client) -> None:
    client.sort_name = fold(client.name)
    client.sought = fold(f"{client.name} {client.number} {client.vat_id or ''}")


class Contact(SQLModel, table=True):
    """A person of a client's company; the same person may be a contact of several."""

    __table_args__ = (UniqueConstraint("client_id", "person_id"),)

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    client_id: UUID = Field(foreign_key="client.id", index=True)
    person_id: UUID = Field(foreign_key="person.id", index=True)
    role: ContactRole = Field(sa_type=States(ContactRole))
    ended_at: datetime | None = Field(default=None, sa_type=Instant)


class Assignment(SQLModel, table=True):
    """A member works for a client."""

    client_id: UUID = Field(foreign_key="client.id", primary_key=True)
    member_id: UUID = Field(foreign_key="member.id", primary_key=True, index=True)
    since_at: datetime = Field(default_factory=clock.now, sa_type=Instant)


class SavedView(SQLModel, table=True):
    """A named filter of the board, one person's own."""

    __tablename__ = "saved_view"
    __table_args__ = (UniqueConstraint("person_id", "page", "name"),)

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    person_id: UUID = Field(foreign_key="person.id", index=True)
    page: str  # "board" or a folder's name
    name: str
    query: dict[str, str] = Field(sa_column=Column(Json, nullable=False))
    created_at: datetime = Field(default_factory=clock.now, sa_type=Instant)
