"""What would go, counted before anything does; where documents would lie by a template that is being written."""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import select

from integrations.contract import DocumentKind
from integrations.naming import TemplateError
from portal import ids
from portal.clock import Traveller
from portal.delivery import forecast
from portal.delivery.forecast import Forecast
from portal.delivery.models import Delivery, State
from portal.documents.models import Document, Reading
from portal.instances import setup
from portal.instances.models import Instance
from tests import factories
from tests.portal.instances.conftest import Desk


@pytest.fixture
def draft(desk: Desk, clock: Traveller) -> Instance:
    """A Drive that takes incoming invoices since the first of March."""
    instance = desk.ready()
    with desk.parts.db.transaction() as session:
        return setup.set_start(session, desk.owner, instance.id, date(2026, 3, 1))


def add(desk: Desk, arrived: datetime, **fields: Any) -> Document:
    with desk.parts.db.transaction() as session:
        return factories.document(session, desk.client, arrived_at=arrived, **fields)


def told(desk: Desk, instance: Instance, space_left: int | None = None) -> Forecast:
    with desk.parts.db.read() as session:
        return forecast.forecast(session, session.get_one(Instance, instance.id), space_left)


def test_it_counts_what_finish_would_send_and_nothing_else(desk: Desk, draft: Instance, clock: Traveller) -> None:
    now = clock.moment
    goes = [add(desk, now - timedelta(hours=1)), add(desk, now)]
    add(desk, now - timedelta(days=4))  # before the first day
    add(desk, now, kind=DocumentKind.RECEIPT)  # not chosen
    add(desk, now, removed_at=now)
    add(desk, now, reading=Reading.WAITING, kind=None)
    add(desk, now, twin_id=goes[0].id)
    found = told(desk, draft)
    assert (found.documents, found.size, found.waiting) == (2, sum(one.size for one in goes), 2)
    with desk.parts.db.transaction() as session:
        setup.finish(session, desk.owner, draft.id)
    with desk.parts.db.read() as session:
        queued = session.exec(select(Delivery.document_id).where(Delivery.state == State.QUEUED)).all()
    assert set(queued) == {one.id for one in goes}  # as the forecast said


def test_folders_are_named_as_the_connector_will(desk: Desk, draft: Instance, clock: Traveller) -> None:
    with desk.parts.db.transaction() as session:
        account = factories.account(session, desk.client, name="Giro/konto")
    for month in (1, 2, 2):
        add(desk, clock.moment, issued_on=date(2026, month, 3), account_id=account.id)
    add(desk, clock.moment, issued_on=None)
    found = told(desk, draft)
    client = "Kontor/Bäckerei Brandt GmbH"
    assert list(found.folders) == [
        (f"{client}/Giro-konto/2026-01", 1), (f"{client}/Giro-konto/2026-02", 2),
        (f"{client}/Ohne Bankkonto/2026-03", 1),
    ]  # fmt: skip
    assert (found.folders_total, found.whole) == (3, True)


def test_room_that_is_missing_is_told(desk: Desk, draft: Instance, clock: Traveller) -> None:
    size = add(desk, clock.moment).size
    assert told(desk, draft).missing == 0
    assert told(desk, draft, space_left=size).missing == 0
    assert told(desk, draft, space_left=10).missing == size - 10


def test_a_ledger_has_no_folders_and_from_now_on_nothing_goes_at_once(desk: Desk, clock: Traveller) -> None:
    add(desk, clock.moment - timedelta(hours=1))
    found = told(desk, desk.ready("quickbooks"))
    assert (found.documents, found.folders) == (0, [])


def test_the_preview_shows_the_clients_own_documents(desk: Desk, draft: Instance, clock: Traveller) -> None:
    values = {"root": "Ablage", "path": "{client}/{kind}/{number} {party}", "language": "en"}
    with desk.parts.db.read() as session:
        (invented,) = forecast.preview(session, draft, values)
    assert invented == "Ablage/Bäckerei Brandt GmbH/Incoming invoices/RE-1024 Mühlenwerke Nord AG.pdf"
    add(desk, clock.moment, kind=DocumentKind.RECEIPT, party_name="Aral", number="B-1")
    add(desk, clock.moment, party_name="Stadtwerke", number="S-2")
    with desk.parts.db.read() as session:
        shown = forecast.preview(session, draft, values)
        with pytest.raises(TemplateError):
            forecast.preview(session, draft, {**values, "path": "{nonsense}"})
    assert set(shown) == {
        "Ablage/Bäckerei Brandt GmbH/Receipts/B-1 Aral.pdf",
        "Ablage/Bäckerei Brandt GmbH/Incoming invoices/S-2 Stadtwerke.pdf",
    }


def test_a_whole_archive_is_counted_in_a_moment(desk: Desk, draft: Instance, clock: Traveller) -> None:
    one = add(desk, clock.moment)
    with desk.parts.db.transaction() as session:
        row = {name: getattr(one, name) for name in Document.model_fields}
        copies = [{**row, "id": ids.new(), "number": f"N-{turn}"} for turn in range(5000)]
        session.execute(sa.insert(Document), copies)
    begun = time.perf_counter()
    assert told(desk, draft).documents == 5001
    assert time.perf_counter() - begun < 3
