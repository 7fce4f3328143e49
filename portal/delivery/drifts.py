"""What was found otherwise at a provider than its receipt says, and what becomes of it (E4).

| found | a storage export | any other kind |
|---|---|---|
| moved, renamed | followed: the receipt says where it is now | the same |
| deleted | comes back with the next run | a person restores it, or agrees that it is gone |
| deleted with its folder | removed there until the set-up runs again, whose run brings it back | removed there |
| changed | a person restores ours, or accepts what is there | the same |

A drift is open until somebody or something settles it; at most one is open per document and instance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

import integrations
from integrations.contract import Drift as Found
from integrations.contract import DriftKind, Schedule
from integrations.contract import Receipt as RemoteReceipt
from portal import access, audit, clock
from portal.access import Right, Viewer
from portal.clients.models import Client
from portal.db import ring
from portal.delivery import outbox, receipts
from portal.delivery.models import Actor, Delivery, Drift, Receipt, Settlement, State
from portal.documents.models import Document
from portal.errors import Conflict, NotFound
from portal.i18n import N_
from portal.instances import services as instances
from portal.instances.models import Instance, InstanceState, Run, RunTrigger

COMES_BACK = N_("It was deleted at the destination and comes back.")
RESTORED = N_("It was changed at the destination and goes again.")
FOLDER_GONE = N_("The folder it lay in was deleted at the destination.")
AGREED = N_("It was deleted at the destination, and somebody agreed to that.")
MOST_AT_ONCE = 1000
_OVER = N_("This was settled in the meantime. Please look again.")


def comes_back(kind: str) -> bool:
    """Whether a kind brings back by itself what was deleted: storage exports do, ledgers leave it to a person."""
    return kind in integrations.kinds() and integrations.get(kind).manifest.schedule is Schedule.NIGHTLY


def ask_look(session: Session, instance: Instance, now: datetime) -> None:
    """Have all that an instance delivered looked at; a look under way goes on."""
    if instance.look_due_at is None:
        instance.look_due_at, instance.look_after = now, None
        instance.look_text, instance.look_facts = None, {}
        session.add(instance)
    ring(session, "look", instance.id)


def look_now(session: Session, viewer: Viewer, instance_id: UUID) -> Instance:
    """The same because a person wants it. Conflict unless the instance is active."""
    instance = instances.for_change(session, viewer, instance_id)
    instances.expect(instance, InstanceState.ACTIVE)
    ask_look(session, instance, clock.now())
    instances.record(session, instance, "instance.look_asked", viewer.by)
    return instance


# --- what a look found


def take(session: Session, instance: Instance, looked_at: Sequence[Receipt], found: Sequence[Found]) -> None:
    """Keep what a look at these receipts found; what changed on our side meanwhile is left for the next look."""
    by_id = {one.remote_id: one for one in found}
    drifted = {one.document_id: by_id[one.remote_id] for one in looked_at if one.remote_id in by_id}
    as_delivered = [one.document_id for one in looked_at if one.document_id not in drifted]
    for drift in _open(session, instance.id, as_delivered).values():
        _settle(session, drift, Settlement.VANISHED)
    opened = _open(session, instance.id, list(drifted))
    for receipt in looked_at:
        if receipt.document_id in drifted and (present := _unchanged(session, receipt)):
            _take(session, instance, *present, drifted[receipt.document_id], opened.get(receipt.document_id))


def _open(session: Session, instance_id: UUID, document_ids: Sequence[UUID]) -> dict[UUID, Drift]:
    statement = select(Drift).where(
        Drift.instance_id == instance_id, col(Drift.document_id).in_(document_ids), col(Drift.settled_at).is_(None)
    )
    return {one.document_id: one for one in session.exec(statement)} if document_ids else {}


def _unchanged(session: Session, receipt: Receipt) -> tuple[Delivery, Receipt] | None:
    """The delivery and its receipt, if they still are what the look began with."""
    statement = select(Delivery).where(
        Delivery.document_id == receipt.document_id, Delivery.instance_id == receipt.instance_id,
        Delivery.operation == receipt.operation, Delivery.version == receipt.version,
        Delivery.state == State.DELIVERED, col(Delivery.current),
    )  # fmt: skip
    delivery = session.exec(statement.with_for_update()).one_or_none()
    stored = session.get(Receipt, receipt.id, populate_existing=True)
    same = stored is not None and stored.received_at == receipt.received_at
    return (delivery, stored) if delivery and stored and same else None


def _take(
    session: Session, instance: Instance, delivery: Delivery, receipt: Receipt, found: Found, drift: Drift | None
) -> None:
    drift = drift or Drift(
        client_id=delivery.client_id, instance_id=instance.id, document_id=delivery.document_id,
        delivery_id=delivery.id, kind=found.kind, remote_id=receipt.remote_id,
    )  # fmt: skip
    drift.kind, drift.before = found.kind, _packed(receipts.from_stored(receipt))
    drift.now = _packed(found.now) if found.now else None
    session.add(drift)
    if found.kind is DriftKind.MOVED:
        _follow(session, delivery, receipt, found.now)
        _settle(session, drift, Settlement.FOLLOWED)
    elif found.kind is DriftKind.FOLDER_GONE and not _is_set_up(session, instance):
        _leave_out(delivery, FOLDER_GONE)
        _settle(session, drift, Settlement.LEFT_OUT)
    elif found.kind is not DriftKind.CHANGED and comes_back(instance.kind):
        _bring_back(session, instance, delivery)
        _settle(session, drift, Settlement.COMES_BACK)


def _is_set_up(session: Session, instance: Instance) -> bool:
    """Whether the run under way is that of a set-up, which wants everything there."""
    run = _under_way(session, instance)
    return run is not None and run.trigger is RunTrigger.FINISH


def _under_way(session: Session, instance: Instance) -> Run | None:
    statement = select(Run).where(
        Run.instance_id == instance.id, col(Run.started_at).is_not(None), col(Run.ended_at).is_(None)
    )
    return session.exec(statement.order_by(col(Run.due_at).desc())).first()


def _follow(session: Session, delivery: Delivery, receipt: Receipt, now: RemoteReceipt | None) -> None:
    if now is not None:
        receipts.write(session, receipt, now)
        receipts.prove(session, _firm(session, delivery), delivery, receipt, "delivery.followed")


def _leave_out(delivery: Delivery, text: str) -> None:
    delivery.state, delivery.text, delivery.facts = State.REMOVED, text, {}
    delivery.actor, delivery.changed_at = Actor.NOBODY, clock.now()


def _bring_back(session: Session, instance: Instance, delivery: Delivery) -> None:
    """With the run under way, else with the next one."""
    document = session.get_one(Document, delivery.document_id)
    if document.removed_at is not None:
        _leave_out(delivery, N_("The document was removed in the portal."))
        return
    run = _under_way(session, instance)
    if run is not None:
        run.total += 1
        session.add(run)
    now = clock.now()
    outbox.let_go(session, delivery, instance, now if run else instance.next_run_at or now, COMES_BACK)


def _settle(session: Session, drift: Drift, how: Settlement, by: audit.By = audit.SYSTEM) -> None:
    drift.settled_at, drift.settlement, drift.by = clock.now(), how, by.person_id
    session.add(drift)
    facts = {"document": str(drift.document_id), "instance": str(drift.instance_id), "kind": drift.kind.value}
    firm_id = session.get_one(Client, drift.client_id).firm_id
    audit.record(
        session, firm_id, f"drift.{how.value}", by=by, client_id=drift.client_id, subject_id=drift.delivery_id,
        facts=facts,
    )  # fmt: skip


def of_delivery(session: Session, delivery: Delivery) -> Drift | None:
    """What stands open of a delivery that the caller has resolved for the viewer."""
    statement = select(Drift).where(Drift.instance_id == delivery.instance_id, col(Drift.settled_at).is_(None))
    return session.exec(statement.where(Drift.document_id == delivery.document_id)).one_or_none()


# --- what people decide


def drift_or_404(session: Session, viewer: Viewer, client_id: UUID, drift_id: UUID, right: Right) -> Drift:
    """A drift of a client, if the viewer has ``right`` there; else NotFound."""
    access.client_or_404(session, viewer, client_id, right)
    drift = session.get(Drift, drift_id, with_for_update=right is not Right.SEE, populate_existing=True)
    if drift is None or drift.client_id != client_id:
        raise NotFound
    return drift


def restore(session: Session, viewer: Viewer, client_id: UUID, drift_id: UUID) -> Drift:
    """Let our bytes go again. Conflict when it was settled, or the delivery is no longer what it was."""
    drift = drift_or_404(session, viewer, client_id, drift_id, Right.CORRECT)
    delivery = _delivery(session, drift)
    instance = session.get_one(Instance, drift.instance_id)
    if instance.state not in outbox.COLLECTING:
        raise Conflict(N_("This integration is not active."))
    text = RESTORED if drift.kind is DriftKind.CHANGED else COMES_BACK
    outbox.let_go(session, delivery, instance, clock.now(), text)
    _settle(session, drift, Settlement.RESTORED, viewer.by)
    return drift


def accept(session: Session, viewer: Viewer, client_id: UUID, drift_id: UUID) -> Drift:
    """Take what is there for right: the receipt says so from now on; what is gone counts as removed there."""
    drift = drift_or_404(session, viewer, client_id, drift_id, Right.CORRECT)
    delivery = _delivery(session, drift)
    if drift.kind is DriftKind.GONE:
        _leave_out(delivery, AGREED)
        _settle(session, drift, Settlement.LEFT_OUT, viewer.by)
        return drift
    if drift.now is None:
        raise Conflict(N_("What is there cannot be taken over. It can be restored."))
    _rewrite(session, viewer, delivery, drift.now, "delivery.accepted")
    _settle(session, drift, Settlement.ACCEPTED, viewer.by)
    return drift


def decide(
    session: Session, viewer: Viewer, client_id: UUID, drift_ids: Sequence[UUID], *, restore: bool
) -> list[UUID]:
    """Restore or accept several; return those that were. What cannot be decided so (any more) is left as it is."""
    access.client_or_404(session, viewer, client_id, Right.CORRECT)
    how, done = _BY[restore], []
    for drift_id in dict.fromkeys(drift_ids[:MOST_AT_ONCE]):
        try:
            how(session, viewer, client_id, drift_id)
        except (Conflict, NotFound):
            continue
        done.append(drift_id)
    return done


_BY = {True: restore, False: accept}


def undo(session: Session, viewer: Viewer, client_id: UUID, drift_id: UUID) -> Drift:
    """Take an acceptance back: the receipt is as it was, the drift open again. Conflict for anything else."""
    drift = drift_or_404(session, viewer, client_id, drift_id, Right.CORRECT)
    newer = select(Drift.id).where(
        Drift.instance_id == drift.instance_id,
        Drift.document_id == drift.document_id,
        col(Drift.found_at) > drift.found_at,
    )
    if drift.settlement is not Settlement.ACCEPTED or session.exec(newer.limit(1)).first() is not None:
        raise Conflict(_OVER)
    drift.settled_at = drift.settlement = drift.by = None
    _rewrite(session, viewer, _delivery(session, drift), drift.before, "delivery.acceptance_undone", drift.now)
    session.add(drift)
    return drift


def can_accept(drift: Drift) -> bool:
    """Whether ``accept`` would do something."""
    return drift.settled_at is None and (drift.now is not None or drift.kind is DriftKind.GONE)


def _delivery(session: Session, drift: Drift) -> Delivery:
    delivery = session.get(Delivery, drift.delivery_id, with_for_update=True, populate_existing=True)
    if drift.settled_at is not None or delivery is None:
        raise Conflict(_OVER)
    if delivery.state is not State.DELIVERED or not delivery.current:
        raise Conflict(_OVER)
    return delivery


def _rewrite(
    session: Session, viewer: Viewer, delivery: Delivery, content: Mapping[str, Any], action: str,
    expected: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """Let the receipt say ``content``. Conflict when it does not say what is ``expected`` now."""
    receipt = session.exec(receipts.own(delivery).with_for_update()).one()
    if expected is not None and _packed(receipts.from_stored(receipt)) != expected:
        raise Conflict(_OVER)
    receipts.write(session, receipt, RemoteReceipt(**content))
    receipts.prove(session, _firm(session, delivery), delivery, receipt, action, viewer.by)


def _packed(receipt: RemoteReceipt) -> dict[str, object]:
    return {**asdict(receipt), "extras": dict(receipt.extras)}


def _firm(session: Session, delivery: Delivery) -> UUID:
    return session.get_one(Client, delivery.client_id).firm_id
