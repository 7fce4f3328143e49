from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import select

from integrations.contract import DocumentKind
from portal.clock import Traveller
from portal.delivery.models import Delivery, State
from portal.errors import Conflict, Invalid, NotFound
from portal.extensions.settings import InvalidSettings
from portal.instances import setup
from portal.instances.models import Instance, InstanceState, Run, RunTrigger
from portal.instances.setup import Step
from tests import factories
from tests.portal.instances.conftest import Desk


def reached(desk: Desk, instance: Instance) -> Step:
    with desk.parts.db.read() as session:
        return setup.reached(session, session.get_one(Instance, instance.id))


def states(desk: Desk) -> dict[str, State]:
    with desk.parts.db.read() as session:
        return {str(row.document_id): row.state for row in session.exec(select(Delivery))}


def test_a_storage_has_five_steps_and_a_ledger_no_earlier_start() -> None:
    assert setup.steps("google_drive") == list(Step)
    assert Step.START not in setup.steps("quickbooks")


def test_a_set_up_goes_step_by_step(desk: Desk) -> None:
    instance = desk.begin("quickbooks")
    assert reached(desk, instance) is Step.SIGN_IN
    with desk.parts.db.transaction() as session:
        setup.connect(session, desk.owner, instance.id, desk.logins["quickbooks"].id)
    assert reached(desk, instance) is Step.SETTINGS
    with desk.parts.db.transaction() as session:
        values = {"expense_account": "7", "income_account": "1"}
        setup.set_settings(session, desk.owner, desk.parts.vault, instance.id, values)
    assert reached(desk, instance) is Step.DOCUMENTS
    with desk.parts.db.transaction() as session:
        setup.set_documents(session, desk.owner, instance.id, ["receipt"], on_click=True)
    assert reached(desk, instance) is Step.SUMMARY
    assert desk.now(instance).on_click


def test_nothing_is_collected_before_finish(desk: Desk) -> None:
    with desk.parts.db.transaction() as session:
        factories.document(session, desk.client)
    desk.ready()
    assert states(desk) == {}


def test_finish_needs_every_step(desk: Desk) -> None:
    instance = desk.begin()
    with desk.parts.db.transaction() as session, pytest.raises(Conflict):
        setup.finish(session, desk.owner, instance.id)
    assert desk.now(instance).state is InstanceState.DRAFT


def test_finish_counts_once(desk: Desk) -> None:
    instance = desk.finished()
    with desk.parts.db.transaction() as session, pytest.raises(Conflict):
        setup.finish(session, desk.owner, instance.id)


def test_finish_takes_its_own_moment_and_leaves_what_arrived_before(desk: Desk, clock: Traveller) -> None:
    with desk.parts.db.transaction() as session:
        before = factories.document(session, desk.client)
    clock.advance(timedelta(seconds=1))
    instance = desk.ready()
    clock.advance(timedelta(seconds=1))
    with desk.parts.db.transaction() as session:
        at_once = factories.document(session, desk.client)
        finished = setup.finish(session, desk.owner, instance.id)
    assert finished.sync_from == finished.activated_at == clock.moment
    assert states(desk) == {str(before.id): State.BEFORE_ACTIVATION, str(at_once.id): State.QUEUED}


def test_an_earlier_day_begins_at_midnight_in_the_firms_zone(desk: Desk, clock: Traveller) -> None:
    instance = desk.ready()
    with desk.parts.db.transaction() as session:
        inside = factories.document(session, desk.client, arrived_at=datetime(2026, 2, 28, 23, 0, tzinfo=UTC))
        outside = factories.document(session, desk.client, arrived_at=datetime(2026, 2, 28, 22, 59, 59, tzinfo=UTC))
        setup.set_start(session, desk.owner, instance.id, date(2026, 3, 1))
        finished = setup.finish(session, desk.owner, instance.id)
    assert finished.sync_from == datetime(2026, 2, 28, 23, 0, tzinfo=UTC)
    assert finished.earlier_on == date(2026, 3, 1)
    assert states(desk) == {str(inside.id): State.QUEUED, str(outside.id): State.BEFORE_ACTIVATION}


def test_an_accounting_package_offers_no_earlier_day(desk: Desk) -> None:
    instance = desk.ready("quickbooks")
    with desk.parts.db.transaction() as session, pytest.raises(Invalid):
        setup.set_start(session, desk.owner, instance.id, date(2020, 1, 1))


def test_a_day_to_come_is_no_start(desk: Desk, clock: Traveller) -> None:
    instance = desk.ready()
    with desk.parts.db.transaction() as session, pytest.raises(Invalid):
        setup.set_start(session, desk.owner, instance.id, date(2026, 3, 5))
    with desk.parts.db.transaction() as session:
        setup.set_start(session, desk.owner, instance.id, date(2026, 3, 4))


def test_the_start_of_a_finished_instance_moves_only_to_earlier_days(desk: Desk, clock: Traveller) -> None:
    with desk.parts.db.transaction() as session:
        old = factories.document(session, desk.client, arrived_at=datetime(2026, 2, 1, tzinfo=UTC))
    instance = desk.finished()
    before = instance.sync_from
    assert states(desk)[str(old.id)] is State.BEFORE_ACTIVATION
    with desk.parts.db.transaction() as session:
        setup.set_start(session, desk.owner, instance.id, date(2026, 1, 1))
    assert states(desk)[str(old.id)] is State.QUEUED
    for later in (date(2026, 1, 1), date(2026, 1, 2)):
        with desk.parts.db.transaction() as session, pytest.raises(Invalid):
            setup.set_start(session, desk.owner, instance.id, later)
    moved = desk.now(instance).sync_from
    assert before is not None
    assert moved is not None
    assert moved < before


