"""What people do with deliveries: see how they stand, try again, let one go by a click. Pages and API call the same."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

import integrations
from portal import access, audit, clock
from portal.access import Right, Viewer
from portal.clients.models import Client
from portal.delivery import outbox
from portal.delivery.models import Actor, Attempt, Delivery, Drift, Receipt, State
from portal.documents.models import Document
from portal.errors import Conflict, NotFound
from portal.i18n import N_, say
from portal.instances.models import Instance, InstanceState

# A person's retry makes sense in these; everything else goes by itself or needs something else first.
RETRYABLE = frozenset({State.FAILED, State.REMOVED})
MOST_AT_ONCE = 1000


@dataclass(frozen=True)
class Status:
    """How one document stands at one instance (P6)."""

    delivery_id: UUID
    instance_id: UUID
    instance_name: str
    kind: str
    state: State
    text: str | None
    facts: Mapping[str, object]
    actor: Actor
    link: str | None
    due_at: datetime | None = None
    drift: Drift | None = None  # found at the provider, and open

    @property
    def waits_until(self) -> datetime | None:
        """When it goes, if that is not about now."""
        waits = self.state is State.QUEUED and self.due_at is not None and self.due_at - clock.now() > _SOON
        return self.due_at if waits else None

    @property
    def moves(self) -> bool:
        """Whether it goes on by itself in the next minutes."""
        return self.state in _MOVING and self.waits_until is None


@dataclass(frozen=True, slots=True)
class Mark:
    """How one document stands at one instance, as a list shows it. Equal marks look the same."""

    instance_id: UUID
    state: State
    text: str | None
    facts: str  # JSON

    @property
    def said(self) -> str:
        """Why it stands so, in the reader's language."""
        return say(self.text, json.loads(self.facts)) if self.text else ""

    @property
    def moves(self) -> bool:
        """Whether it goes on by itself."""
        return self.state in _MOVING


# What is due later than this waits for its hour.
_SOON = timedelta(minutes=2)
_MOVING = frozenset({State.READING, State.QUEUED, State.SENDING})
_MARK = sa.select(
    col(Delivery.document_id), col(Delivery.instance_id), col(Delivery.state), col(Delivery.text),
    sa.cast(col(Delivery.facts), sa.Text),
).order_by(col(Delivery.instance_id), col(Delivery.operation))  # fmt: skip


def marks(session: Session, document_ids: Sequence[UUID]) -> dict[UUID, tuple[Mark, ...]]:
    """How each document stands at each instance, read as fast as a list needs it; instances in the order of their age.

    Takes ids that the caller has already resolved for the viewer.
    """
    found: dict[UUID, tuple[Mark, ...]] = {}
    wanted = _MARK.where(col(Delivery.document_id).in_(document_ids), col(Delivery.current))
    for document_id, *mark in session.execute(wanted):
        found[document_id] = (*found.get(document_id, ()), Mark(*mark))
    return found


def statuses(session: Session, document_ids: Sequence[UUID]) -> dict[UUID, list[Status]]:
    """The current status of each document at each instance, for lists; instances in the order of their age.

    Takes ids that the caller has already resolved for the viewer.
    """
    statement = (
        select(Delivery, Instance, Receipt.link, Drift)
        .join(Instance, col(Instance.id) == col(Delivery.instance_id))
        .outerjoin(Receipt, _own_receipt())
        .outerjoin(Drift, _open_drift())
        .where(col(Delivery.document_id).in_(document_ids), col(Delivery.current))
        .order_by(col(Instance.id), col(Delivery.operation))
    )
    found: dict[UUID, list[Status]] = defaultdict(list)
    for delivery, instance, link, drift in session.exec(statement):
        if instance.state is not InstanceState.REMOVED or delivery.state is State.DELIVERED:
            found[delivery.document_id].append(_status(delivery, instance, link, drift))
    return dict(found)


def _own_receipt() -> sa.ColumnElement[bool]:
    """The receipt of the same pair and operation at the same version, else none."""
    return sa.and_(
        col(Receipt.document_id) == col(Delivery.document_id),
        col(Receipt.instance_id) == col(Delivery.instance_id),
        col(Receipt.operation) == col(Delivery.operation),
        col(Receipt.version) == col(Delivery.version),
    )


def _open_drift() -> sa.ColumnElement[bool]:
    """What stands open of the pair: at most one, found by the index of open ones."""
    return sa.and_(
        col(Drift.document_id) == col(Delivery.document_id),
        col(Drift.instance_id) == col(Delivery.instance_id),
        col(Drift.delivery_id) == col(Delivery.id),
        col(Drift.settled_at).is_(None),
    )


