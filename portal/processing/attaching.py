"""Attaching documents to transactions. A document learns its bank account by it (E2), so it is planned again."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import Session

from portal.access import Right, Viewer
from portal.banking import transactions
from portal.documents.models import Document
from portal.processing import corrections


def attach(
    session: Session, viewer: Viewer, client_id: UUID, transaction_id: UUID, document_ids: Sequence[UUID]
) -> list[Document]:
    """Attach documents to a transaction by hand; those without a bank account get the transaction's."""
    transaction = transactions.transaction_or_404(session, viewer, client_id, transaction_id, Right.CORRECT)
    attached = transactions.attach(session, viewer, client_id, transaction_id, document_ids)
    for document in attached:
        if document.account_id is None:
            fields = {"account_id": transaction.account_id}
            corrections.correct(session, viewer, client_id, document.id, fields=fields)
    return attached
