"""A client's own pages: overview, particulars, contacts, who works for them."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import access
from portal.access import Right
from portal.accounts import services as accounts
from portal.accounts.models import Role
from portal.clients import services
from portal.clients.models import Client
from portal.clients.services import Particulars
from portal.errors import Error, NotFound
from portal.i18n import _
from portal.ids import parse
from portal.overview import client as glance
from portal.overview.board import Item
from portal.web import go, go_to, notice, parts, reading, viewer, writing
from portal.web.links import Link
from portal.web.words import CONTACT_ROLE_HELP, CONTACT_ROLES

pages = Blueprint("clients", __name__)
FIELDS = ("name", "number", "vat_id", "email", "note")


@pages.get("/clients/<uuid:client_id>")
def overview(client_id: UUID) -> ResponseReturnValue:
    """What is open, what came last, what is connected."""
    with reading() as session:
        found = glance.of(session, viewer(), client_id)
        staff = services.assigned(session, viewer(), client_id)
    rights = access.rights_for(viewer(), found.client)
    return render_template(
        "client/overview.html", glance=found, client=found.client, staff=staff, items=Item, rights=rights
    )


@pages.get("/clients/new")
def new() -> ResponseReturnValue:
    """The form for a new client."""
    with reading() as session:
        number = services.next_number(session, viewer())
    return render_template("client/new.html", filled={"number": number}, wrong=None)


@pages.post("/clients/new")
def create() -> ResponseReturnValue:
    """Add the client."""
    access.firm_or_404(viewer(), Right.CLIENTS)
    filled = _filled()
    try:
        with writing() as session:
            client = services.create(session, viewer(), Particulars(**filled))
    except Error as error:
        return render_template("client/new.html", filled=filled, wrong=error), error.status
    notice(_("%(name)s is on the board. Next: add contacts and integrations.", name=client.name))
    return go("clients.overview", client_id=client.id)


@pages.get("/clients/<uuid:client_id>/edit")
def edit(client_id: UUID) -> ResponseReturnValue:
    """The form for changing a client."""
    client, context = _editing(client_id)
    return render_template(
        "client/edit.html", filled={name: getattr(client, name) for name in FIELDS}, wrong=None, **context
    )


@pages.post("/clients/<uuid:client_id>/edit")
def change(client_id: UUID) -> ResponseReturnValue:
    """Store changed particulars."""
    _client, context = _editing(client_id)
    filled = _filled()
    try:
        with writing() as session:
            services.change(session, viewer(), client_id, Particulars(**filled))
    except Error as error:
        return render_template("client/edit.html", filled=filled, wrong=error, **context), error.status
    notice(_("Saved."))
    return go("clients.overview", client_id=client_id)


@pages.post("/clients/<uuid:client_id>/assign")
def assign(client_id: UUID) -> ResponseReturnValue:
    """Let exactly the chosen members work for the client."""
    with writing() as session:
        services.assign(session, viewer(), client_id, [parse(text) for text in request.form.getlist("member")])
    notice(_("Saved."))
    return go("clients.edit", client_id=client_id)


@pages.post("/clients/<uuid:client_id>/archive")
def archive(client_id: UUID) -> ResponseReturnValue:
    """Take the client off the board; undone by one click."""
    with writing() as session:
        client = services.archive(session, viewer(), client_id)
    notice(_("%(name)s is archived.", name=client.name), undo=url_for("clients.unarchive", client_id=client_id))
    return go("board.home")


@pages.post("/clients/<uuid:client_id>/unarchive")
def unarchive(client_id: UUID) -> ResponseReturnValue:
    """Put the client back on the board."""
    with writing() as session:
        client = services.archive(session, viewer(), client_id, away=False)
    notice(_("%(name)s is back on the board.", name=client.name))
    return go("clients.overview", client_id=client_id)


@pages.get("/clients/<uuid:client_id>/contacts")
def contacts(client_id: UUID) -> ResponseReturnValue:
    """The client's people."""
    return _contacts(client_id)


@pages.post("/clients/<uuid:client_id>/contacts")
def invite(client_id: UUID) -> ResponseReturnValue:
    """Let somebody of the client's company in, and show their link."""
    filled = {name: request.form.get(name, "") for name in ("name", "email", "role")}
    try:
        with writing() as session:
            invited = services.invite_contact(
                session, parts().vault, viewer(), client_id,
                name=filled["name"], email=filled["email"], role_name=filled["role"],
            )  # fmt: skip
    except NotFound:
        raise
    except Error as error:
        return _contacts(client_id, filled=filled, wrong=error), error.status
    return _contacts(client_id, link=Link.of(invited))


@pages.post("/clients/<uuid:client_id>/contacts/<uuid:contact_id>/link")
def new_link(client_id: UUID, contact_id: UUID) -> ResponseReturnValue:
    """A fresh link for a contact."""
    with writing() as session:
        invited = services.new_link(session, parts().vault, viewer(), client_id, contact_id)
    return _contacts(client_id, link=Link.of(invited))


@pages.post("/clients/<uuid:client_id>/contacts/<uuid:contact_id>")
def change_contact(client_id: UUID, contact_id: UUID) -> ResponseReturnValue:
    """Give a contact another role."""
    with writing() as session:
        services.change_contact(session, viewer(), client_id, contact_id, request.form.get("role", ""))
    notice(_("Saved."))
    return go("clients.contacts", client_id=client_id)


@pages.post("/clients/<uuid:client_id>/contacts/<uuid:contact_id>/end")
def end_contact(client_id: UUID, contact_id: UUID) -> ResponseReturnValue:
    """Shut a contact out."""
    with writing() as session:
        person = services.end_contact(session, viewer(), client_id, contact_id)
    notice(_("%(name)s can no longer see this client.", name=person.name))
    left = viewer().contacts.keys() - {client_id}
    shut_out_oneself = person.id == viewer().person_id and viewer().firm_id is None
    return go_to("/" if shut_out_oneself and left else url_for("clients.contacts", client_id=client_id))


def _contacts(client_id: UUID, **more: object) -> str:
    with reading() as session:
        client = access.client_or_404(session, viewer(), client_id, Right.COUNTS)
        people = services.contacts(session, viewer(), client_id)
    may = Right.CONTACTS in access.rights_for(viewer(), client)
    return render_template(
        "client/contacts.html",
        client=client,
        people=people,
        may=may,
        roles=CONTACT_ROLES,
        helps=CONTACT_ROLE_HELP,
        **more,
    )


def _editing(client_id: UUID) -> tuple[Client, dict[str, object]]:
    with reading() as session:
        client = access.client_or_404(session, viewer(), client_id, Right.CLIENTS)
        staff = accounts.members(session, viewer())
        chosen = {member.id for member, _person in services.assigned(session, viewer(), client_id)}
    workers = [one for one in staff if one[0].role in {Role.ACCOUNTANT, Role.ASSISTANT}]
    return client, {"client": client, "staff": workers, "chosen": chosen}


def _filled() -> dict[str, str]:
    return {name: request.form.get(name, "") for name in FIELDS}
