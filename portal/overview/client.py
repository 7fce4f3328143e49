"""A client at a glance: what is open, with the way to it; the latest documents; integrations with their state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from portal import access, clock
from portal.access import Right, Viewer
from portal.clients.models import Client
from portal.connections.models import Connection, ConnectionState
from portal.delivery import models as delivery
from portal.delivery.models import Actor, Delivery, Drift, State
from portal.documents import models as documents
from portal.documents.models import Document, Refusal
from portal.instances.models import Instance, InstanceState
from portal.overview import board
from portal.overview.board import Item

MOST = 8


@dataclass(frozen=True)
class Stopped:
    """Deliveries that stand still for the same reason at the same instance."""

    state: State
    text: str | None
    facts: Mapping[str, object]
    actor: Actor
    instance: Instance
    number: int
    document: Document  # one of them


@dataclass(frozen=True)
class Undecided:
    """A document that waits for a person whatever the integrations: kind unknown, or perhaps a duplicate."""

    document: Document
    is_twin: bool


@dataclass(frozen=True)
class Glance:
    """The overview page of one client. Lists are empty for whoever sees counts only."""

    client: Client
    counts: Mapping[Item, int]
    stopped: Sequence[Stopped]
    undecided: Sequence[Undecided]
    changed: Sequence[tuple[Instance, int]]  # how many of its documents were changed at the destination
    connections: Sequence[Connection]
    refusals: int
    recent: Sequence[Document]
    instances: Sequence[Instance]
    waiting: int  # queued or under way
    delivered_at: datetime | None  # when a delivery last changed to delivered


def of(session: Session, viewer: Viewer, client_id: UUID) -> Glance:
    """The client at a glance, as far as the viewer may see."""
    client = access.client_or_404(session, viewer, client_id, Right.COUNTS)
    sees = Right.SEE in access.rights_for(viewer, client)
    return Glance(
        client=client,
        counts=board.counts(session, [client.id]).get(client.id, {}),
        stopped=_stopped(session, client_id) if sees else (),
        undecided=_undecided(session, client_id) if sees else (),
        changed=_changed(session, client_id) if sees else (),
        connections=_ending(session, client_id) if sees else (),
        refusals=_refusals(session, client_id) if sees else 0,
        recent=_recent(session, client_id) if sees else (),
        instances=_instances(session, client_id),
        waiting=_number(session, client_id, State.QUEUED, State.SENDING),
        delivered_at=_latest(session, client_id),
    )


def _stopped(session: Session, client_id: UUID) -> list[Stopped]:
    """Grouped by what the person reads: state, instance and sentence."""
    example = sa.func.min(sa.cast(col(Delivery.id), sa.String))  # PostgreSQL knows no smallest UUID
    same = (col(Delivery.instance_id), col(Delivery.state), col(Delivery.text))
    grouped = (
        sa.select(col(Delivery.state), col(Delivery.text), sa.func.count(), example)
        .where(col(Delivery.client_id) == client_id, sa.text(delivery.OPEN))
        .group_by(*same)
        .order_by(sa.func.count().desc(), example)
        .limit(MOST)
    )
    found = []
    for state, text, number, one in session.connection().execute(grouped):
        row, instance, document = session.exec(
            select(Delivery, Instance, Document)
            .join(Instance, col(Instance.id) == Delivery.instance_id)
            .join(Document, col(Document.id) == Delivery.document_id)
            .where(Delivery.id == UUID(one))
        ).one()
        found.append(Stopped(state, text, row.facts, row.actor, instance, number, document))
    return found


def _undecided(session: Session, client_id: UUID) -> list[Undecided]:
    rows = session.exec(
        select(Document)
        .where(Document.client_id == client_id, sa.text(documents.ATTENTION))
        .order_by(col(Document.id).desc())
        .limit(MOST)
    )
    return [Undecided(row, row.twin_id is not None and not row.twin_accepted) for row in rows]


def _changed(session: Session, client_id: UUID) -> Sequence[tuple[Instance, int]]:
    mine = sa.and_(col(Drift.client_id) == client_id, col(Drift.settled_at).is_(None))
    of = col(Drift.instance_id)
    each = sa.select(of, sa.func.count().label("number")).where(mine).group_by(of).subquery()
    return [
        (instance, number)
        for instance, number in session.exec(
            select(Instance, each.c.number).join(each, each.c.instance_id == Instance.id).order_by(col(Instance.name))
        )
    ]


def _ending(session: Session, client_id: UUID) -> Sequence[Connection]:
    soon = sa.and_(
        col(Connection.state) == ConnectionState.LIVE, col(Connection.expires_at) < clock.now() + board.AHEAD
    )
    return session.exec(
        select(Connection)
        .where(Connection.client_id == client_id, sa.or_(col(Connection.state) == ConnectionState.DEAD, soon))
        .order_by(col(Connection.id))
        .limit(MOST)
    ).all()


def _refusals(session: Session, client_id: UUID) -> int:
    unseen = select(Refusal.id).where(Refusal.client_id == client_id, col(Refusal.seen_at).is_(None)).limit(1000)
    return session.exec(select(func.count()).select_from(unseen.subquery())).one()


def _recent(session: Session, client_id: UUID) -> Sequence[Document]:
    return session.exec(
        select(Document)
        .where(Document.client_id == client_id, col(Document.removed_at).is_(None))
        .order_by(col(Document.arrived_at).desc(), col(Document.id).desc())
        .limit(MOST)
    ).all()


def _instances(session: Session, client_id: UUID) -> Sequence[Instance]:
    return session.exec(
        select(Instance)
        .where(Instance.client_id == client_id, Instance.state != InstanceState.REMOVED)
        .order_by(col(Instance.created_at), col(Instance.id))
        .limit(50)
    ).all()


def _number(session: Session, client_id: UUID, *states: State) -> int:
    found = select(func.count()).where(Delivery.client_id == client_id, col(Delivery.state).in_(states))
    return session.exec(found.select_from(Delivery)).one()


def _latest(session: Session, client_id: UUID) -> datetime | None:
    """From the newest delivered row by arrival: near enough for a headline, and one step in an index."""
    newest = (
        select(Delivery.changed_at)
        .where(Delivery.client_id == client_id, Delivery.state == State.DELIVERED)
        .order_by(col(Delivery.id).desc())
        .limit(1)
    )
    return session.exec(newest).first()
