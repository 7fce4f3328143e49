"""A file with several invoices is cut into documents in a real browser: by mouse, by drag, and by keyboard alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlmodel import col, select

from portal.clients.models import Client
from portal.documents.models import Document
from portal.parts import Parts
from portal.processing.services import settle
from portal.reading.findings import Findings
from portal.reading.reading import Reading
from tests.browser.test_readings import receipt
from tests.portal.processing.test_splitting import stack

pytestmark = pytest.mark.browser


@pytest.fixture
def stacked(parts: Parts, client: Client) -> Document:
    """Five invoices in one file; reading proposed nothing."""
    document = receipt(parts, client, stack("A-100", "A-101", "A-102", "A-103", "A-104"))
    settle(parts, document.id, lambda *_asked: Reading(findings=Findings()))
    return document


def cut(page: Page, number: int) -> Locator:
    return page.get_by_role("checkbox", name=f"Cut before page {number}", exact=True)


def ranges(parts: Parts, whole: Document) -> list[tuple[int | None, int | None]]:
    with parts.db.read() as session:
        made = select(Document).where(Document.part_of == whole.id, col(Document.removed_at).is_(None))
        return [(one.first_page, one.last_page) for one in session.exec(made.order_by(col(Document.first_page)))]


def test_by_keyboard_alone(page: Page, address: str, client: Client, parts: Parts, stacked: Document) -> None:
    page.goto(f"{address}/clients/{client.id}/documents/receipts/{stacked.id}")
    page.get_by_role("link", name="Split by page").focus()
    page.keyboard.press("Enter")
    button = page.locator("[data-split] [type=submit]")
    expect(button).to_be_disabled()
    cut(page, 2).focus()
    page.keyboard.press("Space")
    expect(button).to_have_text("Split into 2 documents")
    page.keyboard.press("ArrowRight")
    expect(cut(page, 2)).not_to_be_checked()
    expect(cut(page, 3)).to_be_checked()
    expect(cut(page, 3)).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")  # where there is no cut the arrow only goes on
    expect(cut(page, 5)).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator(".sheet strong")).to_have_text(
        ["Document 1", "Document 1", "Document 2", "Document 2", "Document 3"]
    )
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The file became 3 documents.")).to_be_visible(timeout=15_000)
    assert ranges(parts, stacked) == [(1, 2), (3, 4), (5, 5)]
    page.get_by_role("button", name="Make it one document again").click()
    expect(page.get_by_text("The file is one document again.")).to_be_visible(timeout=15_000)
    assert ranges(parts, stacked) == []


def test_by_mouse_and_drag(page: Page, address: str, client: Client, parts: Parts, stacked: Document) -> None:
    page.goto(f"{address}/clients/{client.id}/documents/{stacked.id}/split")
    expect(page.locator(".sheet img").first).to_be_visible()
    loaded = "async (image) => { await image.decode(); return image.naturalWidth }"
    assert page.locator(".sheet img").first.evaluate(loaded) == 240
    place = {number: page.locator(f".sheet[data-page='{number}'] .cut-mark").bounding_box() for number in (2, 4)}
    assert place[2]
    assert place[4]
    cut(page, 2).check()
    page.mouse.move(place[2]["x"] + place[2]["width"] / 2, place[2]["y"] + 40)
    page.mouse.down()
    page.mouse.move(place[4]["x"] - 20, place[4]["y"] + 60, steps=5)
    page.mouse.up()
    expect(cut(page, 4)).to_be_checked()
    expect(cut(page, 2)).not_to_be_checked()
    cut(page, 4).uncheck()
    cut(page, 4).check()
    page.get_by_role("button", name="Split into 2 documents").click()
    expect(page.get_by_text("The file became 2 documents.")).to_be_visible(timeout=15_000)
    assert ranges(parts, stacked) == [(1, 3), (4, 5)]
