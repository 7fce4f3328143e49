"""A client's transactions and what people do with them: attach documents, say what a table's columns mean."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, exists
from sqlmodel import Session, col, select

from portal import access, audit
from portal.access import Right, Viewer
from portal.banking import services
from portal.banking.models import (
    Attachment,
    BankStatement,
    StatementFile,
    StatementImport,
    StatementLine,
    TableColumns,
    Transaction,
)
from portal.banking.statements.columns import Columns
from portal.db import ring
from portal.documents.models import Document
from portal.documents.services import of_client
from portal.errors import Invalid, NotFound
from portal.i18n import N_

REMOVED = N_("“%(filename)s” was removed and cannot be attached.")
NOT_WHOLE = N_("Please say which column is the date and which the amount (or debit and credit).")


def counts() -> ColumnElement[bool]:
    """The condition for transactions that count: a document that is not removed still lists them."""
    return exists().where(
        col(StatementLine.transaction_id) == col(Transaction.id),
        col(StatementFile.statement_id) == col(StatementLine.statement_id),
        col(Document.id) == col(StatementFile.document_id),
        col(Document.removed_at).is_(None),
    )


def carried() -> ColumnElement[bool]:
    """The condition for statements that a document carries that is not removed."""
    return exists().where(
        col(StatementFile.statement_id) == col(BankStatement.id),
        col(Document.id) == col(StatementFile.document_id),
        col(Document.removed_at).is_(None),
    )


def documented() -> ColumnElement[bool]:
    """The condition for transactions with a document that is not removed."""
    return exists().where(
        col(Attachment.transaction_id) == col(Transaction.id),
        col(Document.id) == col(Attachment.document_id),
        col(Document.removed_at).is_(None),
    )


def transaction_or_404(
    session: Session, viewer: Viewer, client_id: UUID, transaction_id: UUID, right: Right = Right.SEE
) -> Transaction:
    """The transaction, if it is this client's and the viewer has ``right`` there; else NotFound."""
    access.client_or_404(session, viewer, client_id, right)
    transaction = session.get(Transaction, transaction_id)
    if transaction is None or transaction.client_id != client_id:
        raise NotFound
    return transaction


def attach(
    session: Session, viewer: Viewer, client_id: UUID, transaction_id: UUID, document_ids: Sequence[UUID]
) -> list[Document]:
    """Attach the client's documents to a transaction; those attached now are returned, repeats are harmless."""
    client = access.client_or_404(session, viewer, client_id, Right.CORRECT)
    transaction = transaction_or_404(session, viewer, client_id, transaction_id, Right.CORRECT)
    attached = []
    for document_id in document_ids:
        document = of_client(session, client_id, document_id, lock=True)
        if document.removed_at is not None:
            raise Invalid(REMOVED, filename=document.filename)
        if session.get(Attachment, (transaction_id, document_id)) is None:
            by = viewer.by.person_id
            session.add(Attachment(transaction_id=transaction_id, document_id=document_id, attached_by=by))
            audit.record(
                session, client.firm_id, "transaction.attached", by=viewer.by, client_id=client_id,
                subject_id=transaction.id, facts={"document": str(document_id), "filename": document.filename},
            )  # fmt: skip
            attached.append(document)
    return attached


def detach(session: Session, viewer: Viewer, client_id: UUID, transaction_id: UUID, document_id: UUID) -> Document:
    """Take a document off a transaction; harmless when it is off."""
    client = access.client_or_404(session, viewer, client_id, Right.CORRECT)
    transaction_or_404(session, viewer, client_id, transaction_id, Right.CORRECT)
    document = of_client(session, client_id, document_id)
    link = session.get(Attachment, (transaction_id, document_id))
    if link is not None:
        session.delete(link)
        audit.record(
            session, client.firm_id, "transaction.detached", by=viewer.by, client_id=client_id,
            subject_id=transaction_id, facts={"document": str(document_id), "filename": document.filename},
        )  # fmt: skip
    return document


def import_or_404(
    session: Session, viewer: Viewer, client_id: UUID, document_id: UUID, right: Right
) -> StatementImport:
    """What became of a statement file of this client; NotFound when it was never read."""
    access.client_or_404(session, viewer, client_id, right)
    found = session.get(StatementImport, document_id)
    if found is None or found.client_id != client_id:
        raise NotFound
    return found


def confirm_columns(
    session: Session,
    viewer: Viewer,
    client_id: UUID,
    document_id: UUID,
    signature: str,
    columns: Columns,
    account_id: UUID | None = None,
) -> None:
    """Keep what the columns of such tables mean, and read the document again. ``account_id``: whose they are."""
    client = access.client_or_404(session, viewer, client_id, Right.CORRECT)
    if not columns.is_whole:
        raise Invalid(NOT_WHOLE, field="booked")
    if account_id is not None:
        services.account_of(session, client_id, account_id)
    kept = select(TableColumns).where(TableColumns.client_id == client_id, TableColumns.signature == signature)
    row = session.exec(kept).one_or_none() or TableColumns(client_id=client_id, signature=signature, columns={})
    row.columns, row.account_id, row.confirmed_by = columns.as_json(), account_id, viewer.by.person_id
    session.add(row)
    audit.record(
        session, client.firm_id, "columns.confirmed", by=viewer.by, client_id=client_id, subject_id=document_id,
        facts={"columns": columns.as_json()},
    )  # fmt: skip
    read_again(session, viewer, client_id, document_id)


def read_again(session: Session, viewer: Viewer, client_id: UUID, document_id: UUID) -> None:
    """Have a statement file read once more; what is there already is not added again."""
    access.client_or_404(session, viewer, client_id, Right.CORRECT)
    document = of_client(session, client_id, document_id)
    found = session.get(StatementImport, document_id)
    if found is not None:
        session.delete(found)
    ring(session, "read", document.id)
