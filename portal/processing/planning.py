"""Planning again after a change: the document's own deliveries, and those of its twins (D4)."""

from __future__ import annotations

from sqlmodel import Session

from portal.delivery import outbox
from portal.documents import duplicates
from portal.documents.models import Document


def plan_again(session: Session, document: Document) -> None:
    """Plan the document's deliveries, and those of documents that were twins of what it was before."""
    session.flush()
    if document.removed_at is None:
        duplicates.look_again(session, document)
    outbox.plan_document(session, document)
    for twin in duplicates.repeated_by(session, document):
        if duplicates.look_again(session, twin):
            outbox.plan_document(session, twin)
