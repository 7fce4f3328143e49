"""What happens to a document after the door. Reading from the file plugs in here."""

from __future__ import annotations

from uuid import UUID

from portal.delivery import outbox
from portal.documents import duplicates
from portal.documents.models import Document, Reading
from portal.parts import Parts
from portal.processing import statements


def settle(parts: Parts, document_id: UUID) -> None:
    """Bring a document that waits to be read to where its deliveries can be decided. Repeats are harmless.

    A statement file's transactions are imported first. Nothing else is read from files yet: kind and fields stay as
    they were given, and a document without a kind asks a person. Findings of a reader are stored here, in the same
    transaction that settles and plans.
    """
    statements.read_statement(parts, document_id)
    with parts.db.transaction() as session:
        document = session.get(Document, document_id, with_for_update=True)
        if document is None or document.reading is Reading.SETTLED or statements.awaits(session, document):
            return
        document.reading = Reading.SETTLED
        duplicates.look_again(session, document)
        outbox.plan_document(session, document)
