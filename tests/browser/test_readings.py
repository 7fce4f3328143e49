"""Correcting what could not be read, in a real browser and without the mouse."""

from __future__ import annotations

import io
from datetime import date

import pytest
from playwright.sync_api import Page, expect
from sqlmodel import select

from integrations.contract import DocumentKind
from portal.audit import SYSTEM
from portal.clients.models import Client
from portal.documents.models import Document, Source
from portal.intake import receive
from portal.money import Money
from portal.parts import Parts
from portal.processing.services import settle
from portal.reading.apart import Reader
from portal.reading.direction import Decision
from portal.reading.findings import Box, Direction, Finding, Findings, Paper
from portal.reading.findings import Source as From
from portal.reading.reading import Leaf, Reading
from tests.portal.processing.test_readings import pdf

pytestmark = pytest.mark.browser
HALF = Reading(
    findings=Findings(
        paper=Finding(value=Paper.RECEIPT, confidence=0.7, source=From.OCR),
        seller=Finding(value="Bäckerei Lund", confidence=0.7, source=From.OCR),
        issued_on=Finding(value=date(2026, 3, 2), confidence=0.7, source=From.OCR),
        currency=Finding(value="CHF", confidence=0.7, source=From.OCR),
        gross=Finding(value=Money(730, "CHF"), confidence=0.7, source=From.OCR, page=1, box=Box(90, 90, 200, 110)),
    ),
    pages=(Leaf(1, 595.0, 842.0, From.OCR, ""),),
    decision=Decision(Direction.PURCHASE, 0.9, ()),
)


def receipt(parts: Parts, client: Client, content: bytes) -> Document:
    kind = DocumentKind.RECEIPT
    document = receive(parts, SYSTEM, client.id, "beleg", io.BytesIO(content), source=Source.UPLOAD, kind=kind)
    assert isinstance(document, Document)
    return document


def tab_to(page: Page, field: str) -> None:
    for _step in range(20):
        if page.evaluate("document.activeElement.id") == field:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no way to {field} by Tab")


def test_ten_unread_receipts_are_corrected_without_touching_the_mouse(
    page: Page, address: str, client: Client, parts: Parts
) -> None:
    with Reader() as reader:
        for number in range(10):
            document = receipt(parts, client, b"\x89PNG\r\n\x1a\n" + bytes(50 + number))
            settle(parts, document.id, reader.read)
    page.goto(f"{address}/clients/{client.id}/documents/receipts")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#facts")).to_be_visible()
    page.keyboard.press("e")
    for number in range(10):
        expect(page.locator("#f-party_name")).to_be_focused()
        page.keyboard.type(f"Laden {number}")
        tab_to(page, "f-issued_on")
        page.keyboard.type("03032026")  # the same whichever comes first, day or month
        tab_to(page, "f-gross")
        page.keyboard.type(f"{number}.50")
        page.keyboard.press("Enter")
        left = page.locator("button", has_text="Save and next to do")
        expect(left).to_have_count(1 if number < 8 else 0)
        if number < 9:
            expect(page.locator("#f-party_name")).to_have_value("")
    expect(page.get_by_role("heading", name="Laden 9")).to_be_visible()
    with parts.db.read() as session:
        documents = session.exec(select(Document)).all()
    assert sorted((one.party_name, one.gross) for one in documents) == [
        (f"Laden {number}", number * 100 + 50) for number in range(10)
    ]
    assert {(one.issued_on, one.currency, one.version) for one in documents} == {(date(2026, 3, 3), "EUR", 2)}


def test_what_was_read_is_taken_over_by_one_key_and_shown_on_the_page(
    page: Page, address: str, client: Client, parts: Parts
) -> None:
    document = receipt(parts, client, pdf())
    settle(parts, document.id, lambda *_asked: HALF)
    page.goto(f"{address}/clients/{client.id}/documents/receipts/{document.id}")
    expect(page.locator(".preview-marks rect")).to_have_count(1)
    page.keyboard.press("e")
    expect(page.locator("#f-party_name")).to_be_focused()
    for name in ("party_name", "issued_on", "gross"):
        tab_to(page, f"f-{name}")
        page.keyboard.press("ArrowDown")
    expect(page.locator("#f-currency")).to_have_value("CHF")
    expect(page.locator("rect.marked")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Bäckerei Lund")).to_be_visible()
    with parts.db.read() as session:
        after = session.get_one(Document, document.id)
    assert (after.issued_on, after.currency, after.gross) == (date(2026, 3, 2), "CHF", 730)
