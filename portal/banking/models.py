"""A client's bank accounts, the statements that came for them, and every movement, once."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from portal import clock, ids
from portal.banking.statements.values import Format
from portal.db import Instant, Json, States


class BankAccount(SQLModel, table=True):
    """One account of a client; its name becomes a folder's name in storage exports (E2)."""

    __tablename__ = "bank_account"
    __table_args__ = (UniqueConstraint("client_id", "name"), UniqueConstraint("client_id", "iban"))

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    client_id: UUID = Field(foreign_key="client.id", index=True)
    name: str
    iban: str | None = None  # without blanks, checked (ISO 13616)
    number: str | None = None  # what statement files say instead of an IBAN, e.g. "50880050/0194774600888"
    currency: str = "EUR"
    created_at: datetime = Field(default_factory=clock.now, sa_type=Instant)
    closed_at: datetime | None = Field(default=None, sa_type=Instant)


class ImportState(StrEnum):
    """How far the reading of a statement file has come."""

    READING = "reading"  # a worker is at it
    IMPORTED = "imported"
    ACCOUNT = "account"  # a person must say whose account it is
    COLUMNS = "columns"  # a person must say what the columns of the table mean
    FAILED = "failed"


class StatementImport(SQLModel, table=True):
    """What became of a statement file. The document stays whatever happened."""

    __tablename__ = "statement_import"

    document_id: UUID = Field(primary_key=True, foreign_key="document.id")
    client_id: UUID = Field(foreign_key="client.id", index=True)
    state: ImportState = Field(sa_type=States(ImportState))
    text: str  # message id: what happened, or why not
    facts: dict[str, object] = Field(default_factory=dict, sa_column=Column(Json, nullable=False))
    notes: list[dict[str, object]] = Field(default_factory=list, sa_column=Column(Json, nullable=False))
    added: int = 0  # transactions that were new
    known: int = 0  # and those that were there
    done_at: datetime = Field(default_factory=clock.now, sa_type=Instant)


class BankStatement(SQLModel, table=True):
    """One statement of one account, kept once however many files carry it. Amounts are minor units of ``currency``."""

    __tablename__ = "bank_statement"
    __table_args__ = (
        UniqueConstraint("account_id", "digest"),
        Index("ix_bank_statement_chain", "account_id", "closing_on", "id"),
    )

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    client_id: UUID = Field(foreign_key="client.id")
    account_id: UUID = Field(foreign_key="bank_account.id")
    format: Format = Field(sa_type=States(Format))
    number: str = ""  # the bank's own
    currency: str
    opening: int | None = Field(default=None, sa_type=BigInteger)
    opening_on: date | None = None
    closing: int | None = Field(default=None, sa_type=BigInteger)
    closing_on: date | None = None
    total: int = Field(sa_type=BigInteger)  # sum of its entries
    entries: int
    adds_up: bool | None = None  # opening + entries = closing; None without both balances
    digest: str  # of all it says: the same statement again is the same row
    imported_at: datetime = Field(default_factory=clock.now, sa_type=Instant)


class StatementFile(SQLModel, table=True):
    """A document that carries a statement."""

    __tablename__ = "statement_file"

    statement_id: UUID = Field(primary_key=True, foreign_key="bank_statement.id")
    document_id: UUID = Field(primary_key=True, foreign_key="document.id", index=True)


class Transaction(SQLModel, table=True):
    """A movement on an account, imported once. ``amount`` is signed, in minor units of ``currency``."""

    __tablename__ = "bank_transaction"
    __table_args__ = (
        UniqueConstraint("account_id", "key"),
        Index("ix_bank_transaction_list", "account_id", "booked_on", "id"),
        Index("ix_bank_transaction_amount", "client_id", "amount"),
    )

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    client_id: UUID = Field(foreign_key="client.id")
    account_id: UUID = Field(foreign_key="bank_account.id")
    key: str  # what makes it the only one of its kind
    format: Format = Field(sa_type=States(Format))  # of the file that brought it first
    booked_on: date
    valued_on: date | None = None
    amount: int = Field(sa_type=BigInteger)
    currency: str
    name: str = ""  # of the counterparty
    iban: str = ""  # of the counterparty, or its account number
    text: str = ""
    reference: str = ""  # structured creditor reference
    end_to_end_id: str = ""
    mandate: str = ""
    bank_reference: str = ""
    type: str = ""
    posting: str = ""
    details: list[dict[str, object]] = Field(default_factory=list, sa_column=Column(Json, nullable=False))
    imported_at: datetime = Field(default_factory=clock.now, sa_type=Instant)


class StatementLine(SQLModel, table=True):
    """A transaction that a statement lists. One that no kept document lists any more is out of the reports."""

    __tablename__ = "statement_line"

    statement_id: UUID = Field(primary_key=True, foreign_key="bank_statement.id")
    transaction_id: UUID = Field(primary_key=True, foreign_key="bank_transaction.id", index=True)


class Attachment(SQLModel, table=True):
    """A document that belongs to a transaction."""

    __tablename__ = "transaction_document"

    transaction_id: UUID = Field(primary_key=True, foreign_key="bank_transaction.id")
    document_id: UUID = Field(primary_key=True, foreign_key="document.id", index=True)
    attached_by: UUID | None = Field(default=None, foreign_key="person.id")  # None: by the portal itself
    attached_at: datetime = Field(default_factory=clock.now, sa_type=Instant)


class TableColumns(SQLModel, table=True):
    """What the columns of a client's CSV files mean, as a person confirmed, and whose they are if they do not say."""

    __tablename__ = "table_columns"
    __table_args__ = (UniqueConstraint("client_id", "signature"),)

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    client_id: UUID = Field(foreign_key="client.id")
    account_id: UUID | None = Field(default=None, foreign_key="bank_account.id")
    signature: str  # by which a file of the same kind is known again
    columns: dict[str, object] = Field(sa_column=Column(Json, nullable=False))
    confirmed_by: UUID | None = Field(default=None, foreign_key="person.id")
    confirmed_at: datetime = Field(default_factory=clock.now, sa_type=Instant)
