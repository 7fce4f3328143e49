"""A proven login is kept: connection, sealed token, whose account it is, consent. The same for every way to sign in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session, col, select

from integrations.contract import Account, Token
from portal import audit
from portal.access import Viewer
from portal.clients.models import Client
from portal.connections import tokens
from portal.connections.models import Connection, ConnectionState, Consent
from portal.errors import Conflict
from portal.extensions.models import Installation
from portal.i18n import N_
from portal.secrets import Vault


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a person signs in for. ``consent`` is the text as they saw it and agreed to."""

    client_id: UUID
    installation_id: UUID
    name: str
    consent: str
    connection_id: UUID | None = None  # to reconnect
    instance_id: UUID | None = None  # the set-up to go on with


@dataclass(frozen=True, kw_only=True)
class Signed:
    """How a sign-in ended. ``reused``: the client already had this login, so no second one was made."""

    connection: Connection
    instance_id: UUID | None
    reused: bool


def keep(session: Session, viewer: Viewer, vault: Vault, asked: Asked, token: Token, account: Account) -> Signed:
    """Store what the provider has proven. Conflict when another account answered than the one to reconnect."""
    connection, reused = _connection_for(session, asked, account)
    connection.state, connection.text, connection.facts = ConnectionState.LIVE, None, {}
    connection.account_id, connection.account_name = account.id, account.name
    connection.account_email = account.email
    connection.space_left, connection.space_total = account.space_left, account.space_total
    connection.token = vault.lock(tokens.packed(token))
    connection.token_number += 1
    connection.expires_at = token.refresh_expires_at
    connection.refreshing_until = connection.refreshing_by = connection.ended_at = None
    session.add(connection)
    session.flush()
    digest = hashlib.sha256(asked.consent.encode()).hexdigest()
    session.add(
        Consent(connection_id=connection.id, person_id=viewer.person_id, text=asked.consent, text_digest=digest)
    )
    again = asked.connection_id is not None or reused
    audit.record(
        session, session.get_one(Client, asked.client_id).firm_id,
        "connection.reconnected" if again else "connection.connected", by=viewer.by,
        client_id=asked.client_id, subject_id=connection.id,
        facts={"kind": connection.kind, "name": connection.name, "account": account.name, "consent": digest},
    )  # fmt: skip
    return Signed(connection=connection, instance_id=asked.instance_id, reused=reused)


def _connection_for(session: Session, asked: Asked, account: Account) -> tuple[Connection, bool]:
    """The connection that the login belongs to: the one to reconnect, one of the same account, or a new one."""
    if asked.connection_id is not None:
        connection = session.get_one(Connection, asked.connection_id, with_for_update=True)
        if connection.account_id and connection.account_id != account.id:
            raise Conflict(
                N_("You signed in as %(new)s, but this connection belongs to %(old)s. Choose that account, or add a "
                   "new authentication."),
                new=account.name, old=connection.account_name,
            )  # fmt: skip
        connection.name = asked.name
        return connection, False
    same = select(Connection).where(
        Connection.client_id == asked.client_id,
        Connection.installation_id == asked.installation_id,
        Connection.account_id == account.id,
        Connection.state != ConnectionState.ENDED,
    )
    found = session.exec(same.order_by(col(Connection.id)).with_for_update()).first()
    if found is not None:
        return found, True
    kind = session.get_one(Installation, asked.installation_id).kind
    made = Connection(
        client_id=asked.client_id, installation_id=asked.installation_id, kind=kind, name=asked.name, token_number=0
    )
    return made, False
