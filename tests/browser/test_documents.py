"""Documents in a real browser: dropped files with progress, and a correction without touching the mouse."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from sqlmodel import col, select

from portal.clients.models import Client
from portal.documents.models import Document, Refusal
from portal.parts import Parts
from tests import factories

pytestmark = pytest.mark.browser

# Drops files made in the page onto it, as the system does: a browser gives scripts no way to pick real ones.
DROP = """([count, bad]) => {
  const carried = new DataTransfer();
  for (let n = 0; n < count; n += 1) carried.items.add(new File(["%PDF-1.4 " + n], `rechnung-${n}.pdf`));
  if (bad) carried.items.add(new File([new Uint8Array([77, 90, 0, 1])], "setup.exe"));
  document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: carried }));
}"""


def folder(address: str, client: Client) -> str:
    return f"{address}/clients/{client.id}/documents/incoming-invoices"


def shows(page: Page, party: str) -> None:
    """A document's page, whole: keys that are pressed before its scripts are there are lost."""
    expect(page.get_by_role("heading", name=party)).to_be_visible()
    page.wait_for_load_state()


def test_dropped_files_show_their_progress_and_the_one_refused_its_reason(
    page: Page, address: str, client: Client, parts: Parts
) -> None:
    page.goto(folder(address, client))
    page.evaluate(DROP, [200, True])

    expect(page.locator("[data-sums] [data-text]")).to_contain_text("201 of 201", timeout=90_000)
    expect(page.locator(".upload[data-state=taken]")).to_have_count(200)
    refused = page.locator(".upload[data-state=refused]")
    expect(refused).to_have_count(1)
    expect(refused).to_contain_text("setup.exe")
    expect(page.locator("#documents tbody tr")).to_have_count(50)
    with parts.db.read() as session:
        names = session.exec(select(Document.filename)).all()
        assert sorted(names) == sorted(f"rechnung-{number}.pdf" for number in range(200))
        assert session.exec(select(Refusal.filename)).all() == ["setup.exe"]


def test_a_document_is_found_and_corrected_by_keyboard_alone(
    page: Page, address: str, client: Client, parts: Parts
) -> None:
    with parts.db.transaction() as session:
        owner = session.get_one(Client, client.id)
        for name in ("Alpha GmbH", "Beta GmbH", "Alpha AG"):
            factories.document(session, owner, parts=parts, party_name=name, net=None, tax=None)
    page.goto(folder(address, client), wait_until="networkidle")  # a person is slower than the scripts
    press = page.keyboard.press

    press("/")
    page.keyboard.type("alpha")
    expect(page.locator("#documents tbody tr")).to_have_count(2)
    press("ArrowDown")
    press("Enter")
    shows(page, "Alpha AG")
    press("j")
    shows(page, "Alpha GmbH")
    press("k")
    shows(page, "Alpha AG")

    press("e")  # the kind
    press("Tab")  # the counterparty
    page.keyboard.type("Alpha Holding AG")
    press("Control+Enter")  # saves and goes on to the next
    shows(page, "Alpha GmbH")
    with parts.db.read() as session:
        changed = session.exec(select(Document).where(col(Document.version) == 2)).one()
    assert changed.party_name == "Alpha Holding AG"


def test_lists_are_sorted_and_filtered_without_loading_the_page_again(
    page: Page, address: str, client: Client, parts: Parts
) -> None:
    with parts.db.transaction() as session:
        owner = session.get_one(Client, client.id)
        for name, gross in (("Beta", 100), ("Alpha", 300), ("Gamma", 200)):
            factories.document(session, owner, party_name=name, net=None, tax=None, gross=gross)
    page.goto(folder(address, client))
    page.evaluate("window.here = true")
    first = page.locator("#documents tbody tr td.main a").first

    for column, order, expected in (
        ("Amount", "descending", "Alpha"),
        ("Counterparty", "ascending", "Alpha"),
        ("Counterparty", "descending", "Gamma"),
    ):
        header = page.get_by_role("columnheader", name=column)
        header.get_by_role("link").click()
        expect(header).to_have_attribute("aria-sort", order)
        expect(first).to_have_text(expected)
    expect(page).to_have_url(re.compile("sort=-party"))
    assert page.evaluate("window.here === true")
