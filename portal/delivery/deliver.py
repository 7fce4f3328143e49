"""The heart: claim → connector → record, until nothing of an instance is due or its half minute is over.

No transaction is open while the connector talks. Whatever dies in between, the row says what was meant, the
reservation makes a repeat harmless, and the sweep brings it back.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlmodel import Session

from integrations.contract import Exporter, OutgoingDocument, Receipt, default_reservation
from portal import clock
from portal.db import Database, ring
from portal.delivery import record
from portal.delivery.claim import claim_next, kept_alive
from portal.delivery.models import Delivery, Outcome
from portal.delivery.outgoing import outgoing, previous_receipt
from portal.instances import connectors
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


def drain(parts: Parts, instance_id: UUID, *, seconds: float = SLICE) -> int:
    """Work off what is due for one instance; return how many attempts were made. Rings again if time ran out."""
    holder, end, attempts = clock.token(), time.monotonic() + seconds, 0
    with parts.db.transaction() as session:
        work = _next(session, parts, instance_id, holder)
    if work is None:
        return 0
    with ExitStack() as stack:
        stack.enter_context(kept_alive(parts.db, holder))
        connector: Exporter | None = None
        while work is not None:
            attempts += 1
            try:
                connector = connector or stack.enter_context(connectors.exporter(parts, instance_id))
                ended: Receipt | Exception = _send(parts.db, connector, work)
            except Exception as error:  # noqa: BLE001 - every end of an attempt is recorded, ours too
                ended = error
            # one commit ends this delivery and takes the next
            with parts.db.transaction() as session:
                _record(session, work, holder, ended)
                if time.monotonic() < end:
                    work = _next(session, parts, instance_id, holder)
                else:
                    work = None
                    ring(session, "drain", instance_id)
    return attempts


def _next(session: Session, parts: Parts, instance_id: UUID, holder: str) -> Work | None:
    delivery = claim_next(session, instance_id, holder)
    if delivery is None:
        return None
    return Work(
        delivery_id=delivery.id,
        number=delivery.attempts,
        document=outgoing(session, parts.files, delivery),
        reservation=delivery.reservation,
        previous=previous_receipt(session, delivery),
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
