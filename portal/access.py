"""What a person may see and do. The first line of every view, API call and command that acts for somebody.

The table of rights lives here and nowhere else (PRODUCT section 9). Whoever may not see a thing gets NotFound, the same
as if it did not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from portal.accounts.models import Member, Person, Role
from portal.audit import By
from portal.clients.models import Assignment, Client, Contact, ContactRole
from portal.errors import NotFound


class Right(StrEnum):
    """What there is to be allowed."""

    FIRM = "firm"  # firm settings, members, API tokens, installing extensions
    CLIENTS = "clients"  # create clients, assign staff
    COUNTS = "counts"  # a client's name, counts and states
    SEE = "see"  # documents, amounts, file names, error texts
    ADD = "add"  # documents
    CORRECT = "correct"  # fields, matches, retry
    INVOICE = "invoice"  # write, copy, send, pay
    EXPORTS = "exports"  # set up, pause, disconnect storage exports
    IMPORTS = "imports"  # the same for imports
    LEDGER = "ledger"  # the same for accounting packages
    CONTACTS = "contacts"  # invite a client's people; a contact sees documents, so whoever may not cannot invite


_ALL = frozenset(Right)
_ACCOUNTANT = _ALL - {Right.FIRM, Right.CLIENTS, Right.IMPORTS, Right.CONTACTS}
MEMBER_RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.OWNER: _ALL,
    Role.ADMIN: _ALL,
    Role.ACCOUNTANT: _ACCOUNTANT,
    Role.ASSISTANT: frozenset({Right.COUNTS, Right.SEE}),
    Role.CLIENT_MANAGER: frozenset({Right.COUNTS, Right.CLIENTS}),
}
_COMPANY = _ALL - {Right.FIRM, Right.CLIENTS}
CONTACT_RIGHTS: Mapping[ContactRole, frozenset[Right]] = {
    ContactRole.OWNER: _COMPANY,
    ContactRole.ADMIN: _COMPANY,
    ContactRole.MEMBER: frozenset({Right.COUNTS, Right.SEE, Right.ADD}),
}
# Members of these roles see every client of the firm, the others those they are assigned to.
_SEES_ALL = frozenset({Role.OWNER, Role.ADMIN, Role.CLIENT_MANAGER})
# What a bearer token with a scope may at most do; the person's own rights still apply.
SCOPES: Mapping[str, frozenset[Right]] = {
    "read": frozenset({Right.COUNTS, Right.SEE}),
    "documents": frozenset({Right.COUNTS, Right.SEE, Right.ADD, Right.CORRECT}),
    "integrations": frozenset({Right.COUNTS, Right.SEE, Right.EXPORTS, Right.IMPORTS, Right.LEDGER, Right.CORRECT}),
    "admin": _ALL,
}


@dataclass(frozen=True, kw_only=True)
class Viewer:
    """A signed-in person with all that decides what they may do, read once per request."""

    person_id: UUID
    name: str
    email: str
    language: str | None
    firm_id: UUID | None = None  # of a member
    member_id: UUID | None = None
    role: Role | None = None
    contacts: Mapping[UUID, ContactRole] = field(default_factory=dict)  # client -> role
    scopes: frozenset[str] | None = None  # of an API token; None: signed in by browser
    address: str = ""
    token_id: UUID | None = None

    @property
    def by(self) -> By:
        """Who acts, for the audit trail."""
        return By(person_id=self.person_id, name=self.name, address=self.address, token_id=self.token_id)

    @property
    def ceiling(self) -> frozenset[Right]:
        """The most that the way of signing in allows."""
        if self.scopes is None:
            return _ALL
        return frozenset().union(*(SCOPES.get(scope, frozenset()) for scope in self.scopes))

    @property
    def firm_rights(self) -> frozenset[Right]:
        """What the person may do at the firm, whatever the client."""
        return (MEMBER_RIGHTS[self.role] if self.role else frozenset()) & self.ceiling


# Asked with every request, so made once.
_PERSON = (
    sa.select(col(Person.name), col(Person.email), col(Person.language))
    .add_columns(col(Member.firm_id), col(Member.id).label("member_id"), col(Member.role))
    .outerjoin(Member, sa.and_(col(Member.person_id) == col(Person.id), col(Member.ended_at).is_(None)))
    .where(col(Person.id) == sa.bindparam("id"), col(Person.active))
)
_CONTACTS = sa.select(col(Contact.client_id), col(Contact.role)).where(
    col(Contact.person_id) == sa.bindparam("id"), col(Contact.ended_at).is_(None)
)


def viewer_of(
    session: Session,
    person_id: UUID,
    *,
    address: str = "",
    scopes: frozenset[str] | None = None,
    token_id: UUID | None = None,
) -> Viewer | None:
    """The viewer for a person; None when there is none or they were locked out."""
    row = session.execute(_PERSON, {"id": person_id}).first()
    if row is None:
        return None
    contacts = {client_id: ContactRole(role) for client_id, role in session.execute(_CONTACTS, {"id": person_id})}
    return Viewer(
        person_id=person_id, name=row.name, email=row.email, language=row.language, firm_id=row.firm_id,
        member_id=row.member_id, role=row.role, contacts=contacts, scopes=scopes, address=address, token_id=token_id,
    )  # fmt: skip


def clients_of(viewer: Viewer, right: Right = Right.COUNTS) -> SelectOfScalar[Client]:
    """A statement for the clients for which the viewer has ``right``; add filters, order and limit to it."""
    statement = select(Client)
    if viewer.firm_id is not None:
        if right not in viewer.firm_rights:
            return statement.where(col(Client.id).is_(None))
        statement = statement.where(Client.firm_id == viewer.firm_id)
        if viewer.role in _SEES_ALL:
            return statement
        assigned = select(Assignment.client_id).where(Assignment.member_id == viewer.member_id)
        return statement.where(col(Client.id).in_(assigned))
    allowed = [
        client_id for client_id, role in viewer.contacts.items() if right in CONTACT_RIGHTS[role] & viewer.ceiling
    ]
    return statement.where(col(Client.id).in_(allowed))


def client_or_404(session: Session, viewer: Viewer, client_id: UUID, right: Right) -> Client:
    """The client, if the viewer has ``right`` for it; else NotFound."""
    client = session.exec(clients_of(viewer, right).where(Client.id == client_id)).one_or_none()
    if client is None:
        raise NotFound
    return client


def rights_for(viewer: Viewer, client: Client) -> frozenset[Right]:
    """Everything the viewer may do for a client they can see (for showing or hiding buttons)."""
    if viewer.firm_id is not None:
        return viewer.firm_rights if client.firm_id == viewer.firm_id else frozenset()
    role = viewer.contacts.get(client.id)
    return CONTACT_RIGHTS[role] & viewer.ceiling if role else frozenset()


def firm_or_404(viewer: Viewer, right: Right) -> UUID:
    """The viewer's firm, if they have ``right`` there; else NotFound."""
    if viewer.firm_id is None or right not in viewer.firm_rights:
        raise NotFound
    return viewer.firm_id
