"""Runs: the passes of instances that work by schedule or on request, with their counts, so that a page can say what
happened, how far it is, and when the next one comes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from portal import clock
from portal.db import Database, ring
from portal.delivery import drifts, lookback, outbox, receipts
from portal.delivery.drifts import comes_back
from portal.delivery.models import Delivery, State
from portal.documents.models import Document
from portal.instances.models import Instance, InstanceState, Run, RunTrigger
from portal.instances.services import next_run

# A run that starts later than this after its time is a catch-up, and the page says by how much.
LATE = timedelta(minutes=5)


def start_due(db: Database) -> None:
    """Begin the runs whose time has come: scheduled ones, and those somebody asked for."""
    now = clock.now()
    with db.transaction() as session:
        due = select(Instance).where(Instance.state == InstanceState.ACTIVE, col(Instance.next_run_at) <= now)
        for instance in session.exec(due.with_for_update(skip_locked=True, key_share=True)).all():
            late = instance.next_run_at is not None and now - instance.next_run_at > LATE
            trigger = RunTrigger.CATCH_UP if late else RunTrigger.SCHEDULE
            session.add(Run(instance_id=instance.id, trigger=trigger, due_at=instance.next_run_at or now))
            instance.next_run_at = next_run(session, instance, now)
        session.flush()
        for run in session.exec(select(Run).where(col(Run.started_at).is_(None), col(Run.ended_at).is_(None))).all():
            begin(session, run, now)


def begin(session: Session, run: Run, now: datetime) -> None:
    """Everything that waits for this instance's time is due now; a run under way takes in what came since."""
    waiting = (col(Delivery.instance_id) == run.instance_id, col(Delivery.state) == State.QUEUED)
    later = (*waiting, col(Delivery.attempts) == col(Delivery.tries_before), col(Delivery.due_at) > now)
    woken = session.execute(sa.update(Delivery).where(*later).values(due_at=now)).rowcount  # type: ignore[attr-defined]
    if run.started_at is None:
        run.started_at = now
        run.total = session.scalar(select(sa.func.count()).select_from(Delivery).where(*waiting)) or 0
        instance = session.get_one(Instance, run.instance_id)
        if comes_back(instance.kind) and receipts.are_of(session, instance.id):
            drifts.ask_look(session, instance, now)
    else:
        run.total += woken
    ring(session, "drain", run.instance_id)


def set_up_again(session: Session, instance: Instance) -> None:
    """The set-up ran again (E4): all that was removed at the destination goes once more.

    What is gone by now and nobody has missed yet belongs to it too, so it is a run of its own, or takes over the one
    under way: what its look back finds deleted comes back, with whole folders (``drifts``).
    """
    outbox.bring_back(session, instance)
    if instance.state is not InstanceState.ACTIVE or not comes_back(instance.kind):
        return
    now = clock.now()
    run = under_way(session, instance.id) or Run(instance_id=instance.id, trigger=RunTrigger.FINISH, due_at=now)
    run.trigger = RunTrigger.FINISH
    session.add(run)
    session.flush()
    begin(session, run, now)
    left = select(sa.func.count()).select_from(Delivery).where(
        col(Delivery.instance_id) == instance.id, col(Delivery.state).in_([State.QUEUED, State.SENDING])
    )  # fmt: skip
    run.total = run.delivered + run.failed + session.exec(left).one()
    if receipts.are_of(session, instance.id):
        drifts.ask_look(session, instance, now)


def end_finished(db: Database) -> None:
    """End the runs that have nothing left to do."""
    tried = col(Delivery.attempts) > col(Delivery.tries_before)
    with db.transaction() as session:
        left = sa.exists().where(
            col(Delivery.instance_id) == Run.instance_id,
            col(Delivery.state).in_([State.QUEUED, State.SENDING]),
            sa.or_(col(Delivery.due_at).is_(None), col(Delivery.due_at) <= clock.now(), tried),
        )
        looks = sa.exists().where(
            col(Instance.id) == col(Run.instance_id),
            col(Instance.look_due_at).is_not(None),
            lookback.can_look(),
        )
        session.execute(
            sa.update(Run)
            .where(col(Run.started_at).is_not(None), col(Run.ended_at).is_(None), ~left, ~looks)
            .values(ended_at=clock.now())
        )


def stop(session: Session, instance: Instance) -> int:
    """Stop what is under way: what has not begun waits for the next run; return how many documents that is."""
    now = clock.now()
    later = next_run(session, instance, now) or now + timedelta(hours=1)
    fresh = (
        col(Delivery.instance_id) == instance.id, col(Delivery.state) == State.QUEUED,
        col(Delivery.attempts) == col(Delivery.tries_before), col(Delivery.due_at) <= now,
    )  # fmt: skip
    # a look back that belongs to it ends too: what it would find waits for the next one
    instance.look_due_at = instance.look_after = None
    session.add(instance)
    put_off = session.execute(sa.update(Delivery).where(*fresh).values(due_at=later))
    session.execute(
        sa.update(Run)
        .where(col(Run.instance_id) == instance.id, col(Run.ended_at).is_(None))
        .values(stopped_at=now, ended_at=now)
    )
    return int(put_off.rowcount)  # type: ignore[attr-defined]


def late_by(run: Run) -> timedelta | None:
    """By how much a scheduled run came after its time, if that was worth a word."""
    if run.started_at is None or run.started_at - run.due_at <= LATE:
        return None
    return run.started_at - run.due_at


def sending(session: Session, instance_id: UUID) -> str | None:
    """The name of a file that is on its way now."""
    now = (col(Delivery.instance_id) == instance_id, col(Delivery.state) == State.SENDING)
    statement = select(Document.filename).join(Delivery, col(Delivery.document_id) == col(Document.id)).where(*now)
    return session.exec(statement.order_by(col(Delivery.changed_at).desc()).limit(1)).first()


def under_way(session: Session, instance_id: UUID) -> Run | None:
    """The run that is going on, if one is."""
    statement = select(Run).where(
        Run.instance_id == instance_id, col(Run.started_at).is_not(None), col(Run.ended_at).is_(None)
    )
    return session.exec(statement.order_by(col(Run.due_at).desc()).limit(1)).first()
