"""The outbox: writes for every document and every exporting instance the delivery that the rule asks for.

``plan_document`` and ``plan_instance`` are the two sides; both may run any number of times and end at the same rows.
What has begun is never rewritten: a change of a document becomes a delivery of its own, for the new version, once the
one under way has ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

import integrations
from integrations.contract import Ability, Operation, Schedule
from portal import clock
from portal.db import ring
from portal.delivery.models import Actor, Delivery, Receipt, State
from portal.delivery.rule import Planned, decide, is_exporting
from portal.documents.models import Document
from portal.instances.models import Instance, InstanceState

PAGE = 500
# An instance in one of these has a delivery for every document of its client.
COLLECTING = (InstanceState.ACTIVE, InstanceState.PAUSED, InstanceState.HELD)
# Nothing was tried yet, or nothing will be without somebody's act: the rule may move the row freely.
_FREE = frozenset(State) - {State.SENDING, State.DELIVERED, State.FAILED, State.REMOVED}


def plan_document(session: Session, document: Document) -> None:
    """Hold a new or changed document against all exporting instances of its client."""
    session.flush()
    current = _current(session, Delivery.document_id == document.id)
    for instance in exporting(session, document.client_id):
        _place(session, document, instance, current.get((document.id, instance.id)), at_once=False)


def plan_instance(session: Session, instance: Instance, after: UUID | None = None, *, page: int = PAGE) -> UUID | None:
    """Hold an instance against a page of its client's documents; return where to go on, or None at the end.

    Called without ``after`` it does the first page in the caller's transaction and rings for the rest.
    """
    session.flush()
    if not is_exporting(instance.kind) or instance.state is InstanceState.DRAFT:
        return None
    statement = select(Document).where(Document.client_id == instance.client_id).order_by(col(Document.id)).limit(page)
    documents = session.exec(statement.where(Document.id > after) if after else statement).all()
    if documents:
        span = sa.and_(
            col(Delivery.instance_id) == instance.id,
            col(Delivery.document_id).between(documents[0].id, documents[-1].id),
        )
        # What waits is not claimed between being read here and written: no claim is overwritten, none waits for us.
        waits = select(Delivery.id).where(span, Delivery.state == State.QUEUED).order_by(col(Delivery.id))
        session.execute(waits.with_for_update())
        current = _current(session, span)
        for document in documents:
            _place(session, document, instance, current.get((document.id, instance.id)), at_once=True)
    last = documents[-1].id if len(documents) == page else None
    if after is None and last is not None:
        ring(session, "plan", instance.id)
    return last


def bring_back(session: Session, instance: Instance) -> None:
    """Let everything go again that was removed at the destination (E4); attempts and receipts so far stay on record."""
    held = instance.state is not InstanceState.ACTIVE
    kept = sa.exists().where(col(Document.id) == col(Delivery.document_id), col(Document.removed_at).is_(None))
    removed = (
        col(Delivery.instance_id) == instance.id, col(Delivery.state) == State.REMOVED, col(Delivery.current), kept
    )  # fmt: skip
    now = clock.now()
    state, due_at = (State.HELD, None) if held else (State.QUEUED, now)
    again = sa.update(Delivery).where(*removed).values(
        state=state, due_at=due_at, text=None, facts={}, actor=Actor.NOBODY, changed_at=now,
        tries_before=Delivery.attempts,
    )  # fmt: skip
    session.execute(again)
    ring(session, "drain", instance.id)


def let_go(session: Session, row: Delivery, instance: Instance, due_at: datetime, text: str | None = None) -> None:
    """Let one go again that has ended, with a fresh row of tries; attempts and receipts so far stay on record.

    ``text`` says why, while it waits for its time. Held while the instance is.
    """
    held, now = instance.state is not InstanceState.ACTIVE, clock.now()
    row.state, row.actor = (State.HELD if held else State.QUEUED), Actor.NOBODY
    row.text, row.facts = (instance.text, dict(instance.facts)) if held else (text, {})
    row.due_at, row.changed_at, row.tries_before = (None if held else due_at), now, row.attempts
    session.add(row)
    if not held and due_at <= now:
        ring(session, "drain", instance.id)


def exporting(session: Session, client_id: UUID) -> list[Instance]:
    """The client's instances that collect documents: active, paused and held ones."""
    statement = select(Instance).where(Instance.client_id == client_id, col(Instance.state).in_(COLLECTING))
    return [instance for instance in session.exec(statement) if is_exporting(instance.kind)]


def replan(session: Session, delivery: Delivery) -> None:
    """Look again at a pair whose delivery has just ended: the document may have changed while it was under way."""
    document = session.get_one(Document, delivery.document_id)
    if document.version == delivery.version:
        return
    instance = session.get_one(Instance, delivery.instance_id)
    if instance.state in COLLECTING:
        _place(session, document, instance, delivery, at_once=False)


def keep_back(session: Session, delivery: Delivery, instance: Instance) -> None:
    """A try ended without effect after its instance was stopped: what is to go again waits as all others there do."""
    _place(session, session.get_one(Document, delivery.document_id), instance, delivery, at_once=False)


