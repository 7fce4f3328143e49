"""What is planned for whom, from both sides (P5, P6)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from integrations.contract import DocumentKind
from portal.accounts.models import Firm
from portal.clock import Traveller
from portal.delivery import outbox
from portal.delivery.models import Actor, State
from portal.documents.models import Document, Reading
from portal.instances.models import Instance, InstanceState
from portal.parts import Parts
from tests import echo
from tests.portal.delivery.conftest import Desk, make_desk


def test_a_document_that_arrives_after_activation_is_queued(desk: Desk) -> None:
    row = desk.row(desk.add())
    assert (row.state, row.current, row.version) == (State.QUEUED, True, 1)
    assert row.due_at is not None


def test_a_document_that_arrived_before_activation_never_goes_by_itself(clock: Traveller, desk: Desk) -> None:
    assert desk.instance.sync_from is not None
    document = desk.add(arrived_at=desk.instance.sync_from - timedelta(microseconds=1))
    assert desk.state(document) is State.BEFORE_ACTIVATION


def test_the_moment_of_activation_itself_counts_as_after(clock: Traveller, desk: Desk) -> None:
    assert desk.state(desk.add(arrived_at=desk.instance.sync_from)) is State.QUEUED


def test_the_printed_date_does_not_matter(desk: Desk) -> None:
    from datetime import date

    assert desk.state(desk.add(issued_on=date(2019, 1, 1))) is State.QUEUED


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"reading": Reading.WAITING}, State.READING),
        ({"reading": Reading.WAITING, "kind": DocumentKind.STATEMENT}, State.READING),
        ({"kind": None}, State.ACTION_NEEDED),
        ({"gross": None}, State.ACTION_NEEDED),
        ({"party_name": ""}, State.ACTION_NEEDED),
        ({"kind": DocumentKind.STATEMENT}, State.EXCLUDED),
        ({"kind": DocumentKind.RECEIPT, "gross": None}, State.QUEUED),
    ],
)
def test_what_is_not_ready_says_what_is_missing(desk: Desk, fields: dict[str, object], state: State) -> None:
    row = desk.row(desk.add(**fields))
    assert row.state is state
    assert (row.text is None) == (state is State.QUEUED)


def test_a_kind_that_was_not_chosen_is_excluded(parts: Parts, firm: Firm, kept: echo.Kept) -> None:
    desk = make_desk(parts, firm, takes=[DocumentKind.RECEIPT.value])
    assert desk.state(desk.add()) is State.EXCLUDED


def test_missing_fields_are_named_for_the_accountant_and_filling_them_in_queues(desk: Desk) -> None:
    document = desk.add(gross=None)
    row = desk.row(document)
    assert (row.actor, row.facts) == (Actor.ACCOUNTANT, {"fields": ["total"]})
    desk.change(document, gross=500)
    assert desk.state(document) is State.QUEUED
    assert desk.row(document).version == 2


@pytest.mark.parametrize("state", [InstanceState.PAUSED, InstanceState.HELD])
def test_paused_and_held_instances_collect_and_release(desk: Desk, state: InstanceState) -> None:
    before = desk.add()
    desk.set(state=state)
    during = desk.add()
    assert [desk.state(before), desk.state(during)] == [State.HELD, State.HELD]
    desk.set(state=InstanceState.ACTIVE)
    assert [desk.state(before), desk.state(during)] == [State.QUEUED, State.QUEUED]


def test_a_draft_collects_nothing(desk: Desk) -> None:
    desk.set(state=InstanceState.DRAFT)
    desk.add()
    assert desk.rows() == []


def test_an_earlier_date_takes_exactly_what_arrived_since(clock: Traveller, parts: Parts, firm: Firm) -> None:
    echo.install()
    desk = make_desk(parts, firm, "nightly")
    start = desk.instance.sync_from
    assert start is not None
    ages = [timedelta(days=3), timedelta(days=2), timedelta(days=1)]
    documents = [desk.add(arrived_at=start - age) for age in ages]
    assert {desk.state(document) for document in documents} == {State.BEFORE_ACTIVATION}
    desk.set(sync_from=start - timedelta(days=2))
    assert [desk.state(document) for document in documents] == [State.BEFORE_ACTIVATION, State.QUEUED, State.QUEUED]


def test_a_click_instance_waits_and_a_click_lets_one_go_even_from_before(clock: Traveller, desk: Desk) -> None:
    desk.set(on_click=True)
    document = desk.add(arrived_at=clock.moment - timedelta(days=30))
    later = desk.add()
    assert [desk.state(document), desk.state(later)] == [State.BEFORE_ACTIVATION, State.WAITING]
    with desk.parts.db.transaction() as session:
        from tests import factories

        person = factories.person(session)
        outbox.ask(
            session, session.get_one(Document, document.id), session.get_one(Instance, desk.instance.id), person.id
        )
    row = desk.row(document)
    assert (row.state, row.asked_by) == (State.QUEUED, person.id)
    assert desk.state(later) is State.WAITING


def test_planning_again_changes_nothing(desk: Desk) -> None:
    document = desk.add()
    before = desk.row(document)
    for _ in range(2):
        desk.set()
        with desk.parts.db.transaction() as session:
            outbox.plan_document(session, session.get_one(Document, document.id))
    assert [row.model_dump() for row in desk.rows()] == [before.model_dump()]


def test_a_whole_archive_is_planned_page_by_page(desk: Desk) -> None:
    documents = [desk.add() for _ in range(7)]
    with desk.parts.db.transaction() as session:
        import sqlalchemy as sa

        from portal.delivery.models import Delivery

        session.execute(sa.delete(Delivery))
    last, pages = None, 0
    while True:
        with desk.parts.db.transaction() as session:
            last = outbox.plan_instance(session, session.get_one(Instance, desk.instance.id), last, page=3)
        pages += 1
        if last is None:
            break
    assert pages == 3
    assert {row.document_id for row in desk.rows()} == {document.id for document in documents}


def test_a_removed_document_is_excluded_and_comes_back_when_restored(clock: Traveller, desk: Desk) -> None:
    document = desk.add()
    desk.change(document, removed_at=clock.moment)
    assert desk.state(document) is State.EXCLUDED
    desk.change(document, removed_at=None)
    assert desk.state(document) is State.QUEUED


def test_a_suspected_twin_waits_for_a_decision(desk: Desk) -> None:
    first = desk.add()
    second = desk.add(twin_id=first.id)
    assert desk.state(second) is State.ACTION_NEEDED
    desk.change(second, twin_accepted=True)
    assert desk.state(second) is State.QUEUED
