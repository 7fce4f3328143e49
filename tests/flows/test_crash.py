"""Whatever dies, each document has one effect: worker, Redis, the provider's answer, at every step of a delivery."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from redis import Redis

from integrations.contract import DocumentKind
from portal.clock import Traveller
from portal.config import Settings
from portal.delivery.deliver import drain
from portal.documents.models import Document
from tests.flows.world import KINDS, World, world
from tests.servers import until

MOST_CALLS = 30


@pytest.fixture(params=KINDS)
def at(request: pytest.FixtureRequest, settings: Settings, environ: dict[str, str]) -> Iterator[World]:
    """A world of each kind."""
    with world(settings, environ, request.param) as made:
        yield made


def test_a_worker_delivers_what_rang(at: World) -> None:
    at.start_worker()
    documents = at.add(3)
    until(lambda: at.delivered(documents), 20, "the delivery")
    at.holds(documents)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("fault", ["slow:9", "commit-then-slow:9"], ids=["before its effect", "after its effect"])
def test_a_worker_killed_within_any_call_leaves_one_effect(at: World, fault: str) -> None:
    documents: list[Document] = []
    for number in itertools.count():
        at.bench.script([*([f"ok:{number}"] if number else []), fault])
        worker = at.start_worker()
        documents += at.add(party_name=f"Lieferant {number} GmbH")
        met = at.wait_for_fault()
        at.kill(worker)
        at.bench.clear()
        at.recover()
        at.holds(documents)
        if not met:
            break
        assert number < MOST_CALLS
    assert len(documents) > 2


@pytest.mark.timeout(300)
@pytest.mark.parametrize("fault", ["commit-then-drop", "reset", "down", "throttle:5", "expired"])
def test_any_call_that_goes_wrong_leaves_one_effect(clock: Traveller, at: World, fault: str) -> None:
    documents: list[Document] = []
    for number in itertools.count():
        at.bench.script([*([f"ok:{number}"] if number else []), fault])
        documents += at.add(party_name=f"Lieferant {number} GmbH")
        drain(at.parts, at.instance.id)
        met = at.wait_for_fault()
        at.bench.clear()
        at.recover(clock)
        at.holds(documents)
        if not met:
            break
        assert number < MOST_CALLS
    assert len(documents) > 2


def test_an_outgoing_invoice_is_entered_once_when_its_answer_is_lost(
    clock: Traveller, settings: Settings, environ: dict[str, str]
) -> None:
    with world(settings, environ, "quickbooks") as at:
        documents: list[Document] = []
        for number in itertools.count():
            at.bench.script([*([f"ok:{number}"] if number else []), "commit-then-drop"])
            documents += at.add(kind=DocumentKind.OUTGOING_INVOICE, party_name=f"Kunde {number}")
            drain(at.parts, at.instance.id)
            met = at.wait_for_fault()
            at.bench.clear()
            at.recover(clock)
            at.holds(documents)
            if not met:
                break


def test_an_emptied_redis_costs_time_and_no_document(at: World, redis: Redis) -> None:
    documents = at.add(3)
    redis.flushall()
    at.start_worker()
    at.recover()
    at.holds(documents)


def test_documents_that_arrive_while_redis_is_dead_are_delivered_later(at: World) -> None:
    bell = at.parts.db.bell
    at.parts.db.bell = None  # nothing rings
    documents = at.add(3)
    at.parts.db.bell = bell
    at.start_worker()
    from portal.delivery.sweep import sweep

    sweep(at.parts.db)
    until(lambda: at.delivered(documents), 20, "the delivery")
    at.holds(documents)


def test_two_workers_share_the_work_and_double_nothing(at: World) -> None:
    at.start_worker()
    at.start_worker()
    documents = at.add(30)
    until(lambda: at.delivered(documents), 60, "the delivery")
    at.holds(documents)
