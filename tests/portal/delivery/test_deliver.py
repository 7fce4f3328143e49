"""Claim, send, record: each document once, whatever the connector answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlmodel import Session, col, select

from integrations import errors
from portal.accounts.models import Firm
from portal.audit import AuditEntry
from portal.clock import Traveller
from portal.delivery import claim, outbox, sweep
from portal.delivery.deliver import drain
from portal.delivery.models import Attempt, Outcome, Receipt, State
from portal.documents.models import Document
from portal.instances.models import InstanceState
from portal.parts import Parts
from tests import echo
from tests.portal.delivery.conftest import Desk, make_desk


def receipts(desk: Desk) -> list[Receipt]:
    with desk.parts.db.read() as session:
        return list(session.exec(select(Receipt).order_by(col(Receipt.version))).all())


def outcomes(desk: Desk) -> list[Outcome]:
    with desk.parts.db.read() as session:
        return [Outcome(one) for one in session.exec(select(Attempt.outcome).order_by(col(Attempt.number)))]


def test_everything_due_arrives_once_with_receipt_attempt_and_audit(desk: Desk, kept: echo.Kept) -> None:
    documents = [desk.add() for _ in range(5)]
    assert drain(desk.parts, desk.instance.id) == 5
    assert drain(desk.parts, desk.instance.id) == 0
    assert {desk.state(document) for document in documents} == {State.DELIVERED}
    assert sorted(kept.things.values()) == sorted((str(one.id), 1, one.sha256) for one in documents)
    assert {receipt.document_id for receipt in receipts(desk)} == {document.id for document in documents}
    with desk.parts.db.read() as session:
        recorded = session.exec(select(AuditEntry).where(AuditEntry.action == "delivery.delivered")).all()
    assert len(recorded) == 5


def test_a_correction_updates_the_same_thing(desk: Desk, kept: echo.Kept) -> None:
    document = desk.add()
    drain(desk.parts, desk.instance.id)
    desk.change(document, number="RE-2")
    assert desk.state(document) is State.QUEUED
    drain(desk.parts, desk.instance.id)
    assert [(one[0], one[1]) for one in kept.things.values()] == [(str(document.id), 2)]
    assert [(receipt.version, receipt.remote_id) for receipt in receipts(desk)] == [
        (1, receipts(desk)[0].remote_id),
        (2, receipts(desk)[0].remote_id),
    ]
    assert [(row.version, row.current) for row in desk.rows()] == [(1, False), (2, True)]


def test_a_correction_while_an_attempt_is_unclear_goes_after_it(desk: Desk, kept: echo.Kept, clock: Traveller) -> None:
    document = desk.add()
    kept.after = [echo.raises(errors.Transient("The answer was lost."))]
    drain(desk.parts, desk.instance.id)
    desk.change(document, number="RE-2")
    assert (desk.row(document).version, desk.state(document)) == (1, State.QUEUED)
    clock.advance(timedelta(minutes=1))
    drain(desk.parts, desk.instance.id)
    drain(desk.parts, desk.instance.id)
    assert [row.version for row in desk.rows()] == [1, 2]
    assert len(kept.things) == 1
    assert desk.state(document) is State.DELIVERED


Build = Callable[[], Exception]


@pytest.mark.parametrize(
    ("error", "state", "instance"),
    [
        (lambda: errors.Transient("later"), State.QUEUED, InstanceState.ACTIVE),
        (lambda: errors.Throttled("slowly", wait=7), State.QUEUED, InstanceState.ACTIVE),
        (lambda: errors.Rejected("no %(why)s", why="way"), State.FAILED, InstanceState.ACTIVE),
        (lambda: errors.Misconfigured("account?"), State.HELD, InstanceState.HELD),
        (lambda: errors.StorageFull("full", needed=9), State.HELD, InstanceState.HELD),
        (lambda: errors.TargetGone("gone"), State.HELD, InstanceState.HELD),
        (lambda: ZeroDivisionError("ours"), State.QUEUED, InstanceState.ACTIVE),
    ],
)
def test_each_failure_ends_where_the_one_who_acts_finds_it(
    desk: Desk, kept: echo.Kept, clock: Traveller, error: Build, state: State, instance: InstanceState
) -> None:
    document = desk.add()
    kept.before = [echo.raises(error())]
    drain(desk.parts, desk.instance.id)
    row = desk.row(document)
    assert row.state is state
    assert row.text
    assert row.claimed_by is None
    with desk.parts.db.read() as session:
        present = session.get_one(type(desk.instance), desk.instance.id)
    assert present.state is instance
    assert kept.things == {}


def test_a_lost_answer_ends_in_one_effect(desk: Desk, kept: echo.Kept, clock: Traveller) -> None:
    document = desk.add()
    kept.after = [echo.raises(errors.Transient("The answer was lost."))]
    drain(desk.parts, desk.instance.id)
    assert len(kept.things) == 1
    assert drain(desk.parts, desk.instance.id) == 0  # not before its time
    clock.advance(timedelta(seconds=10))
    drain(desk.parts, desk.instance.id)
    assert desk.state(document) is State.DELIVERED
    assert (len(kept.things), kept.calls) == (1, 2)
    assert outcomes(desk) == [Outcome.TRANSIENT, Outcome.DELIVERED]


def test_a_throttled_account_rests_as_long_as_told(desk: Desk, kept: echo.Kept, clock: Traveller) -> None:
    desk.add()
    desk.add()
    kept.before = [echo.raises(errors.Throttled("slowly", wait=60))]
    assert drain(desk.parts, desk.instance.id) == 1
    clock.advance(timedelta(seconds=59))
    assert drain(desk.parts, desk.instance.id) == 0
    clock.advance(timedelta(seconds=2))
    assert drain(desk.parts, desk.instance.id) == 2


def test_a_provider_that_is_down_is_left_alone_after_a_few_documents(
    desk: Desk, kept: echo.Kept, clock: Traveller
) -> None:
    for _ in range(8):
        desk.add()
    kept.before = [echo.raises(errors.Transient("down"))] * 8
    assert drain(desk.parts, desk.instance.id) == 3
    assert drain(desk.parts, desk.instance.id) == 0


def test_one_document_that_never_gets_an_answer_does_not_stop_the_others(
    desk: Desk, kept: echo.Kept, clock: Traveller
) -> None:
    poison = desk.add()
    others = [desk.add() for _ in range(6)]
    kept.before = [echo.raises(errors.Transient("no")), None, None, None, None, None, None]
    drain(desk.parts, desk.instance.id)
    assert {desk.state(document) for document in others} == {State.DELIVERED}
    assert desk.state(poison) is State.QUEUED


def test_it_gives_up_after_a_day_and_says_what_the_last_answer_was(
    desk: Desk, kept: echo.Kept, clock: Traveller
) -> None:
    document = desk.add()
    kept.before = [echo.raises(errors.Transient("It is down."))] * 100
    for _ in range(200):
        drain(desk.parts, desk.instance.id)
        clock.advance(timedelta(hours=1, minutes=15))
        if desk.state(document) is State.FAILED:
            break
    row = desk.row(document)
    assert row.state is State.FAILED
    assert row.facts == {"last": "It is down."}


def test_a_paused_instance_sends_nothing_that_was_queued(desk: Desk, kept: echo.Kept) -> None:
    desk.add()
    with desk.parts.db.transaction() as session:
        session.get_one(type(desk.instance), desk.instance.id).state = InstanceState.PAUSED
    assert drain(desk.parts, desk.instance.id) == 0
    assert kept.calls == 0


@pytest.mark.parametrize("error", [errors.Transient("Not now."), errors.Throttled("slowly", wait=60)])
def test_what_is_tried_while_its_instance_is_paused_is_held_and_goes_when_it_is_resumed(
    desk: Desk, kept: echo.Kept, clock: Traveller, error: Exception
) -> None:
    def stands(state: InstanceState) -> None:
        with desk.parts.db.transaction() as session:
            instance = session.get_one(type(desk.instance), desk.instance.id)
            instance.state = state
            session.flush()
            outbox.plan_instance(session, instance)

    def paused_meanwhile() -> None:
        stands(InstanceState.PAUSED)
        raise error

    document = desk.add()
    kept.before = [paused_meanwhile]
    drain(desk.parts, desk.instance.id)
    assert desk.state(document) is State.HELD
    stands(InstanceState.ACTIVE)
    clock.advance(timedelta(minutes=2))
    drain(desk.parts, desk.instance.id)
    assert desk.state(document) is State.DELIVERED
    assert len(kept.things) == 1


def test_two_claims_never_get_the_same_delivery(desk: Desk) -> None:
    desk.add()
    with desk.parts.db.transaction() as session:
        first = claim.claim_next(session, desk.instance.id, "one")
    with desk.parts.db.transaction() as session:
        second = claim.claim_next(session, desk.instance.id, "two")
    assert first is not None
    assert second is None


def claimed_by_a_worker_that_dies(session: Session, desk: Desk) -> None:
    assert claim.claim_next(session, desk.instance.id, "dead") is not None


def test_what_a_dead_worker_held_is_queued_again_when_its_lease_ends(
    desk: Desk, kept: echo.Kept, clock: Traveller
) -> None:
    document = desk.add()
    with desk.parts.db.transaction() as session:
        claimed_by_a_worker_that_dies(session, desk)
    sweep.sweep(desk.parts.db)
    assert desk.state(document) is State.SENDING
    clock.advance(claim.LEASE + timedelta(seconds=1))
    sweep.sweep(desk.parts.db)
    assert desk.state(document) is State.QUEUED
    drain(desk.parts, desk.instance.id)
    assert desk.state(document) is State.DELIVERED
    assert outcomes(desk) == [Outcome.LOST, Outcome.DELIVERED]
    assert len(kept.things) == 1


def test_a_document_without_a_delivery_gets_one_by_the_sweep(desk: Desk, clock: Traveller) -> None:
    from tests import factories

    with desk.parts.db.transaction() as session:
        document = factories.document(session, desk.client, parts=desk.parts)
    sweep.sweep(desk.parts.db)
    assert desk.state(document) is State.QUEUED


def test_a_nightly_instance_waits_for_its_hour_and_a_run_counts(
    parts: Parts, firm: Firm, kept: echo.Kept, clock: Traveller
) -> None:
    from portal.delivery import runs
    from portal.instances.models import Run

    tonight = clock.moment.replace(hour=22, minute=30)
    desk = make_desk(parts, firm, "nightly", next_run_at=tonight)
    document = desk.add()
    assert desk.row(document).due_at == tonight
    runs.start_due(parts.db)
    assert drain(parts, desk.instance.id) == 0
    clock.to(tonight)
    runs.start_due(parts.db)
    assert drain(parts, desk.instance.id) == 1
    runs.end_finished(parts.db)
    with parts.db.read() as session:
        run = session.exec(select(Run)).one()
        assert session.get_one(type(desk.instance), desk.instance.id).next_run_at == tonight + timedelta(days=1)
    assert (run.total, run.delivered, run.failed, run.ended_at) == (1, 1, 0, tonight)


def delete_the_folder(desk: Desk, kept: echo.Kept, document: Document) -> None:
    """The next try finds that somebody deleted the folder at the provider."""
    kept.before = [echo.raises(errors.TargetGone("gone"))]
    desk.change(document, number="RE-2")
    drain(desk.parts, desk.instance.id)
    assert desk.state(document) is State.REMOVED


def test_running_the_set_up_again_brings_back_what_was_removed(desk: Desk, kept: echo.Kept) -> None:
    document, other = desk.add(), desk.add()
    drain(desk.parts, desk.instance.id)
    delete_the_folder(desk, kept, document)
    kept.things.clear()
    with desk.parts.db.transaction() as session:
        outbox.bring_back(session, session.get_one(type(desk.instance), desk.instance.id))
    assert drain(desk.parts, desk.instance.id) == 1
    assert desk.state(document) is desk.state(other) is State.DELIVERED
    assert [thing[0] for thing in kept.things.values()] == [str(document.id)]
    assert kept.previous[-1] is None  # what lay in the deleted folder is not looked for again


def test_what_was_removed_in_the_portal_does_not_come_back(desk: Desk, kept: echo.Kept, clock: Traveller) -> None:
    document = desk.add()
    drain(desk.parts, desk.instance.id)
    delete_the_folder(desk, kept, document)
    with desk.parts.db.transaction() as session:
        session.get_one(Document, document.id).removed_at = clock.moment
        session.flush()
        outbox.bring_back(session, session.get_one(type(desk.instance), desk.instance.id))
    assert drain(desk.parts, desk.instance.id) == 0


def test_a_failed_delivery_of_a_removed_document_is_no_open_work(desk: Desk, kept: echo.Kept, clock: Traveller) -> None:
    document = desk.add()
    kept.before = [echo.raises(errors.Rejected("no"))]
    drain(desk.parts, desk.instance.id)
    assert desk.state(document) is State.FAILED
    for removed_at, state in ((clock.moment, State.EXCLUDED), (None, State.QUEUED)):
        with desk.parts.db.transaction() as session:
            present = session.get_one(Document, document.id)
            present.removed_at = removed_at
            outbox.plan_document(session, present)
        assert desk.state(document) is state


def test_what_is_due_is_found_by_its_own_index(desk: Desk) -> None:
    if not desk.parts.db.is_sqlite:
        pytest.skip("PostgreSQL plans by statistics, of which an empty table has none")
    from portal.delivery.claim import _next_due

    statement = _next_due().compile(desk.parts.db.engine, compile_kwargs={"literal_binds": False})
    with desk.parts.db.engine.connect() as connection:
        plan = connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN {statement}", tuple("x" if name else None for name in statement.positiontup or ())
        ).fetchall()
    assert any("ix_delivery_due" in str(row) for row in plan), plan
