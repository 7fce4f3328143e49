"""Runs of nightly instances: their hour, catching up, asked for, stopped; what waits, what is full, what must rest."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, select

from integrations import errors
from portal.access import Viewer
from portal.accounts.models import Firm
from portal.clock import Traveller
from portal.delivery import lookback, runs, services
from portal.delivery.deliver import drain
from portal.delivery.models import Delivery, State
from portal.instances import services as instances
from portal.instances.models import Instance, InstanceState, Run, RunTrigger
from portal.parts import Parts
from portal.schedule import next_nightly
from tests import echo, factories
from tests.portal.delivery.conftest import Desk, make_desk


@pytest.fixture
def nightly(parts: Parts, firm: Firm, kept: echo.Kept, clock: Traveller) -> Desk:
    """An instance that is due tonight at 23:30 in Berlin."""
    return make_desk(parts, firm, "nightly", next_run_at=clock.moment.replace(hour=22, minute=30))


def all_runs(desk: Desk) -> list[Run]:
    with desk.parts.db.read() as session:
        return list(session.exec(select(Run).order_by(col(Run.id))))


def instance(desk: Desk) -> Instance:
    with desk.parts.db.read() as session:
        return session.get_one(Instance, desk.instance.id)


def tick(desk: Desk) -> int:
    """What the scheduler and a worker do."""
    runs.start_due(desk.parts.db)
    lookback.look(desk.parts, desk.instance.id)
    sent = drain(desk.parts, desk.instance.id)
    runs.end_finished(desk.parts.db)
    return sent


@pytest.mark.parametrize(
    ("evening", "due"),
    [
        (datetime(2026, 3, 28, 12, tzinfo=UTC), ["2026-03-28 22:30", "2026-03-29 21:30", "2026-03-30 21:30"]),
        (datetime(2026, 10, 24, 12, tzinfo=UTC), ["2026-10-24 21:30", "2026-10-25 22:30", "2026-10-26 22:30"]),
        (datetime(2028, 2, 28, 12, tzinfo=UTC), ["2028-02-28 22:30", "2028-02-29 22:30", "2028-03-01 22:30"]),
    ],
)
def test_over_a_change_of_the_clocks_and_a_leap_day_there_is_one_run_a_night(
    nightly: Desk, clock: Traveller, evening: datetime, due: list[str]
) -> None:
    clock.to(evening)
    nightly.set(next_run_at=next_nightly(evening, "Europe/Berlin"))
    for _quarter in range(3 * 24 * 4):
        tick(nightly)
        clock.advance(timedelta(minutes=15))
    assert [f"{run.due_at:%Y-%m-%d %H:%M}" for run in all_runs(nightly)] == due
    assert {run.trigger for run in all_runs(nightly)} == {RunTrigger.SCHEDULE}


def test_after_days_without_the_portal_there_is_one_run_and_the_page_can_say_how_late(
    nightly: Desk, clock: Traveller
) -> None:
    nightly.add()
    clock.advance(timedelta(days=3))
    assert tick(nightly) == 1
    (run,) = all_runs(nightly)
    assert run.trigger is RunTrigger.CATCH_UP
    assert runs.late_by(run) == timedelta(days=2, hours=10, minutes=30)
    following = instance(nightly).next_run_at
    assert following is not None
    assert following - clock.moment == timedelta(hours=13, minutes=30)


def test_a_run_in_its_hour_is_not_late(nightly: Desk, clock: Traveller) -> None:
    clock.to(clock.moment.replace(hour=22, minute=31))
    tick(nightly)
    assert runs.late_by(all_runs(nightly)[0]) is None


def test_stopped_what_is_left_waits_for_the_next_run_also_what_comes_back(
    nightly: Desk, clock: Traveller, viewer: Callable[..., Viewer]
) -> None:
    documents = [nightly.add() for _ in range(4)]
    owner = viewer()
    with nightly.parts.db.transaction() as session:
        instances.export_now(session, owner, nightly.instance.id)
    drain(nightly.parts, nightly.instance.id, seconds=0)
    with nightly.parts.db.transaction() as session:
        again = session.exec(select(Delivery).where(Delivery.state == State.DELIVERED)).one()
        again.state, again.text = State.FAILED, "no"
        services.retry(session, owner, nightly.client.id, [again.id])
        instances.stop_run(session, owner, nightly.instance.id)
    assert drain(nightly.parts, nightly.instance.id) == 0
    tonight = instance(nightly).next_run_at
    assert {row.due_at for row in nightly.rows()} == {tonight}
    (run,) = all_runs(nightly)
    assert (run.total, run.delivered) == (4, 1)
    assert run.stopped_at is not None
    assert tonight is not None
    clock.to(tonight)
    assert tick(nightly) == 4
    assert {nightly.state(one) for one in documents} == {State.DELIVERED}


def test_stopping_ends_the_look_that_belongs_to_the_run(nightly: Desk, viewer: Callable[..., Viewer]) -> None:
    owner = viewer()
    nightly.add()
    for _run in range(2):
        with nightly.parts.db.transaction() as session:
            instances.export_now(session, owner, nightly.instance.id)
        drain(nightly.parts, nightly.instance.id)
        runs.end_finished(nightly.parts.db)
    assert instance(nightly).look_due_at is not None
    assert all_runs(nightly)[-1].ended_at is None  # a look is part of it
    with nightly.parts.db.transaction() as session:
        instances.stop_run(session, owner, nightly.instance.id)
    assert instance(nightly).look_due_at is None
    lookback.look(nightly.parts, nightly.instance.id)
    assert instance(nightly).looked_at is None


def set_up_again(desk: Desk, owner: Viewer) -> Run:
    with desk.parts.db.transaction() as session:
        instances.set_up_again(session, owner, desk.instance.id)
    return all_runs(desk)[-1]


def test_running_the_set_up_again_is_a_run_that_looks(nightly: Desk, viewer: Callable[..., Viewer]) -> None:
    owner = viewer()
    nightly.add()
    first = set_up_again(nightly, owner)
    assert (first.trigger, first.total) == (RunTrigger.FINISH, 1)
    assert instance(nightly).look_due_at is None  # nothing was delivered yet
    assert tick(nightly) == 1
    second = set_up_again(nightly, owner)
    assert (second.trigger, second.total) == (RunTrigger.FINISH, 0)
    assert instance(nightly).look_due_at is not None
    tick(nightly)
    assert instance(nightly).looked_at is not None
    assert [run.ended_at is None for run in all_runs(nightly)] == [False, False]


def test_the_set_up_takes_over_the_run_under_way(nightly: Desk, viewer: Callable[..., Viewer]) -> None:
    owner = viewer()
    for _ in range(3):
        nightly.add()
    with nightly.parts.db.transaction() as session:
        instances.export_now(session, owner, nightly.instance.id)
    drain(nightly.parts, nightly.instance.id, seconds=0)
    with nightly.parts.db.transaction() as session:
        session.exec(select(Delivery).where(Delivery.state == State.DELIVERED)).one().state = State.REMOVED
    assert set_up_again(nightly, owner).total == 4
    tick(nightly)
    (run,) = all_runs(nightly)
    assert (run.trigger, run.delivered) == (RunTrigger.FINISH, 4)


def test_a_paused_instance_has_no_run_when_its_set_up_runs_again(nightly: Desk, viewer: Callable[..., Viewer]) -> None:
    owner = viewer()
    nightly.set(state=InstanceState.PAUSED)
    with nightly.parts.db.transaction() as session:
        instances.set_up_again(session, owner, nightly.instance.id)
    assert all_runs(nightly) == []


def test_a_retry_by_a_person_has_all_its_tries_again(
    nightly: Desk, kept: echo.Kept, clock: Traveller, viewer: Callable[..., Viewer]
) -> None:
    document, owner = nightly.add(), viewer()
    with nightly.parts.db.transaction() as session:
        row = session.exec(select(Delivery)).one()
        row.state, row.attempts = State.FAILED, 40
        services.retry(session, owner, nightly.client.id, [row.id])
    kept.before = [echo.raises(errors.Transient("later"))]
    drain(nightly.parts, nightly.instance.id)
    assert nightly.state(document) is State.QUEUED
    clock.advance(timedelta(seconds=10))
    drain(nightly.parts, nightly.instance.id)
    assert (nightly.state(document), nightly.row(document).attempts) == (State.DELIVERED, 42)


def test_a_full_storage_stops_the_instance_and_says_how_much_is_missing(
    nightly: Desk, kept: echo.Kept, viewer: Callable[..., Viewer]
) -> None:
    for _ in range(3):
        nightly.add(content=b"%PDF-1.4" + bytes(900_000), kind="receipt")
    kept.before = [echo.raises(errors.StorageFull("full at %(provider)s", needed=5, provider="Echo"))]
    with nightly.parts.db.transaction() as session:
        instances.export_now(session, viewer(), nightly.instance.id)
    drain(nightly.parts, nightly.instance.id)
    found = instance(nightly)
    assert found.state is InstanceState.HELD
    assert found.facts == {"provider": "Echo", "megabytes": 3}
    assert kept.things == {}


def test_who_is_asked_to_wait_waits_with_all_that_share_the_login_and_never_shorter(
    nightly: Desk, kept: echo.Kept, clock: Traveller
) -> None:
    with nightly.parts.db.transaction() as session:
        mine = session.get_one(Instance, nightly.instance.id)
        installed = session.get_one(type(mine), mine.id).installation_id
        from portal.extensions.models import Installation

        login = factories.connection(
            session, nightly.client, session.get_one(Installation, installed), account_id="one", parts=nightly.parts,
            token={
                "access": "a", "refresh": None, "expires_at": None, "refresh_expires_at": None, "scopes": [],
                "extras": {},
            },
        )  # fmt: skip
        mine.connection_id = login.id
        other = factories.instance(session, nightly.client, session.get_one(Installation, installed), connected=login)
    nightly.add()
    kept.before = [echo.raises(errors.Throttled("slowly", wait=60)), echo.raises(errors.Throttled("slowly", wait=5))]
    assert drain(nightly.parts, other.id) == 1
    assert drain(nightly.parts, nightly.instance.id) == 0
    with nightly.parts.db.read() as session:
        resting = {one.rest_until for one in session.exec(select(Instance))}
    assert resting == {clock.moment + timedelta(seconds=60)}
    clock.advance(timedelta(seconds=61))
    assert drain(nightly.parts, other.id) == 1  # five seconds this time
