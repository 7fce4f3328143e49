"""Instances: one installation activated for one client; its runs; what its connector remembers."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Column, Index
from sqlmodel import Field, SQLModel

from portal import clock, ids
from portal.db import Instant, Json, States


class InstanceState(StrEnum):
    """Whether an instance works."""

    DRAFT = "draft"  # set-up not finished: nothing is collected, nothing is sent
    ACTIVE = "active"
    PAUSED = "paused"  # by a person; collects what arrives
    HELD = "held"  # a login, a setting or room is missing; collects what arrives
    REMOVED = "removed"  # disconnected; what it delivered stays where it is


class Instance(SQLModel, table=True):
    """One integration of one client. ``sync_from`` is the cut of P5 and is shown for ever."""

    __table_args__ = (Index("ix_instance_client_id_state", "client_id", "state"),)

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    client_id: UUID = Field(foreign_key="client.id")
    installation_id: UUID = Field(foreign_key="installation.id", index=True)
    connection_id: UUID | None = Field(default=None, foreign_key="connection.id", index=True)
    kind: str
    name: str
    state: InstanceState = Field(default=InstanceState.DRAFT, sa_type=States(InstanceState))
    settings: dict[str, object] = Field(default_factory=dict, sa_column=Column(Json, nullable=False))
    takes: list[str] = Field(default_factory=list, sa_column=Column(Json, nullable=False))  # document kinds chosen
    on_click: bool = False
    earlier_on: date | None = None  # the earlier first day that was chosen at set-up (E1), in the firm's zone
    sync_from: datetime | None = Field(default=None, sa_type=Instant)  # None while a draft
    activated_at: datetime | None = Field(default=None, sa_type=Instant)
    next_run_at: datetime | None = Field(default=None, sa_type=Instant, index=True)  # of a scheduled kind
    text: str | None = None  # why it is held: message id and facts
    facts: dict[str, object] = Field(default_factory=dict, sa_column=Column(Json, nullable=False))
    rest_until: datetime | None = Field(default=None, sa_type=Instant)  # the provider asked to be left alone
    failures: int = 0  # in a row, over all documents: how long to rest
    look_due_at: datetime | None = Field(default=None, sa_type=Instant, index=True)  # what was delivered is looked at
    looking_until: datetime | None = Field(default=None, sa_type=Instant)  # the lease of the one that looks
    look_after: UUID | None = None  # the last document that was looked at; the next slice goes on behind it
    looked_at: datetime | None = Field(default=None, sa_type=Instant)  # all of it, for the last time
    look_text: str | None = None  # why the last look was not finished: message id and facts
    look_facts: dict[str, object] = Field(default_factory=dict, sa_column=Column(Json, nullable=False))
    created_by: UUID | None = Field(default=None, foreign_key="person.id")
    created_at: datetime = Field(default_factory=clock.now, sa_type=Instant)
    removed_at: datetime | None = Field(default=None, sa_type=Instant)


class RunTrigger(StrEnum):
    """Why a run began."""

    FINISH = "finish"
    SCHEDULE = "schedule"
    PERSON = "person"  # Export now
    CATCH_UP = "catch_up"  # the portal was down at the scheduled time


class Run(SQLModel, table=True):
    """One pass of an instance. A run that did nothing has all counts zero and is not called a success."""

    __table_args__ = (Index("ix_run_list", "instance_id", "due_at", "id"),)

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    instance_id: UUID = Field(foreign_key="instance.id")
    trigger: RunTrigger = Field(sa_type=States(RunTrigger))
    due_at: datetime = Field(sa_type=Instant)
    started_at: datetime | None = Field(default=None, sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    total: int = 0  # documents that were due when it began
    delivered: int = 0
    failed: int = 0
    stopped_at: datetime | None = Field(default=None, sa_type=Instant)  # by a person
    by: UUID | None = Field(default=None, foreign_key="person.id")


class Remembered(SQLModel, table=True):
    """A small fact of an instance's connector (a folder's id, a vendor's id); see ``integrations.contract.Memory``."""

    instance_id: UUID = Field(foreign_key="instance.id", primary_key=True)
    key: str = Field(primary_key=True)
    value: str
