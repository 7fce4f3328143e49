"""The sample firm: made by the real services against the real simulators, once, with every state to be seen."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from sqlmodel import func, select

from portal import demo
from portal.accounts.models import Person
from portal.clients.models import Client
from portal.config import Settings
from portal.connections.models import Connection, ConnectionState
from portal.delivery import deliver
from portal.delivery.completeness import verify
from portal.delivery.models import Delivery, State
from portal.documents.models import Document, Reading, Refusal
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
        waiting = session.exec(select(Document.id).where(Document.reading == Reading.WAITING)).all()
        instances = session.exec(select(Instance.id).where(Instance.state == InstanceState.ACTIVE)).all()
    for document_id in waiting:
        processing.settle(parts, document_id)
    for instance_id in instances:
        deliver.drain(parts, instance_id, seconds=120)


@pytest.mark.timeout(600)
def test_every_lasting_state_is_to_be_seen_all_is_complete_and_a_second_start_changes_nothing(parts: Parts) -> None:
    told: list[str] = []
    lines = demo.seed(parts, "http://127.0.0.1:8000", told.append)
    work(parts)
    with parts.db.read() as session:
        states = Counter(one.state for one in session.exec(select(Delivery).where(Delivery.current)))
        firm_id = session.exec(select(Client.firm_id)).first()
        problems = list(verify(session, firm_id)) if firm_id else ["no firm"]
        dead = session.exec(select(Connection).where(Connection.state == ConnectionState.DEAD)).all()
    # reading and sending pass by too quickly to be kept
    assert set(State) - states.keys() <= {State.READING, State.SENDING}, states
    assert problems == []
    assert len(dead) == 1
    assert len(told) == 8
    assert any("johanna@" in line for line in lines)
    before = counted(parts)
    assert before["document"] >= 8 * 25
    assert (before["person"], before["refusal"]) == (6 + 2 * 8, 1)
    note = parts.settings.data / "sample-firm.json"
    note.write_text(json.dumps(json.loads(note.read_text())[:-2]))  # as if it had been broken off
    assert demo.seed(parts, "http://127.0.0.1:8000") == lines
    assert counted(parts) == before


def counted(parts: Parts) -> dict[str, int]:
    with parts.db.read() as session:
        return {
            table.__name__.lower(): session.exec(select(func.count()).select_from(table)).one()
            for table in (Document, Instance, Person, Client, Refusal, Connection)
        }
