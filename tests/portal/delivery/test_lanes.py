"""Several deliveries of one instance at once, where its kind takes that."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from sqlmodel import select

from integrations.errors import Throttled
from portal.accounts.models import Firm
from portal.delivery import outbox
from portal.delivery.deliver import drain
from portal.delivery.models import Attempt, Delivery, State
from portal.instances.models import Instance
from portal.parts import Parts
from tests import echo, factories

MANY = 12


class Meter:
    """How many calls are under way at once; each waits until ``wanted`` are, or a second is over."""

    def __init__(self, wanted: int) -> None:
        self.wanted, self.now, self.most = wanted, 0, 0
        self.changed = threading.Condition()

    def __call__(self) -> None:
        with self.changed:
            self.now += 1
            self.most = max(self.most, self.now)
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.most >= self.wanted, timeout=1)
            self.now -= 1


@pytest.fixture
def kept() -> Iterator[echo.Kept]:
    manifest = echo.Echo.manifest
    echo.Echo.manifest = manifest.model_copy(update={"parallel": 4})
    yield echo.install()
    echo.Echo.manifest = manifest


@pytest.fixture
def instance(parts: Parts, firm: Firm, kept: echo.Kept) -> Instance:
    """An instance with many documents that wait for it."""
    with parts.db.transaction() as session:
        client = factories.client(session, firm)
        made = factories.instance(session, client, factories.installation(session, firm, kind=echo.KIND, parts=parts))
    for _ in range(MANY):
        with parts.db.transaction() as session:
            outbox.plan_document(session, factories.document(session, client, parts=parts))
    return made


def states(parts: Parts) -> list[State]:
    with parts.db.read() as session:
        return [State(row.state) for row in session.exec(select(Delivery))]


def test_as_many_go_at_once_as_the_kind_takes_and_each_once(parts: Parts, instance: Instance, kept: echo.Kept) -> None:
    meter = Meter(wanted=4)
    kept.before = [None, *[meter] * (MANY - 1)]
    assert drain(parts, instance.id) == MANY
    assert meter.most == 4
    assert states(parts) == [State.DELIVERED] * MANY
    assert (len(kept.things), kept.calls) == (MANY, MANY)


def test_one_document_is_one_lane(parts: Parts, instance: Instance, kept: echo.Kept) -> None:
    with parts.db.transaction() as session:
        for waiting in session.exec(select(Delivery)).all()[1:]:
            waiting.state = State.WAITING
    threads = threading.active_count()
    kept.before = [lambda: kept.previous.append(None) if threading.active_count() > threads + 1 else None]
    assert drain(parts, instance.id) == 1
    assert kept.previous == [None]  # what the call itself was told: nothing more was running than the lease's thread


def test_a_throttled_lane_ends_the_others(parts: Parts, instance: Instance, kept: echo.Kept) -> None:
    def throttled() -> None:
        raise Throttled("Please wait.", wait=3600)

    kept.before = [None, throttled, throttled, throttled, throttled]
    attempts = drain(parts, instance.id)
    assert attempts <= 5
    with parts.db.read() as session:
        assert len(session.exec(select(Attempt)).all()) == attempts
        assert session.get_one(Instance, instance.id).rest_until is not None
    assert states(parts).count(State.DELIVERED) >= 1
    assert set(states(parts)) == {State.DELIVERED, State.QUEUED}
