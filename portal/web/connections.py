"""The page of one connection: whose login it is, what uses it; reconnect, rename, disconnect, revoke (E5)."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from integrations.contract import Ability
from portal import access
from portal.access import Right
from portal.accounts.models import Person
from portal.connections import entered, services, sign_in
from portal.connections.entered import Entry
from portal.connections.models import Connection
from portal.connections.services import Revocation
from portal.connections.sign_in import Wish
from portal.errors import Conflict, Error, Invalid, Unavailable
from portal.extensions import services as extensions
from portal.extensions.settings import InvalidSettings
from portal.i18n import N_, say
from portal.instances import services as instances
from portal.notices import services as notices
from portal.web import go, go_to, login_form, notice, parts, reading, sign_in_id, viewer, writing
from portal.web.consent import consent_form, consent_text, digest, redirect_uri, sign_in_here

pages = Blueprint("connections", __name__, url_prefix="/clients/<uuid:client_id>/integrations/connections")

_REVOKED = {
    Revocation.REVOKED: (N_("Disconnected, and the access is revoked at %(provider)s."), "good"),
    Revocation.SHARED: (
        N_("Disconnected. The access at %(provider)s stays, because another connection uses the same account."), "warn",
    ),
    Revocation.BY_HAND: (
        N_("Disconnected. Only %(provider)s itself can revoke the access: open the security settings of the account "
           "there and remove the firm's app."), "warn",
    ),
    Revocation.FAILED: (
        N_("Disconnected here, but %(provider)s did not answer. Please open the security settings of the account there "
           "and remove the firm's app."), "warn",
    ),
}  # fmt: skip


_STILL_WORKS = N_(
    "Disconnected, and the login is forgotten here. At %(provider)s it still works: delete the app password or key "
    "there."
)


@pages.get("/<uuid:connection_id>")
def one(client_id: UUID, connection_id: UUID) -> str:
    """One connection."""
    return _page(client_id, connection_id, "")


@pages.post("/<uuid:connection_id>/rename")
def rename(client_id: UUID, connection_id: UUID) -> ResponseReturnValue:
    """Another name."""
    try:
        with writing() as session:
            services.rename(session, viewer(), client_id, connection_id, request.form.get("name", ""))
    except Invalid as error:
        return _page(client_id, connection_id, say(error.text, error.facts)), error.status
    notice(N_("The name is saved."))
    return go("connections.one", client_id=client_id, connection_id=connection_id)


@pages.post("/<uuid:connection_id>/look")
def look(client_id: UUID, connection_id: UUID) -> Response:
    """Ask the provider whether the login works and how much room there is."""
    try:
        services.look(parts(), viewer(), client_id, connection_id)
    except Error as error:
        if error.status == 404:
            raise
        notice(say(error.text, error.facts), tone="bad")
    else:
        notice(N_("The login works."))
    return go("connections.one", client_id=client_id, connection_id=connection_id)


@pages.post("/<uuid:connection_id>/reconnect")
def reconnect(client_id: UUID, connection_id: UUID) -> ResponseReturnValue:
    """To the provider's consent page, or with what was entered here, for the same account."""
    with reading() as session:
        connection = services.one_or_404(session, viewer(), client_id, connection_id)
    text = consent_text(connection.kind)
    if "agree" not in request.form or request.form.get("seen") != digest(text):
        return _page(client_id, connection_id, say(N_("Please agree to the consent first."))), 422
    name = request.form.get("name") or connection.name
    if login_form.is_entered(connection.kind):
        return _entered_again(connection, name, text)
    wish = Wish(
        kind=connection.kind,
        name=name,
        consent=text,
        redirect_uri=redirect_uri(connection.kind),
        sign_in_id=sign_in_id(),
        connection_id=connection.id,
    )
    with writing() as session:
        url = sign_in.begin(session, viewer(), parts(), client_id, wish)
    return go_to(url)


def _entered_again(connection: Connection, name: str, consent: str) -> ResponseReturnValue:
    entry = Entry(
        kind=connection.kind, name=name, consent=consent, values=login_form.values(connection.kind),
        connection_id=connection.id,
    )  # fmt: skip
    try:
        sign_in_here(connection.client_id, entry)
    except InvalidSettings as refused:
        return _page(connection.client_id, connection.id, "", refused), refused.status
    except (Invalid, Conflict, Unavailable) as error:
        return _page(connection.client_id, connection.id, say(error.text, error.facts)), error.status
    return go("connections.one", client_id=connection.client_id, connection_id=connection.id)


@pages.get("/<uuid:connection_id>/disconnect")
def ask_disconnect(client_id: UUID, connection_id: UUID) -> str:
    """What would stop, before it does."""
    with reading() as session:
        client = access.client_or_404(session, viewer(), client_id, Right.SEE)
        connection = services.one_or_404(session, viewer(), client_id, connection_id)
        stops = instances.using(session, connection)
    manifest = extensions.manifest_of(connection.kind)
    return render_template(
        "integrations/disconnect.html",
        client=client,
        connection=connection,
        manifest=manifest,
        stops=stops,
        can_revoke=Ability.REVOKE in manifest.abilities,
        is_entered=login_form.is_entered(connection.kind),
    )


@pages.post("/<uuid:connection_id>/disconnect")
def disconnect(client_id: UUID, connection_id: UUID) -> Response:
    """End the connection, and with the box ticked the grant at the provider. Asked a second time by a box."""
    with reading() as session:
        connection = services.one_or_404(session, viewer(), client_id, connection_id)
    if "sure" not in request.form:
        return go("connections.ask_disconnect", client_id=client_id, connection_id=connection_id)
    ended = services.disconnect(parts(), viewer(), client_id, connection_id, revoke="revoke" in request.form)
    text, tone = _REVOKED[ended] if ended else (N_("Disconnected. What was exported stays where it is."), "good")
    if ended is Revocation.BY_HAND and login_form.is_entered(connection.kind):
        text = _STILL_WORKS
    notice(text, tone=tone, provider=extensions.manifest_of(connection.kind).name)
    return go("integrations.of_client", client_id=client_id)


def _page(client_id: UUID, connection_id: UUID, wrong: str, refused: InvalidSettings | None = None) -> str:
    with reading() as session:
        client = access.client_or_404(session, viewer(), client_id, Right.SEE)
        connection = services.one_or_404(session, viewer(), client_id, connection_id)
        consents = [
            (one, session.get_one(Person, one.person_id).name) for one in services.consents(session, connection)
        ]
        used_by = instances.using(session, connection)
        told = notices.told(session, [connection]).get(connection.id, ())
    return render_template(
        "integrations/connection.html",
        client=client,
        connection=connection,
        manifest=extensions.manifest_of(connection.kind),
        consents=consents,
        used_by=used_by,
        told=told,
        wrong=wrong,
        **consent_form(connection.kind, entered.shown(parts(), connection), refused),
    )
