"""Claiming a delivery: one conditional UPDATE decides who works on it, a lease ends what a dead worker began."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlalchemy.sql.dml import ReturningUpdate
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from portal import clock
from portal.db import Database, Instant
from portal.delivery.models import Attempt, Delivery, State, literally
from portal.instances.models import Instance, InstanceState

# A claim ends this long after its worker's last sign of life …
LEASE = timedelta(seconds=45)
# … which it gives this often, in seconds.
SIGN_OF_LIFE = 12
# Deliveries that may be under way over one connection at the same time, unless its kind takes more.
PER_CONNECTION = 2
_NOW = sa.bindparam("at_now", type_=Instant)


def claim_next(session: Session, instance_id: UUID, holder: str, most: int = PER_CONNECTION) -> Delivery | None:
    """Take the next due delivery of an active instance: queued → sending, with an attempt; None when there is none.

    An instance that rests, or whose connection has ``most`` deliveries under way, has none at the moment.
    """
    now = clock.now()
    given = {"at_instance": instance_id, "by_holder": holder, "at_now": now, "at_end": now + LEASE, "at_most": most}
    delivery = session.scalars(_taking(), given).one_or_none()
    if delivery is not None:
        session.add(Attempt(delivery_id=delivery.id, number=delivery.attempts, worker=holder, started_at=now))
    return delivery


@cache
def _taking() -> ReturningUpdate[Delivery]:
    """The statement, built once: building it costs as much as running it."""
    return (
        sa.update(Delivery)
        .where(col(Delivery.id) == _next_due().scalar_subquery(), col(Delivery.state) == State.QUEUED)
        .values(
            state=State.SENDING,
            lease_until=sa.bindparam("at_end"),
            claimed_by=sa.bindparam("by_holder"),
            attempts=Delivery.attempts + 1,
            text=None,
            facts={},
            changed_at=_NOW,
        )
        .returning(Delivery)
        .execution_options(populate_existing=True)
    )


def _next_due() -> SelectOfScalar[UUID]:
    rested = sa.or_(col(Instance.rest_until).is_(None), col(Instance.rest_until) <= _NOW)
    free = sa.or_(col(Instance.connection_id).is_(None), _under_way() < sa.bindparam("at_most"))
    return (
        select(Delivery.id)
        .join(Instance, col(Instance.id) == col(Delivery.instance_id))
        .where(col(Instance.id) == sa.bindparam("at_instance"), Instance.state == InstanceState.ACTIVE, rested, free)
        .where(col(Delivery.state) == literally(State.QUEUED), col(Delivery.due_at) <= _NOW)
        .order_by(col(Delivery.due_at), col(Delivery.id))
        .limit(1)
        .with_for_update(of=Delivery, skip_locked=True)
    )


def _under_way() -> sa.ScalarSelect[int]:
    """Deliveries being sent over the instance's connection, whichever instance they belong to."""
    other, theirs = aliased(Instance), aliased(Delivery)
    return (
        sa.select(sa.func.count())
        .select_from(theirs)
        .join(other, col(other.id) == col(theirs.instance_id))
        .where(
            col(other.connection_id) == col(Instance.connection_id),
            col(theirs.state) == literally(State.SENDING),
            col(theirs.lease_until) > _NOW,
        )
        .correlate(Instance)
        .scalar_subquery()
    )


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
