"""What was read, on a document's page: proposals, boxes, flags, readable e-invoices, and the way to the next."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import select

from integrations.contract import DocumentKind
from portal.access import Viewer
from portal.accounts.models import Firm, Role
from portal.audit import SYSTEM
from portal.clients.models import Client
from portal.documents.models import Document, Source
from portal.documents.models import Reading as Progress
from portal.intake import receive
from portal.money import Money
from portal.parts import Parts
from portal.processing.services import settle
from portal.reading.direction import Decision
from portal.reading.findings import Box, Direction, Finding, Findings, Flag, Level, Paper
from portal.reading.findings import Source as From
from portal.reading.limits import Why
from portal.reading.reading import Leaf, Reading, unread
from portal.reading.split import Part
from tests import factories
from tests.portal.processing.test_readings import SELLER, pdf, xml
from tests.portal.web.papers import folder, kept

SignedIn = Callable[[Viewer], FlaskClient]
PURCHASE = Decision(Direction.PURCHASE, 0.98, ())
_numbers = itertools.count()
PAGE = Leaf(1, 595.0, 842.0, From.OCR, "")


def found(value: object, confidence: float = 0.6, box: Box | None = None) -> Finding[object]:
    return Finding(value=value, confidence=confidence, source=From.OCR, page=1, box=box)


def a_reading(**more: object) -> Reading:
    """A receipt of which nothing is sure."""
    values: dict[str, object] = {
        "paper": found(Paper.RECEIPT), "seller": found("Bäckerei <Lund>"), "currency": found("EUR"),
        "gross": found(Money(1234, "EUR"), 0.72, Box(100, 200, 150, 212)), "issued_on": found(date(2026, 3, 2)), **more,
    }  # fmt: skip
    return Reading(findings=Findings(**values), pages=(PAGE,), decision=PURCHASE)  # type: ignore[arg-type]


@pytest.fixture
def parts(app: Flask) -> Parts:
    made: Parts = app.extensions["kontor"]
    return made


@pytest.fixture
def client(parts: Parts, firm: Firm) -> Client:
    with parts.db.transaction() as session:
        return factories.client(session, firm)


@pytest.fixture
def owner(signed_in: SignedIn, viewer: Callable[..., Viewer]) -> FlaskClient:
    return signed_in(viewer())


def read(parts: Parts, client: Client, reading: Reading, kind: DocumentKind | None = DocumentKind.RECEIPT) -> Document:
    """A document that a reader has just settled."""
    content = factories.PDF + str(next(_numbers)).encode()
    document = receive(parts, SYSTEM, client.id, "beleg.pdf", io.BytesIO(content), source=Source.UPLOAD, kind=kind)
    assert isinstance(document, Document)
    settle(parts, document.id, lambda *_asked: reading)
    return document


def page(browser: FlaskClient, client: Client, document: Document, place: str = "receipts") -> str:
    answer = browser.get(f"{folder(client, place)}/{document.id}")
    assert answer.status_code == 200, answer.location
    return answer.text


def test_a_value_that_is_not_sure_is_offered_beside_its_empty_field(
    owner: FlaskClient, parts: Parts, client: Client
) -> None:
    shown = page(owner, client, read(parts, client, a_reading()))
    assert 'data-takes="f-gross" data-value="12.34"' in shown
    assert 'data-takes="f-issued_on" data-value="2026-03-02"' in shown
    assert "Bäckerei &lt;Lund&gt;" in shown
    assert "72 %" in shown


def test_a_kind_that_is_not_sure_is_offered(owner: FlaskClient, parts: Parts, client: Client) -> None:
    shown = page(owner, client, read(parts, client, a_reading(), None), "other")
    assert 'data-takes="f-kind" data-value="receipt"' in shown


def test_what_a_person_said_stands_beside_what_was_read(owner: FlaskClient, parts: Parts, client: Client) -> None:
    document = read(parts, client, a_reading())
    url = f"{folder(client, 'receipts')}/{document.id}"
    token = {"party_name": "Bäckerei Lund", "gross": "12.34", "currency": "EUR", "kind": "receipt", "version": "1"}
    assert owner.post(url, data=token).status_code == 303
    shown = page(owner, client, document)
    assert "Read: Bäckerei &lt;Lund&gt; (60 %" in shown
    assert 'data-takes="f-gross"' not in shown
    assert "Read so with 72 %" in shown


def test_the_boxes_of_values_lie_on_their_page(owner: FlaskClient, parts: Parts, client: Client) -> None:
    document = receive(
        parts, SYSTEM, client.id, "a.pdf", io.BytesIO(pdf()), source=Source.UPLOAD, kind=DocumentKind.RECEIPT
    )
    assert isinstance(document, Document)
    settle(parts, document.id, lambda *_asked: a_reading())
    shown = owner.get(f"/clients/{client.id}/documents/{document.id}/preview").text
    assert 'viewBox="0 0 595.0 842.0"' in shown
    assert '<rect x="100.0" y="200.0" width="50.0" height="12.0" data-marks="f-gross">' in shown
    assert "style=" not in shown


def test_an_e_invoice_is_shown_as_a_person_reads_it(owner: FlaskClient, parts: Parts, client: Client) -> None:
    document = receive(parts, SYSTEM, client.id, "x.xml", io.BytesIO(xml()), source=Source.UPLOAD)
    assert isinstance(document, Document)
    shown = owner.get(f"/clients/{client.id}/documents/{document.id}/preview").text
    assert 'class="einvoice"' in shown
    assert SELLER.name in shown
    assert "&lt;cbc:" not in shown


def test_flags_reasons_and_parts_are_told(owner: FlaskClient, parts: Parts, client: Client) -> None:
    flagged = a_reading(flags=(Flag(text="The file is empty.", rule="BR-CO-15", level=Level.ERROR),))
    shown = page(owner, client, read(parts, client, replace(flagged, parts=(Part(1, 2), Part(3, 3)))))
    assert "BR-CO-15" in shown
    assert "several documents" in shown


def test_a_file_that_could_not_be_read_says_why(owner: FlaskClient, parts: Parts, client: Client) -> None:
    assert str(Why.LOCKED) in page(owner, client, read(parts, client, unread(Why.LOCKED)))


def test_a_document_is_read_again_on_a_click_and_says_so_when_it_was(
    owner: FlaskClient, parts: Parts, client: Client
) -> None:
    document = read(parts, client, a_reading())
    address = f"/clients/{client.id}/documents/{document.id}"
    assert owner.post(f"{address}/read").status_code == 303
    with parts.db.read() as session:
        assert session.get_one(Document, document.id).reading is Progress.WAITING
    assert "being read" in page(owner, client, document)
    assert "hx-get" in owner.get(f"{address}/reading").text
    settle(parts, document.id, lambda *_asked: a_reading())
    after = owner.get(f"{address}/reading").text
    assert "hx-get" not in after
    assert "Show what was read" in after


def test_an_assistant_sees_what_was_read_but_has_no_button(
    signed_in: SignedIn, viewer: Callable[..., Viewer], parts: Parts, client: Client
) -> None:
    reader = signed_in(viewer(Role.ASSISTANT, assigned=(client.id,)))
    document = read(parts, client, a_reading())
    assert "Read again" not in page(reader, client, document)
    assert reader.post(f"/clients/{client.id}/documents/{document.id}/read").status_code == 404


def test_saving_leads_to_the_next_document_that_needs_a_person_round_the_list(
    owner: FlaskClient, parts: Parts, client: Client
) -> None:
    first, second = read(parts, client, a_reading()), read(parts, client, a_reading())
    kept(parts, client, kind=DocumentKind.RECEIPT)  # complete: nobody need look at it
    said = {"party_name": "X", "gross": "1", "currency": "EUR", "issued_on": "2026-03-02", "kind": "receipt"}

    assert "Save and next to do" in page(owner, client, first)
    for document, following in ((first, second), (second, second)):
        url = f"{folder(client, 'receipts')}/{document.id}"
        answer = owner.post(url, data={**said, "version": "1", "then": "open"})
        assert str(following.id) in answer.location
    with parts.db.read() as session:
        assert set(session.exec(select(Document.party_name)).all()) >= {"X"}
    assert "Save and next to do" not in page(owner, client, second)
