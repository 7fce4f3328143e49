"""The sample firm: made by the real services against the real simulators, once, with every state to be seen."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from sqlmodel import select

from portal import demo
from portal.accounts.models import Person, Role
from portal.clients.models import Client
from portal.config import Settings
from portal.connections.models import Connection, ConnectionState
from portal.delivery import deliver
from portal.delivery.completeness import verify
from portal.delivery.models import Delivery, State
from portal.documents.models import Document, Refusal
from portal.instances.models import Instance, InstanceState
from portal.parts import Parts, assemble
from portal.processing import services as processing
from tests import servers


@pytest.fixture
def parts(settings: Settings, tmp_path: Path) -> Iterator[Parts]:
    """The demo's parts: providers are simulators of its own."""
    with servers.sandbox() as running:
        endpoints = httpx.get(running.url, headers={"Accept": "application/json"}).json()
        made = assemble(replace(settings, sandbox_url=running.url, endpoints=endpoints))
        yield made
        made.db.dispose()
        made.db.bell.redis.close()  # type: ignore[union-attr]


def work(parts: Parts) -> None:
    """What the workers do."""
    with parts.db.read() as session:
        waiting = processing.waiting(session)
        instances = session.exec(select(Instance.id).where(Instance.state == InstanceState.ACTIVE)).all()
    for document_id in waiting:
        processing.settle(parts, document_id)
    for instance_id in instances:
        deliver.drain(parts, instance_id, seconds=120)


@pytest.mark.timeout(300)
def test_every_lasting_state_is_to_be_seen_and_all_is_complete(parts: Parts) -> None:
    told: list[str] = []
    lines = demo.seed(parts, "http://127.0.0.1:8000", told.append)
    work(parts)
    with parts.db.read() as session:
        states = Counter(one.state for one in session.exec(select(Delivery).where(Delivery.current)))
        documents = session.exec(select(Document)).all()
        firm_id = session.exec(select(Client.firm_id)).first()
        problems = list(verify(session, firm_id)) if firm_id else ["no firm"]
        refused = session.exec(select(Refusal)).all()
        dead = session.exec(select(Connection).where(Connection.state == ConnectionState.DEAD)).all()
    # reading and sending pass by too quickly to be kept
    assert set(State) - states.keys() <= {State.READING, State.SENDING}, states
    assert states[State.FAILED] >= 1
    assert problems == []
    assert len(documents) >= 8 * 25
    assert (len(refused), len(dead)) == (1, 1)
    assert len(told) == 8
    assert any("johanna@" in line for line in lines)


@pytest.mark.timeout(300)
def test_a_second_start_finds_it_and_changes_nothing(parts: Parts) -> None:
    first = demo.seed(parts, "http://127.0.0.1:8000")
    with parts.db.read() as session:
        before = len(session.exec(select(Document)).all()), len(session.exec(select(Instance)).all())
    assert demo.seed(parts, "http://127.0.0.1:8001") == first
    note = parts.settings.data / "sample-firm.json"
    note.write_text(json.dumps(json.loads(note.read_text())[:-2]))  # as if it had been broken off
    demo.seed(parts, "http://127.0.0.1:8000")
    with parts.db.read() as session:
        after = len(session.exec(select(Document)).all()), len(session.exec(select(Instance)).all())
        people = session.exec(select(Person)).all()
    assert after == before
    assert len(people) == 6 + 2 * 8
    assert Role.OWNER
