"""Clients: create, change, archive, assign; their contacts; saved views of lists."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session, col, delete, select, update

from portal import access, audit, clock
from portal.access import Right, Viewer
from portal.accounts import invitations, people
from portal.accounts import services as accounts
from portal.accounts.models import Member, Person
from portal.accounts.services import Invited
from portal.clients.models import Assignment, Client, Contact, ContactRole, SavedView
from portal.errors import Conflict, Invalid, NotFound
from portal.i18n import N_
from portal.secrets import Vault

MOST_VIEWS = 30


@dataclass(frozen=True, kw_only=True)
class Particulars:
    """What is known of a client, as somebody typed it."""

    name: str
    number: str
    vat_id: str = ""
    email: str = ""
    note: str = ""


def create(session: Session, viewer: Viewer, particulars: Particulars) -> Client:
    """A new client of the viewer's firm. Raises Invalid for what cannot be taken, Conflict for a number in use."""
    firm_id = access.firm_or_404(viewer, Right.CLIENTS)
    client = Client(firm_id=firm_id, name="", number="")
    _write(session, client, particulars)
    session.add(client)
    facts = {"name": client.name, "number": client.number}
    audit.record(
        session, firm_id, "client.created", by=viewer.by, client_id=client.id, subject_id=client.id, facts=facts
    )
    return client


def change(session: Session, viewer: Viewer, client_id: UUID, particulars: Particulars) -> Client:
    """Change what is known of a client. A VAT id changed here decides directions of what arrives from now on."""
    client = access.client_or_404(session, viewer, client_id, Right.CLIENTS)
    before = {name: getattr(client, name) for name in ("name", "number", "vat_id", "email", "note")}
    _write(session, client, particulars)
    after = {name: getattr(client, name) for name in before}
    facts = {"before": {name: before[name] for name in before if before[name] != after[name]}}
    _record(session, viewer, client, "client.changed", facts)
    return client


def archive(session: Session, viewer: Viewer, client_id: UUID, *, away: bool = True) -> Client:
    """Take a client off the board, or put them back. Nothing stops and nothing is deleted."""
    client = access.client_or_404(session, viewer, client_id, Right.CLIENTS)
    if (client.archived_at is not None) != away:
        client.archived_at = clock.now() if away else None
        _record(session, viewer, client, "client.archived" if away else "client.unarchived", {})
    return client


def next_number(session: Session, viewer: Viewer) -> str:
    """A number to propose: one more than the firm's latest that is a number."""
    firm_id = access.firm_or_404(viewer, Right.CLIENTS)
    latest = session.exec(
        select(Client.number).where(Client.firm_id == firm_id).order_by(col(Client.id).desc()).limit(50)
    )
    digits = [number for number in latest if re.fullmatch(r"\d{1,12}", number)]
    if not digits:
        return "10001"
    return str(int(max(digits, key=int)) + 1).zfill(len(digits[0]))


def assigned(session: Session, viewer: Viewer, client_id: UUID) -> Sequence[tuple[Member, Person]]:
    """Who of the firm works for a client."""
    client = access.client_or_404(session, viewer, client_id, Right.COUNTS)
    return session.exec(
        select(Member, Person)
        .join(Person, col(Person.id) == Member.person_id)
        .join(Assignment, col(Assignment.member_id) == Member.id)
        .where(Assignment.client_id == client.id, Member.firm_id == client.firm_id, col(Member.ended_at).is_(None))
        .order_by(col(Person.name), col(Member.id))
    ).all()


def assign(session: Session, viewer: Viewer, client_id: UUID, member_ids: Collection[UUID]) -> None:
    """Let exactly these members work for a client. NotFound when one is none of the firm's."""
    client = access.client_or_404(session, viewer, client_id, Right.CLIENTS)
    _of_firm(session, client.firm_id, member_ids)
    present = set(session.exec(select(Assignment.member_id).where(Assignment.client_id == client.id)))
    _assign(session, client.id, added=set(member_ids) - present, removed=present - set(member_ids))
    if present != set(member_ids):
        facts = {"members": sorted(str(one) for one in member_ids)}
        _record(session, viewer, client, "client.assigned", facts)


