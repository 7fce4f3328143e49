"""The outbox: one row per document, exporting instance, operation and version; every attempt; every receipt."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Index, UniqueConstraint, literal_column, text
from sqlmodel import Field, SQLModel

from integrations.contract import DriftKind, Operation
from portal import clock, ids
from portal.db import Instant, Json, States


class State(StrEnum):
    """The states of P6; every pair of document and instance is in exactly one."""

    BEFORE_ACTIVATION = "before_activation"
    READING = "reading"  # kind, direction or fields not settled yet
    ACTION_NEEDED = "action_needed"  # somebody must complete or decide something
    WAITING = "waiting"  # for a person's click
    QUEUED = "queued"
    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"  # refused for good, until somebody acts
    HELD = "held"  # the instance is paused or to be reconnected
    EXCLUDED = "excluded"  # by a rule, which is named
    REMOVED = "removed"  # at the destination


def literally(state: State) -> ColumnElement[str]:
    """The state as part of the statement's text: SQLite uses a partial index only where its condition stands so."""
    return literal_column(f"'{state.value}'")


class Actor(StrEnum):
    """Who must act on a delivery that does not go by itself."""

    ACCOUNTANT = "accountant"
    CONNECTION_OWNER = "connection_owner"
    FIRM_ADMIN = "firm_admin"
    NOBODY = "nobody"


class Outcome(StrEnum):
    """How an attempt ended."""

    UNDER_WAY = "under_way"
    DELIVERED = "delivered"
    TRANSIENT = "transient"
    THROTTLED = "throttled"
    REJECTED = "rejected"
    REAUTH = "reauth"
    MISCONFIGURED = "misconfigured"
    TARGET_GONE = "target_gone"
    STORAGE_FULL = "storage_full"
    LOST = "lost"  # the worker died; what it did is found out by the next attempt
    BROKEN = "broken"  # a fault of ours


# What stands still until somebody acts. Written out in queries too: only so is its partial index used.
OPEN = "current AND state IN ('action_needed', 'failed', 'held')"


class Delivery(SQLModel, table=True):
    """What is to happen, or has happened, with one version of one document at one instance."""

    __table_args__ = (
        UniqueConstraint("document_id", "instance_id", "operation", "version"),
        # one current row per pair and operation; older versions stay as history
        Index(
            "uq_delivery_current",
            "document_id",
            "instance_id",
            "operation",
            unique=True,
            sqlite_where=text("current"),
            postgresql_where=text("current"),
        ),
        Index(
            "ix_delivery_due",
            "instance_id",
            "due_at",
            "id",
            sqlite_where=text("state = 'queued'"),
            postgresql_where=text("state = 'queued'"),
        ),
        Index(
            "ix_delivery_lease",
            "lease_until",
            sqlite_where=text("state = 'sending'"),
            postgresql_where=text("state = 'sending'"),
        ),
        Index("ix_delivery_state", "instance_id", "state", "document_id"),
        Index("ix_delivery_client", "client_id", "state", "id"),
        Index("ix_delivery_recent", "client_id", "id"),
        # what stands still, for the board: as small as the open work, however large the archive
        Index("ix_delivery_open", "client_id", "state", sqlite_where=text(OPEN), postgresql_where=text(OPEN)),
    )

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    document_id: UUID = Field(foreign_key="document.id")
    instance_id: UUID = Field(foreign_key="instance.id")
    client_id: UUID = Field(foreign_key="client.id")
    operation: Operation = Field(default=Operation.COPY, sa_type=States(Operation))
    version: int = 1  # of the document
    current: bool = True
    state: State = Field(sa_type=States(State))
    asked_by: UUID | None = Field(default=None, foreign_key="person.id")  # a person's explicit click (P5's exception)
    text: str | None = None  # why it is in this state: message id and facts
    facts: dict[str, object] = Field(default_factory=dict, sa_column=Column(Json, nullable=False))
    actor: Actor = Field(default=Actor.NOBODY, sa_type=States(Actor))
    due_at: datetime | None = Field(default=None, sa_type=Instant)
    lease_until: datetime | None = Field(default=None, sa_type=Instant)
    claimed_by: str | None = None
    reservation: str | None = None  # stored before the first attempt
    attempts: int = 0
    tries_before: int = 0  # attempts of earlier rounds: what is let go again starts a fresh row of tries
    created_at: datetime = Field(default_factory=clock.now, sa_type=Instant)
    changed_at: datetime = Field(default_factory=clock.now, sa_type=Instant)


