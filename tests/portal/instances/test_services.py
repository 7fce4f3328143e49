from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlmodel import Session, select

from portal.access import Viewer, viewer_of
from portal.accounts.models import Role
from portal.audit import AuditEntry, broken
from portal.clients.models import ContactRole
from portal.clock import Traveller
from portal.connections import services as connections
from portal.connections.models import Connection, ConnectionState
from portal.delivery.models import Delivery, State
from portal.errors import Conflict, Invalid, NotFound
from portal.instances import services, setup, uninstall
from portal.instances.models import Instance, InstanceState, Run
from tests import factories
from tests.portal.instances.conftest import Desk

Verb = Callable[[Session, Viewer, UUID], object]


def do(desk: Desk, verb: Verb, instance: Instance, viewer: Viewer | None = None) -> Instance:
    with desk.parts.db.transaction() as session:
        verb(session, viewer or desk.owner, instance.id)
    return desk.now(instance)


def hold(desk: Desk, instance: Instance, text: str = "The storage is full.") -> Instance:
    with desk.parts.db.transaction() as session:
        services.hold(session, session.get_one(Instance, instance.id), text, {})
    return desk.now(instance)


def arrive(desk: Desk) -> UUID:
    """A document that was planned, as the door does it."""
    from portal.delivery.outbox import plan_document

    with desk.parts.db.transaction() as session:
        document = factories.document(session, desk.client)
        plan_document(session, document)
        return document.id


def state_of(desk: Desk, document: UUID) -> State:
    with desk.parts.db.read() as session:
        return State(session.exec(select(Delivery.state).where(Delivery.document_id == document)).one())


def test_paused_collects_and_resumed_lets_go(desk: Desk) -> None:
    instance = desk.finished()
    do(desk, services.pause, instance)
    document = arrive(desk)
    assert state_of(desk, document) is State.HELD
    assert do(desk, services.resume, instance).state is InstanceState.ACTIVE
    assert state_of(desk, document) is State.QUEUED


def test_held_collects_and_trying_again_lets_go(desk: Desk) -> None:
    instance = desk.finished()
    held = hold(desk, instance)
    assert (held.state, held.text) == (InstanceState.HELD, "The storage is full.")
    document = arrive(desk)
    assert state_of(desk, document) is State.HELD
    released = do(desk, services.try_again, instance)
    assert (released.state, released.text) == (InstanceState.ACTIVE, None)
    assert state_of(desk, document) is State.QUEUED


def test_a_hold_is_told_once(desk: Desk) -> None:
    instance = desk.finished()
    for _again in range(3):
        hold(desk, instance)
    with desk.parts.db.read() as session:
        told = session.exec(select(AuditEntry).where(AuditEntry.action == "instance.held")).all()
    assert len(told) == 1


def test_a_pause_by_a_person_is_not_overruled_by_a_hold(desk: Desk) -> None:
    instance = desk.finished()
    do(desk, services.pause, instance)
    assert hold(desk, instance).state is InstanceState.PAUSED


def test_a_dead_login_holds_all_its_instances_and_only_reconnecting_helps(desk: Desk) -> None:
    first, second, other = desk.finished(), desk.finished(), desk.finished("quickbooks")
    login = desk.logins["google_drive"]
    with desk.parts.db.transaction() as session:
        connections.died(session, login.id, "The login has ended.", {})
    assert [desk.now(one).state for one in (first, second, other)] == [
        InstanceState.HELD, InstanceState.HELD, InstanceState.ACTIVE,
    ]  # fmt: skip
    with pytest.raises(Conflict):
        do(desk, services.try_again, first)
    with desk.parts.db.transaction() as session:
        back = session.get_one(Connection, login.id)
        back.state, back.text = ConnectionState.LIVE, None
        session.add(back)
        services.login_back(session, back, desk.owner.by)
    assert [desk.now(one).state for one in (first, second)] == [InstanceState.ACTIVE, InstanceState.ACTIVE]


def test_resuming_with_a_dead_login_is_held_not_active(desk: Desk) -> None:
    instance = desk.finished()
    do(desk, services.pause, instance)
    with desk.parts.db.transaction() as session:
        connections.died(session, desk.logins["google_drive"].id, "The login has ended.", {})
    resumed = do(desk, services.resume, instance)
    assert (resumed.state, resumed.text) == (InstanceState.HELD, "The login has ended.")