def ask(session: Session, document: Document, instance: Instance, person_id: UUID) -> Delivery:
    """Let a document go because a person clicked; recorded on the delivery, also when it lies before activation."""
    now = clock.now()
    pair = sa.and_(col(Delivery.document_id) == document.id, col(Delivery.instance_id) == instance.id)
    delivery = _current(session, pair).get((document.id, instance.id)) or _new(document, instance, State.WAITING)
    session.add(delivery)
    if delivery.state in _FREE and not _begun(delivery):
        delivery.asked_by = person_id
        _set(delivery, decide(document, instance, asked=True), now)
        delivery.version = document.version
        _schedule(session, delivery, instance, now, at_once=True)
    elif delivery.version < document.version:
        _place(session, document, instance, delivery, at_once=True)
    return delivery


def _current(session: Session, condition: sa.ColumnElement[bool] | bool) -> dict[tuple[UUID, UUID], Delivery]:
    statement = select(Delivery).where(condition, col(Delivery.current), Delivery.operation == Operation.COPY)
    return {(row.document_id, row.instance_id): row for row in session.exec(statement)}


def _place(session: Session, document: Document, instance: Instance, row: Delivery | None, *, at_once: bool) -> None:
    """Bring one pair to where the rule wants it, if it may be moved."""
    planned = decide(document, instance, asked=row is not None and row.asked_by is not None)
    target = _target(session, document, instance, row, planned)
    if target is not None:
        now = clock.now()
        _set(target, planned, now)
        _schedule(session, target, instance, now, at_once=at_once)


def _target(
    session: Session, document: Document, instance: Instance, row: Delivery | None, planned: Planned
) -> Delivery | None:
    """The row that the plan may be written to: a fresh one, the present one, or none."""
    if row is None:
        return None if instance.state is InstanceState.REMOVED else _added(session, document, instance, planned)
    if _begun(row):  # may be held and released, nothing else
        return row if {row.state, planned.state} == {State.QUEUED, State.HELD} else None
    if row.state in _FREE or (row.state is State.FAILED and planned.state is State.EXCLUDED):
        row.version = document.version
        return row
    if not _supersedes(document, instance, row, planned):
        return None
    row.current = False
    session.flush()  # the partial unique index allows one current row at any moment
    added = _added(session, document, instance, planned)
    added.asked_by = row.asked_by
    return added


def _added(session: Session, document: Document, instance: Instance, planned: Planned) -> Delivery:
    row = _new(document, instance, planned.state)
    session.add(row)
    return row


def _begun(row: Delivery) -> bool:
    """Whether a try was made whose effect may exist at the provider: its version must be brought to an end."""
    return row.attempts > 0 and row.state in {State.QUEUED, State.HELD, State.SENDING}


def _supersedes(document: Document, instance: Instance, row: Delivery, planned: Planned) -> bool:
    """Whether a changed document asks for a new delivery beside one that has ended."""
    if document.version <= row.version or row.state not in {State.DELIVERED, State.FAILED, State.REMOVED}:
        return False
    if row.state is State.FAILED:
        return True
    updates = Ability.UPDATE in integrations.get(instance.kind).manifest.abilities
    return updates and planned.state in {State.QUEUED, State.HELD, State.ACTION_NEEDED}


def _new(document: Document, instance: Instance, state: State) -> Delivery:
    return Delivery(
        document_id=document.id,
        instance_id=instance.id,
        client_id=document.client_id,
        version=document.version,
        state=state,
    )


def _set(row: Delivery, planned: Planned, now: datetime) -> None:
    if row.state is not planned.state or row.text != planned.text or row.facts != dict(planned.facts):
        row.changed_at = now
    row.state, row.text, row.facts, row.actor = planned.state, planned.text, dict(planned.facts), planned.actor


def _schedule(session: Session, row: Delivery, instance: Instance, now: datetime, *, at_once: bool) -> None:
    """Give a queued row its time and ring if that is now; other states have none."""
    if row.state is not State.QUEUED:
        row.due_at = None
        return
    if row.due_at is None or (at_once and row.due_at > now and not _begun(row)):
        nightly = integrations.get(instance.kind).manifest.schedule is Schedule.NIGHTLY
        waits = nightly and not at_once and instance.next_run_at is not None
        row.due_at = instance.next_run_at if waits else now
    if row.due_at is not None and row.due_at <= now:
        ring(session, "drain", instance.id)


def missing_pairs(session: Session, instance: Instance, since: datetime | None, limit: int) -> Sequence[Document]:
    """Documents of the client, arrived since, that have no delivery at this instance nor any trace of one.

    A pair that has a receipt but no row was tampered with: it is left as it is, for ``kontor verify`` to show.
    """
    pair = sa.and_(col(Delivery.document_id) == Document.id, col(Delivery.instance_id) == instance.id)
    proof = sa.and_(col(Receipt.document_id) == Document.id, col(Receipt.instance_id) == instance.id)
    statement = (
        select(Document)
        .where(Document.client_id == instance.client_id)
        .where(~sa.exists().where(pair), ~sa.exists().where(proof))
        .limit(limit)
    )
    return session.exec(statement.where(Document.arrived_at >= since) if since else statement).all()


def fill(session: Session, documents: Iterable[Document], instance: Instance) -> None:
    """Insert what is missing; see ``missing_pairs``."""
    for document in documents:
        _place(session, document, instance, None, at_once=False)
