"""Named, consented logins: listing, renaming, disconnecting, revoking (E5). Signing in is in ``sign_in``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

import httpx
import structlog
from sqlmodel import Session, col, select

from integrations import http
from integrations.contract import Ability, Account, Connector, TokenSource, Wiring
from integrations.errors import ConnectorError, ReauthRequired
from portal import access, audit, clock, upcalls
from portal.access import Viewer
from portal.clients.models import Client
from portal.connections import tokens
from portal.connections.models import Connection, ConnectionState, Consent
from portal.connections.tokens import died, token_source
from portal.errors import Conflict, Invalid, NotFound, Unavailable
from portal.extensions import services as extensions
from portal.extensions.models import Installation
from portal.i18n import N_
from portal.parts import Parts

__all__ = ["died", "disconnect", "end_all", "of_client", "one_or_404", "rename", "token_source"]

log = structlog.get_logger()

FORECAST = timedelta(days=14)  # how long before a login ends its owner is told
_MAX_NAME = 80


class Revocation(StrEnum):
    """What became of the grant at the provider."""

    REVOKED = "revoked"
    SHARED = "shared"  # another connection lives on it
    BY_HAND = "by_hand"  # the provider has no call for it: the page says where to click
    FAILED = "failed"  # the provider did not answer: by hand as well


def of_client(session: Session, client: Client, kind: str | None = None) -> list[Connection]:
    """The client's live and dead connections (of one kind), by name. The caller has resolved the client."""
    statement = select(Connection).where(Connection.client_id == client.id, Connection.state != ConnectionState.ENDED)
    if kind is not None:
        statement = statement.where(Connection.kind == kind)
    return list(session.exec(statement.order_by(col(Connection.name), col(Connection.id))))


def one_or_404(session: Session, viewer: Viewer, client_id: UUID, connection_id: UUID) -> Connection:
    """A connection of a client, if the viewer may set up integrations of its kind; else NotFound."""
    connection = session.get(Connection, connection_id)
    if connection is None or connection.client_id != client_id:
        raise NotFound
    access.client_or_404(session, viewer, client_id, extensions.right_of(connection.kind))
    return connection


def ends_soon(connection: Connection) -> bool:
    """Whether a live login ends within the forecast unless it is used or reconnected."""
    if connection.state is not ConnectionState.LIVE or connection.expires_at is None:
        return False
    return connection.expires_at - clock.now() < FORECAST


def consents(session: Session, connection: Connection) -> list[Consent]:
    """Every consent given for a connection, newest first."""
    statement = select(Consent).where(Consent.connection_id == connection.id)
    return list(session.exec(statement.order_by(col(Consent.given_at).desc(), col(Consent.id).desc())))


def rename(session: Session, viewer: Viewer, client_id: UUID, connection_id: UUID, name: str) -> Connection:
    """Give a connection another name."""
    connection = one_or_404(session, viewer, client_id, connection_id)
    before, connection.name = connection.name, named(name)
    session.add(connection)
    _record(session, viewer, connection, "connection.renamed", {"before": before, "name": connection.name})
    return connection


def look(parts: Parts, viewer: Viewer, client_id: UUID, connection_id: UUID) -> Connection:
    """Ask the provider whose login it is and how much room there is; what it says is stored.

    A login that is refused becomes dead here, as with any other call. Raises Conflict for a connection that is not
    live, Unavailable when the provider does not answer.
    """
    with parts.db.read() as session:
        connection = one_or_404(session, viewer, client_id, connection_id)
        installation = session.get_one(Installation, connection.installation_id)
    try:
        with http.client(watched=True) as client:
            account = unset(parts, installation, client, token_source(parts, connection_id)).check()
    except ReauthRequired as error:
        with parts.db.transaction() as session:
            died(session, connection_id, error.text, error.facts)
        raise Conflict(error.text, field=None, **error.facts) from error
    except ConnectorError as error:
        raise Unavailable(error.text, field=None, **error.facts) from error
    with parts.db.transaction() as session:
        return told(session, connection_id, account)


def told(session: Session, connection_id: UUID, account: Account) -> Connection:
    """Keep what the provider has just said of an account."""
    connection = session.get_one(Connection, connection_id, with_for_update=True)
    connection.account_name, connection.account_email = account.name, account.email
    connection.space_left, connection.space_total = account.space_left, account.space_total
    session.add(connection)
    return connection