def test_mending_a_setting_lifts_the_hold(desk: Desk) -> None:
    instance = desk.finished()
    hold(desk, instance, "The account no longer exists.")
    with desk.parts.db.transaction() as session:
        setup.set_settings(session, desk.owner, desk.parts.vault, instance.id, {"root": "Books"})
    assert desk.now(instance).state is InstanceState.ACTIVE


@pytest.mark.parametrize(
    ("verb", "allowed"),
    [
        (services.pause, {InstanceState.ACTIVE, InstanceState.HELD}),
        (services.resume, {InstanceState.PAUSED}),
        (services.try_again, {InstanceState.HELD}),
        (services.export_now, {InstanceState.ACTIVE}),
        (setup.finish, {InstanceState.DRAFT}),
        (services.remove, set(InstanceState) - {InstanceState.REMOVED}),
    ],
)
@pytest.mark.parametrize("state", list(InstanceState))
def test_what_does_not_fit_the_state_is_a_conflict(
    desk: Desk, verb: Verb, allowed: set[InstanceState], state: InstanceState
) -> None:
    instance = desk.ready()
    with desk.parts.db.transaction() as session:
        row = session.get_one(Instance, instance.id)
        row.state = state
        session.add(row)
    if state in allowed:
        do(desk, verb, instance)
    else:
        with pytest.raises(Conflict):
            do(desk, verb, instance)
        assert desk.now(instance).state is state


def test_removing_ends_for_good_and_keeps_what_was_planned_to_see(desk: Desk) -> None:
    instance = desk.finished()
    document = arrive(desk)
    removed = do(desk, services.remove, instance)
    assert (removed.state, removed.next_run_at) == (InstanceState.REMOVED, None)
    assert state_of(desk, document) is State.EXCLUDED
    with desk.parts.db.read() as session:
        assert all(run.ended_at for run in session.exec(select(Run)))


def test_a_draft_that_was_thrown_away_is_listed_no_more_and_a_removed_instance_is(desk: Desk) -> None:
    draft, removed = desk.begin(), desk.finished()
    for one in (draft, removed):
        do(desk, services.remove, one)
    with desk.parts.db.read() as session:
        listed = services.of_client(session, desk.owner, desk.client.id)
    assert [one.id for one in listed] == [removed.id]


def test_export_now_begins_one_run_and_makes_everything_due(desk: Desk, clock: Traveller) -> None:
    instance = desk.finished()
    with desk.parts.db.transaction() as session:
        first = session.exec(select(Run)).one()
        first.ended_at = clock.moment
        session.add(first)
    clock.advance(timedelta(hours=1))
    document = arrive(desk)
    with desk.parts.db.transaction() as session:
        run = services.export_now(session, desk.owner, instance.id)
    with desk.parts.db.transaction() as session:
        assert services.export_now(session, desk.owner, instance.id).id == run.id
        due = session.exec(select(Delivery.due_at).where(Delivery.document_id == document)).one()
    assert (due, run.total, run.by) == (clock.moment, 1, desk.owner.person_id)


def test_export_now_takes_what_came_since_the_run_began(desk: Desk, clock: Traveller) -> None:
    instance = desk.finished()
    document = arrive(desk)
    do(desk, services.export_now, instance)
    with desk.parts.db.read() as session:
        run = session.exec(select(Run)).one()
        due = session.exec(select(Delivery.due_at).where(Delivery.document_id == document)).one()
    assert (due, run.total, run.started_at) == (clock.moment, 1, clock.moment)


def remove_at_the_destination(desk: Desk, document: UUID) -> None:
    with desk.parts.db.transaction() as session:
        session.exec(select(Delivery).where(Delivery.document_id == document)).one().state = State.REMOVED


@pytest.mark.parametrize("paused", [False, True])
def test_running_the_set_up_again_brings_back_what_was_removed(desk: Desk, paused: bool) -> None:
    instance = desk.finished()
    document = arrive(desk)
    remove_at_the_destination(desk, document)
    if paused:
        do(desk, services.pause, instance)
    again = do(desk, services.set_up_again, instance)
    assert state_of(desk, document) is (State.HELD if paused else State.QUEUED)
    assert again.sync_from == instance.sync_from


def test_saving_a_step_of_the_set_up_is_running_it_again(desk: Desk) -> None:
    instance = desk.finished()
    document = arrive(desk)
    remove_at_the_destination(desk, document)
    with desk.parts.db.transaction() as session:
        setup.set_settings(session, desk.owner, desk.parts.vault, instance.id, {"root": "Kontor"})
    assert state_of(desk, document) is State.QUEUED


