"""What a look back found, as pages show it, and what one decides there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from integrations.contract import Drift as Found
from integrations.contract import DriftKind
from integrations.contract import Receipt as RemoteReceipt
from portal import clock
from portal.access import Viewer
from portal.accounts.models import Firm, Role
from portal.clients.models import Client
from portal.delivery import drifts, outbox
from portal.delivery.deliver import drain
from portal.delivery.models import Delivery, Drift, Receipt, Settlement, State
from portal.documents.models import Document
from portal.instances.models import Instance
from portal.parts import Parts
from tests import echo, factories

SignedIn = Callable[[Viewer], FlaskClient]


@dataclass
class Desk:
    """A client with one delivered document, and somebody in a browser."""

    browser: FlaskClient
    parts: Parts
    client: Client
    instance: Instance
    document: Document

    @property
    def base(self) -> str:
        return f"/clients/{self.client.id}"

    def found(self, kind: DriftKind = DriftKind.CHANGED) -> Drift:
        """A look back finds the document like this."""
        with self.parts.db.transaction() as session:
            receipt = session.exec(select(Receipt)).one()
            there = RemoteReceipt(remote_id=receipt.remote_id, checksum="sha256:other", path="there")
            now = there if kind in {DriftKind.CHANGED, DriftKind.MOVED} else None
            drift = Found(remote_id=receipt.remote_id, kind=kind, now=now)
            drifts.take(session, session.get_one(Instance, self.instance.id), [receipt], [drift])
        return self.drift

    @property
    def drift(self) -> Drift:
        with self.parts.db.read() as session:
            return session.exec(select(Drift)).one()

    @property
    def delivery(self) -> Delivery:
        with self.parts.db.read() as session:
            return session.exec(select(Delivery)).one()

    def post(self, path: str, **data: Any) -> str:
        answer = self.browser.post(f"{self.base}/drifts/{path}", data=data, follow_redirects=True)
        assert answer.status_code == 200, answer.text
        return answer.text

    def pages(self) -> list[str]:
        """The pages that must tell of it: integration, document, delivery, list."""
        paths = (
            f"integrations/{self.instance.id}", f"documents/incoming-invoices/{self.document.id}",
            f"deliveries/{self.delivery.id}", "drifts",
        )  # fmt: skip
        return [self.browser.get(f"{self.base}/{path}").text for path in paths]


@pytest.fixture
def kept() -> echo.Kept:
    return echo.install()


@pytest.fixture
def desk(signed_in: SignedIn, viewer: Callable[..., Viewer], parts: Parts, firm: Firm, kept: echo.Kept) -> Desk:
    with parts.db.transaction() as session:
        client = factories.client(session, firm)
        instance = factories.instance(session, client, factories.installation(session, firm, kind="echo", parts=parts))
        document = factories.document(session, client, parts=parts)
        outbox.plan_document(session, document)
    drain(parts, instance.id)
    return Desk(signed_in(viewer()), parts, client, instance, document)


def test_every_page_tells_of_a_change_and_offers_both_ways(desk: Desk) -> None:
    drift = desk.found()
    for page in desk.pages():
        assert "content was changed" in page
        assert str(drift.id) in page
        assert "Restore" in page
        assert "Accept" in page


def test_restoring_from_the_page_lets_it_go_again(desk: Desk) -> None:
    assert "1 document goes again" in desk.post("restore", chosen=desk.found().id)
    assert desk.delivery.state is State.QUEUED
    assert "content was changed" not in desk.pages()[0]
    assert "restored" in desk.browser.get(f"{desk.base}/drifts?state=settled").text
    assert "nothing to decide" in desk.post("restore", chosen=desk.drift.id)


def test_accepting_from_the_page_can_be_taken_back(desk: Desk) -> None:
    drift = desk.found()
    page = desk.post("accept", chosen=drift.id)
    assert f"/drifts/{drift.id}/undo" in page
    assert desk.drift.settlement is Settlement.ACCEPTED
    desk.post(f"{drift.id}/undo")
    assert desk.drift.settlement is None


def test_a_ledger_leaves_what_was_deleted_to_a_person(desk: Desk) -> None:
    """Echo is no storage export: nothing comes back by itself."""
    drift = desk.found(DriftKind.GONE)
    assert desk.delivery.state == "delivered"
    assert all("was deleted" in page for page in desk.pages())
    desk.post("accept", chosen=drift.id)
    assert desk.delivery.state == "removed"


def test_an_assistant_sees_it_and_decides_nothing(
    desk: Desk, signed_in: SignedIn, viewer: Callable[..., Viewer]
) -> None:
    drift = desk.found()
    reader = signed_in(viewer(Role.ASSISTANT, assigned=(desk.client.id,)))
    page = reader.get(f"{desk.base}/drifts").text
    assert "content was changed" in page
    assert "Restore" not in page
    assert reader.post(f"{desk.base}/drifts/restore", data={"chosen": str(drift.id)}).status_code == 404
    assert desk.drift.settlement is None


def test_a_drift_of_another_client_is_not_decided_here(desk: Desk, firm: Firm) -> None:
    drift = desk.found()
    with desk.parts.db.transaction() as session:
        other = factories.client(session, firm, name="Other")
    answer = desk.browser.post(f"/clients/{other.id}/drifts/accept", data={"chosen": str(drift.id)})
    assert answer.status_code == 303
    assert desk.browser.post(f"/clients/{other.id}/drifts/{drift.id}/undo").status_code == 404
    assert desk.drift.settlement is None


def test_looking_is_asked_for_and_said(desk: Desk) -> None:
    page = f"{desk.base}/integrations/{desk.instance.id}"
    assert "Not looked at yet" in desk.browser.get(page).text
    assert "Looking" in desk.browser.post(f"{page}/look", follow_redirects=True).text


def test_what_waits_for_its_hour_says_when_it_goes(desk: Desk) -> None:
    with desk.parts.db.transaction() as session:
        delivery = session.exec(select(Delivery)).one()
        delivery.state, delivery.due_at = State.QUEUED, clock.now() + timedelta(days=1)
    page = desk.pages()[1]
    assert "goes on" in page
    assert "every 2s" not in page.split('id="standing"')[1].split(">")[0]