def disconnect(
    parts: Parts, viewer: Viewer, client_id: UUID, connection_id: UUID, *, revoke: bool
) -> Revocation | None:
    """End a connection: what uses it is held, the consent is marked as revoked, the token is forgotten.

    With ``revoke`` the grant is ended at the provider too, where it has a call for that and no other connection shares
    the grant; the answer says what became of it (None: not asked for). What was exported stays.
    """
    with parts.db.transaction() as session:
        connection = one_or_404(session, viewer, client_id, connection_id)
        if connection.state is ConnectionState.ENDED:
            raise Conflict
        token = connection.token
        end(session, viewer, connection)
        shared = _shared(session, connection)
        installation = session.get_one(Installation, connection.installation_id)
    if not revoke:
        return None
    if shared:
        return Revocation.SHARED
    return _revoked(parts, installation, token)


def end_all(session: Session, viewer: Viewer, installation_id: UUID) -> int:
    """End every connection of an installation that is being removed; return how many."""
    statement = select(Connection).where(
        Connection.installation_id == installation_id, Connection.state != ConnectionState.ENDED
    )
    found = list(session.exec(statement))
    for connection in found:
        end(session, viewer, connection)
    return len(found)


def end(session: Session, viewer: Viewer, connection: Connection) -> None:
    """Forget the login of a connection that the caller may end, in this transaction: what uses it is held."""
    now = clock.now()
    connection.state, connection.token, connection.ended_at = ConnectionState.ENDED, None, now
    connection.text = N_("The login was disconnected by %(person)s. Please connect again.")
    connection.facts = {"person": viewer.name}
    connection.token_number += 1  # whoever is refreshing now stores nothing
    connection.refreshing_until = connection.refreshing_by = None
    session.add(connection)
    for consent in consents(session, connection):
        if consent.revoked_at is None:
            consent.revoked_at, consent.revoked_by = now, viewer.person_id
            session.add(consent)
    _record(session, viewer, connection, "connection.disconnected", {"name": connection.name})
    upcalls.call(upcalls.CONNECTION_LOST, session, connection)


def _shared(session: Session, connection: Connection) -> bool:
    """Whether another connection lives on the same grant: the same app and the same remote account, at any client."""
    other = select(Connection.id).where(
        Connection.installation_id == connection.installation_id,
        Connection.account_id == connection.account_id,
        Connection.state == ConnectionState.LIVE,
        Connection.id != connection.id,
    )
    return session.exec(other.limit(1)).first() is not None


def unset(parts: Parts, installation: Installation, client: httpx.Client, source: TokenSource) -> Connector:
    """A connector for the calls that need a login and no settings: whose login is it, end it."""
    connector = extensions.connector_of(installation.kind)
    wiring = Wiring(
        config=connector.Config.model_construct(),
        app=extensions.app_of(parts.vault, installation),
        http=client,
        tokens=source,
        memory=_Nothing(),
        now=clock.now,
        endpoints=parts.settings.endpoints.get(installation.kind, {}),
    )
    return connector(wiring)


class _Nothing:
    """A memory for one call: there is no instance yet that could remember."""

    def get(self, key: str) -> str | None:
        """Nothing is remembered."""

    def claim(self, key: str, value: str) -> str:
        """The first to claim wins, and everybody is the first."""
        return value

    def put(self, key: str, value: str) -> None:
        """Nothing is kept."""

    def forget(self, key: str) -> None:
        """There is nothing to forget."""


def _revoked(parts: Parts, installation: Installation, token: str | None) -> Revocation:
    if Ability.REVOKE not in extensions.manifest_of(installation.kind).abilities or token is None:
        return Revocation.BY_HAND
    live = tokens.Given(tokens.unpacked(parts.vault.unlock(token)), extensions.manifest_of(installation.kind).name)
    with http.client(watched=True) as client:
        try:
            unset(parts, installation, client, live).revoke()
        except ConnectorError as error:
            log.warning("connection.not_revoked", kind=installation.kind, error=str(error))
            return Revocation.FAILED
    return Revocation.REVOKED


def _record(session: Session, viewer: Viewer, connection: Connection, action: str, facts: Mapping[str, object]) -> None:
    firm_id = session.get_one(Client, connection.client_id).firm_id
    audit.record(
        session, firm_id, action, by=viewer.by, client_id=connection.client_id, subject_id=connection.id, facts=facts
    )


def named(text: str) -> str:
    name = " ".join(text.split())
    if not name:
        raise Invalid(N_("Please give the connection a name."), field="name")
    if len(name) > _MAX_NAME:
        raise Invalid(N_("At most %(max_length)s characters, please."), field="name", max_length=_MAX_NAME)
    return name
