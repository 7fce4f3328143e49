"""Firms, the people who sign in, what members of a firm may do, their sessions and API tokens."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from portal import clock, ids
from portal.db import Instant, Json, States


class Role(StrEnum):
    """What a member does at the firm."""

    OWNER = "owner"
    ADMIN = "admin"
    ACCOUNTANT = "accountant"  # works for the clients assigned
    ASSISTANT = "assistant"  # reads the clients assigned
    CLIENT_MANAGER = "client_manager"  # creates and assigns clients; sees counts, never content


class Duplicates(StrEnum):
    """What becomes of a document that repeats another (D4). It is never dropped in silence, its twin always shown."""

    HOLD = "hold"  # goes nowhere until a person decides
    ACCEPT = "accept"  # is a document of its own
    REFUSE = "refuse"  # the same bytes are not taken; the same invoice in other bytes, known once it is read, is held


class Firm(SQLModel, table=True):
    """An accounting practice. Everything belongs to exactly one."""

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    name: str
    zone: str = "Europe/Berlin"  # IANA
    language: str = "de"
    duplicates: Duplicates = Field(default=Duplicates.HOLD, sa_type=States(Duplicates))
    created_at: datetime = Field(default_factory=clock.now, sa_type=Instant)


class Person(SQLModel, table=True):
    """Somebody who signs in, as a member of one firm or as a contact of clients."""

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    email: str = Field(unique=True)  # lower case
    name: str
    password_hash: str | None = None  # argon2id; None until an invitation is accepted
    language: str | None = None  # None: as the browser asks
    active: bool = True
    created_at: datetime = Field(default_factory=clock.now, sa_type=Instant)


class Member(SQLModel, table=True):
    """A person's place at a firm."""

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    firm_id: UUID = Field(foreign_key="firm.id", index=True)
    person_id: UUID = Field(foreign_key="person.id", unique=True)
    role: Role = Field(sa_type=States(Role))
    ended_at: datetime | None = Field(default=None, sa_type=Instant)


class SignIn(SQLModel, table=True):
    """One browser that a person is signed in with; listed and revocable."""

    __tablename__ = "sign_in"

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    person_id: UUID = Field(foreign_key="person.id", index=True)
    secret_digest: str  # of what the cookie holds
    address: str
    browser: str
    created_at: datetime = Field(default_factory=clock.now, sa_type=Instant)
    seen_at: datetime = Field(default_factory=clock.now, sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)


class Invitation(SQLModel, table=True):
    """A link by which a person sets a first or a new password; used once."""

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    person_id: UUID = Field(foreign_key="person.id", index=True)
    secret_digest: str = Field(unique=True)
    expires_at: datetime = Field(sa_type=Instant)
    used_at: datetime | None = Field(default=None, sa_type=Instant)


class ApiToken(SQLModel, table=True):
    """A bearer token of a member, with scopes and an end; only its digest is kept."""

    __tablename__ = "api_token"

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    member_id: UUID = Field(foreign_key="member.id", index=True)
    name: str
    secret_digest: str = Field(unique=True)
    scopes: list[str] = Field(sa_column=Column(Json, nullable=False))
    expires_at: datetime = Field(sa_type=Instant)
    created_at: datetime = Field(default_factory=clock.now, sa_type=Instant)
    used_at: datetime | None = Field(default=None, sa_type=Instant)
    revoked_at: datetime | None = Field(default=None, sa_type=Instant)
