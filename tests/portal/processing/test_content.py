"""What files say comes into the search by itself, and a file that says nothing or does harm only stays unfound."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from redis import Redis
from rq import Queue
from sqlmodel import select

from integrations.contract import DocumentKind
from portal.access import Viewer
from portal.accounts.models import Firm
from portal.audit import By
from portal.clients.models import Client
from portal.clock import Traveller
from portal.documents.files import Folder
from portal.documents.models import Document, DocumentText, Source
from portal.errors import Unavailable
from portal.intake import receive
from portal.overview import search
from portal.overview.search import Wanted
from portal.parts import Parts
from portal.processing import content
from portal.queue import TEXTS
from tests import factories

MakeViewer = Callable[..., Viewer]
PAGE = b"BT /F1 24 Tf 72 700 Td (Hafermehl aus Aue fuer Brandt) Tj ET"
PDF = (
    b"%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>endobj\n"
    b"4 0 obj<</Length %d>>stream\n%s\nendstream endobj\n"
    b"5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\ntrailer<</Root 1 0 R>>\n%%%%EOF\n"
) % (len(PAGE), PAGE)
CAMT = (
    b'<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt>'
    b"<Ustrd>Hafermehl</Ustrd></Stmt></BkToCstmrStmt></Document>"
)


@pytest.fixture
def client(parts: Parts, firm: Firm) -> Client:
    with parts.db.transaction() as session:
        return factories.client(session, firm)


def brought(parts: Parts, client: Client, data: bytes, name: str) -> Document:
    """A document whose sender said what it says: it waits for no reader, so its text is read for the search alone."""
    kind, fields = DocumentKind.OTHER, {"number": "1"}
    taken = receive(
        parts, By(name="Test"), client.id, name, io.BytesIO(data), source=Source.API, kind=kind, fields=fields
    )
    assert isinstance(taken, Document)
    return taken


def finds(parts: Parts, viewer: Viewer, text: str) -> list[Document]:
    with parts.db.read() as session:
        return [hit.document for hit in search.find(session, viewer, Wanted(text=text)).hits]


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (PDF, "a.pdf"),
        (CAMT, "a.xml"),
        (b"Angebot\nHafermehl\n", "a.txt"),
        ("Hafermehl für Öl".encode("cp1252"), "b.txt"),
    ],
)
def test_a_document_is_found_by_what_its_file_says(
    parts: Parts, client: Client, data: bytes, name: str, viewer: MakeViewer
) -> None:
    document = brought(parts, client, data, name)
    assert finds(parts, viewer(), "hafermehl") == []
    content.read_text(parts, document.id)
    content.read_text(parts, document.id)
    assert [one.id for one in finds(parts, viewer(), "hafermehl")] == [document.id]


def test_the_bell_rings_for_the_text_of_what_waits_for_no_reader(parts: Parts, client: Client, redis: Redis) -> None:
    document = brought(parts, client, PDF, "a.pdf")
    jobs = Queue(TEXTS, connection=redis, serializer="json").jobs
    assert ("portal.jobs.text", [str(document.id)]) in [(job.func_name, list(job.args)) for job in jobs]


@pytest.mark.parametrize("data", [factories.PDF, b"%PDF-1.4\n" + b"\0" * 500, b"%PDF-1.7\n1 0 obj<</Length 99999"])
def test_a_file_without_text_is_read_once_and_for_all(parts: Parts, client: Client, data: bytes) -> None:
    document = brought(parts, client, data, "a.pdf")
    content.read_text(parts, document.id)
    with parts.db.read() as session:
        row = session.exec(select(DocumentText).where(DocumentText.document_id == document.id)).one()
    assert (row.text, row.read_at is not None) == ("", True)


def test_what_came_past_the_index_or_lost_its_bell_is_caught_up_with(
    parts: Parts, client: Client, redis: Redis, clock: Traveller, viewer: MakeViewer
) -> None:
    document = brought(parts, client, PDF, "a.pdf")
    with parts.db.transaction() as session:  # as after an upgrade from before there was an index
        session.execute(sa.text("DELETE FROM document_search"))
        session.execute(sa.text("DELETE FROM document_text"))
    redis.flushall()
    clock.advance(timedelta(hours=1))
    content.catch_up(parts.db)
    (job,) = Queue(TEXTS, connection=redis, serializer="json").jobs
    assert job.func_name == "portal.jobs.texts"
    content.read_backlog(parts)
    assert [one.id for one in finds(parts, viewer(), "hafermehl")] == [document.id]
    redis.flushall()
    content.catch_up(parts.db)
    assert Queue(TEXTS, connection=redis, serializer="json").jobs == []


def test_a_file_that_cannot_be_fetched_now_is_tried_again_later(
    parts: Parts, client: Client, redis: Redis, clock: Traveller
) -> None:
    document = brought(parts, client, PDF, "a.pdf")
    assert isinstance(parts.files, Folder)
    kept = next(path for path in parts.files.root.rglob("*") if path.is_file())
    away = kept.rename(kept.with_suffix(".away"))
    with pytest.raises(Unavailable):
        content.read_text(parts, document.id)
    clock.advance(timedelta(hours=1))
    redis.flushall()
    content.read_backlog(parts)
    assert Queue(TEXTS, connection=redis, serializer="json").jobs == []  # else it would ring without end
    away.rename(kept)
    content.read_backlog(parts)
    with parts.db.read() as session:
        assert "Hafermehl" in session.exec(select(DocumentText.text)).one()