def assign_to_member(session: Session, viewer: Viewer, member_id: UUID, client_ids: Collection[UUID], on: bool) -> int:
    """Give a member several clients, or take them away; how many changed."""
    firm_id = access.firm_or_404(viewer, Right.CLIENTS)
    _of_firm(session, firm_id, [member_id])
    changed = 0
    for client_id in dict.fromkeys(client_ids):
        client = access.client_or_404(session, viewer, client_id, Right.CLIENTS)
        there = session.get(Assignment, (client.id, member_id)) is not None
        if there == on:
            continue
        one = {member_id}
        _assign(session, client.id, added=one if on else set(), removed=set() if on else one)
        _record(session, viewer, client, "client.assigned", {"member": str(member_id), "on": on})
        changed += 1
    return changed


def works_for(session: Session, viewer: Viewer, member_id: UUID, client_ids: Collection[UUID]) -> set[UUID]:
    """Which of these clients a member of the firm works for."""
    firm_id = access.firm_or_404(viewer, Right.CLIENTS)
    _of_firm(session, firm_id, [member_id])
    return set(
        session.exec(
            select(Assignment.client_id).where(
                Assignment.member_id == member_id, col(Assignment.client_id).in_(client_ids)
            )
        )
    )


def contacts(session: Session, viewer: Viewer, client_id: UUID) -> Sequence[tuple[Contact, Person]]:
    """A client's people, by name."""
    client = access.client_or_404(session, viewer, client_id, Right.COUNTS)
    return session.exec(
        select(Contact, Person)
        .join(Person, col(Person.id) == Contact.person_id)
        .where(Contact.client_id == client.id, col(Contact.ended_at).is_(None))
        .order_by(col(Person.name), col(Contact.id))
    ).all()


def invite_contact(
    session: Session, vault: Vault, viewer: Viewer, client_id: UUID, *, name: str, email: str, role_name: str
) -> Invited:
    """Let somebody of the client's company in. Who is a contact already gets the role."""
    client = access.client_or_404(session, viewer, client_id, Right.CONTACTS)
    role = known_role(role_name)
    person = accounts.person_for(session, name=name, email=email)
    contact = session.exec(
        select(Contact).where(Contact.client_id == client.id, Contact.person_id == person.id)
    ).one_or_none()
    if contact is None:
        contact = Contact(client_id=client.id, person_id=person.id, role=role)
        session.add(contact)
    contact.role, contact.ended_at = role, None
    session.flush()
    _record(session, viewer, client, "contact.invited", {"email": person.email, "role": role.value}, contact.id)
    wants_link = person.password_hash is None and _runs_every_place(session, viewer, person.id)
    return Invited(person, invitations.make(session, vault, person.id) if wants_link else None)


def new_link(session: Session, vault: Vault, viewer: Viewer, client_id: UUID, contact_id: UUID) -> Invited:
    """A fresh link for a contact who forgot the password.

    It opens every place of the person, so none may lie outside what the viewer runs: Conflict.
    """
    client, contact = _contact(session, viewer, client_id, contact_id)
    if not _runs_every_place(session, viewer, contact.person_id):
        raise Conflict(N_("This person also signs in elsewhere, so only they can change their password."))
    _record(session, viewer, client, "contact.link_made", {}, contact.id)
    person = session.get_one(Person, contact.person_id)
    return Invited(person, invitations.make(session, vault, person.id))


def change_contact(session: Session, viewer: Viewer, client_id: UUID, contact_id: UUID, role_name: str) -> Contact:
    """Give a contact another role, by its name."""
    client, contact = _contact(session, viewer, client_id, contact_id)
    role = known_role(role_name)
    facts = {"before": contact.role.value, "role": role.value}
    contact.role = role
    _record(session, viewer, client, "contact.role_changed", facts, contact.id)
    return contact


def end_contact(session: Session, viewer: Viewer, client_id: UUID, contact_id: UUID) -> Person:
    """Shut a contact out of this client. Their documents stay; other clients of theirs are not touched."""
    client, contact = _contact(session, viewer, client_id, contact_id)
    contact.ended_at = clock.now()
    _record(session, viewer, client, "contact.ended", {}, contact.id)
    return session.get_one(Person, contact.person_id)


def touch(session: Session, client_id: UUID) -> None:
    """Something happened for a client now: what the board sorts by. For services that are entered with a client."""
    session.exec(update(Client).where(col(Client.id) == client_id).values(active_at=clock.now()))


