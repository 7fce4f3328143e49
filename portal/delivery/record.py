"""What an attempt's end means: the attempt row, the delivery's new state, the instance's health, in one transaction.

| ended with | delivery | also |
|---|---|---|
| a receipt | delivered | receipt and audit entry; the instance's run of failures ends |
| Transient | queued, later | after several documents in a row the instance rests |
| Throttled | queued, after the wait | every instance of that remote account rests |
| Rejected | failed, for the accountant | |
| ReauthRequired | held | the connection is dead, all its instances are held, its owner is told once |
| Misconfigured, StorageFull | held | the instance is held, with the setting or the missing room named |
| TargetGone | removed at the destination, if it was there before; else held | |
| anything else | queued a few times, then failed | a fault of ours: the log has it |
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from integrations.contract import Receipt
from integrations.errors import (
    ConnectorError,
    Misconfigured,
    ReauthRequired,
    Rejected,
    StorageFull,
    TargetGone,
    Throttled,
    Transient,
)
from portal import clock
from portal.clients.models import Client
from portal.connections import services as connections
from portal.connections.models import Connection
from portal.delivery import drifts, outbox, receipts, retry
from portal.delivery.models import Actor, Attempt, Delivery, Outcome, State
from portal.documents.models import Document
from portal.i18n import N_
from portal.instances import services as instances
from portal.instances.models import Instance, InstanceState, Run

Facts = Mapping[str, object]
_OUTCOMES: tuple[tuple[type[ConnectorError], Outcome], ...] = (
    (Throttled, Outcome.THROTTLED),
    (Transient, Outcome.TRANSIENT),
    (Rejected, Outcome.REJECTED),
    (ReauthRequired, Outcome.REAUTH),
    (Misconfigured, Outcome.MISCONFIGURED),
    (TargetGone, Outcome.TARGET_GONE),
    (StorageFull, Outcome.STORAGE_FULL),
)
OUR_FAULT = N_(
    "Kontor made a mistake with this document. It has been logged for the person who runs this installation."
)
NO_ROOM = N_("The storage at %(provider)s is full. What waits needs %(megabytes)s MB; make room, then try again.")
GAVE_UP = N_("It was tried for a day without success. Last answer: %(last)s")


def mine(session: Session, delivery_id: UUID, holder: str) -> Delivery | None:
    """The delivery, if this worker still holds it; None when its lease ended and somebody else took over."""
    found = session.get(Delivery, delivery_id, with_for_update=True, populate_existing=True)
    held = found is not None and found.state is State.SENDING and found.claimed_by == holder
    return found if held else None


def delivered(session: Session, delivery: Delivery, receipt: Receipt, sha256: str) -> None:
    """The provider has it; ``sha256`` is that of the bytes that went."""
    _end_attempt(session, delivery, Outcome.DELIVERED, None, {})
    stored = receipts.store(session, delivery, receipt, sha256)
    _move(delivery, State.DELIVERED)
    version, firm_id = session.connection().execute(_standing(), {"of_document": delivery.document_id}).one()
    receipts.prove(session, firm_id, delivery, stored)
    _count(session, delivery.instance_id, delivered=1)
    _update(session, _answered(), of_instance=delivery.instance_id)
    if version != delivery.version:
        outbox.replan(session, delivery)


def outcome_of(error: Exception) -> Outcome:
    """How an attempt that raised this has ended."""
    return next((one for kind, one in _OUTCOMES if isinstance(error, kind)), Outcome.BROKEN)


def ended_badly(session: Session, delivery: Delivery, error: Exception) -> None:
    """The attempt failed; see the table above."""
    outcome = outcome_of(error)
    text, facts = OUR_FAULT, dict[str, object]()
    if isinstance(error, ConnectorError):
        text, facts = error.text, dict(error.facts)
    _end_attempt(session, delivery, outcome, text, facts)
    now = clock.now()
    if isinstance(error, Throttled):
        rest_account(session, delivery.instance_id, now + timedelta(seconds=error.wait))
        _again(session, delivery, now + timedelta(seconds=error.wait), text, facts)
    elif outcome in {Outcome.TRANSIENT, Outcome.BROKEN}:
        _later(session, delivery, outcome, text, facts, now)
    elif isinstance(error, Rejected):
        _fail(session, delivery, text, facts, Actor.ACCOUNTANT)
    elif isinstance(error, TargetGone) and receipts.are_there(session, delivery):
        _move(delivery, State.REMOVED, text, facts)
    else:
        _hold(session, delivery, error, text, facts)


def lost(session: Session, delivery: Delivery) -> None:
    """The worker died while it held this delivery; the next attempt finds out what it had done."""
    _end_attempt(session, delivery, Outcome.LOST, N_("The worker stopped in the middle. It is tried again."), {})
    _again(session, delivery, clock.now(), None, {})


def _later(session: Session, delivery: Delivery, outcome: Outcome, text: str, facts: Facts, now: datetime) -> None:
    tries = delivery.attempts - delivery.tries_before
    most_reached = outcome is Outcome.BROKEN and tries >= retry.MOST_BROKEN
    due_at = None if most_reached else retry.next_try(tries, now, str(delivery.id))
    if due_at is None:
        actor = Actor.FIRM_ADMIN if outcome is Outcome.BROKEN else Actor.ACCOUNTANT
        last = text if outcome is Outcome.BROKEN else GAVE_UP
        _fail(session, delivery, last, facts if last is text else {"last": text % facts}, actor)
        return
    instance = _again(session, delivery, due_at, text, facts)
    instance.failures += 1
    resting = retry.rest(instance.failures, now)
    if resting is not None:
        instance.rest_until = resting


def _hold(session: Session, delivery: Delivery, error: Exception, text: str, facts: Facts) -> None:
    actor = Actor.FIRM_ADMIN if isinstance(error, Misconfigured) else Actor.CONNECTION_OWNER
    if isinstance(error, StorageFull):
        text, facts = NO_ROOM, _room_needed(session, delivery, error)
    _move(delivery, State.HELD, text, facts, actor)
    session.flush()
    instance = session.get_one(Instance, delivery.instance_id)
    if isinstance(error, ReauthRequired) and instance.connection_id is not None:
        connections.died(session, instance.connection_id, text, facts)
    elif instance.state is InstanceState.ACTIVE:
        instances.hold(session, instance, text, facts)
        if isinstance(error, TargetGone):  # the main folder: what lay in it is gone as well
            drifts.ask_look(session, instance, clock.now())


def _room_needed(session: Session, delivery: Delivery, error: StorageFull) -> dict[str, object]:
    """How much all that waits at the instance would take, this one included, in whole MB."""
    waits = col(Delivery.state).in_([State.QUEUED, State.SENDING, State.HELD])
    size = (
        select(sa.func.coalesce(sa.func.sum(Document.size), 0))
        .join(Delivery, col(Delivery.document_id) == col(Document.id))
        .where(Delivery.instance_id == delivery.instance_id, col(Delivery.current), waits)
    )
    needed = max(int(session.exec(size).one()), error.needed)
    return {"provider": str(error.facts.get("provider", "")), "megabytes": max(1, -(-needed // 1_000_000))}


def _fail(session: Session, delivery: Delivery, text: str, facts: Facts, actor: Actor) -> None:
    _move(delivery, State.FAILED, text, facts, actor)
    _count(session, delivery.instance_id, failed=1)
    outbox.replan(session, delivery)


def _again(session: Session, delivery: Delivery, due_at: datetime, text: str | None, facts: Facts) -> Instance:
    """Let it wait for its next try, or be held with all others where the instance was stopped meanwhile."""
    _move(delivery, State.QUEUED, text, facts)
    delivery.due_at = due_at
    session.flush()
    key_share = {"key_share": True}  # who only refers to it (attempts, receipts) need not wait, nor in a circle with us
    instance = session.get_one(Instance, delivery.instance_id, with_for_update=key_share, populate_existing=True)
    if instance.state is not InstanceState.ACTIVE:
        outbox.keep_back(session, delivery, instance)
    return instance


def _move(
    delivery: Delivery,
    state: State,
    text: str | None = None,
    facts: Facts | None = None,
    actor: Actor = Actor.NOBODY,
) -> None:
    delivery.state, delivery.text, delivery.facts, delivery.actor = state, text, dict(facts or {}), actor
    delivery.lease_until = delivery.claimed_by = delivery.due_at = None
    delivery.changed_at = clock.now()


def _end_attempt(session: Session, delivery: Delivery, outcome: Outcome, text: str | None, facts: Facts) -> None:
    given = {"that": outcome, "why": text, "with_facts": dict(facts), "then": clock.now()}
    _update(session, _ending(), of_delivery=delivery.id, at_number=delivery.attempts, **given)


def _update(session: Session, statement: sa.Update, **given: object) -> None:
    """Change rows that no object of this session stands for; past the ORM, which has nothing to do here."""
    session.connection().execute(statement, given)


# Statements of every delivery are built once: building one costs as much as running it.
@cache
def _ending() -> sa.Update:
    return (
        sa.update(Attempt)
        .where(
            col(Attempt.delivery_id) == sa.bindparam("of_delivery"), col(Attempt.number) == sa.bindparam("at_number")
        )
        .values(
            outcome=sa.bindparam("that"),
            text=sa.bindparam("why"),
            facts=sa.bindparam("with_facts"),
            ended_at=sa.bindparam("then"),
        )
    )


@cache
def _standing() -> sa.Select[int, UUID]:
    """Which version a document has by now, and whose it is."""
    return (
        sa.select(col(Document.version), col(Client.firm_id))
        .join(Client, col(Client.id) == col(Document.client_id))
        .where(col(Document.id) == sa.bindparam("of_document"))
    )


@cache
def _answered() -> sa.Update:
    """The provider answered: the run of failures ends."""
    return (
        sa.update(Instance)
        .where(col(Instance.id) == sa.bindparam("of_instance"), col(Instance.failures) > 0)
        .values(failures=0)
    )


@cache
def _counting() -> sa.Update:
    return (
        sa.update(Run)
        .where(
            col(Run.instance_id) == sa.bindparam("of_instance"),
            col(Run.started_at).is_not(None),
            col(Run.ended_at).is_(None),
        )
        .values(
            delivered=Run.delivered + sa.bindparam("more_delivered"), failed=Run.failed + sa.bindparam("more_failed")
        )
    )


def _count(session: Session, instance_id: UUID, *, delivered: int = 0, failed: int = 0) -> None:
    _update(session, _counting(), of_instance=instance_id, more_delivered=delivered, more_failed=failed)


def rest_account(session: Session, instance_id: UUID, until: datetime) -> None:
    """Limits count per remote account, also when several connections use it (E5)."""
    instance = session.get_one(Instance, instance_id)
    longer = sa.or_(col(Instance.rest_until).is_(None), col(Instance.rest_until) < until)
    resting = sa.update(Instance).values(rest_until=until).where(longer)
    connection = session.get(Connection, instance.connection_id) if instance.connection_id else None
    if connection is None or not connection.account_id:
        session.execute(resting.where(col(Instance.id) == instance_id))
        return
    same = select(Connection.id).where(
        Connection.kind == connection.kind, Connection.account_id == connection.account_id
    )
    session.execute(resting.where(col(Instance.connection_id).in_(same)))
