"""Documents: a file with accounting meaning, what is known of it, every change, and what was refused at the door."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, Column, Connection, Index, Integer, UniqueConstraint, event, text
from sqlmodel import Field, SQLModel

from integrations.contract import DocumentKind
from portal import clock, ids
from portal.db import Instant, Json, States
from portal.documents import keys, search_tables


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
    size: int = Field(sa_type=BigInteger)  # bytes
    media_type: str  # detected from the bytes
    stored_at: datetime = Field(default_factory=clock.now, sa_type=Instant)


def _listed_by(key: str) -> Index:
    """What a folder sorted by ``key`` is read from, a page at a time."""
    there = text("removed_at IS NULL")
    return Index(
        f"ix_document_by_{key}", "client_id", "folder", key, "id", sqlite_where=there, postgresql_where=there
    )  # fmt: skip


# What a person must decide whatever the integrations: which kind it is, or whether it is a duplicate. Written out in
# queries too: only so is its partial index used.
ATTENTION = (
    "removed_at IS NULL AND ((kind IS NULL AND reading = 'settled') OR (twin_id IS NOT NULL AND NOT twin_accepted))"
)

# Texts that nobody has looked for in the file yet. Written out in queries too.
UNREAD = "read_at IS NULL"


class Document(SQLModel, table=True):
    """One document. Fields hold what is true now; ``DocumentVersion`` holds how it came to that.

    Amounts are minor units of ``currency``; accounting dates are dates. ``kind`` is None until it is settled. The
    ``…_key`` columns, ``folder`` and ``dated_on`` follow from the others (``documents.keys``) and are what lists are
    sorted and paged by; they are set before every write.
    """

    __table_args__ = (
        *(_listed_by(key) for key in ("arrived_at", "dated_on", "party_key", "number_key", "gross_key")),
        Index("ix_document_arrival", "client_id", "arrived_at", "id"),
        Index("ix_document_client_id_sha256", "client_id", "sha256"),
        Index("ix_document_twin", "client_id", "number_key", "party_key"),
        Index("ix_document_twin_id", "twin_id"),
        Index("ix_document_file_id", "file_id"),
        Index("ix_document_part_of", "part_of"),
        Index("ix_document_reading", "reading", "arrived_at"),  # what waits to be read
        Index("ix_document_attention", "client_id", sqlite_where=text(ATTENTION), postgresql_where=text(ATTENTION)),
    )

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    client_id: UUID = Field(foreign_key="client.id")
    file_id: UUID = Field(foreign_key="stored_file.id")
    sha256: str
    filename: str  # as it came
    media_type: str
    size: int = Field(sa_type=BigInteger)  # bytes
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
    net: int | None = Field(default=None, sa_type=BigInteger)
    tax: int | None = Field(default=None, sa_type=BigInteger)
    gross: int | None = Field(default=None, sa_type=BigInteger)
    lines: list[dict[str, str]] = Field(default_factory=list, sa_column=Column(Json, nullable=False))
    account_id: UUID | None = Field(default=None, foreign_key="bank_account.id")
    note: str | None = None

    twin_id: UUID | None = Field(default=None, foreign_key="document.id")  # D4: the document it repeats
    twin_accepted: bool = False  # a person said: not a duplicate, or go on anyway
    removed_at: datetime | None = Field(default=None, sa_type=Instant)
    removed_reason: str | None = None

    # D2: this one's own file holds pages ``first_page`` to ``last_page`` (from 1) of that document's file
    part_of: UUID | None = Field(default=None, foreign_key="document.id")
    first_page: int | None = None
    last_page: int | None = None
    split_version: int | None = None  # with which it was put into its parts; None: it is whole

    folder: DocumentKind = Field(default=DocumentKind.OTHER, sa_type=States(DocumentKind))
    dated_on: date = Field(default=date.min)
    party_key: str = ""
    number_key: str = ""
    gross_key: int = Field(default=0, sa_type=BigInteger)


class DocumentText(SQLModel, table=True):
    """The text of a document's file, for the search; there for every document from its first moment on.

    ``place`` puts documents in the order of their arrival and is their key in the table that is searched.
    """

    __tablename__ = "document_text"
    __table_args__ = (
        Index("ix_document_text_unread", "place", sqlite_where=text(UNREAD), postgresql_where=text(UNREAD)),
    )

    # On SQLite the rowid itself, which BIGINT would not be.
    place: int = Field(
        sa_column=Column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False)
    )
    document_id: UUID = Field(foreign_key="document.id", unique=True)
    client_id: UUID = Field(foreign_key="client.id")
    read_at: datetime | None = Field(default=None, sa_type=Instant)
    text: str = ""


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
    size: int = Field(sa_type=BigInteger)  # bytes; of one that was cut off: at least
    source: Source = Field(sa_type=States(Source))
    text: str  # message id
    facts: dict[str, object] = Field(default_factory=dict, sa_column=Column(Json, nullable=False))
    by: UUID | None = Field(default=None, foreign_key="person.id")
    refused_at: datetime = Field(default_factory=clock.now, sa_type=Instant)
    seen_at: datetime | None = Field(default=None, sa_type=Instant)  # a person put it aside


@event.listens_for(Document, "before_insert")
@event.listens_for(Document, "before_update")
def _keep_keys(_mapper: object, _connection: object, document: Document) -> None:
    for column, value in keys.keys(document).items():
        if getattr(document, column) != value:
            setattr(document, column, value)


@event.listens_for(Document, "after_insert")
@event.listens_for(Document, "after_update")
def _keep_found(_mapper: object, connection: Connection, document: Document) -> None:
    from portal.documents import search  # which knows these tables

    search.follow(connection, document)


event.listen(DocumentText.__table__, "after_create", search_tables.make)  # type: ignore[attr-defined]
event.listen(DocumentText.__table__, "before_drop", search_tables.drop)  # type: ignore[attr-defined]
