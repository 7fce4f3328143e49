"""Firms, their members, and what a person changes about themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import func, text
from sqlmodel import Session, col, delete, select

from portal import access, audit, clock
from portal.access import Right, Viewer
from portal.accounts import invitations, people, signing_in
from portal.accounts.models import Duplicates, Firm, Member, Person, Role
from portal.audit import By
from portal.clients.models import Assignment, Client, Contact
from portal.errors import Conflict, Invalid, NotFound
from portal.i18n import LANGUAGES, N_
from portal.secrets import Vault


@dataclass(frozen=True)
class Invited:
    """Somebody was given a place; ``secret`` is that of their link, None when they have a password already."""

    person: Person
    secret: str | None


def is_empty(session: Session) -> bool:
    """Whether nobody has set up this installation yet."""
    return session.exec(select(Firm.id).limit(1)).first() is None


def found_first_firm(session: Session, **facts: str) -> tuple[Firm, Person]:
    """``found_firm``, but only as the very first; NotFound afterwards, also for the slower of two at once."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection().execute(text("LOCK TABLE firm IN SHARE ROW EXCLUSIVE MODE"))
    if not is_empty(session):
        raise NotFound
    return found_firm(session, **facts)


def found_firm(
    session: Session,
    *,
    firm: str,
    zone: str,
    language: str,
    name: str,
    email: str,
    password_hash: str,
    address: str = "",
) -> tuple[Firm, Person]:
    """A new firm with its owner. Raises Invalid for what cannot be taken, Conflict for an address in use."""
    made = Firm(name=people.name(firm, field="firm"), zone=known_zone(zone), language=known_language(language))
    owner = _person(session, people.email_address(email), people.name(name))
    if owner.password_hash is not None or _places(session, owner.id):
        raise Conflict(N_("Somebody signs in with this e-mail address already."), field="email")
    owner.password_hash = password_hash
    session.add(made)
    session.flush()
    session.add(Member(firm_id=made.id, person_id=owner.id, role=Role.OWNER))
    by = By(person_id=owner.id, name=owner.name, address=address)
    audit.record(session, made.id, "firm.founded", by=by, subject_id=made.id, facts={"name": made.name})
    return made, owner


def firm_of(session: Session, viewer: Viewer) -> Firm:
    """The viewer's firm with its settings, for those who run it."""
    return session.get_one(Firm, access.firm_or_404(viewer, Right.FIRM))


def change_firm(session: Session, viewer: Viewer, *, name: str, zone: str, language: str, duplicates: str = "") -> Firm:
    """Change the firm's settings; what is empty of ``duplicates`` stays. It counts for what arrives from then on."""
    firm = firm_of(session, viewer)
    before = {"name": firm.name, "zone": firm.zone, "language": firm.language, "duplicates": firm.duplicates.value}
    firm.name, firm.zone, firm.language = people.name(name), known_zone(zone), known_language(language)
    firm.duplicates = known_duplicates(duplicates or firm.duplicates.value)
    audit.record(session, firm.id, "firm.changed", by=viewer.by, subject_id=firm.id, facts={"before": before})
    return firm


def members(session: Session, viewer: Viewer) -> Sequence[tuple[Member, Person, int]]:
    """The firm's members by name, each with the number of clients assigned; for those who assign staff."""
    firm_id = access.firm_or_404(viewer, Right.CLIENTS)
    assigned = (
        select(func.count())
        .select_from(Assignment)
        .where(col(Assignment.member_id) == Member.id)
        .correlate(Member)
        .scalar_subquery()
    )
    return session.exec(
        select(Member, Person, assigned)
        .join(Person, col(Person.id) == Member.person_id)
        .where(Member.firm_id == firm_id, col(Member.ended_at).is_(None))
        .order_by(col(Person.name), col(Member.id))
    ).all()


def invite_member(session: Session, vault: Vault, viewer: Viewer, *, name: str, email: str, role_name: str) -> Invited:
    """Give somebody a place at the firm, or one they had before. Only an owner makes owners."""
    firm_id = access.firm_or_404(viewer, Right.FIRM)
    role = known_role(role_name)
    _may_appoint(viewer, role)
    person = _person(session, people.email_address(email), people.name(name))
    member = session.exec(select(Member).where(Member.person_id == person.id)).one_or_none()
    if member is not None and (member.firm_id != firm_id or member.ended_at is None):
        raise Conflict(N_("Somebody signs in with this e-mail address already."), field="email")
    if member is None:
        member = Member(firm_id=firm_id, person_id=person.id, role=role)
        session.add(member)
    member.role, member.ended_at = role, None
    session.flush()
    facts = {"email": person.email, "role": role.value}
    audit.record(session, firm_id, "member.invited", by=viewer.by, subject_id=member.id, facts=facts)
    return Invited(person, _link_for(session, vault, person, firm_id))


def change_role(session: Session, viewer: Viewer, member_id: UUID, name: str) -> Member:
    """Give a member another role, by its name. The last owner stays one."""
    member = _member(session, viewer, member_id)
    role = known_role(name)
    _may_appoint(viewer, role)
    if member.role is Role.OWNER and role is not Role.OWNER:
        _not_the_last_owner(session, viewer, member)
    facts = {"before": member.role.value, "role": role.value}
    member.role = role
    audit.record(session, member.firm_id, "member.role_changed", by=viewer.by, subject_id=member.id, facts=facts)
    return member


