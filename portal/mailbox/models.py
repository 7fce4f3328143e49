"""Addresses, who may write to them, messages and what came of each of their parts; a firm's mail domain and mailbox."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, Column, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from portal import clock, ids
from portal.db import Instant, Json, States


class MailSettings(SQLModel, table=True):
    """How a firm's addresses end, and whose word about senders counts."""

    __tablename__ = "mail_settings"

    firm_id: UUID = Field(primary_key=True, foreign_key="firm.id")
    domain: str  # lower case, "belege.kanzlei.example"
    mailbox: str = ""  # with one: belege+<client>@domain, for mailboxes that take plus addresses
    # Whose Authentication-Results (RFC 8601) are believed; empty: nothing proves a From.
    proof_host: str = ""


class Security(StrEnum):
    """How the connection to a mailbox is kept from being read."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"  # to this machine only


class MailAccount(SQLModel, table=True):
    """The mailbox of a firm that is looked into by IMAP (RFC 3501), and how far that has come."""

    __tablename__ = "mail_account"

    firm_id: UUID = Field(primary_key=True, foreign_key="firm.id")
    host: str
    port: int = 993
    security: Security = Field(default=Security.TLS, sa_type=States(Security))
    username: str
    secret: str  # {"password": …}, encrypted by the vault
    folder: str = "INBOX"
    moves_to: str = ""  # a folder for what was taken; empty: it is only marked as read

    uidvalidity: int | None = Field(default=None, sa_type=BigInteger)
    uid: int = Field(default=0, sa_type=BigInteger)  # everything up to it was seen to
    looked_at: datetime | None = Field(default=None, sa_type=Instant)
    due_at: datetime = Field(default_factory=clock.now, sa_type=Instant, index=True)
    unassigned: int = 0  # unread messages, at the last look, that bear no client's address
    text: str | None = None  # why the last look failed; None: it did not
    facts: dict[str, object] = Field(default_factory=dict, sa_column=Column(Json, nullable=False))


class MailAddress(SQLModel, table=True):
    """The part before the @ that leads to a client; kept when it is replaced, so that it is never given again."""

    __tablename__ = "mail_address"
    __table_args__ = (
        Index(
            "uq_mail_address_live", "client_id", unique=True,
            sqlite_where=text("retired_at IS NULL"), postgresql_where=text("retired_at IS NULL"),
        ),
    )  # fmt: skip

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    client_id: UUID = Field(foreign_key="client.id", index=True)
    local: str = Field(unique=True)  # lower case
    created_at: datetime = Field(default_factory=clock.now, sa_type=Instant)
    retired_at: datetime | None = Field(default=None, sa_type=Instant)


class MailSender(SQLModel, table=True):
    """Whose mail is taken for a client without asking, beside the contacts and members who may add documents."""

    __tablename__ = "mail_sender"
    __table_args__ = (UniqueConstraint("client_id", "pattern"),)

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    client_id: UUID = Field(foreign_key="client.id")
    pattern: str  # "rechnung@lieferant.example", or "@lieferant.example" for all of a domain
    added_by: UUID | None = Field(default=None, foreign_key="person.id")
    created_at: datetime = Field(default_factory=clock.now, sa_type=Instant)


class MailState(StrEnum):
    """How far a message has come."""

    WAITING = "waiting"  # stored, to be opened
    HELD = "held"  # stored, a person decides whether it is opened
    TAKEN = "taken"  # opened; each part is a document, a refusal or left out
    REFUSED = "refused"  # nothing of it was taken; the sentence says why


class Proof(StrEnum):
    """What the configured host says about the sender."""

    UNASKED = "unasked"  # no host is configured: a From can be forged
    PASSED = "passed"
    FAILED = "failed"


def _only(state: str, column: str) -> Index:
    """What messages in one state are found by."""
    where = text(f"state = '{state}'")
    return Index(f"ix_mail_{state}", column, sqlite_where=where, postgresql_where=where)


class Mail(SQLModel, table=True):
    """One message to one client, kept whole."""

    __table_args__ = (
        UniqueConstraint("client_id", "identity"),
        Index("ix_mail_list", "client_id", "received_at", "id"),
        _only("held", "client_id"),
        _only("waiting", "id"),
    )

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    client_id: UUID = Field(foreign_key="client.id")
    identity: str  # the same for the same message, whichever way and however often it comes
    address: str  # it was sent to
    way: str  # "smtp" or "imap"
    peer: str = ""  # the host that brought it, or the mailbox it lay in
    envelope_from: str = ""
    sender: str = ""  # address in From, lower case
    sender_name: str = ""
    subject: str = ""
    message_id: str = ""
    proof: Proof = Field(default=Proof.UNASKED, sa_type=States(Proof))
    file_id: UUID | None = Field(default=None, foreign_key="stored_file.id")  # None: it was refused unseen
    sha256: str = ""
    size: int = Field(default=0, sa_type=BigInteger)  # bytes
    state: MailState = Field(sa_type=States(MailState))
    text: str | None = None  # why it is held or refused: message id
    facts: dict[str, object] = Field(default_factory=dict, sa_column=Column(Json, nullable=False))
    received_at: datetime = Field(default_factory=clock.now, sa_type=Instant)
    decided_by: UUID | None = Field(default=None, foreign_key="person.id")
    attempts: int = 0  # at opening it
    leased_until: datetime | None = Field(default=None, sa_type=Instant)


class PartOutcome(StrEnum):
    """What came of one part of a message."""

    DOCUMENT = "document"
    REFUSED = "refused"
    LEFT_OUT = "left_out"  # a logo, a signature: no document


class MailPart(SQLModel, table=True):
    """One part of an opened message: nothing of it disappears."""

    __tablename__ = "mail_part"
    __table_args__ = (UniqueConstraint("mail_id", "number"),)

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    mail_id: UUID = Field(foreign_key="mail.id")
    number: int  # in the order of the message, from 1
    filename: str
    size: int = Field(sa_type=BigInteger)  # bytes
    outcome: PartOutcome = Field(sa_type=States(PartOutcome))
    document_id: UUID | None = Field(default=None, foreign_key="document.id", index=True)
    text: str | None = None  # why not: message id
    facts: dict[str, object] = Field(default_factory=dict, sa_column=Column(Json, nullable=False))
