"""Who is told: whoever connected if they still may, else the client's accountants, else the firm's owners and admins.

Only people who may reconnect this kind (PRODUCT section 9): a notice to anybody else could not be acted on.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from portal import access
from portal.access import MEMBER_RIGHTS
from portal.accounts.models import Member, Person, Role
from portal.clients.models import Assignment, Client
from portal.connections import services as connections
from portal.connections.models import Connection
from portal.extensions import services as extensions


def right_ones(session: Session, connection: Connection) -> Sequence[UUID]:
    """The people to tell of a connection, the first of the groups above that is not empty."""
    given = connections.consents(session, connection)
    if given and may_reconnect(session, given[0].person_id, connection):
        return [given[0].person_id]
    firm_id = session.get_one(Client, connection.client_id).firm_id
    assigned = select(Assignment.member_id).where(Assignment.client_id == connection.client_id)
    may = [role for role, rights in MEMBER_RIGHTS.items() if extensions.right_of(connection.kind) in rights]
    workers = _members(firm_id).where(col(Member.id).in_(assigned), col(Member.role).in_(may))
    found = session.exec(workers).all()
    return found or session.exec(_members(firm_id).where(col(Member.role).in_([Role.OWNER, Role.ADMIN]))).all()


def may_reconnect(session: Session, person_id: UUID, connection: Connection) -> bool:
    """Whether this person may reconnect it now."""
    viewer = access.viewer_of(session, person_id)
    if viewer is None:
        return False
    mine = access.clients_of(viewer, extensions.right_of(connection.kind))
    return session.exec(mine.where(Client.id == connection.client_id)).first() is not None


def _members(firm_id: UUID) -> SelectOfScalar[UUID]:
    """The ids of people who are members now, in the order they became so."""
    return (
        select(Person.id)
        .join(Member, col(Member.person_id) == col(Person.id))
        .where(Member.firm_id == firm_id, col(Member.ended_at).is_(None), col(Person.active))
        .order_by(col(Member.id))
    )
