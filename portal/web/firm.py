"""Running the firm: its settings, its members, who works for whom, API tokens."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import access
from portal.access import SCOPES, Right
from portal.accounts import services, tokens
from portal.accounts.models import Duplicates, Member, Person, Role
from portal.clients import services as clients
from portal.errors import Error, NotFound
from portal.i18n import N_, _, ngettext
from portal.ids import parse
from portal.overview import board
from portal.overview.board import Filter, Order
from portal.web import go, go_to, notice, parts, reading, viewer, writing
from portal.web.first_visit import zones
from portal.web.links import Link
from portal.web.words import ROLE_HELP, ROLES

pages = Blueprint("firm", __name__)
SCOPE_WORDS = {
    "read": (N_("Read"), N_("Clients, documents, deliveries and their states.")),
    "documents": (N_("Documents"), N_("Also hand in documents, correct fields and retry.")),
    "integrations": (N_("Integrations"), N_("Also set up, pause and disconnect integrations.")),
    "admin": (N_("Everything"), N_("All that you may do yourself, the firm's settings too.")),
}
DUPLICATES = {
    Duplicates.HOLD: (N_("Hold"), N_("A duplicate goes nowhere until somebody decides.")),
    Duplicates.ACCEPT: (N_("Accept"), N_("A duplicate is a document like any other; it shows which one it repeats.")),
    Duplicates.REFUSE: (
        N_("Refuse"),
        N_("A file that is here already is not taken: its sender is told, and it is listed. An invoice that comes "
           "again in another file is known as a duplicate only once it is read; it is held."),
    ),
}  # fmt: skip
DAYS = (30, 90, 180, 366)


@pages.get("/firm")
def home() -> ResponseReturnValue:
    """The firm's settings."""
    return _settings()


@pages.post("/firm")
def change() -> ResponseReturnValue:
    """Store the firm's settings."""
    filled = {name: request.form.get(name, "") for name in ("name", "zone", "language", "duplicates")}
    try:
        with writing() as session:
            services.change_firm(session, viewer(), **filled)
    except NotFound:
        raise
    except Error as error:
        return _settings(wrong=error, filled=filled), error.status
    notice(_("Saved."))
    return go("firm.home")


@pages.get("/firm/members")
def members() -> ResponseReturnValue:
    """Who works at the firm."""
    return _members()


@pages.post("/firm/members")
def invite() -> ResponseReturnValue:
    """Give somebody a place, and show their link."""
    filled = {name: request.form.get(name, "") for name in ("name", "email", "role")}
    access.firm_or_404(viewer(), Right.FIRM)
    try:
        with writing() as session:
            invited = services.invite_member(
                session, parts().vault, viewer(), name=filled["name"], email=filled["email"], role_name=filled["role"]
            )
    except NotFound:
        raise
    except Error as error:
        return _members(wrong=error, filled=filled), error.status
    return _members(link=Link.of(invited))


@pages.post("/firm/members/<uuid:member_id>")
def change_role(member_id: UUID) -> ResponseReturnValue:
    """Give a member another role."""
    with writing() as session:
        services.change_role(session, viewer(), member_id, request.form.get("role", ""))
    notice(_("Saved."))
    return go("firm.members")


@pages.post("/firm/members/<uuid:member_id>/link")
def new_link(member_id: UUID) -> ResponseReturnValue:
    """A fresh link for a member."""
    with writing() as session:
        invited = services.new_link(session, parts().vault, viewer(), member_id)
    return _members(link=Link.of(invited))


@pages.post("/firm/members/<uuid:member_id>/end")
def end(member_id: UUID) -> ResponseReturnValue:
    """End a membership."""
    with writing() as session:
        person = services.end_membership(session, viewer(), member_id)
    notice(_("%(name)s can no longer sign in here.", name=person.name))
    return go("firm.members")


