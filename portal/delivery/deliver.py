"""The heart: claim → connector → record, until nothing of an instance is due or its half minute is over.

No transaction is open while the connector talks. Whatever dies in between, the row says what was meant, the
reservation makes a repeat harmless, and the sweep brings it back.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlmodel import Session

import integrations
from integrations.contract import Exporter, OutgoingDocument, Receipt, default_reservation
from portal import clock
from portal.db import Database, ring
from portal.delivery import receipts, record
from portal.delivery.claim import PER_ACCOUNT, claim_next, kept_alive, waiting_beside
from portal.delivery.models import Delivery, Outcome
from portal.delivery.outgoing import outgoing
from portal.instances import connectors
from portal.instances.models import Instance
from portal.parts import Parts

log = structlog.get_logger()
SLICE = 30.0  # seconds one job works for one instance before others get their turn


@dataclass(frozen=True)
class Work:
    """One claimed delivery, as plain values."""

    delivery_id: UUID
    number: int  # of the attempt
    document: OutgoingDocument
    reservation: str | None
    previous: Receipt | None


@dataclass(frozen=True)
class Shift:
    """One job's time for one instance, shared by its lanes."""

    parts: Parts
    instance_id: UUID
    holder: str
    end: float  # on the monotonic clock
    most: int  # deliveries under way at the remote account

    def take(self, session: Session) -> Work | None:
        """Claim the next delivery, if there is time for it; when there is none rings again, for others first."""
        if time.monotonic() < self.end:
            return _next(session, self)
        for other in waiting_beside(session, self.instance_id):
            ring(session, "drain", other)
        ring(session, "drain", self.instance_id)
        return None


def drain(parts: Parts, instance_id: UUID, *, seconds: float = SLICE) -> int:
    """Work off what is due for one instance; return how many attempts were made. Rings again if time ran out.

    Where more than one is due, as many are sent at once as the kind's manifest says.
    """
    shift = Shift(parts, instance_id, clock.token(), time.monotonic() + seconds, _most(parts, instance_id))
    with parts.db.transaction() as session:
        work = _next(session, shift)
    if work is None:
        return 0
    with kept_alive(parts.db, shift.holder), ThreadPoolExecutor(thread_name_prefix="lane") as pool:
        beside: list[Future[int]] = []

        def more(lanes: int) -> None:
            beside.extend(pool.submit(_join, shift) for _ in range(lanes - 1))

        attempts = _lane(shift, work, more)
        return attempts + sum(lane.result() for lane in beside)


def _most(parts: Parts, instance_id: UUID) -> int:
    """How many deliveries the instance's kind takes at one remote account."""
    with parts.db.read() as session:
        instance = session.get(Instance, instance_id)
    known = instance is not None and instance.kind in integrations.kinds()
    return max(PER_ACCOUNT, integrations.get(instance.kind).manifest.parallel) if instance and known else PER_ACCOUNT


def _join(shift: Shift) -> int:
    """One more lane; it ends at once when nothing is left for it."""
    with shift.parts.db.transaction() as session:
        work = shift.take(session)
    return 0 if work is None else _lane(shift, work)


def _lane(shift: Shift, work: Work | None, more: Callable[[int], None] | None = None) -> int:
    """Send one delivery after another with one connector; ``more`` opens lanes beside it once a second one is due."""
    attempts, connector = 0, None
    with ExitStack() as stack:
        while work is not None:
            attempts += 1
            try:
                connector = connector or stack.enter_context(connectors.exporter(shift.parts, shift.instance_id))
                ended: Receipt | Exception = _send(shift.parts.db, connector, work)
            except Exception as error:  # noqa: BLE001 - every end of an attempt is recorded, ours too
                ended = error
            # one commit ends this delivery and takes the next
            with shift.parts.db.transaction() as session:
                _record(session, work, shift.holder, ended)
                work = shift.take(session)
            if more is not None and work is not None and connector is not None:
                more(connector.manifest.parallel)
                more = None
    return attempts


def _next(session: Session, shift: Shift) -> Work | None:
    delivery = claim_next(session, shift.instance_id, shift.holder, shift.most)
    if delivery is None:
        return None
    return Work(
        delivery_id=delivery.id,
        number=delivery.attempts,
        document=outgoing(session, shift.parts.files, delivery),
        reservation=delivery.reservation,
        previous=receipts.previous(session, delivery),
    )


def _send(db: Database, connector: Exporter, work: Work) -> Receipt:
    reservation = work.reservation
    if reservation is None:
        reservation = connector.reserve(work.document)
        if reservation != default_reservation(work.document):
            with db.transaction() as session:
                session.get_one(Delivery, work.delivery_id).reservation = reservation
    return connector.deliver(work.document, reservation, work.previous)


def _record(session: Session, work: Work, holder: str, ended: Receipt | Exception) -> None:
    delivery = record.mine(session, work.delivery_id, holder)
    if isinstance(ended, Exception):
        outcome = record.outcome_of(ended)
        if outcome is Outcome.BROKEN:
            log.error("delivery.broken", delivery=str(work.delivery_id), exc_info=ended)
        if delivery is not None:
            record.ended_badly(session, delivery, ended)
    else:
        outcome = Outcome.DELIVERED
        if delivery is not None:
            record.delivered(session, delivery, ended, work.document.sha256)
    _log(work, delivery, outcome)


def _log(work: Work, delivery: Delivery | None, outcome: Outcome) -> None:
    """One line per attempt with all ids; a lease that ended meanwhile is said, its outcome belongs to the next try."""
    log.info(
        "delivery.attempt",
        outcome=outcome.value if delivery is not None else "lease_ended",
        delivery=str(work.delivery_id),
        document=work.document.id,
        number=work.number,
        instance=str(delivery.instance_id) if delivery else None,
        client=str(delivery.client_id) if delivery else None,
    )