def saved_views(session: Session, viewer: Viewer, page: str) -> Sequence[SavedView]:
    """One's own saved views of a page, oldest first."""
    return session.exec(
        select(SavedView)
        .where(SavedView.person_id == viewer.person_id, SavedView.page == page)
        .order_by(col(SavedView.id))
        .limit(MOST_VIEWS)
    ).all()


def save_view(session: Session, viewer: Viewer, page: str, name: str, query: Mapping[str, str]) -> SavedView:
    """Keep a filter under a name; the same name again replaces it."""
    name = people.name(name, limit=40)
    known = {view.name: view for view in saved_views(session, viewer, page)}
    if name not in known and len(known) >= MOST_VIEWS:
        raise Invalid(N_("There is room for %(most)s views. Remove one first."), field="name", most=MOST_VIEWS)
    view = known.get(name) or SavedView(person_id=viewer.person_id, page=page, name=name, query={})
    view.query = {key: value[:200] for key, value in query.items() if value}
    session.add(view)
    return view


def remove_view(session: Session, viewer: Viewer, view_id: UUID) -> None:
    """Forget a saved view of one's own."""
    view = session.get(SavedView, view_id)
    if view is None or view.person_id != viewer.person_id:
        raise NotFound
    session.delete(view)


def known_role(name: str) -> ContactRole:
    """The role of this name. Raises Invalid."""
    try:
        return ContactRole(name)
    except ValueError as error:
        raise Invalid(N_("Choose a role."), field="role") from error


def _write(session: Session, client: Client, particulars: Particulars) -> None:
    client.name = people.name(particulars.name, limit=200)
    number = " ".join(particulars.number.split())
    if not number or len(number) > 20 or not number.isprintable():
        raise Invalid(N_("Please enter the client's number, with at most 20 characters."), field="number")
    taken = select(Client.id).where(Client.firm_id == client.firm_id, Client.number == number, Client.id != client.id)
    with session.no_autoflush:
        if session.exec(taken).first() is not None:
            raise Conflict(N_("Another client has the number %(number)s."), field="number", number=number)
    client.number = number
    client.vat_id = re.sub(r"[\s.-]", "", particulars.vat_id).upper() or None
    if client.vat_id and not re.fullmatch(r"[A-Z]{2}[A-Z0-9]{2,13}", client.vat_id):
        raise Invalid(N_("A VAT ID begins with two letters of the country, such as DE123456789."), field="vat_id")
    client.email = people.email_address(particulars.email) if particulars.email.strip() else None
    client.note = particulars.note.strip()[:4000] or None


def _of_firm(session: Session, firm_id: UUID, member_ids: Collection[UUID]) -> None:
    known = set(
        session.exec(
            select(Member.id).where(
                Member.firm_id == firm_id, col(Member.ended_at).is_(None), col(Member.id).in_(member_ids)
            )
        )
    )
    if known != set(member_ids):
        raise NotFound


def _assign(session: Session, client_id: UUID, *, added: Collection[UUID], removed: Collection[UUID]) -> None:
    session.add_all(Assignment(client_id=client_id, member_id=one) for one in sorted(added))
    if removed:
        session.exec(
            delete(Assignment).where(col(Assignment.client_id) == client_id, col(Assignment.member_id).in_(removed))
        )


def _contact(session: Session, viewer: Viewer, client_id: UUID, contact_id: UUID) -> tuple[Client, Contact]:
    client = access.client_or_404(session, viewer, client_id, Right.CONTACTS)
    contact = session.get(Contact, contact_id)
    if contact is None or contact.client_id != client.id or contact.ended_at is not None:
        raise NotFound
    return client, contact


def _runs_every_place(session: Session, viewer: Viewer, person_id: UUID) -> bool:
    """Whether the viewer could let this person in wherever they are let in; a link sets the password for all of it."""
    places = set(session.exec(select(Contact.client_id).where(Contact.person_id == person_id)))
    mine = session.exec(access.clients_of(viewer, Right.CONTACTS).where(col(Client.id).in_(places)))
    is_member = session.exec(select(Member.id).where(Member.person_id == person_id)).first() is not None
    return not is_member and places == {client.id for client in mine}


def _record(
    session: Session,
    viewer: Viewer,
    client: Client,
    action: str,
    facts: Mapping[str, object],
    subject: UUID | None = None,
) -> None:
    audit.record(
        session, client.firm_id, action, by=viewer.by, client_id=client.id, subject_id=subject or client.id, facts=facts
    )
