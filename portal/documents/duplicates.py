"""Twins (D4): a document that repeats another of the same client is shown with it and held until a person decides."""

from __future__ import annotations

from uuid import UUID

from sqlmodel import Session, col, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from portal.accounts.models import Duplicates, Firm
from portal.clients.models import Client
from portal.documents import keys
from portal.documents.models import Document


def find(session: Session, document: Document) -> Document | None:
    """The oldest other document of the client with the same bytes, else with the same supplier, number, date and total.

    Removed ones do not count, nor do those that are marked as twins of this one: of two equal ones one is the first.
    """
    same_bytes = _others(document).where(Document.sha256 == document.sha256)
    return session.exec(same_bytes).first() or _same_invoice(session, document)


def _others(document: Document) -> SelectOfScalar[Document]:
    return (
        select(Document)
        .where(
            Document.client_id == document.client_id,
            Document.id != document.id,
            col(Document.removed_at).is_(None),
            or_(col(Document.twin_id).is_(None), col(Document.twin_id) != document.id),
        )
        .order_by(col(Document.arrived_at), col(Document.id))
        .limit(1)
    )


def _same_invoice(session: Session, document: Document) -> Document | None:
    number, party = keys.number_key(document.number), keys.party_key(document.party_name)
    if not (number and party and document.issued_on and document.gross is not None):
        return None
    same = _others(document).where(
        Document.number_key == number,
        Document.party_key == party,
        Document.issued_on == document.issued_on,
        Document.gross == document.gross,
        Document.currency == document.currency,
    )
    return session.exec(same).first()


def look_again(session: Session, document: Document) -> bool:
    """Set ``twin_id`` by what is true now; whether it changed.

    A person's decision about a twin holds as long as the twin stays the same; where the firm accepts duplicates there
    is nothing to decide.
    """
    twin = find(session, document)
    twin_id = twin.id if twin is not None else None
    if twin_id == document.twin_id:
        return False
    accepted = twin is not None and policy(session, document.client_id) is Duplicates.ACCEPT
    document.twin_id, document.twin_accepted = twin_id, accepted
    session.flush()
    return True


def policy(session: Session, client_id: UUID) -> Duplicates:
    """What the firm of a client wants to become of duplicates."""
    of_client = select(Firm.duplicates).join(Client, col(Client.firm_id) == col(Firm.id))
    return Duplicates(session.exec(of_client.where(Client.id == client_id)).one())


def same_bytes(session: Session, client_id: UUID, sha256: str) -> Document | None:
    """The oldest document of a client with these bytes that was not removed."""
    same = select(Document).where(
        Document.client_id == client_id, Document.sha256 == sha256, col(Document.removed_at).is_(None)
    )
    return session.exec(same.order_by(col(Document.arrived_at), col(Document.id)).limit(1)).first()


def repeated_by(session: Session, document: Document) -> list[Document]:
    """The documents that are marked as twins of this one, newest first."""
    twins = select(Document).where(Document.twin_id == document.id, col(Document.removed_at).is_(None))
    return list(session.exec(twins.order_by(col(Document.arrived_at).desc(), col(Document.id).desc())))
