"""The sweep: brings back what a dead worker, a lost bell or a race left behind. Harmless however often."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from portal import clock
from portal.connections import sign_in
from portal.db import Database, ring
from portal.delivery import lookback, outbox, record
from portal.delivery.models import Delivery, State, literally
from portal.delivery.rule import is_exporting
from portal.documents.models import Document, Reading
from portal.instances.models import Instance, InstanceState

# A document that waits longer than this for its reader has lost its bell.
READ_AFTER = timedelta(seconds=30)
# How far back the frequent look for missing pairs goes; a whole look follows from time to time.
RECENT = timedelta(hours=2)
BATCH = 500


def sweep(db: Database, *, whole: bool = False) -> None:
    """One pass over everything; each part commits for itself. ``whole`` looks over all time, and tidies up."""
    end_leases(db)
    ring_due(db)
    fill_gaps(db, None if whole else clock.now() - RECENT)
    if whole:
        with db.transaction() as session:
            sign_in.forget_old(session)


def end_leases(db: Database) -> int:
    """Deliveries whose worker gave no sign of life are queued again; return how many."""
    with db.transaction() as session:
        expired = (
            select(Delivery)
            .where(col(Delivery.state) == literally(State.SENDING), col(Delivery.lease_until) < clock.now())
            .order_by(col(Delivery.instance_id), col(Delivery.id))  # in the order in which all lock instances
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        )
        deliveries = session.exec(expired).all()
        for delivery in deliveries:
            record.lost(session, delivery)
            ring(session, "drain", delivery.instance_id)
    return len(deliveries)


def ring_due(db: Database) -> None:
    """Ring for all that is due: the bell may have been lost, or it was not yet due when it rang."""
    now = clock.now()
    with db.transaction() as session:
        for instance_id in session.exec(_due_instances(now)):
            ring(session, "drain", instance_id)
        for looked_at in session.exec(lookback.due(now)):
            ring(session, "look", looked_at)
        unread = select(Document.id).where(Document.reading == Reading.WAITING, Document.arrived_at < now - READ_AFTER)
        for document_id in session.exec(unread.limit(BATCH)):
            ring(session, "read", document_id)


def _due_instances(now: datetime) -> SelectOfScalar[UUID]:
    due = sa.exists().where(
        col(Delivery.instance_id) == Instance.id,
        col(Delivery.state) == literally(State.QUEUED),
        col(Delivery.due_at) <= now,
    )
    rested = sa.or_(col(Instance.rest_until).is_(None), col(Instance.rest_until) <= now)
    return select(Instance.id).where(Instance.state == InstanceState.ACTIVE, rested, due)


def fill_gaps(db: Database, since: datetime | None) -> int:
    """Insert the deliveries that a race between a document and an instance left out; return how many."""
    with db.read() as session:
        found = session.exec(select(Instance).where(col(Instance.state).in_(outbox.COLLECTING))).all()
    filled = 0
    for instance in found:
        if is_exporting(instance.kind):
            filled += _fill(db, instance, since)
    return filled


def _fill(db: Database, instance: Instance, since: datetime | None) -> int:
    with db.read() as session:
        if not outbox.missing_pairs(session, instance, since, 1):
            return 0
    with db.transaction() as session:
        present = session.get_one(Instance, instance.id)
        documents = outbox.missing_pairs(session, present, since, BATCH)
        outbox.fill(session, documents, present)
    return len(documents)
