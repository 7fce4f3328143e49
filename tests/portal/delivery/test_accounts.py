"""Limits count per remote account, also when several clients' connections use it (E5); none of them starves."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlmodel import select

from portal.accounts.models import Firm
from portal.delivery import claim, outbox
from portal.delivery.deliver import drain
from portal.delivery.models import Delivery, State
from portal.extensions.models import Installation
from portal.instances.models import Instance
from portal.parts import Parts
from tests import echo, factories

SHARED = "practice@example.com"


@pytest.fixture(autouse=True)
def kept() -> echo.Kept:
    return echo.install()


@pytest.fixture
def installed(parts: Parts, firm: Firm) -> Installation:
    with parts.db.transaction() as session:
        return factories.installation(session, firm, kind=echo.KIND, parts=parts)


def instance(parts: Parts, firm: Firm, installed: Installation, account: str, documents: int = 4) -> Instance:
    """A client of its own with a connection of its own at a remote account, and documents that wait."""
    with parts.db.transaction() as session:
        client = factories.client(session, firm)
        connected = factories.connection(session, client, installed, parts=parts, account_id=account)
        made = factories.instance(session, client, installed, connected=connected)
    for _ in range(documents):
        with parts.db.transaction() as session:
            outbox.plan_document(session, factories.document(session, client, parts=parts))
    return made


def claimed(parts: Parts, one: Instance) -> Delivery | None:
    with parts.db.transaction() as session:
        return claim.claim_next(session, one.id, "worker")


@pytest.mark.parametrize(
    ("account", "free"), [(SHARED, [True, True, False, False]), ("", [True] * 4)], ids=["one account", "none told"]
)
def test_two_connections_of_one_account_share_its_limit(
    parts: Parts, firm: Firm, installed: Installation, account: str, free: list[bool]
) -> None:
    first, second = (instance(parts, firm, installed, account) for _ in range(2))
    elsewhere = instance(parts, firm, installed, "another@example.com")
    found = [claimed(parts, one) is not None for one in (first, second, first, second)]
    assert found == free
    assert claimed(parts, elsewhere) is not None


def test_who_goes_on_lets_those_first_who_share_the_account_and_wait(
    parts: Parts, firm: Firm, installed: Installation
) -> None:
    busy, waits, idle = (instance(parts, firm, installed, SHARED, documents) for documents in (4, 2, 0))
    elsewhere = instance(parts, firm, installed, "another@example.com")
    rung: list[tuple[str, str]] = []
    bell, parts.db.bell = parts.db.bell, rung.extend
    try:
        assert drain(parts, busy.id, seconds=0) == 1
    finally:
        parts.db.bell = bell
    assert list(dict.fromkeys(rung)) == [("drain", str(waits.id)), ("drain", str(busy.id))]
    assert UUID(rung[0][1]) not in {idle.id, elsewhere.id}
    assert drain(parts, waits.id) == 2
    with parts.db.read() as session:
        states = [row.state for row in session.exec(select(Delivery))]
    assert states.count(State.DELIVERED) == 1 + 2
