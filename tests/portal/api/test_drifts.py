"""Drifts by API: asked for, listed, restored, accepted, taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import select

from integrations.contract import Drift as Found
from integrations.contract import DriftKind
from integrations.contract import Receipt as RemoteReceipt
from portal.accounts.models import Firm
from portal.clients.models import Client
from portal.delivery import drifts, outbox
from portal.delivery.deliver import drain
from portal.delivery.models import Receipt
from portal.instances.models import Instance
from portal.parts import Parts
from tests import echo, factories
from tests.portal.api.conftest import Caller


def told(answer: Any, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json
    return found


@pytest.fixture
def kept() -> echo.Kept:
    return echo.install()


@pytest.fixture
def changed(parts: Parts, firm: Firm, client: Client, kept: echo.Kept) -> UUID:
    """An instance at which one delivered document was changed."""
    with parts.db.transaction() as session:
        instance = factories.instance(session, client, factories.installation(session, firm, kind="echo", parts=parts))
        outbox.plan_document(session, factories.document(session, client, parts=parts))
    drain(parts, instance.id)
    with parts.db.transaction() as session:
        receipt = session.exec(select(Receipt)).one()
        now = RemoteReceipt(remote_id=receipt.remote_id, checksum="sha256:other")
        drift = Found(remote_id=receipt.remote_id, kind=DriftKind.CHANGED, now=now)
        drifts.take(session, session.get_one(Instance, instance.id), [receipt], [drift])
    return instance.id


def test_a_change_is_listed_accepted_taken_back_and_restored(
    caller: Callable[..., Caller], client: Client, changed: UUID
) -> None:
    who, all_of_them = caller(), f"/clients/{client.id}/drifts"
    (drift,) = told(who.get(f"{all_of_them}?instance_id={changed}"))["items"]
    assert (drift["kind"], drift["can_accept"], drift["settlement"]) == ("changed", True, None)
    (document,) = told(who.get(f"/clients/{client.id}/documents"))["items"]
    assert document["statuses"][0]["drift_id"] == drift["id"]
    one = f"{all_of_them}/{drift['id']}"
    assert told(who.post(f"{one}/accept"))["settlement"] == "accepted"
    assert who.post(f"{one}/accept").status_code == 409
    assert told(who.get(all_of_them))["items"] == []
    assert told(who.post(f"{one}/undo"))["settlement"] is None
    assert told(who.post(f"{one}/restore"))["settlement"] == "restored"
    assert [each["id"] for each in told(who.get(f"{all_of_them}?settled=true"))["items"]] == [drift["id"]]


def test_a_look_is_asked_for(caller: Callable[..., Caller], client: Client, changed: UUID) -> None:
    one = f"/clients/{client.id}/instances/{changed}"
    assert told(caller().post(f"{one}/look"), 202)["look_due_at"] is not None


def test_whoever_only_reads_decides_nothing(caller: Callable[..., Caller], client: Client, changed: UUID) -> None:
    (drift,) = told(caller().get(f"/clients/{client.id}/drifts"))["items"]
    reader = caller(scopes=("read",))
    assert reader.post(f"/clients/{client.id}/drifts/{drift['id']}/restore").status_code == 404
    assert told(reader.get(f"/clients/{client.id}/drifts"))["items"] == [drift]
