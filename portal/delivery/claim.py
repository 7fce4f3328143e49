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
from portal.connections.models import Connection
from portal.db import Database, Instant
from portal.delivery.models import Attempt, Delivery, State, literally
from portal.instances.models import Instance, InstanceState

# A claim ends this long after its worker's last sign of life …
LEASE = timedelta(seconds=45)
# … which it gives this often, in seconds.
SIGN_OF_LIFE = 12
# Deliveries that may be under way at one remote account at the same time, unless its kind takes more.
PER_ACCOUNT = 2
_NOW = sa.bindparam("at_now", type_=Instant)


def claim_next(session: Session, instance_id: UUID, holder: str, most: int = PER_ACCOUNT) -> Delivery | None:
    """Take the next due delivery of an active instance: queued → sending, with an attempt; None when there is none.

    An instance that rests, or at whose remote account ``most`` deliveries are under way, has none at the moment (E5:
    limits count per remote account, also when several connections use it).
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
    """Deliveries being sent to the instance's remote account, whichever instance and connection they belong to."""
    own, their, other, sent = aliased(Connection), aliased(Connection), aliased(Instance), aliased(Delivery)
    return (
        sa.select(sa.func.count())
        .select_from(sent)
        .join(other, col(other.id) == col(sent.instance_id))
        .join(their, col(their.id) == col(other.connection_id))
        .join(own, col(own.id) == col(Instance.connection_id))
        .where(_same_account(own, their), col(sent.state) == literally(State.SENDING), col(sent.lease_until) > _NOW)
        .correlate(Instance)
        .scalar_subquery()
    )


def _same_account(one: type[Connection], other: type[Connection]) -> sa.ColumnElement[bool]:
    told = sa.and_(
        col(one.kind) == col(other.kind), col(one.account_id) == col(other.account_id), col(one.account_id) != ""
    )
    return sa.or_(col(one.id) == col(other.id), told)


def waiting_beside(session: Session, instance_id: UUID) -> list[UUID]:
    """Other instances at the same remote account that have something due and nothing under way, the oldest first.

    Whoever has worked for a while and would go on lets them have their turn before.
    """
    own, their, mine = aliased(Connection), aliased(Connection), aliased(Instance)
    now = clock.now()
    pair = col(Delivery.instance_id) == col(Instance.id)
    due = sa.exists().where(pair, col(Delivery.state) == literally(State.QUEUED), col(Delivery.due_at) <= now)
    sent = sa.exists().where(pair, col(Delivery.state) == literally(State.SENDING), col(Delivery.lease_until) > now)
    statement = (
        select(Instance.id)
        .join(their, col(their.id) == col(Instance.connection_id))
        .join(own, _same_account(own, their))
        .join(mine, col(mine.connection_id) == col(own.id))
        .where(col(mine.id) == instance_id, col(Instance.id) != instance_id, Instance.state == InstanceState.ACTIVE)
        .where(sa.or_(col(Instance.rest_until).is_(None), col(Instance.rest_until) <= now), due, ~sent)
    )
    return list(session.exec(statement.order_by(col(Instance.id))))


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
