"""Claiming a delivery: one conditional UPDATE decides who works on it, a lease ends what a dead worker began."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from portal import clock
from portal.db import Database
from portal.delivery.models import Attempt, Delivery, State
from portal.instances.models import Instance, InstanceState

# A claim ends this long after its worker's last sign of life …
LEASE = timedelta(seconds=45)
# … which it gives this often, in seconds.
SIGN_OF_LIFE = 12
# Jobs that may talk to one connection's provider at the same time.
PER_CONNECTION = 2


def claim_next(session: Session, instance_id: UUID, holder: str) -> Delivery | None:
    """Take the next due delivery of an active instance: queued → sending, with an attempt; None when there is none."""
    now = clock.now()
    instance = session.get(Instance, instance_id, populate_existing=True)
    if instance is None or not _may_work(session, instance, now):
        return None
    next_due = (
        select(Delivery.id)
        .where(Delivery.instance_id == instance_id, Delivery.state == State.QUEUED, col(Delivery.due_at) <= now)
        .order_by(col(Delivery.due_at), col(Delivery.id))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    taken = (
        sa.update(Delivery)
        .where(col(Delivery.id) == next_due.scalar_subquery(), col(Delivery.state) == State.QUEUED)
        .values(
            state=State.SENDING,
            lease_until=now + LEASE,
            claimed_by=holder,
            attempts=Delivery.attempts + 1,
            text=None,
            facts={},
            changed_at=now,
        )
        .returning(Delivery)
        .execution_options(populate_existing=True)
    )
    delivery = session.scalars(taken).one_or_none()
    if delivery is not None:
        session.add(Attempt(delivery_id=delivery.id, number=delivery.attempts, worker=holder, started_at=now))
    return delivery


def _may_work(session: Session, instance: Instance, now: datetime) -> bool:
    if instance.state is not InstanceState.ACTIVE:
        return False
    if instance.rest_until is not None and instance.rest_until > now:
        return False
    return instance.connection_id is None or _under_way(session, instance.connection_id, now) < PER_CONNECTION


def _under_way(session: Session, connection_id: UUID, now: datetime) -> int:
    """Deliveries being sent over a connection, whichever instance they belong to."""
    statement = (
        select(sa.func.count())
        .select_from(Delivery)
        .join(Instance, col(Instance.id) == col(Delivery.instance_id))
        .where(
            Instance.connection_id == connection_id, Delivery.state == State.SENDING, col(Delivery.lease_until) > now
        )
    )
    return session.exec(statement).one()


@contextmanager
def kept_alive(db: Database, holder: str) -> Iterator[None]:
    """While this lasts, everything ``holder`` has claimed stays claimed; a process that dies stops saying so."""
    ended = threading.Event()
    thread = threading.Thread(target=_keep, args=(db, holder, ended), name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _keep(db: Database, holder: str, ended: threading.Event) -> None:
    while not ended.wait(SIGN_OF_LIFE):
        with db.transaction() as session:
            session.execute(
                sa.update(Delivery)
                .where(col(Delivery.claimed_by) == holder, col(Delivery.state) == State.SENDING)
                .values(lease_until=clock.now() + LEASE)
            )
