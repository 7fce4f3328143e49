"""Read models of deliveries: a client's list, the reasons that stop something over all clients, one delivery whole."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

import integrations
from portal import access
from portal.access import Right, Viewer
from portal.clients.models import Client
from portal.delivery.models import Actor, Attempt, Delivery, Receipt, State
from portal.delivery.services import delivery_or_404
from portal.documents.models import Document
from portal.errors import NotFound
from portal.instances.models import Instance, InstanceState
from portal.overview.completeness import Period

PAGE = 50
Statement = sa.Select[Delivery, Document, Instance, str | None]
# What stands still until somebody acts.
STOPPED = (State.ACTION_NEEDED, State.FAILED, State.HELD, State.REMOVED)


@dataclass(frozen=True)
class Line:
    """One delivery with what a list shows of its document and instance."""

    delivery: Delivery
    document: Document
    instance: Instance
    link: str | None


@dataclass(frozen=True)
class Lines:
    """A page of a list; ``after`` asks for the next."""

    lines: Sequence[Line]
    after: UUID | None


@dataclass(frozen=True)
class Reason:
    """One reason for which deliveries stand still, over all clients the viewer may see."""

    state: State
    text: str | None
    actor: Actor
    extension: str  # its name
    deliveries: int
    clients: int
    example: UUID  # a delivery with this reason
    facts: Mapping[str, object]  # of the example


def of_client(
    session: Session,
    viewer: Viewer,
    client_id: UUID,
    *,
    states: Collection[State] = (),
    instance_id: UUID | None = None,
    period: Period | None = None,
    after: UUID | None = None,
    limit: int = PAGE,
) -> Lines:
    """A client's current deliveries, newest first, by states, instance and the documents' arrival."""
    access.client_or_404(session, viewer, client_id, Right.SEE)
    statement = _lines().where(col(Delivery.client_id) == client_id).order_by(col(Delivery.id).desc()).limit(limit + 1)
    if states:
        statement = statement.where(col(Delivery.state).in_(states))
    if instance_id is not None:
        statement = statement.where(col(Delivery.instance_id) == instance_id)
    if after is not None:
        statement = statement.where(col(Delivery.id) < after)
    if period is not None and period.since is not None and period.until is not None:
        statement = statement.where(col(Document.arrived_at) >= period.since, col(Document.arrived_at) < period.until)
    return _page(session, statement, limit)


def _page(session: Session, statement: Statement, limit: int) -> Lines:
    found = [Line(*row) for row in session.execute(statement)]
    return Lines(lines=found[:limit], after=found[limit - 1].delivery.id if len(found) > limit else None)


def _lines() -> Statement:
    same_receipt = sa.and_(
        col(Receipt.document_id) == col(Delivery.document_id),
        col(Receipt.instance_id) == col(Delivery.instance_id),
        col(Receipt.operation) == col(Delivery.operation),
        col(Receipt.version) == col(Delivery.version),
    )
    return (
        sa.select(Delivery, Document, Instance, col(Receipt.link))
        .join(Document, col(Document.id) == col(Delivery.document_id))
        .join(Instance, col(Instance.id) == col(Delivery.instance_id))
        .outerjoin(Receipt, same_receipt)
        .where(col(Delivery.current))
    )


def reasons(session: Session, viewer: Viewer) -> list[Reason]:
    """Why things stand still, over all clients one may see; the most frequent reason first."""
    allowed = access.clients_of(viewer, Right.SEE).with_only_columns(col(Client.id))
    number = sa.func.count()
    statement = (
        sa.select(
            col(Delivery.state),
            col(Delivery.text),
            col(Delivery.actor),
            col(Instance.kind),
            number,
            sa.func.count(sa.distinct(col(Delivery.client_id))),
            sa.func.min(sa.cast(col(Delivery.id), sa.String)),
        )
        .join(Instance, col(Instance.id) == col(Delivery.instance_id))
        .where(
            col(Delivery.client_id).in_(allowed),
            col(Delivery.state).in_(STOPPED),
            col(Delivery.current),
            col(Instance.state) != InstanceState.REMOVED,
        )
        .group_by(col(Delivery.state), col(Delivery.text), col(Delivery.actor), col(Instance.kind))
        .order_by(number.desc())
    )
    return [_reason(session, tuple(row)) for row in session.execute(statement)]


def _reason(session: Session, row: tuple[Any, ...]) -> Reason:
    state, text, actor, kind, deliveries, clients, example = row
    facts = session.exec(select(Delivery.facts).where(Delivery.id == UUID(example))).one()
    name = integrations.get(kind).manifest.name if kind in integrations.kinds() else kind
    return Reason(state, text, actor, name, deliveries, clients, UUID(example), facts)


def with_reason(
    session: Session, viewer: Viewer, example_id: UUID, *, after: UUID | None = None, limit: int = PAGE
) -> Lines:
    """Everything that stands still for the same reason as the example, over all clients one may see."""
    example = delivery_or_404(session, viewer, example_id, Right.SEE)
    allowed = access.clients_of(viewer, Right.SEE).with_only_columns(col(Client.id))
    same_text = col(Delivery.text).is_(None) if example.text is None else col(Delivery.text) == example.text
    statement = (
        _lines()
        .where(col(Delivery.client_id).in_(allowed), col(Delivery.state) == example.state, same_text)
        .order_by(col(Delivery.id).desc())
        .limit(limit + 1)
    )
    if after is not None:
        statement = statement.where(col(Delivery.id) < after)
    return _page(session, statement, limit)


@dataclass(frozen=True)
class Whole:
    """One delivery with everything on record about it."""

    line: Line
    attempts: Sequence[Attempt]
    receipt: Receipt | None
    client: Client


def whole(session: Session, viewer: Viewer, client_id: UUID, delivery_id: UUID) -> Whole:
    """One delivery of a client, its attempts (of all its versions' rows only its own), and its receipt."""
    delivery = delivery_or_404(session, viewer, delivery_id, Right.SEE)
    client = access.client_or_404(session, viewer, client_id, Right.SEE)
    if delivery.client_id != client.id:
        raise NotFound
    attempts = session.exec(
        select(Attempt).where(Attempt.delivery_id == delivery.id).order_by(col(Attempt.number).desc())
    ).all()
    receipt = session.exec(
        select(Receipt).where(
            Receipt.document_id == delivery.document_id,
            Receipt.instance_id == delivery.instance_id,
            Receipt.operation == delivery.operation,
            Receipt.version == delivery.version,
        )
    ).one_or_none()
    document = session.get_one(Document, delivery.document_id)
    instance = session.get_one(Instance, delivery.instance_id)
    line = Line(delivery, document, instance, receipt.link if receipt else None)
    return Whole(line=line, attempts=attempts, receipt=receipt, client=client)


def client_names(session: Session, viewer: Viewer, client_ids: Collection[UUID]) -> dict[UUID, str]:
    """Names of those of the clients that the viewer may see."""
    statement = access.clients_of(viewer, Right.SEE).where(col(Client.id).in_(client_ids))
    return {client.id: client.name for client in session.exec(statement)}
