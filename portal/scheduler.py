"""The scheduler: one process at a time holds its lease; it sweeps and starts the runs that are due. A second waits."""

from __future__ import annotations

import signal
import threading
from datetime import timedelta

import sqlalchemy as sa
import structlog
from sqlmodel import Session, col, select

from portal import clock
from portal.db import Database, refresh_statistics
from portal.delivery import runs
from portal.delivery.models import Lease
from portal.delivery.sweep import sweep
from portal.notices import sending
from portal.notices import services as notices
from portal.parts import Parts
from portal.processing import content

log = structlog.get_logger()
NAME = "scheduler"
LEASE = timedelta(seconds=20)
TICK = 5.0  # seconds
WHOLE_EVERY = 720  # ticks: an hour


def hold_lease(session: Session, holder: str) -> bool:
    """Take or keep the lease; False while somebody else has it."""
    now = clock.now()
    lease = session.exec(select(Lease).where(Lease.name == NAME).with_for_update()).one_or_none()
    if lease is None:
        session.execute(_first_lease(session, holder))
        return session.get_one(Lease, NAME, populate_existing=True).holder == holder
    if lease.holder != holder and lease.until > now:
        return False
    lease.holder, lease.until = holder, now + LEASE
    return True


def _first_lease(session: Session, holder: str) -> sa.Executable:
    from sqlalchemy.dialects import postgresql, sqlite

    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    return insert(Lease).values(name=NAME, holder=holder, until=clock.now() + LEASE).on_conflict_do_nothing()


def give_up_lease(db: Database, holder: str) -> None:
    """Let another scheduler take over at once."""
    with db.transaction() as session:
        session.execute(sa.delete(Lease).where(col(Lease.name) == NAME, col(Lease.holder) == holder))


def tick(parts: Parts, *, whole: bool) -> None:
    """One pass."""
    runs.start_due(parts.db)
    sweep(parts.db, whole=whole)
    runs.end_finished(parts.db)
    if parts.settings.mail is not None:
        sending.ring_due(parts.db)
    if whole:
        notices.look_ahead(parts.db)
        refresh_statistics(parts.db)
        content.catch_up(parts.db)


def run(parts: Parts) -> None:
    """Pass after pass, until SIGTERM or SIGINT. A pass that fails is logged and the next one comes."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    holder, ticks = clock.token(), 0
    while not ended.is_set():
        try:
            with parts.db.transaction() as session:
                mine = hold_lease(session, holder)
            if mine:
                tick(parts, whole=ticks % WHOLE_EVERY == 0)
                ticks += 1
        except Exception:  # a database that is away for a minute must not end the scheduler
            log.exception("scheduler.failed")
        ended.wait(TICK)
    give_up_lease(parts.db, holder)
