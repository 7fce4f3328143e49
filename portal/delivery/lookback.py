"""The look back: asks a provider whether what was delivered is still as its receipts say; ``drifts`` keeps the answer.

It begins with every nightly run and when somebody asks, and goes on by slices; where it is stands in the instance.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from integrations.contract import Drift
from integrations.errors import ConnectorError, ReauthRequired, Throttled
from portal import clock
from portal.connections import services as connections
from portal.connections.models import Connection, ConnectionState
from portal.db import ring
from portal.delivery import check, drifts, record
from portal.delivery.models import Receipt
from portal.delivery.receipts import from_stored
from portal.instances import connectors
from portal.instances.models import Instance, InstanceState
from portal.parts import Parts

SLICE = 30.0  # seconds one job looks before others get their turn
LEASE = timedelta(minutes=10)  # longer than a job may run


@dataclass
class _Look:
    """One slice at one instance."""

    parts: Parts
    instance_id: UUID
    after: UUID | None


def due(now: datetime) -> SelectOfScalar[UUID]:
    """Instances whose look is to begin or to go on."""
    free = sa.or_(col(Instance.looking_until).is_(None), col(Instance.looking_until) < now)
    rested = sa.or_(col(Instance.rest_until).is_(None), col(Instance.rest_until) <= now)
    return select(Instance.id).where(col(Instance.look_due_at).is_not(None), can_look(), free, rested)


def can_look() -> sa.ColumnElement[bool]:
    """Instances that may be looked at: active ones, and held ones whose login lives, whose state is to be true too."""
    lives = sa.exists().where(
        col(Connection.id) == col(Instance.connection_id), col(Connection.state) == ConnectionState.LIVE
    )
    held = sa.and_(col(Instance.state) == InstanceState.HELD, lives)
    return sa.or_(col(Instance.state) == InstanceState.ACTIVE, held)


def look(parts: Parts, instance_id: UUID, *, seconds: float = SLICE, page: int = check.PAGE) -> None:
    """Look at what an instance delivered, if that is due: all of it, or for a slice of time, then it rings again."""
    with parts.db.transaction() as session:
        mine = due(clock.now()).where(Instance.id == instance_id).with_for_update(skip_locked=True, key_share=True)
        if session.exec(mine).one_or_none() is None:
            return
        instance = session.get_one(Instance, instance_id)
        instance.looking_until = clock.now() + LEASE
        session.add(instance)
        begun = _Look(parts, instance_id, instance.look_after)
    try:
        done = _pages(begun, time.monotonic() + seconds, page)
    except ConnectorError as error:
        _broke_off(parts, instance_id, error)
        return
    with parts.db.transaction() as session:
        _ended(session, session.get_one(Instance, instance_id, with_for_update={"key_share": True}), done=done)


def _pages(at: _Look, end: float, page: int) -> bool:
    """Page by page; whether all was looked at."""
    with connectors.exporter(at.parts, at.instance_id) as exporter:
        while receipts := check.receipts(at.parts, at.instance_id, at.after, page):
            found = exporter.inspect([from_stored(one) for one in receipts])
            at.after = receipts[-1].document_id
            with at.parts.db.transaction() as session:
                wanted = _kept(session, at, receipts, found)
            if not wanted or time.monotonic() > end:
                return False
        account = exporter.check()  # how much room is left
    with at.parts.db.transaction() as session:
        instance = session.get_one(Instance, at.instance_id)
        if instance.connection_id is not None:
            connections.told(session, instance.connection_id, account)
    return True


def _kept(session: Session, at: _Look, receipts: list[Receipt], found: list[Drift]) -> bool:
    """Keep what a page told; whether the look is still wanted."""
    instance = session.get_one(Instance, at.instance_id, with_for_update={"key_share": True}, populate_existing=True)
    if instance.state in {InstanceState.ACTIVE, InstanceState.HELD}:
        drifts.take(session, instance, receipts, found)
    instance.look_after, instance.looking_until = at.after, clock.now() + LEASE
    session.add(instance)
    return instance.look_due_at is not None


def _ended(session: Session, instance: Instance, *, done: bool) -> None:
    instance.looking_until = None
    if instance.look_due_at is None:  # stopped
        instance.look_after = None
    elif done:
        instance.looked_at, instance.look_due_at, instance.look_after = clock.now(), None, None
    else:
        ring(session, "look", instance.id)
    session.add(instance)


def _broke_off(parts: Parts, instance_id: UUID, error: ConnectorError) -> None:
    """Asked to wait, it goes on after that; anything else is said on the page, and the next run looks again."""
    with parts.db.transaction() as session:
        instance = session.get_one(Instance, instance_id, with_for_update={"key_share": True})
        instance.looking_until = None
        session.add(instance)
        if isinstance(error, Throttled):
            record.rest_account(session, instance_id, clock.now() + timedelta(seconds=error.wait))
            return
        instance.look_due_at = instance.look_after = None
        instance.look_text, instance.look_facts = error.text, dict(error.facts)
        session.flush()
        if isinstance(error, ReauthRequired) and instance.connection_id is not None:
            connections.died(session, instance.connection_id, error.text, error.facts)
