"""Reading a document's file (D2): looked at outside of any transaction, kept beside the document, its sure part used.

A reading is begun with a trace that is a lease: one reader at a time works on a document, and a file that takes its
reader down again and again is given up and said to be unread.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from sqlmodel import Session

from portal import access, audit, clock
from portal.access import Right, Viewer
from portal.banking.services import of_client as accounts_of
from portal.clients.models import Client
from portal.db import ring
from portal.delivery import outbox
from portal.documents.models import Document
from portal.documents.models import Reading as Progress
from portal.documents.services import locked, of_client
from portal.errors import Conflict
from portal.i18n import N_
from portal.parts import Parts
from portal.processing import statements
from portal.processing.models import DocumentReading
from portal.reading import read
from portal.reading.child import READINGS
from portal.reading.direction import ClientFacts, plain
from portal.reading.limits import Limits, Why
from portal.reading.reading import PDF, PICTURES, XML, Reading, unread

READABLE = PICTURES | XML | {PDF}
# Less than a job may take (``queue.JOBS``), with the start of the reader's own process.
LIMITS = Limits(seconds=100.0, processor=95)
LEASE = timedelta(seconds=150)
MOST_TRIES = 3
Read = Callable[[bytes, str, ClientFacts], Reading]


@dataclass(frozen=True)
class Wanted:
    """A file that is to be read now, and whose it is."""

    document_id: UUID
    content: bytes
    media_type: str
    facts: ClientFacts


@dataclass(frozen=True)
class Done:
    """A reading that has just ended, and the seconds it took."""

    reading: Reading
    seconds: float


def is_readable(document: Document) -> bool:
    """Whether a document's file is read for its fields; banks' own files are imported instead."""
    return document.media_type in READABLE and not statements.is_file(document)


def awaits(session: Session, document: Document) -> bool:
    """Whether a document still waits for its file to be read."""
    if document.reading is not Progress.WAITING or not is_readable(document):
        return False
    row = session.get(DocumentReading, document.id)
    return row is None or row.read_at is None


def look(parts: Parts, document_id: UUID, read_file: Read | None = None) -> Done | None:
    """Read a waiting document's file; None when it does not wait, or somebody else is reading it.

    ``read_file``: who reads many keeps one ``apart.Reader``; else each file gets a process of its own. Raises
    Unavailable when the stored file cannot be had now.
    """
    wanted = _wanted(parts, document_id)
    if wanted is None or not _begin(parts, document_id):
        return None
    began = time.monotonic()
    reading = (read_file or _read_alone)(wanted.content, wanted.media_type, wanted.facts)
    return Done(reading, round(time.monotonic() - began, 3))


def _read_alone(content: bytes, media_type: str, facts: ClientFacts) -> Reading:
    return read(content, media_type, client=facts, limits=LIMITS)


def _wanted(parts: Parts, document_id: UUID) -> Wanted | None:
    with parts.db.read() as session:
        document = session.get(Document, document_id)
        if document is None or not awaits(session, document):
            return None
        client = session.get_one(Client, document.client_id)
        facts = facts_of(session, client)
    with parts.files.open(client.firm_id, document.sha256) as content:
        return Wanted(document_id, content.read(), document.media_type, facts)


def facts_of(session: Session, client: Client) -> ClientFacts:
    """What is known of the client for the direction (D3): name, VAT id, and the IBANs of all its accounts."""
    ibans = {plain(account.iban) for account in accounts_of(session, client.id) if account.iban}
    vat_ids = {plain(client.vat_id)} if client.vat_id else set()
    return ClientFacts(names=frozenset({client.name}), vat_ids=frozenset(vat_ids), ibans=frozenset(ibans))


def _begin(parts: Parts, document_id: UUID) -> bool:
    """Take the lease; not while somebody holds it, nor for what took down its readers too often."""
    with parts.db.transaction() as session:
        document = locked(session, document_id)
        if document is None or not awaits(session, document):
            return False
        row = session.get(DocumentReading, document_id) or DocumentReading(document_id=document_id)
        now = clock.now()
        if row.begun_at is not None and now - row.begun_at < LEASE:
            return False
        if row.tries >= MOST_TRIES:
            keep(session, document, Done(unread(Why.BROKE), 0.0))
            return False
        row.begun_at, row.tries = now, row.tries + 1
        session.add(row)
        return True


def keep(session: Session, document: Document, done: Done) -> None:
    """Store a reading in place of the one before, without the text of the pages."""
    row = session.get(DocumentReading, document.id) or DocumentReading(document_id=document.id)
    bare = replace(done.reading, pages=tuple(replace(page, text="") for page in done.reading.pages))
    row.reading = READINGS.dump_python(bare, mode="json")
    row.read_at, row.seconds, row.begun_at, row.tries = clock.now(), done.seconds, None, 0
    session.add(row)
    session.flush()


def kept(session: Session, document_id: UUID) -> Reading | None:
    """What was read of a document, if anything was; no texts of pages in it."""
    row = session.get(DocumentReading, document_id)
    return None if row is None or row.reading is None else READINGS.validate_python(row.reading)


def read_again(session: Session, viewer: Viewer, client_id: UUID, document_id: UUID) -> Document:
    """Let a document's file be read once more; what people said stays. Conflict for files that are never read."""
    client = access.client_or_404(session, viewer, client_id, Right.CORRECT)
    document = of_client(session, client_id, document_id)
    if not is_readable(document):
        raise Conflict(N_("Files of this type are not read."))
    if document.split_version is not None:
        raise Conflict(N_("This file is split: each of its documents is read by itself."))
    document = locked(session, document.id) or document
    row = session.get(DocumentReading, document_id) or DocumentReading(document_id=document_id)
    row.read_at, row.tries = None, 0
    session.add(row)
    if document.reading is not Progress.WAITING:
        document.reading = Progress.WAITING
        facts: dict[str, object] = {"filename": document.filename}
        audit.record(
            session, client.firm_id, "document.read_again", by=viewer.by, client_id=client_id, subject_id=document_id,
            facts=facts,
        )  # fmt: skip
        outbox.plan_document(session, document)
    ring(session, "read", document_id)
    return document