def test_a_draft_has_no_set_up_to_run_again(desk: Desk) -> None:
    with pytest.raises(Conflict):
        do(desk, services.set_up_again, desk.begin())


def test_a_run_that_is_stopped_leaves_the_rest_for_the_next(desk: Desk, clock: Traveller) -> None:
    instance = desk.finished()
    document = arrive(desk)
    do(desk, services.export_now, instance)
    do(desk, services.stop_run, instance)
    with desk.parts.db.read() as session:
        due = session.exec(select(Delivery.due_at).where(Delivery.document_id == document)).one()
        assert all(run.stopped_at for run in session.exec(select(Run)))
    assert due is not None
    assert due == desk.now(instance).next_run_at


@pytest.mark.parametrize("name", ["", "  ", "x" * 81])
def test_an_instance_needs_a_name_that_fits(desk: Desk, name: str) -> None:
    instance = desk.begin()
    with desk.parts.db.transaction() as session, pytest.raises(Invalid):
        services.rename(session, desk.owner, instance.id, name)


@pytest.mark.parametrize(
    ("role", "may"),
    [(Role.ACCOUNTANT, True), (Role.ASSISTANT, False), (Role.CLIENT_MANAGER, False), (Role.ADMIN, True)],
)
def test_members_steer_by_their_role(desk: Desk, viewer: Callable[..., Viewer], role: Role, may: bool) -> None:
    instance = desk.finished()
    member = viewer(role, assigned=(desk.client.id,))
    if may:
        do(desk, services.pause, instance, member)
    else:
        with pytest.raises(NotFound):
            do(desk, services.pause, instance, member)


@pytest.mark.parametrize(
    ("role", "may"), [(ContactRole.OWNER, True), (ContactRole.ADMIN, True), (ContactRole.MEMBER, False)]
)
def test_contacts_steer_by_their_role(desk: Desk, role: ContactRole, may: bool) -> None:
    instance = desk.finished()
    with desk.parts.db.transaction() as session:
        contact = factories.contact(session, desk.client, role=role)
        person = viewer_of(session, contact.person_id)
    assert person is not None
    if may:
        do(desk, services.pause, instance, person)
    else:
        with pytest.raises(NotFound):
            do(desk, services.pause, instance, person)


def test_an_accountant_of_other_clients_finds_nothing(desk: Desk, viewer: Callable[..., Viewer]) -> None:
    instance = desk.finished()
    stranger = viewer(Role.ACCOUNTANT)
    for verb in (services.pause, services.remove, services.export_now, services.stop_run):
        with pytest.raises(NotFound):
            do(desk, verb, instance, stranger)
    with desk.parts.db.read() as session, pytest.raises(NotFound):
        services.of_client(session, stranger, desk.client.id)


def test_uninstalling_says_what_stops_and_stops_it(desk: Desk) -> None:
    instances = [desk.finished(), desk.begin(), desk.finished("quickbooks")]
    with desk.parts.db.read() as session:
        (stops,) = uninstall.effects(session, desk.owner, "google_drive")
    assert stops.client.id == desk.client.id
    assert {one.id for one in stops.instances} == {instances[0].id, instances[1].id}
    with desk.parts.db.transaction() as session:
        assert uninstall.uninstall(session, desk.owner, "google_drive") == 2
    assert [desk.now(one).state for one in instances] == [
        InstanceState.REMOVED, InstanceState.REMOVED, InstanceState.ACTIVE,
    ]  # fmt: skip
    with desk.parts.db.read() as session:
        assert session.get_one(Connection, desk.logins["google_drive"].id).token is None


def test_an_accountant_cannot_uninstall(desk: Desk, viewer: Callable[..., Viewer]) -> None:
    accountant = viewer(Role.ACCOUNTANT, assigned=(desk.client.id,))
    with desk.parts.db.transaction() as session, pytest.raises(NotFound):
        uninstall.uninstall(session, accountant, "google_drive")


def test_every_change_is_in_the_audit_trail(desk: Desk) -> None:
    instance = desk.finished()
    for verb in (services.pause, services.resume, services.export_now, services.remove):
        do(desk, verb, instance)
    with desk.parts.db.read() as session:
        entries = session.exec(select(AuditEntry).where(AuditEntry.subject_id == instance.id)).all()
        assert broken(session, desk.client.firm_id) is None
    actions = [entry.action.removeprefix("instance.") for entry in sorted(entries, key=lambda entry: entry.number)]
    assert actions == [
        "begun", "connected", "settings_changed", "documents_chosen", "finished", "paused", "resumed", "removed",
    ]  # fmt: skip
