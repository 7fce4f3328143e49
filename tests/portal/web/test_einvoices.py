"""The e-invoice inside a file: as a page, as a PDF and as XML, of pure XML and of hybrids."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pypdfium2
import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.access import Viewer
from portal.accounts.models import Firm, Role
from portal.clients.models import Client
from portal.demo.papers.einvoice import ubl, zugferd
from portal.parts import Parts
from portal.processing.services import settle
from tests import factories
from tests.portal.processing.test_readings import INVOICE, bring, pdf

MakeViewer = Callable[..., Viewer]
SignIn = Callable[..., FlaskClient]


@cache
def hybrid() -> bytes:
    return zugferd(replace(INVOICE, number="RE-2026-18"))


@pytest.fixture
def parts(app: Flask) -> Parts:
    made: Parts = app.extensions["kontor"]
    return made


@pytest.fixture
def client(parts: Parts, firm: Firm) -> Client:
    with parts.db.transaction() as session:
        return factories.client(session, firm)


@pytest.fixture
def browser(signed_in: SignIn, viewer: MakeViewer, client: Client) -> FlaskClient:
    return signed_in(viewer(Role.ACCOUNTANT, assigned=(client.id,)))


def words(content: bytes) -> str:
    document = pypdfium2.PdfDocument(content)
    try:
        return " ".join(page.get_textpage().get_text_range() for page in document)
    finally:
        document.close()


@pytest.mark.parametrize(("content", "number"), [(ubl(INVOICE), "RE-2026-17"), (hybrid(), "RE-2026-18")])
def test_what_the_xml_says_is_a_page_and_a_pdf(
    browser: FlaskClient, client: Client, parts: Parts, content: bytes, number: str
) -> None:
    document = bring(parts, client, content)
    place = f"/clients/{client.id}/documents/{document.id}"
    page = browser.get(f"{place}/einvoice")
    assert page.status_code == 200
    assert all(text in page.text for text in (number, "Nadelwerk GmbH", "357"))
    printed = browser.get(f"{place}/einvoice.pdf")
    assert printed.mimetype == "application/pdf"
    assert "sandbox" in printed.headers["Content-Security-Policy"]
    assert all(text in words(printed.data) for text in (number, "Nadelwerk GmbH", "Nadeln"))
    raw = browser.get(f"{place}/einvoice.xml")
    assert raw.mimetype == "application/octet-stream"
    assert number.encode() in raw.data


def test_a_hybrid_that_was_read_offers_its_e_invoice(browser: FlaskClient, client: Client, parts: Parts) -> None:
    document = bring(parts, client, hybrid())
    place = f"/clients/{client.id}/documents/{document.id}"
    assert f"{place}/einvoice" not in browser.get(f"{place}/preview").text
    settle(parts, document.id)
    assert f'hx-get="{place}/einvoice"' in browser.get(f"{place}/preview").text


@pytest.mark.parametrize("content", [pdf(), factories.PDF, b"\x89PNG\r\n\x1a\n" + bytes(60), hybrid()[:2000]])
def test_where_there_is_no_e_invoice_there_is_none(
    browser: FlaskClient, client: Client, parts: Parts, content: bytes
) -> None:
    document = bring(parts, client, content)
    for what in ("einvoice", "einvoice.pdf", "einvoice.xml"):
        assert browser.get(f"/clients/{client.id}/documents/{document.id}/{what}").status_code == 404


def test_strangers_see_none(signed_in: SignIn, viewer: MakeViewer, client: Client, parts: Parts) -> None:
    document = bring(parts, client, ubl(INVOICE))
    stranger = signed_in(viewer(Role.ACCOUNTANT))
    assert stranger.get(f"/clients/{client.id}/documents/{document.id}/einvoice.pdf").status_code == 404
