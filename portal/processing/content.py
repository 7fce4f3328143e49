"""What a document's file says, kept for the search: read once, outside of any transaction, whatever else is known."""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import UUID

import structlog
from sqlmodel import Session, select

from portal import clock, reading
from portal.clients.models import Client
from portal.db import Database, ring
from portal.documents import detect, search
from portal.documents.models import Document, DocumentText
from portal.errors import Invalid, Unavailable
from portal.parts import Parts
from portal.reading import xml
from portal.reading.reading import PDF, PICTURES, XML

log = structlog.get_logger()
# Whose text is not read by then has lost its bell.
_LOST_AFTER = timedelta(minutes=2)
_SECONDS = 40.0  # that one job works off a backlog
_BACKLOG = 100


def read_text(parts: Parts, document_id: UUID) -> None:
    """Let a document be found by what its file says, unless it is already. A file without text is read, too.

    Unavailable when the file cannot be fetched now; it is tried again later.
    """
    with parts.db.read() as session:
        document = session.get(Document, document_id)
        if document is None or not _is_unread(session, document_id):
            return
        firm_id = session.get_one(Client, document.client_id).firm_id
    text = _text(parts, firm_id, document)
    with parts.db.transaction() as session:
        present = session.get_one(Document, document_id, with_for_update=True)
        if _is_unread(session, document_id):
            search.index(session, present, text)


def _is_unread(session: Session, document_id: UUID) -> bool:
    row = session.exec(select(DocumentText).where(DocumentText.document_id == document_id)).one_or_none()
    return row is None or row.read_at is None


def _text(parts: Parts, firm_id: UUID, document: Document) -> str:
    with parts.files.open(firm_id, document.sha256) as file:
        content = file.read(detect.FILE_LIMIT)
    if document.media_type in PICTURES | {PDF}:
        return reading.read(content, document.media_type).text
    if document.media_type in XML:
        return reading.read(content, document.media_type).text or _all_texts(content)
    if document.media_type.startswith("text/") or document.media_type == "message/rfc822":
        return detect.decoded(content[: 2 * search.MOST_TEXT]) or ""
    return ""


def _all_texts(content: bytes) -> str:
    """The texts of an XML that is no invoice; nothing when it cannot be parsed."""
    try:
        return "\n".join(map(str, xml.hits(xml.parse(content), "//text()[normalize-space()]")[:20_000]))
    except Invalid:
        return ""


def catch_up(db: Database) -> None:
    """Bring into the index what came past it, and ring for texts that nobody has read."""
    search.fill_gaps(db)
    with db.transaction() as session:
        if search.unread(session, clock.now() - _LOST_AFTER, 1):
            ring(session, "texts", "all")


def read_backlog(parts: Parts) -> None:
    """Read texts that wait for it, oldest first, for a while; then ring for the rest, so that others get their turn."""
    end = time.monotonic() + _SECONDS
    with parts.db.read() as session:
        waiting = search.unread(session, clock.now() - _LOST_AFTER, _BACKLOG)
    read = 0
    for document_id in waiting:
        if time.monotonic() > end:
            break
        try:
            read_text(parts, document_id)
            read += 1
        except Unavailable:
            log.warning("text.unavailable", document=str(document_id))
    with parts.db.transaction() as session:
        # Where nothing could be read nothing will be at once: the scheduler asks again within the hour.
        if read and search.unread(session, clock.now() - _LOST_AFTER, 1):
            ring(session, "texts", "all")
