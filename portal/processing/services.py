"""What happens to a document after the door: it is read, settled as far as that is sure, and planned."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import Session, col, select

from portal.documents import search
from portal.documents.models import Document, Reading
from portal.documents.services import locked
from portal.parts import Parts
from portal.processing import readings, settling, statements
from portal.processing.planning import plan_again


def settle(parts: Parts, document_id: UUID, read_file: readings.Read | None = None) -> None:
    """Bring a document that waits to be read to where its deliveries can be decided. Repeats are harmless.

    The file is read outside of any transaction; what was read is stored in the one that settles and plans.
    ``read_file`` as for ``readings.look``. Raises Unavailable when the stored file cannot be had now.
    """
    statements.read_statement(parts, document_id)
    done = readings.look(parts, document_id, read_file)
    with parts.db.transaction() as session:
        document = locked(session, document_id)
        if document is None:
            return
        if done is not None:
            readings.keep(session, document, done)
            search.index(session, document, done.reading.text)
        if document.reading is Reading.SETTLED or statements.awaits(session, document):
            return  # a person was quicker: what was read stands beside what they said
        if readings.awaits(session, document):
            return
        document.reading = Reading.SETTLED
        reading = readings.kept(session, document_id)
        if reading is not None and readings.is_readable(document):
            settling.take_over(session, document, reading)
        plan_again(session, document)


def waiting(session: Session) -> Sequence[UUID]:
    """The documents of all firms that wait to be read, oldest first."""
    statement = select(Document.id).where(Document.reading == Reading.WAITING).order_by(col(Document.arrived_at))
    return session.exec(statement).all()
