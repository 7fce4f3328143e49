"""The bytes of documents for browsers: downloads, previews and ZIPs, and that nothing hostile runs."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.access import Viewer
from portal.accounts.models import Firm, Role
from portal.clients.models import Client
from portal.parts import Parts
from tests import factories
from tests.portal.web.papers import kept

MakeViewer = Callable[..., Viewer]
SignIn = Callable[..., FlaskClient]


PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(40)


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


def test_the_original_bytes_come_back_under_their_name(browser: FlaskClient, client: Client, parts: Parts) -> None:
    document = kept(parts, client, content=factories.PDF, filename='Müller "& Söhne".pdf')
    answer = browser.get(f"/clients/{client.id}/documents/{document.id}/file")
    assert answer.data == factories.PDF
    assert answer.headers["Content-Disposition"] == (
        "attachment; filename=\"Muller _& Sohne_.pdf\"; filename*=UTF-8''M%C3%BCller%20%22%26%20S%C3%B6hne%22.pdf"
    )
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("media_type", ["text/html", "application/xml", "image/svg+xml"])
def test_what_a_browser_might_run_is_never_named_nor_shown_inline(
    browser: FlaskClient, client: Client, parts: Parts, media_type: str
) -> None:
    document = kept(parts, client, content=b"<script>alert(1)</script>", media_type=media_type)
    base = f"/clients/{client.id}/documents/{document.id}"
    answer = browser.get(f"{base}/file")
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert browser.get(f"{base}/picture").status_code == 404
    assert "<script>alert" not in browser.get(f"{base}/preview").text


def test_a_picture_is_shown_inline_under_lock(browser: FlaskClient, client: Client, parts: Parts) -> None:
    document = kept(parts, client, content=PICTURE, media_type="image/png")
    answer = browser.get(f"/clients/{client.id}/documents/{document.id}/picture")
    assert answer.data == PICTURE
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    again = browser.get(answer.request.path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_a_pdf_is_drawn_page_by_page(browser: FlaskClient, client: Client, parts: Parts) -> None:
    document = kept(parts, client, content=_pdf(2))
    base = f"/clients/{client.id}/documents/{document.id}"
    assert browser.get(f"{base}/preview").text.count("<img") == 2
    page = browser.get(f"{base}/page/2.png")
    assert page.data.startswith(b"\x89PNG")
    assert browser.get(f"{base}/page/3.png").status_code == 422


def _pdf(pages: int) -> bytes:
    import pypdfium2

    made = pypdfium2.PdfDocument.new()
    for _ in range(pages):
        made.new_page(300, 400)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def test_a_pdf_that_cannot_be_drawn_says_so(browser: FlaskClient, client: Client, parts: Parts) -> None:
    document = kept(parts, client, content=b"%PDF-1.7 nothing")
    answer = browser.get(f"/clients/{client.id}/documents/{document.id}/preview")
    assert answer.status_code == 200
    assert "<img" not in answer.text
    assert f"/{document.id}/file" in answer.text


def test_hostile_pdfs_end_their_own_drawing_and_nothing_else(
    browser: FlaskClient, client: Client, parts: Parts
) -> None:
    place = Path(__file__).parents[4] / "shared/data/hostile/qpdf-broken"
    if not place.is_dir():
        pytest.skip(f"no hostile PDFs at {place}")
    for path in sorted(place.glob("*.pdf"))[::4]:
        document = kept(parts, client, content=path.read_bytes())
        assert browser.get(f"/clients/{client.id}/documents/{document.id}/preview").status_code == 200


def test_a_selection_comes_as_a_zip_with_every_name_once(browser: FlaskClient, client: Client, parts: Parts) -> None:
    chosen = [
        kept(parts, client, content=factories.PDF + b"%d" % number, filename="Rechnung.pdf") for number in range(3)
    ]
    answer = browser.post(
        f"/clients/{client.id}/documents/chosen/zip", data={"chosen": [str(one.id) for one in chosen]}
    )
    with zipfile.ZipFile(io.BytesIO(answer.data)) as opened:
        assert opened.testzip() is None
        names = opened.namelist()
        assert names == ["Rechnung.pdf", "Rechnung (2).pdf", "Rechnung (3).pdf"]
        assert [opened.read(name) for name in names] == [factories.PDF + b"%d" % number for number in range(3)]


def test_an_empty_selection_is_no_zip(browser: FlaskClient, client: Client) -> None:
    assert browser.post(f"/clients/{client.id}/documents/chosen/zip").status_code == 422
