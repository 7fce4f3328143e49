"""What ``test_crash.py`` proves of kinds with OAuth, proven of WebDAV and S3, where a known folder costs one call."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import date

import pytest

from portal.clock import Traveller
from portal.config import Settings
from portal.delivery.deliver import drain
from portal.documents.models import Document
from tests.flows.world import World, world

MOST_CALLS = 12


@pytest.fixture(params=["webdav", "s3"])
def at(request: pytest.FixtureRequest, settings: Settings, environ: dict[str, str]) -> Iterator[World]:
    """A world of each kind."""
    with world(settings, environ, request.param) as made:
        yield made


def another_month(at: World, number: int) -> list[Document]:
    """A document that needs a new folder, so that there is more than one call to fail at."""
    return at.add(party_name=f"Lieferant {number} GmbH", issued_on=date(2026, 1 + number, 4))


@pytest.mark.timeout(300)
def test_a_worker_killed_after_the_effect_of_any_call_leaves_one(at: World) -> None:
    documents: list[Document] = []
    for number in range(MOST_CALLS):
        at.bench.script([*([f"ok:{number}"] if number else []), "commit-then-slow:5"])
        worker = at.start_worker()
        documents += another_month(at, number)
        met = at.wait_for_fault()
        at.kill(worker)
        at.bench.clear()
        at.recover()
        at.holds(documents)
        if not met:
            break
    assert 1 < len(documents) < MOST_CALLS


@pytest.mark.parametrize("fault", ["commit-then-drop", "reset", "down", "throttle:5"])
def test_any_call_that_goes_wrong_leaves_one_effect(clock: Traveller, at: World, fault: str) -> None:
    documents: list[Document] = []
    for number in itertools.count():
        at.bench.script([*([f"ok:{number}"] if number else []), fault])
        documents += another_month(at, number)
        drain(at.parts, at.instance.id)
        met = at.wait_for_fault()
        at.bench.clear()
        at.recover(clock)
        at.holds(documents)
        if not met:
            break
    assert 1 < len(documents) < MOST_CALLS
