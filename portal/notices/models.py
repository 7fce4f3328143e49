"""What is to be told to whom: one row a person and event, written in the same transaction as the event."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from portal import clock, ids
from portal.db import Instant, Json, States


class NoticeKind(StrEnum):
    """What there is to tell of a connection."""

    DEAD = "dead"  # the provider refused the login
    ENDING = "ending"  # it will, unless somebody reconnects before


class NoticeState(StrEnum):
    """How far the telling has come."""

    WAITING = "waiting"  # to be sent, for the first time or again
    TOLD = "told"  # the mail server took it
    DROPPED = "dropped"  # no longer true, or no longer this person's to know, before it was sent
    FAILED = "failed"  # given up


class Notice(SQLModel, table=True):
    """One thing to tell one person. ``about`` tells a connection's second death from its first; that makes it once."""

    __table_args__ = (
        UniqueConstraint("connection_id", "kind", "about", "person_id"),
        Index("ix_notice_state_due_at", "state", "due_at"),
    )

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    client_id: UUID = Field(foreign_key="client.id", index=True)
    connection_id: UUID = Field(foreign_key="connection.id")
    person_id: UUID = Field(foreign_key="person.id")
    kind: NoticeKind = Field(sa_type=States(NoticeKind))
    about: str  # the number of the token that died, or the instant at which the login ends
    ends_at: datetime | None = Field(default=None, sa_type=Instant)
    state: NoticeState = Field(default=NoticeState.WAITING, sa_type=States(NoticeState))
    due_at: datetime = Field(default_factory=clock.now, sa_type=Instant)
    lease_until: datetime | None = Field(default=None, sa_type=Instant)  # of the one worker that sends it now
    tries: int = 0  # begun; the number of the present one is the right to write down how it ended
    text: str | None = None  # why the last one failed: message id and facts
    facts: dict[str, object] = Field(default_factory=dict, sa_column=Column(Json, nullable=False))
    created_at: datetime = Field(default_factory=clock.now, sa_type=Instant)
    told_at: datetime | None = Field(default=None, sa_type=Instant)
