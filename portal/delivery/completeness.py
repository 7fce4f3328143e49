"""Completeness (P7): the documents there are, against what the outbox says of them, against what receipts prove.

``counts`` is for a page: documents and states side by side, difference 0 or the page says so. ``verify`` proves it row
by row: what is expected comes from documents and instances by the same pure rule, what was delivered from receipts and
the audit chain, so that a row that somebody deleted, forged or changed shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from integrations.contract import Operation
from portal import audit
from portal.clients.models import Client
from portal.delivery import outbox, trail, tries
from portal.delivery.models import Attempt, Delivery, Outcome, Receipt, State
from portal.delivery.problem import (
    CHAIN_BROKEN,
    NO_ATTEMPT,
    NO_DELIVERY,
    NO_RECEIPT,
    NO_ROW,
    ROW_DELETED,
    TOO_EARLY,
    WRONG_STATE,
    Problem,
)
from portal.delivery.rule import decide, is_exporting
from portal.documents.models import Document
from portal.instances.models import Instance, InstanceState
from portal.traces import DeletedRow

PAGE = 1000
# Once something was tried the rule no longer decides alone: these are where a pair may then be.
_TRIED = frozenset({State.SENDING, State.DELIVERED, State.FAILED, State.REMOVED})


@dataclass(frozen=True)
class Counts:
    """One instance and period: ``documents`` = the sum of ``states`` when nothing is missing."""

    documents: int
    states: Mapping[State, int]
    receipts: int  # current deliveries in state delivered that have their receipt

    @property
    def difference(self) -> int:
        """Documents that no state accounts for; anything but 0 is an alarm."""
        return self.documents - sum(self.states.values())

    @property
    def unproven(self) -> int:
        """Deliveries that say delivered without a receipt; anything but 0 is an alarm."""
        return self.states.get(State.DELIVERED, 0) - self.receipts


def counts(
    session: Session, instance: Instance, since: datetime | None = None, until: datetime | None = None
) -> Counts:
    """The sums for one instance over the documents that arrived in ``[since, until)``."""
    period = [col(Document.client_id) == instance.client_id]
    period += [col(Document.arrived_at) >= since] if since else []
    period += [col(Document.arrived_at) < until] if until else []
    documents = session.exec(select(sa.func.count()).select_from(Document).where(*period)).one()
    current = [
        col(Delivery.instance_id) == instance.id,
        col(Delivery.current),
        col(Delivery.operation) == Operation.COPY,
    ]
    rows = (
        select(Delivery.state, sa.func.count(), sa.func.count(col(Receipt.id)))
        .join(Document, col(Document.id) == col(Delivery.document_id))
        .outerjoin(Receipt, _receipt_of(Delivery))
        .where(*current, *period)
        .group_by(col(Delivery.state))
    )
    found = list(session.exec(rows))
    states = {State(state): number for state, number, _ in found}
    proven = sum(with_receipt for state, _, with_receipt in found if state == State.DELIVERED)
    return Counts(documents=documents, states=states, receipts=proven)


def _receipt_of(delivery: type[Delivery]) -> sa.ColumnElement[bool]:
    return sa.and_(
        col(Receipt.document_id) == col(delivery.document_id),
        col(Receipt.instance_id) == col(delivery.instance_id),
        col(Receipt.operation) == col(delivery.operation),
        col(Receipt.version) == col(delivery.version),
    )


def verify(session: Session, firm_id: UUID) -> Iterator[Problem]:
    """Everything that does not hold at a firm; nothing when all is complete and unchanged. Reads only."""
    number = audit.broken(session, firm_id)
    if number is not None:
        yield Problem(None, None, None, CHAIN_BROKEN, {"number": number})
    statement = (
        select(Instance)
        .join(Client, col(Client.id) == col(Instance.client_id))
        .where(Client.firm_id == firm_id, Instance.state != InstanceState.DRAFT)
        .order_by(col(Instance.id))
    )
    for instance in session.exec(statement).all():
        if is_exporting(instance.kind):
            yield from _pairs(session, instance)
            yield from _receipts(session, instance)
            yield from tries.verify(session, instance)
    yield from trail.verify(session, firm_id)


def _pairs(session: Session, instance: Instance) -> Iterator[Problem]:
    """Every document against its row at one instance, a page of documents at a time."""
    last: UUID | None = None
    while True:
        statement = select(Document).where(Document.client_id == instance.client_id).order_by(col(Document.id))
        page = session.exec((statement.where(Document.id > last) if last else statement).limit(PAGE)).all()
        if not page:
            return
        rows = _rows(session, instance, page[0].id, page[-1].id)
        for document in page:
            yield from _pair(document, instance, rows.get(document.id))
        last = page[-1].id
        session.expunge_all()
        session.add(instance)


def _rows(session: Session, instance: Instance, first: UUID, last: UUID) -> dict[UUID, Delivery]:
    statement = select(Delivery).where(
        Delivery.instance_id == instance.id,
        col(Delivery.document_id).between(first, last),
        col(Delivery.current),
        Delivery.operation == Operation.COPY,
    )
    return {row.document_id: row for row in session.exec(statement)}


def _pair(document: Document, instance: Instance, row: Delivery | None) -> Iterator[Problem]:
    where = (document.client_id, instance.id, document.id)
    if row is None:
        if instance.state in outbox.COLLECTING:
            yield Problem(*where, NO_ROW, {})
        return
    expected = decide(document, instance, asked=row.asked_by is not None).state
    tried = row.state in _TRIED or (row.attempts > 0 and row.state in {State.QUEUED, State.HELD})
    if tried and expected is State.BEFORE_ACTIVATION:
        yield Problem(*where, TOO_EARLY, {})
    # A queued row may wait for its bell, its turn or its next try; what was tried may be anywhere it leads to.
    if row.state is expected or tried:
        return
    if instance.state is not InstanceState.REMOVED:
        yield Problem(*where, WRONG_STATE, {"state": row.state.value, "expected": expected.value})


def _receipts(session: Session, instance: Instance) -> Iterator[Problem]:
    """Rows that say delivered against receipts and attempts, and receipts against rows."""
    delivered = sa.and_(col(Delivery.instance_id) == instance.id, col(Delivery.state) == State.DELIVERED)
    proven = sa.exists().where(_receipt_of(Delivery))
    for row in session.exec(select(Delivery).where(delivered, ~proven)):
        yield Problem(row.client_id, instance.id, row.document_id, NO_RECEIPT, {})
    brought = sa.exists().where(col(Attempt.delivery_id) == col(Delivery.id), col(Attempt.outcome) == Outcome.DELIVERED)
    for row in session.exec(select(Delivery).where(delivered, ~brought)):
        yield Problem(row.client_id, instance.id, row.document_id, NO_ATTEMPT, {})
    has_row = sa.exists().where(
        _receipt_of(Delivery),
        sa.or_(col(Delivery.state).in_([State.DELIVERED, State.REMOVED]), col(Delivery.attempts) > 0),
    )
    for receipt in session.exec(select(Receipt).where(Receipt.instance_id == instance.id, ~has_row)):
        yield Problem(instance.client_id, instance.id, receipt.document_id, NO_DELIVERY, {})


def deleted(session: Session) -> Iterator[Problem]:
    """Rows that somebody deleted, at whatever firm; the portal deletes none of their kind."""
    for row in session.exec(select(DeletedRow).order_by(col(DeletedRow.deleted_at)).limit(PAGE)):
        yield Problem(None, None, None, ROW_DELETED, {"table": row.table_name, "row": str(row.row_id)})