class Attempt(SQLModel, table=True):
    """One recorded try of a delivery, with a sentence that the firm may read."""

    __table_args__ = (UniqueConstraint("delivery_id", "number"),)

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    delivery_id: UUID  # no foreign key: the record outlives a row that somebody deletes
    number: int
    outcome: Outcome = Field(default=Outcome.UNDER_WAY, sa_type=States(Outcome))
    text: str | None = None
    facts: dict[str, object] = Field(default_factory=dict, sa_column=Column(Json, nullable=False))
    worker: str
    started_at: datetime = Field(default_factory=clock.now, sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)


class Receipt(SQLModel, table=True):
    """What the provider gave back. Names document and instance itself, so that it still proves when its row is gone."""

    __table_args__ = (
        UniqueConstraint("document_id", "instance_id", "operation", "version"),
        Index("ix_receipt_instance_id", "instance_id", "document_id"),
    )

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    delivery_id: UUID
    document_id: UUID = Field(foreign_key="document.id")
    instance_id: UUID = Field(foreign_key="instance.id")
    operation: Operation = Field(default=Operation.COPY, sa_type=States(Operation))
    version: int
    sha256: str  # of the bytes that went
    remote_id: str
    remote_version: str | None = None
    link: str | None = None
    checksum: str | None = None
    path: str | None = None
    extras: dict[str, str] = Field(default_factory=dict, sa_column=Column(Json, nullable=False))
    received_at: datetime = Field(default_factory=clock.now, sa_type=Instant)


class Settlement(StrEnum):
    """What became of a drift."""

    FOLLOWED = "followed"  # moved or renamed: the receipt says where it is now
    COMES_BACK = "comes_back"  # deleted: it goes again with the next run
    LEFT_OUT = "left_out"  # deleted with its folder, or a person agrees that it is gone: removed at the destination
    RESTORED = "restored"  # by a person: our bytes go again
    ACCEPTED = "accepted"  # by a person: the receipt says what is there now
    VANISHED = "vanished"  # it is as delivered again


class Drift(SQLModel, table=True):
    """A delivered thing that was found otherwise than its receipt says. Open until ``settled_at``."""

    __table_args__ = (
        Index(
            "uq_drift_open",
            "instance_id",
            "document_id",
            unique=True,
            sqlite_where=text("settled_at IS NULL"),
            postgresql_where=text("settled_at IS NULL"),
        ),
        Index("ix_drift_pair", "document_id", "instance_id"),
        Index("ix_drift_client", "client_id", "id"),
    )

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    client_id: UUID = Field(foreign_key="client.id")
    instance_id: UUID = Field(foreign_key="instance.id")
    document_id: UUID = Field(foreign_key="document.id")
    delivery_id: UUID
    kind: DriftKind = Field(sa_type=States(DriftKind))
    remote_id: str
    before: dict[str, object] = Field(default_factory=dict, sa_column=Column(Json, nullable=False))  # the receipt
    now: dict[str, object] | None = Field(default=None, sa_column=Column(Json))  # the receipt, if it is accepted
    found_at: datetime = Field(default_factory=clock.now, sa_type=Instant)
    settled_at: datetime | None = Field(default=None, sa_type=Instant)
    settlement: Settlement | None = Field(default=None, sa_type=States(Settlement))
    by: UUID | None = Field(default=None, foreign_key="person.id")


class Lease(SQLModel, table=True):
    """Who alone may do something for the firm of all processes now (the scheduler)."""

    name: str = Field(primary_key=True)
    holder: str
    until: datetime = Field(sa_type=Instant)
