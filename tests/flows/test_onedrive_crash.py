"""Large files to OneDrive: a worker killed within any call, or any call that goes wrong, leaves one whole file."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from integrations.conformance.parts import filler
from integrations.onedrive.upload import CHUNK
from portal.clock import Traveller
from portal.config import Settings
from portal.delivery.deliver import drain
from portal.documents.models import Document
from tests.flows.world import World, world

CALLS = 4  # the session and three pieces


@pytest.fixture
def at(settings: Settings, environ: dict[str, str]) -> Iterator[World]:
    with world(settings, environ, "onedrive") as made:
        made.add(party_name="Folders are made")
        drain(made.parts, made.instance.id)
        yield made


def large(at: World, number: int) -> Document:
    content = filler(CHUNK * 2 + number + 1)
    return at.add(content=content, party_name=f"Lieferant {number} GmbH")[0]


def rows(at: World) -> list[Document]:
    with at.parts.db.read() as session:
        return [session.get_one(Document, row.document_id) for row in at.rows()]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("fault", ["slow:9", "commit-then-slow:9"], ids=["before its effect", "after its effect"])
def test_a_worker_killed_within_any_call_leaves_one_effect(at: World, fault: str) -> None:
    for number in range(CALLS):
        at.bench.script([*([f"ok:{number}"] if number else []), fault])
        worker = at.start_worker()
        large(at, number)
        assert at.wait_for_fault()
        at.kill(worker)
        at.bench.clear()
        at.recover()
        at.holds(rows(at))


@pytest.mark.parametrize("fault", ["commit-then-drop", "reset", "down", "throttle:5", "expired"])
def test_any_call_that_goes_wrong_leaves_one_effect(clock: Traveller, at: World, fault: str) -> None:
    for number in itertools.count():
        at.bench.script([*([f"ok:{number}"] if number else []), fault])
        large(at, number)
        drain(at.parts, at.instance.id)
        met = at.wait_for_fault()
        at.bench.clear()
        at.recover(clock)
        if not met:
            break
        at.holds(rows(at))
    assert number >= CALLS