def test_going_through_the_set_up_again_keeps_the_start(desk: Desk, clock: Traveller) -> None:
    instance = desk.finished()
    before = instance.sync_from
    clock.advance(timedelta(days=3))
    with desk.parts.db.transaction() as session:
        setup.connect(session, desk.owner, instance.id, desk.logins["google_drive"].id)
        setup.set_settings(session, desk.owner, desk.parts.vault, instance.id, {"root": "Books"})
        setup.set_documents(session, desk.owner, instance.id, ["receipt"])
        setup.set_start(session, desk.owner, instance.id, None)
    after = desk.now(instance)
    assert (after.sync_from, after.state) == (before, InstanceState.ACTIVE)
    assert (after.settings["root"], after.takes) == ("Books", ["receipt"])


def test_a_new_choice_of_documents_is_planned_at_once(desk: Desk, clock: Traveller) -> None:
    instance = desk.finished()
    with desk.parts.db.transaction() as session:
        receipt = factories.document(session, desk.client, kind=DocumentKind.RECEIPT)
        setup.set_documents(session, desk.owner, instance.id, ["incoming_invoice"])
    assert states(desk)[str(receipt.id)] is State.EXCLUDED
    with desk.parts.db.transaction() as session:
        setup.set_documents(session, desk.owner, instance.id, ["incoming_invoice", "receipt"])
    assert states(desk)[str(receipt.id)] is State.QUEUED


def test_a_nightly_instance_runs_now_and_then_at_half_past_eleven(desk: Desk, clock: Traveller) -> None:
    instance = desk.finished()
    assert instance.next_run_at == datetime(2026, 3, 4, 22, 30, tzinfo=UTC)
    with desk.parts.db.read() as session:
        (run,) = session.exec(select(Run)).all()
    assert (run.trigger, run.due_at) == (RunTrigger.FINISH, clock.moment)
    assert desk.finished("quickbooks").next_run_at is None


@pytest.mark.parametrize("takes", [[], ["statement"], ["nonsense"]])
def test_only_documents_that_the_kind_takes_can_be_chosen(desk: Desk, takes: list[str]) -> None:
    instance = desk.begin("quickbooks")
    with desk.parts.db.transaction() as session, pytest.raises(Invalid) as refused:
        setup.set_documents(session, desk.owner, instance.id, takes)
    assert refused.value.field == "takes"


def test_a_kind_that_works_by_itself_cannot_wait_for_clicks(desk: Desk) -> None:
    instance = desk.begin()
    with desk.parts.db.transaction() as session, pytest.raises(Invalid):
        setup.set_documents(session, desk.owner, instance.id, ["receipt"], on_click=True)


def test_settings_that_the_connector_refuses_are_not_stored(desk: Desk) -> None:
    instance = desk.begin()
    with desk.parts.db.transaction() as session, pytest.raises(InvalidSettings):
        setup.set_settings(session, desk.owner, desk.parts.vault, instance.id, {"path": "{supplier}/{number}"})
    assert desk.now(instance).settings == {}


def test_a_second_instance_of_a_kind_has_a_name_of_its_own(desk: Desk) -> None:
    names = [desk.begin().name for _ in range(3)]
    assert names == ["Google Drive", "Google Drive 2", "Google Drive 3"]


def test_a_finished_instance_stays_with_its_account(desk: Desk) -> None:
    instance = desk.finished()
    with desk.parts.db.transaction() as session:
        other = factories.connection(session, desk.client, desk.installed["google_drive"])
    with desk.parts.db.transaction() as session, pytest.raises(Conflict):
        setup.connect(session, desk.owner, instance.id, other.id)


def test_another_account_in_a_draft_forgets_the_settings_of_the_first(desk: Desk) -> None:
    instance = desk.ready("quickbooks")
    with desk.parts.db.transaction() as session:
        other = factories.connection(session, desk.client, desk.installed["quickbooks"])
        setup.connect(session, desk.owner, instance.id, other.id)
    assert desk.now(instance).settings == {}


def test_a_connection_of_another_kind_or_client_is_not_found(desk: Desk) -> None:
    instance = desk.begin()
    with desk.parts.db.transaction() as session:
        from portal.accounts.models import Firm

        other = factories.client(session, session.get_one(Firm, desk.client.firm_id))
        foreign = factories.connection(session, other, desk.installed["google_drive"])
    for login in (desk.logins["quickbooks"], foreign):
        with desk.parts.db.transaction() as session, pytest.raises(NotFound):
            setup.connect(session, desk.owner, instance.id, login.id)


def test_what_is_not_installed_cannot_be_begun(desk: Desk) -> None:
    from portal.instances import uninstall

    with desk.parts.db.transaction() as session:
        uninstall.uninstall(session, desk.owner, "google_drive")
    with pytest.raises(NotFound):
        desk.begin()