def _status(delivery: Delivery, instance: Instance, link: str | None, drift: Drift | None) -> Status:
    return Status(
        delivery_id=delivery.id,
        instance_id=instance.id,
        instance_name=instance.name,
        kind=instance.kind,
        state=delivery.state,
        text=delivery.text,
        facts=delivery.facts,
        actor=delivery.actor,
        link=link,
        due_at=delivery.due_at,
        drift=drift,
    )


def attempts(session: Session, viewer: Viewer, delivery_id: UUID) -> Sequence[Attempt]:
    """Every try of a delivery, newest first."""
    delivery_or_404(session, viewer, delivery_id, Right.SEE)
    statement = select(Attempt).where(Attempt.delivery_id == delivery_id).order_by(col(Attempt.number).desc())
    return session.exec(statement).all()


def delivery_or_404(session: Session, viewer: Viewer, delivery_id: UUID, right: Right) -> Delivery:
    """The delivery, if the viewer has ``right`` for its client; else NotFound."""
    delivery = session.get(Delivery, delivery_id)
    if delivery is None:
        raise NotFound
    access.client_or_404(session, viewer, delivery.client_id, right)
    return delivery


def retry(session: Session, viewer: Viewer, client_id: UUID, delivery_ids: Iterable[UUID]) -> int:
    """Try failed deliveries of a client again; return how many are queued. Others are left as they are."""
    client = access.client_or_404(session, viewer, client_id, Right.CORRECT)
    chosen = select(Delivery).where(
        Delivery.client_id == client.id,
        col(Delivery.id).in_(list(delivery_ids)[:MOST_AT_ONCE]),
        col(Delivery.state).in_(RETRYABLE),
        col(Delivery.current),
    )
    return _retry(session, viewer, session.exec(chosen.with_for_update()).all())


def retry_same(session: Session, viewer: Viewer, delivery_id: UUID) -> int:
    """Try again everything that failed for the same reason, over all clients the viewer may correct (P8)."""
    model = delivery_or_404(session, viewer, delivery_id, Right.CORRECT)
    allowed = access.clients_of(viewer, Right.CORRECT).with_only_columns(col(Client.id))
    chosen = select(Delivery).where(
        Delivery.state == model.state,
        Delivery.text == model.text,
        col(Delivery.current),
        col(Delivery.client_id).in_(allowed),
    )
    return _retry(session, viewer, session.exec(chosen.limit(MOST_AT_ONCE).with_for_update()).all())


def _retry(session: Session, viewer: Viewer, deliveries: Sequence[Delivery]) -> int:
    """A person's retry starts a fresh row of tries; the attempts so far stay on record."""
    now, queued = clock.now(), 0
    for delivery in deliveries:
        instance = session.get_one(Instance, delivery.instance_id)
        if instance.state not in outbox.COLLECTING or delivery.state not in RETRYABLE:
            continue
        outbox.let_go(session, delivery, instance, now)
        instance.rest_until, instance.failures = None, 0
        queued += 1
        _audit(session, viewer, delivery, "delivery.retried")
    return queued


def ask(session: Session, viewer: Viewer, document_id: UUID, instance_id: UUID) -> Delivery:
    """Let one document go to one instance because a person wants it: the recorded exception of P5.

    Conflict when the instance does not take such documents or its set-up is not finished.
    """
    document = session.get(Document, document_id)
    instance = session.get(Instance, instance_id)
    if document is None or instance is None or document.client_id != instance.client_id:
        raise NotFound
    access.client_or_404(session, viewer, document.client_id, Right.INVOICE)
    taken = integrations.get(instance.kind).manifest.takes
    if instance.state not in outbox.COLLECTING:
        raise Conflict(N_("This integration is not active."))
    if document.kind is not None and document.kind not in taken:
        raise Conflict(N_("This integration does not take documents of this kind."))
    delivery = outbox.ask(session, document, instance, viewer.person_id)
    _audit(session, viewer, delivery, "delivery.asked")
    return delivery


def _audit(session: Session, viewer: Viewer, delivery: Delivery, action: str) -> None:
    client = session.get_one(Client, delivery.client_id)
    facts = {
        "document": str(delivery.document_id),
        "instance": str(delivery.instance_id),
        "version": delivery.version,
    }
    audit.record(
        session, client.firm_id, action, by=viewer.by, client_id=client.id, subject_id=delivery.id, facts=facts
    )
