"""The ground that all other tests stand on."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
from redis import Redis
from sqlmodel import Session, select

from portal.access import Viewer
from portal.accounts.models import Firm, Person, Role
from portal.db import Database, ring
from portal.documents.models import Document
from portal.parts import Parts
from tests import factories


@pytest.mark.parametrize("time", ["first", "second"])
def test_every_test_has_a_database_of_its_own(db: Database, redis: Redis, time: str) -> None:
    with db.transaction() as session:
        assert session.exec(select(Firm)).all() == []
        factories.firm(session)
    assert redis.dbsize() == 0
    redis.set("left", time)


def test_factories_fill_every_table_a_document_needs(session: Session, parts: Parts) -> None:
    firm = factories.firm(session)
    owner = factories.member(session, firm)
    client = factories.client(session, firm)
    factories.contact(session, client)
    factories.account(session, client)
    document = factories.document(session, client, content=b"%PDF-1.4 same")
    twin = factories.document(session, client, content=b"%PDF-1.4 same")
    assert document.file_id == twin.file_id
    installed = factories.installation(session, firm, parts=parts, client_id="app")
    person = session.get(Person, owner.person_id)
    login = factories.connection(session, client, installed, parts=parts, token={"access": "x"}, consented_by=person)
    instance = factories.instance(session, client, installed, connected=login)
    delivery = factories.delivery(session, document, instance)
    assert delivery.due_at is not None
    assert session.exec(select(Document)).all() == [document, twin]


def test_a_viewer_has_the_role_and_the_clients_asked_for(
    db: Database, firm: Firm, viewer: Callable[..., Viewer]
) -> None:
    with db.transaction() as session:
        client = factories.client(session, firm)
    accountant = viewer(Role.ACCOUNTANT, assigned=(client.id,))
    assert (accountant.firm_id, accountant.role) == (firm.id, Role.ACCOUNTANT)


def test_a_ring_reaches_the_real_redis(parts: Parts, redis: Redis) -> None:
    with parts.db.transaction() as session:
        ring(session, "drain", "0198")
    assert redis.llen("rq:queue:kontor") == 1


def test_the_network_is_off() -> None:
    with socket.socket() as client, pytest.raises(Exception, match=r"192\.0\.2\.1"):
        client.connect(("192.0.2.1", 80))