def end_membership(session: Session, viewer: Viewer, member_id: UUID) -> Person:
    """End a member's place: assignments go, sign-ins end, API tokens stop. What they did stays."""
    member = _member(session, viewer, member_id)
    if member.role is Role.OWNER:
        _not_the_last_owner(session, viewer, member)
    member.ended_at = clock.now()
    session.exec(delete(Assignment).where(col(Assignment.member_id) == member.id))
    signing_in.end_all(session, member.person_id)
    audit.record(session, member.firm_id, "member.ended", by=viewer.by, subject_id=member.id)
    return session.get_one(Person, member.person_id)


def new_link(session: Session, vault: Vault, viewer: Viewer, member_id: UUID) -> Invited:
    """A fresh link for a member who lost the first one or forgot the password."""
    member = _member(session, viewer, member_id)
    _may_appoint(viewer, member.role)
    person = session.get_one(Person, member.person_id)
    if _places(session, person.id) - {member.firm_id}:
        raise Conflict(N_("This person also works with another firm, so only they can change their password."))
    audit.record(session, member.firm_id, "member.link_made", by=viewer.by, subject_id=member.id)
    return Invited(person, invitations.make(session, vault, person.id))


def _link_for(session: Session, vault: Vault, person: Person, firm_id: UUID) -> str | None:
    """The secret of a first link, if the person has no password yet and belongs to nobody but this firm.

    A link sets a password, and so opens every place of a person: no firm may make one for somebody of another.
    """
    if person.password_hash is not None or _places(session, person.id) - {firm_id}:
        return None
    return invitations.make(session, vault, person.id)


def person_for(session: Session, *, name: str, email: str) -> Person:
    """The person with this address, made if there is none. Who exists keeps their name."""
    return _person(session, people.email_address(email), people.name(name))


def rename(session: Session, viewer: Viewer, *, name: str, language: str | None) -> Person:
    """Change one's own name and language; ``language`` None: as the browser asks."""
    person = session.get_one(Person, viewer.person_id)
    person.name = people.name(name)
    person.language = known_language(language) if language else None
    return person


def choose_language(session: Session, viewer: Viewer, language: str) -> None:
    """Keep the language somebody chose."""
    session.get_one(Person, viewer.person_id).language = known_language(language)


def change_password(session: Session, viewer: Viewer, password_hash: str, *, keep: UUID) -> None:
    """Store a new password whose old one was proven; every other sign-in ends."""
    session.get_one(Person, viewer.person_id).password_hash = password_hash
    signing_in.end_all(session, viewer.person_id, but=keep)
    firm_id = viewer.firm_id or audit.INSTALLATION
    audit.record(session, firm_id, "person.password_changed", by=viewer.by, subject_id=viewer.person_id)


def known_zone(name: str) -> str:
    """An IANA zone that this machine knows. Raises Invalid."""
    if name not in available_timezones():
        raise Invalid(N_("“%(zone)s” is not a time zone."), field="zone", zone=name[:40])
    return ZoneInfo(name).key


def known_language(code: str) -> str:
    """A language the portal speaks. Raises Invalid."""
    if code not in LANGUAGES:
        raise Invalid(N_("Choose a language."), field="language")
    return code


def known_duplicates(name: str) -> Duplicates:
    """The policy of this name. Raises Invalid."""
    if name not in set(Duplicates):
        raise Invalid(N_("Choose what becomes of duplicates."), field="duplicates")
    return Duplicates(name)


def known_role(name: str) -> Role:
    """The role of this name. Raises Invalid."""
    try:
        return Role(name)
    except ValueError as error:
        raise Invalid(N_("Choose a role."), field="role") from error


def _person(session: Session, email: str, name: str) -> Person:
    person = session.exec(select(Person).where(Person.email == email)).one_or_none()
    if person is None:
        person = Person(email=email, name=name)
        session.add(person)
        session.flush()
    return person


def _places(session: Session, person_id: UUID) -> set[UUID]:
    """The firms a person belongs to: as a member, or as a contact of their clients; ended places count too."""
    firms = set(session.exec(select(Member.firm_id).where(Member.person_id == person_id)))
    contacts = select(Client.firm_id).join(Contact, col(Contact.client_id) == Client.id)
    return firms | set(session.exec(contacts.where(Contact.person_id == person_id)))


def _member(session: Session, viewer: Viewer, member_id: UUID) -> Member:
    firm_id = access.firm_or_404(viewer, Right.FIRM)
    member = session.get(Member, member_id)
    if member is None or member.firm_id != firm_id or member.ended_at is not None:
        raise NotFound
    if member.role is Role.OWNER and viewer.role is not Role.OWNER:
        raise Conflict(N_("Only an owner can change an owner."))
    return member


def _may_appoint(viewer: Viewer, role: Role) -> None:
    if role is Role.OWNER and viewer.role is not Role.OWNER:
        raise Invalid(N_("Only an owner can make owners."), field="role")


def _not_the_last_owner(session: Session, viewer: Viewer, member: Member) -> None:
    others = select(Member.id).where(
        Member.firm_id == viewer.firm_id, Member.role == Role.OWNER,
        col(Member.ended_at).is_(None), Member.id != member.id,
    )  # fmt: skip
    if session.exec(others.with_for_update()).first() is None:
        raise Conflict(N_("A firm needs an owner. Make somebody else an owner first."))
