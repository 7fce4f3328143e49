"""/clients/…/connections: a client's logins; entered here where the provider has no page for it, renamed, ended."""

from __future__ import annotations

from uuid import UUID

from apiflask import APIBlueprint

from portal import access
from portal.access import Right
from portal.api import told
from portal.api.logins import (
    ConnectionChange,
    ConnectionIn,
    ConnectionList,
    ConnectionOut,
    Disconnected,
    DisconnectQuery,
    LoginIn,
)
from portal.api.reach import parts, reading, viewer, writing
from portal.connections import entered, services
from portal.connections.entered import Entry
from portal.errors import Invalid
from portal.extensions import services as extensions
from portal.i18n import N_, say
from portal.instances import services as instances
from portal.instances import setup

bp = APIBlueprint("connections", __name__, tag="Connections")
ALL = "/clients/<uuid:client_id>/connections"
ONE = "/clients/<uuid:client_id>/connections/<uuid:connection_id>"


@bp.get(ALL)
@bp.output(ConnectionList)
def listed(client_id: UUID) -> ConnectionList:
    """List connections

    The client's consented logins that a new instance may use.
    """
    with reading() as session:
        client = access.client_or_404(session, viewer(), client_id, Right.SEE)
        return ConnectionList(items=told.connections(session, services.of_client(session, client)))


@bp.post(ALL)
@bp.input(ConnectionIn, arg_name="body")
@bp.output(ConnectionOut, status_code=201)
def sign_in(client_id: UUID, body: ConnectionIn) -> ConnectionOut:
    """Sign in

    Where the login is entered («login_schema» of the extension); elsewhere it needs a person and a browser. The
    provider is asked before anything is kept. A login that the client has already is renewed.
    """
    with reading() as session:
        access.client_or_404(session, viewer(), client_id, extensions.right_of(body.kind))
        if body.instance_id is not None:
            instances.one_or_404(session, viewer(), client_id, body.instance_id)
    return _entered(
        client_id,
        Entry(
            kind=body.kind, name=body.name, consent=_agreed(body.kind, body.consent), values=body.login,
            instance_id=body.instance_id,
        ),
    )  # fmt: skip


@bp.get(ONE)
@bp.output(ConnectionOut)
def show(client_id: UUID, connection_id: UUID) -> ConnectionOut:
    """Show a connection"""
    with reading() as session:
        return told.connection(session, services.one_or_404(session, viewer(), client_id, connection_id))


@bp.patch(ONE)
@bp.input(ConnectionChange, arg_name="body")
@bp.output(ConnectionOut)
def rename(client_id: UUID, connection_id: UUID, body: ConnectionChange) -> ConnectionOut:
    """Rename a connection"""
    with writing() as session:
        return told.connection(session, services.rename(session, viewer(), client_id, connection_id, body.name))


@bp.put(f"{ONE}/login")
@bp.input(LoginIn, arg_name="body")
@bp.output(ConnectionOut)
def reconnect(client_id: UUID, connection_id: UUID, body: LoginIn) -> ConnectionOut:
    """Sign in again

    With the login of the same account; what was held for it goes on.
    """
    with reading() as session:
        connection = services.one_or_404(session, viewer(), client_id, connection_id)
    return _entered(
        client_id,
        Entry(
            kind=connection.kind, name=connection.name, consent=_agreed(connection.kind, body.consent),
            values=body.login, connection_id=connection.id,
        ),
    )  # fmt: skip


@bp.post(f"{ONE}/look")
@bp.output(ConnectionOut)
def look(client_id: UUID, connection_id: UUID) -> ConnectionOut:
    """Check a login

    Asks the provider whose it is and how much space is left.
    """
    row = services.look(parts(), viewer(), client_id, connection_id)
    with reading() as session:
        return told.connection(session, row)


@bp.delete(ONE)
@bp.input(DisconnectQuery, location="query", arg_name="query")
@bp.output(Disconnected)
def disconnect(client_id: UUID, connection_id: UUID, query: DisconnectQuery) -> Disconnected:
    """Disconnect

    What uses it is held; what was exported stays. With «revoke» the access ends at the provider too, unless another
    connection uses the same account.
    """
    ended = services.disconnect(parts(), viewer(), client_id, connection_id, revoke=query.revoke)
    return Disconnected(revocation=ended)


def _entered(client_id: UUID, entry: Entry) -> ConnectionOut:
    signed = entered.sign_in(parts(), viewer(), client_id, entry, setup.signed_in)
    with reading() as session:
        return told.connection(session, signed.connection)


def _agreed(kind: str, text: str) -> str:
    """The consent that was agreed to: exactly the text that the extension shows in the caller's language."""
    if text != say(extensions.manifest_of(kind).consent):
        raise Invalid(N_("The text of the consent has changed. Please read it again."), field="consent")
    return text
