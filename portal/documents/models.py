"""Documents: a file with accounting meaning, what is known of it, every change, and what was refused at the door."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from integrations.contract import DocumentKind
from portal import clock, ids
from portal.db import Instant, Json, States


class Source(StrEnum):
    """By which door a document came."""

    UPLOAD = "upload"
    API = "api"
    MAIL = "mail"
    IMPORT = "import"
    PORTAL = "portal"  # an invoice written here


class Reading(StrEnum):
    """How far reading has come."""

    WAITING = "waiting"  # not looked at yet
    SETTLED = "settled"  # kind, direction and fields are as far as they will get without a person


class StoredFile(SQLModel, table=True):
    """Bytes kept unchanged; stored once per firm, whatever number of documents point to them."""

    __tablename__ = "stored_file"
    __table_args__ = (UniqueConstraint("firm_id", "sha256"),)

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    firm_id: UUID = Field(foreign_key="firm.id")
    sha256: str
    size: int  # bytes
    media_type: str  # detected from the bytes
    stored_at: datetime = Field(default_factory=clock.now, sa_type=Instant)


class Document(SQLModel, table=True):
    """One document. Fields hold what is true now; ``DocumentVersion`` holds how it came to that.

    Amounts are minor units of ``currency``; accounting dates are dates. ``kind`` is None until it is settled.
    """

    __table_args__ = (
        Index("ix_document_folder", "client_id", "kind", "removed_at", "arrived_at", "id"),
        Index("ix_document_arrival", "client_id", "arrived_at", "id"),
        Index("ix_document_client_id_sha256", "client_id", "sha256"),
        Index("ix_document_twin", "client_id", "number", "party_name"),
    )

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    client_id: UUID = Field(foreign_key="client.id")
    file_id: UUID = Field(foreign_key="stored_file.id")
    sha256: str
    filename: str  # as it came
    media_type: str
    size: int
    source: Source = Field(sa_type=States(Source))
    kind: DocumentKind | None = Field(default=None, sa_type=States(DocumentKind))
    reading: Reading = Field(default=Reading.WAITING, sa_type=States(Reading))
    arrived_at: datetime = Field(
        default_factory=clock.now, sa_type=Instant
    )  # in the portal (P5), never the printed date
    added_by: UUID | None = Field(default=None, foreign_key="person.id")
    version: int = 1  # counts up with every change that matters to a destination

    party_name: str | None = None
    party_vat_id: str | None = None
    party_email: str | None = None
    number: str | None = None
    issued_on: date | None = None
    due_on: date | None = None
    currency: str | None = None
    net: int | None = None
    tax: int | None = None
    gross: int | None = None
    lines: list[dict[str, str]] = Field(default_factory=list, sa_column=Column(Json, nullable=False))
    account_id: UUID | None = Field(default=None, foreign_key="bank_account.id")
    note: str | None = None

    twin_id: UUID | None = Field(default=None, foreign_key="document.id")  # D4: the document it repeats
    twin_accepted: bool = False  # a person said: not a duplicate, or go on anyway
    removed_at: datetime | None = Field(default=None, sa_type=Instant)
    removed_reason: str | None = None


class DocumentVersion(SQLModel, table=True):
    """What a document's fields were from one moment on, and who said so. Never changed, never deleted (D6)."""

    __tablename__ = "document_version"
    __table_args__ = (UniqueConstraint("document_id", "version"),)

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    document_id: UUID = Field(foreign_key="document.id")
    version: int
    fields: dict[str, object] = Field(sa_column=Column(Json, nullable=False))
    by: UUID | None = Field(default=None, foreign_key="person.id")  # None: read from the file
    at: datetime = Field(default_factory=clock.now, sa_type=Instant)


class Refusal(SQLModel, table=True):
    """A file that was not taken, and why: listed, so that nothing disappears (D1)."""

    __table_args__ = (Index("ix_refusal_list", "client_id", "refused_at", "id"),)

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    client_id: UUID = Field(foreign_key="client.id")
    filename: str
    size: int
    source: Source = Field(sa_type=States(Source))
    text: str  # message id
    facts: dict[str, object] = Field(default_factory=dict, sa_column=Column(Json, nullable=False))
    by: UUID | None = Field(default=None, foreign_key="person.id")
    refused_at: datetime = Field(default_factory=clock.now, sa_type=Instant)
    seen_at: datetime | None = Field(default=None, sa_type=Instant)  # a person put it aside
