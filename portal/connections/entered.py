"""Signing in where the provider has no page for it: a person enters the login, the provider proves it, it is kept (E5).

The form, its checks and what is sealed come from ``Connector.Login`` alone; see ``integrations.login``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from pydantic import BaseModel, ValidationError
from sqlmodel import Session

from integrations import http, login
from integrations.contract import Account, Token
from integrations.errors import ConnectorError, ReauthRequired, Throttled, Transient
from portal import access
from portal.access import Viewer
from portal.connections import tokens
from portal.connections.keep import Asked, Signed, keep
from portal.connections.models import Connection
from portal.connections.services import named, one_or_404, unset
from portal.errors import Conflict, Invalid, Unavailable
from portal.extensions import services as extensions
from portal.extensions import settings
from portal.extensions.models import Installation
from portal.i18n import N_
from portal.parts import Parts

Completed = Callable[[Session, Viewer, Connection, Asked], None]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What a person entered. ``consent`` is the text as they saw it and agreed to."""

    kind: str
    name: str
    consent: str
    values: settings.Values
    connection_id: UUID | None = None  # to reconnect
    instance_id: UUID | None = None  # the set-up to go on with


def form_of(kind: str) -> type[BaseModel] | None:
    """The model of what is entered to sign in; None for kinds that one signs in to elsewhere, or not at all."""
    return extensions.connector_of(kind).Login


def sign_in(parts: Parts, viewer: Viewer, client_id: UUID, entry: Entry, done: Completed) -> Signed:
    """Prove the login at the provider, then keep it with account and consent; ``done`` runs in that transaction.

    InvalidSettings names each field that cannot be right, Invalid says that the provider refuses the login, Conflict
    that it is another account's than the one to reconnect, Unavailable that the provider does not answer.
    """
    model = form_of(entry.kind)
    with parts.db.read() as session:
        client = access.client_or_404(session, viewer, client_id, extensions.right_of(entry.kind))
        installation = extensions.installation_for(session, client, entry.kind)
        if entry.connection_id is not None:
            one_or_404(session, viewer, client_id, entry.connection_id)
    if model is None:
        raise Conflict(N_("One signs in to %(name)s on its own page."), name=extensions.manifest_of(entry.kind).name)
    asked = Asked(
        client_id=client_id, installation_id=installation.id, name=named(entry.name), consent=entry.consent,
        connection_id=entry.connection_id, instance_id=entry.instance_id,
    )  # fmt: skip
    token = login.sealed(settings.validated(model, entry.values))
    account = _proven(parts, installation, token)
    with parts.db.transaction() as session:
        signed = keep(session, viewer, parts.vault, asked, token, account)
        done(session, viewer, signed.connection, asked)
    return signed


def _proven(parts: Parts, installation: Installation, token: Token) -> Account:
    """Whose login it is, as the provider tells somebody who waits for the page."""
    name = extensions.manifest_of(installation.kind).name
    try:
        with http.client(watched=True) as client:
            return unset(parts, installation, client, tokens.Given(token, name)).check()
    except ReauthRequired as error:
        text = N_("%(provider)s does not accept this login. Please check what you entered.")
        raise Invalid(text, field=None, provider=name) from error
    except Throttled as error:
        raise Unavailable(error.text, field=None, **error.facts) from error
    except Transient as error:
        text = N_("%(provider)s did not answer there. Please check the address, or try again later.")
        raise Unavailable(text, field=None, provider=name) from error
    except ConnectorError as error:
        raise Invalid(error.text, field=None, **error.facts) from error


def shown(parts: Parts, connection: Connection) -> dict[str, object]:
    """What was entered for a connection, without its secrets: to fill the form when it is entered again."""
    model = form_of(connection.kind)
    if model is None or connection.token is None:
        return {}
    try:
        entered = login.opened(model, tokens.unpacked(parts.vault.unlock(connection.token)))
    except ValidationError:
        return {}  # of an earlier release of the kind: it is entered anew
    return settings.shown(model, settings.plain(entered))
