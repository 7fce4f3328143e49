"""The login of one connection, for any number of workers: one refreshes, the others read what it stored.

A provider that rotates refresh tokens takes each only once, and a row lock cannot be held over a network call. So the
right to refresh is a lease, taken by a conditional UPDATE that names the token it is for (``token_number``); whoever
does not get it waits and reads again. The new token is committed before anybody uses it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

import httpx
import structlog
from sqlalchemy import CursorResult, update
from sqlmodel import Session, col

from integrations import http
from integrations.contract import Token, TokenSource
from integrations.errors import ConnectorError, ReauthRequired, Transient
from integrations.oauth import Flow, OAuthApp
from portal import audit, clock, upcalls
from portal.clients.models import Client
from portal.connections.models import Connection, ConnectionState
from portal.extensions import services as extensions
from portal.extensions.models import Installation
from portal.i18n import N_
from portal.parts import Parts

log = structlog.get_logger()

# Longer than a refresh can take (see TIMEOUT), so that a lease ends only when its holder is dead.
LEASE = timedelta(seconds=45)
TIMEOUT = httpx.Timeout(connect=5.0, read=20.0, write=5.0, pool=5.0)
# How long a loser waits for the winner: a dead one's lease, then a refresh of its own.
PATIENCE = 100.0
PAUSE = 0.1


def packed(token: Token) -> dict[str, object]:
    """A token as JSON values, for the vault."""
    return {
        "access": token.access,
        "refresh": token.refresh,
        "expires_at": token.expires_at.isoformat() if token.expires_at else None,
        "refresh_expires_at": token.refresh_expires_at.isoformat() if token.refresh_expires_at else None,
        "scopes": list(token.scopes),
        "extras": dict(token.extras),
    }


def unpacked(content: Mapping[str, Any]) -> Token:
    """The token again."""
    return Token(
        access=content["access"],
        refresh=content["refresh"],
        expires_at=_instant(content["expires_at"]),
        refresh_expires_at=_instant(content["refresh_expires_at"]),
        scopes=tuple(content["scopes"]),
        extras=content["extras"],
    )


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


class Given:
    """A token that is not stored yet: for the first call after a sign-in."""

    def __init__(self, token: Token, provider: str) -> None:
        self._token, self._provider = token, provider

    def current(self) -> Token:
        """The token."""
        return self._token

    def refreshed(self, stale: Token) -> Token:
        """Nothing newer exists: a login refused right after the sign-in is no login."""
        raise ReauthRequired(
            N_("%(provider)s does not accept the new login. Please connect again."), provider=self._provider
        )


class Nobody:
    """For kinds that need no login at all."""

    def current(self) -> Token:
        """There is none."""
        raise ReauthRequired(N_("This integration is not connected. Please connect it."))

    def refreshed(self, stale: Token) -> Token:
        """There is none."""
        return self.current()


class Stored:
    """The stored login of one connection."""

    def __init__(self, parts: Parts, connection_id: UUID) -> None:
        self._parts, self._id = parts, connection_id
        self._holder = clock.token()

    def current(self) -> Token:
        """The newest stored token; ReauthRequired when the connection is dead or ended."""
        return self._read()[0]

    def refreshed(self, stale: Token) -> Token:
        """A token newer than ``stale``. Only the holder of the lease asks the provider, once."""
        patience_ends = time.monotonic() + PATIENCE
        while time.monotonic() < patience_ends:
            token, number = self._read()
            if token.access != stale.access:
                return token
            if self._claim(number):
                return self._refresh(token, number)
            time.sleep(PAUSE)
        raise Transient(N_("The login is being renewed elsewhere. It is tried again."))

    def _read(self) -> tuple[Token, int]:
        with self._parts.db.read() as session:
            row = session.get(Connection, self._id)
        if row is None or row.token is None or row.state is not ConnectionState.LIVE:
            text = row.text if row is not None and row.text else N_("This login has ended. Please connect again.")
            raise ReauthRequired(text, **_facts(row))
        return unpacked(self._parts.vault.unlock(row.token)), row.token_number

    def _claim(self, number: int) -> bool:
        """Take the lease for exactly this token, if nobody alive holds it."""
        now = clock.now()
        free = col(Connection.refreshing_until).is_(None) | (col(Connection.refreshing_until) < now)
        with self._parts.db.transaction() as session:
            return self._changed(
                session, number, {"refreshing_until": now + LEASE, "refreshing_by": self._holder}, free
            )

    def _refresh(self, token: Token, number: int) -> Token:
        try:
            with self._parts.db.read() as session:
                flow_of = _flow_parts(self._parts, session, self._id)
            with http.client() as client:
                client.timeout = TIMEOUT
                fresh = flow_of(client).refresh(token, clock.now())
        except ReauthRequired as error:
            return self._dead(error, number)
        except ConnectorError:
            self._release(number)
            raise
        return self._store(fresh, number)

    def _store(self, fresh: Token, number: int) -> Token:
        values: dict[str, object] = {
            "token": self._parts.vault.lock(packed(fresh)),
            "token_number": number + 1,
            "expires_at": fresh.refresh_expires_at,
            "refreshing_until": None,
            "refreshing_by": None,
        }
        with self._parts.db.transaction() as session:
            stored = self._changed(session, number, values)
        log.info("token.refreshed", connection=str(self._id), number=number + 1, stored=stored)
        # A person reconnected, or another worker stored one, while we were asking: that one counts.
        return fresh if stored else self.current()

    def _dead(self, error: ReauthRequired, number: int) -> Token:
        """The provider says no. If somebody stored another token meanwhile, the no was for an old one."""
        with self._parts.db.transaction() as session:
            if self._changed(session, number, {"refreshing_until": None, "refreshing_by": None}):
                died(session, self._id, error.text, error.facts)
        return self.current()

    def _release(self, number: int) -> None:
        mine = col(Connection.refreshing_by) == self._holder
        with self._parts.db.transaction() as session:
            self._changed(session, number, {"refreshing_until": None, "refreshing_by": None}, mine)

    def _changed(self, session: Session, number: int, values: Mapping[str, object], *conditions: Any) -> bool:
        """One conditional UPDATE; whether the connection is live and its token still is this one."""
        statement = (
            update(Connection)
            .where(
                col(Connection.id) == self._id,
                col(Connection.token_number) == number,
                col(Connection.state) == ConnectionState.LIVE,
                *conditions,
            )
            .values(**values)
        )
        return cast("CursorResult[Any]", session.execute(statement)).rowcount == 1


def died(session: Session, connection_id: UUID, text: str, facts: Mapping[str, object]) -> None:
    """Mark a live connection as dead and hold what uses it, in this transaction; said once, to the audit trail and the
    right person too.
    """
    connection = session.get_one(Connection, connection_id, with_for_update=True, populate_existing=True)
    if connection.state is not ConnectionState.LIVE:
        return
    connection.state, connection.text, connection.facts = ConnectionState.DEAD, text, dict(facts)
    session.add(connection)
    client = session.get_one(Client, connection.client_id)
    audit.record(
        session, client.firm_id, "connection.dead", by=audit.SYSTEM, client_id=client.id, subject_id=connection.id,
        facts={"name": connection.name, "reason": text % facts if facts else text},
    )  # fmt: skip
    upcalls.call(upcalls.CONNECTION_LOST, session, connection)
    upcalls.call(upcalls.CONNECTION_DIED, session, connection)


def token_source(parts: Parts, connection_id: UUID) -> TokenSource:
    """The login of a connection. Works without a request; opens no transaction over a network call."""
    return Stored(parts, connection_id)


def flow(parts: Parts, installation: Installation, client: httpx.Client) -> Flow:
    """The code flow of an installation's app, at the sandbox where one is set."""
    app = extensions.app_of(parts.vault, installation)
    manifest = extensions.manifest_of(installation.kind)
    if not isinstance(app, OAuthApp):
        raise TypeError(f"{manifest.kind} signs in by OAuth, so its App must be an OAuthApp")
    return Flow(manifest, app, client, parts.settings.endpoints.get(installation.kind, {}))


def _flow_parts(parts: Parts, session: Session, connection_id: UUID) -> Callable[[httpx.Client], Flow]:
    connection = session.get_one(Connection, connection_id)
    installation = session.get_one(Installation, connection.installation_id)
    manifest = extensions.manifest_of(connection.kind)
    if manifest.oauth is None:  # what a person entered is refused: only they can renew it
        raise ReauthRequired(
            N_("%(provider)s no longer accepts this login. Please sign in again."), provider=manifest.name
        )
    return lambda client: flow(parts, installation, client)


def _facts(row: Connection | None) -> dict[str, str | int]:
    return {name: value for name, value in (row.facts if row else {}).items() if isinstance(value, str | int)}
