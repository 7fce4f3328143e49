"""What waits for a person in a folder: the documents that somebody works through, one after the other."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import Session, col, select

from integrations.contract import DocumentKind
from portal.delivery.models import Delivery, State
from portal.documents import lists
from portal.documents.lists import Filter, Line, Order
from portal.documents.models import Document, Reading

# Without these an invoice or a receipt is of no use to anybody, whatever the integrations need.
_FACTS = (col(Document.party_name), col(Document.issued_on), col(Document.gross))
_WITH_FACTS = (DocumentKind.INCOMING_INVOICE, DocumentKind.OUTGOING_INVOICE, DocumentKind.RECEIPT)


def needs_a_person(client_id: UUID) -> ColumnElement[bool]:
    """Documents of which a person must say something: the kind, whether it is a twin, or what could not be read."""
    asked = select(Delivery.document_id).where(
        Delivery.client_id == client_id, col(Delivery.current).is_(True), Delivery.state == State.ACTION_NEEDED
    )
    lacks = and_(col(Document.kind).in_(_WITH_FACTS), or_(*(fact.is_(None) for fact in _FACTS)))
    twin = and_(col(Document.twin_id).is_not(None), col(Document.twin_accepted).is_(False))
    needs = or_(col(Document.kind).is_(None), lacks, twin, col(Document.id).in_(asked))
    return and_(col(Document.reading) == Reading.SETTLED, needs)


def following(
    session: Session, document: Document, folder: DocumentKind, narrowed: Filter, order: Order
) -> UUID | None:
    """The next document of the list that needs a person, from its beginning again at its end; None when none does."""
    also = [needs_a_person(document.client_id)]
    behind = lists.neighbours(session, folder, narrowed, order, document, also)[1]
    if behind is not None:
        return behind
    first = lists.page(session, document.client_id, folder, narrowed, order, Line, limit=2, also=also)
    return next((one.id for one in first.documents if one.id != document.id), None)
