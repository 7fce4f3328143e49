"""A real worker of the reading queue reads what came through the door; deliveries' workers leave it alone."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from redis import Redis

from portal.accounts.models import Firm
from portal.audit import SYSTEM
from portal.documents.models import Document, Reading, Source
from portal.intake import receive
from portal.parts import Parts
from portal.queue import QUEUE
from tests import factories
from tests.forks import Fork
from tests.portal.processing.test_readings import BUYER, xml
from tests.servers import until


@contextmanager
def worker(environ: dict[str, str]) -> Iterator[None]:
    running = Fork("worker:main", "reading", environ=environ)
    yield
    running.stop(20)


@pytest.mark.timeout(120)
def test_a_worker_of_the_reading_queue_reads_what_arrives(
    parts: Parts, firm: Firm, environ: dict[str, str], redis: Redis
) -> None:
    with parts.db.transaction() as session:
        client = factories.client(session, firm, name=BUYER.name, vat_id=BUYER.vat_id)
    files = [xml(), factories.PDF, b"\x89PNG\r\n\x1a\n" + bytes(50)]  # the last two: damaged
    documents = [receive(parts, SYSTEM, client.id, "a", io.BytesIO(content), source=Source.UPLOAD) for content in files]
    assert redis.llen(f"rq:queue:{QUEUE}") == 0

    def settled() -> list[Document]:
        with parts.db.read() as session:
            found = [session.get_one(Document, document.id) for document in documents]
        return [document for document in found if document.reading is Reading.SETTLED]

    with worker(environ):
        until(lambda: len(settled()) == 3, 90, "reading")
    assert [document.number for document in settled()] == ["RE-2026-17", None, None]