@pages.get("/firm/members/<uuid:member_id>/clients")
def assignments(member_id: UUID) -> ResponseReturnValue:
    """All clients, with those the member works for ticked; a page at a time."""
    text, mine = request.args.get("q", "").strip()[:200], request.args.get("mine") == "yes"
    wanted = Filter(text=text, member_id=member_id if mine else None)
    with reading() as session:
        member, person = _member(member_id)
        found = board.page(
            session, viewer(), wanted, Order(), after=request.args.get("after"), before=request.args.get("before")
        )
        worked_for = clients.works_for(session, viewer(), member.id, [line.client.id for line in found.lines])
    kept = {"member_id": member_id, "q": text or None, "mine": "yes" if mine else None}
    return render_template(
        "firm/assignments.html", member=member, person=person, board=found, worked_for=worked_for, text=text, mine=mine,
        link=lambda **changed: url_for("firm.assignments", **{**kept, **changed}),
    )  # fmt: skip


@pages.post("/firm/members/<uuid:member_id>/clients")
def assign(member_id: UUID) -> ResponseReturnValue:
    """Give the member the chosen clients, or take them away."""
    chosen = [parse(text) for text in request.form.getlist("chosen")]
    on = request.form.get("do") != "remove"
    with writing() as session:
        number = clients.assign_to_member(session, viewer(), member_id, chosen, on)
    if on:
        notice(ngettext("%(num)s client assigned.", "%(num)s clients assigned.", number))
    else:
        notice(ngettext("%(num)s client taken away.", "%(num)s clients taken away.", number))
    return go_to(url_for("firm.assignments", member_id=member_id, q=request.form.get("q") or None))


@pages.get("/firm/tokens")
def api_tokens() -> ResponseReturnValue:
    """The firm's API tokens."""
    return _tokens()


@pages.post("/firm/tokens")
def create_token() -> ResponseReturnValue:
    """Make a token and show its secret once."""
    days = request.form.get("days", "")
    try:
        with writing() as session:
            _token, secret = tokens.create(
                session, parts().vault, viewer(), name=request.form.get("name", ""),
                scopes=request.form.getlist("scope"), days=int(days) if days.isascii() and days.isdigit() else 0,
            )  # fmt: skip
    except NotFound:
        raise
    except Error as error:
        return _tokens(wrong=error, filled=request.form), error.status
    return _tokens(secret=secret)


@pages.post("/firm/tokens/<uuid:token_id>/revoke")
def revoke_token(token_id: UUID) -> ResponseReturnValue:
    """End a token."""
    with writing() as session:
        tokens.revoke(session, viewer(), token_id)
    notice(_("The token no longer works."))
    return go("firm.api_tokens")


def _settings(**more: object) -> str:
    with reading() as session:
        firm = services.firm_of(session, viewer())
    filled = more.pop("filled", None) or {
        "name": firm.name, "zone": firm.zone, "language": firm.language, "duplicates": firm.duplicates.value
    }  # fmt: skip
    return render_template(
        "firm/settings.html", firm=firm, zones=zones(firm.zone), filled=filled,
        policies=[(policy.value, *map(_, words)) for policy, words in DUPLICATES.items()], **more,
    )  # fmt: skip


def _members(**more: object) -> str:
    with reading() as session:
        staff = services.members(session, viewer())
    may = Right.FIRM in viewer().firm_rights
    return render_template(
        "firm/members.html",
        staff=staff,
        may=may,
        roles=ROLES,
        helps=ROLE_HELP,
        works=(Role.ACCOUNTANT, Role.ASSISTANT),
        **more,
    )


def _tokens(**more: object) -> str:
    with reading() as session:
        rows = tokens.listed(session, viewer())
        owners = {member.id: session.get_one(Person, member.person_id).name for _token, member in rows}
    words = [(scope, _(SCOPE_WORDS[scope][0]), _(SCOPE_WORDS[scope][1])) for scope in SCOPES]
    lasts = [(days, ngettext("%(num)s day", "%(num)s days", days)) for days in DAYS]
    return render_template("firm/tokens.html", rows=rows, owners=owners, scopes=words, days=lasts, **more)


def _member(member_id: UUID) -> tuple[Member, Person]:
    with reading() as session:
        for member, person, _number in services.members(session, viewer()):
            if member.id == member_id:
                return member, person
    raise NotFound
