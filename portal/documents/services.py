"""Finding documents and refusals for somebody who asks. Changes are in ``portal.processing``: they plan deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session, col, select

from portal import access, audit, clock
from portal.access import Right, Viewer
from portal.clients.models import Client
from portal.db import Instant
from portal.documents import cursors
from portal.documents.models import Document, Refusal
from portal.errors import NotFound


def document_or_404(
    session: Session, viewer: Viewer, client_id: UUID, document_id: UUID, right: Right = Right.SEE
) -> Document:
    """The document, if it is this client's and the viewer has ``right`` there; removed ones too. Else NotFound."""
    access.client_or_404(session, viewer, client_id, right)
    return of_client(session, client_id, document_id)


def of_client(session: Session, client_id: UUID, document_id: UUID, *, lock: bool = False) -> Document:
    """The document, if it is this client's; else NotFound. With ``lock`` nobody else changes it meanwhile."""
    statement = select(Document).where(Document.id == document_id, Document.client_id == client_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    document = session.exec(statement).one_or_none()
    if document is None:
        raise NotFound
    return document


def locked(session: Session, document_id: UUID) -> Document | None:
    """The document, for somebody who works without a viewer and changes it; its client is locked first, as always."""
    document = session.get(Document, document_id)
    if document is None:
        return None
    session.exec(select(Client.id).where(Client.id == document.client_id).with_for_update(key_share=True)).one()
    return session.get(Document, document_id, with_for_update=True, populate_existing=True)


@dataclass(frozen=True)
class Refusals:
    """Some refused files, newest first, and the cursor behind the last one."""

    refusals: Sequence[Refusal]
    after: str | None


def refusals(
    session: Session, viewer: Viewer, client_id: UUID, *, seen: bool = False, after: str | None = None, limit: int = 50
) -> Refusals:
    """Files that were not taken: those still to be looked at, or those put aside (``seen``)."""
    access.client_or_404(session, viewer, client_id, Right.SEE)
    put_aside = col(Refusal.seen_at)
    statement = select(Refusal).where(
        Refusal.client_id == client_id, put_aside.is_not(None) if seen else put_aside.is_(None)
    )
    if after is not None:
        key, last = cursors.decode(after)
        at = cursors.instant(key)
        statement = statement.where(
            cursors.behind(col(Refusal.refused_at), col(Refusal.id), at, last, kind=Instant(), descending=True)
        )
    newest = statement.order_by(col(Refusal.refused_at).desc(), col(Refusal.id).desc())
    found = session.exec(newest.limit(limit + 1)).all()
    end = found[limit - 1] if len(found) > limit else None
    return Refusals(found[:limit], cursors.encode(end.refused_at.isoformat(), end.id) if end else None)


def put_aside(session: Session, viewer: Viewer, client_id: UUID, refusal_ids: Sequence[UUID]) -> int:
    """Mark refusals as seen; they stay listed under *put aside*. Returns how many were marked now."""
    client = access.client_or_404(session, viewer, client_id, Right.ADD)
    statement = select(Refusal).where(
        Refusal.client_id == client_id, col(Refusal.id).in_(refusal_ids), col(Refusal.seen_at).is_(None)
    )
    found = session.exec(statement).all()
    for refusal in found:
        refusal.seen_at = clock.now()
        audit.record(
            session, client.firm_id, "refusal.put_aside", by=viewer.by, client_id=client_id, subject_id=refusal.id,
            facts={"filename": refusal.filename},
        )  # fmt: skip
    return len(found)
