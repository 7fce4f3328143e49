"""Connections: named, consented logins at providers; the consent behind each; sign-ins under way."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, Column
from sqlmodel import Field, SQLModel

from portal import clock, ids
from portal.db import Instant, Json, States


class ConnectionState(StrEnum):
    """Whether a login can be used."""

    LIVE = "live"
    DEAD = "dead"  # the provider refused it; to be reconnected
    ENDED = "ended"  # disconnected or revoked by a person


class Connection(SQLModel, table=True):
    """One login of a client at a provider; several instances may use it.

    ``token`` is a ciphertext that changes with every refresh; ``refreshing_until`` and ``refreshing_by`` are the lease
    of the one worker that may refresh now (a row lock cannot be held over a network call).
    """

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    client_id: UUID = Field(foreign_key="client.id", index=True)
    installation_id: UUID = Field(foreign_key="installation.id", index=True)
    kind: str
    name: str
    state: ConnectionState = Field(default=ConnectionState.LIVE, sa_type=States(ConnectionState))
    account_id: str = ""  # whose login it is, as the provider tells
    account_name: str = ""
    account_email: str | None = None
    space_left: int | None = Field(default=None, sa_type=BigInteger)  # bytes, when last looked
    space_total: int | None = Field(default=None, sa_type=BigInteger)
    token: str | None = None
    token_number: int = 1  # counts up with every stored token
    expires_at: datetime | None = Field(default=None, sa_type=Instant)  # of the login (refresh token), where known
    refreshing_until: datetime | None = Field(default=None, sa_type=Instant)
    refreshing_by: str | None = None
    text: str | None = None  # why it is dead: message id and facts
    facts: dict[str, object] = Field(default_factory=dict, sa_column=Column(Json, nullable=False))
    created_at: datetime = Field(default_factory=clock.now, sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)


class Consent(SQLModel, table=True):
    """Who agreed to what, when: the text as it was shown, in the language it was shown in (E5)."""

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    connection_id: UUID = Field(foreign_key="connection.id", index=True)
    person_id: UUID = Field(foreign_key="person.id")
    text: str
    text_digest: str  # SHA-256 of the text: its version
    given_at: datetime = Field(default_factory=clock.now, sa_type=Instant)
    revoked_at: datetime | None = Field(default=None, sa_type=Instant)
    revoked_by: UUID | None = Field(default=None, foreign_key="person.id")


class PendingSignIn(SQLModel, table=True):
    """A person is at the provider's consent page; found again by the digest of ``state``, once, in the same session."""

    __tablename__ = "pending_sign_in"

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    state_digest: str = Field(unique=True)
    sign_in_id: UUID = Field(foreign_key="sign_in.id")
    person_id: UUID = Field(foreign_key="person.id")
    client_id: UUID = Field(foreign_key="client.id")
    installation_id: UUID = Field(foreign_key="installation.id")
    connection_id: UUID | None = Field(default=None, foreign_key="connection.id")  # when reconnecting
    instance_id: UUID | None = Field(default=None, foreign_key="instance.id")  # the set-up to go on with
    name: str
    consent_text: str
    verifier: str | None = None  # ciphertext of the PKCE verifier
    redirect_uri: str
    expires_at: datetime = Field(sa_type=Instant)
    used_at: datetime | None = Field(default=None, sa_type=Instant)
