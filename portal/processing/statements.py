"""A statement file after the door: read outside of any transaction, entered in one, its document placed by account."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

import structlog
from sqlmodel import Session, col, func, select

from integrations.contract import DocumentKind
from portal import clock
from portal.banking import imports
from portal.banking.imports import Looked
from portal.banking.models import BankStatement, ImportState, StatementFile, StatementImport
from portal.banking.statements.values import Unreadable
from portal.clients.models import Client
from portal.delivery import outbox
from portal.documents import versions
from portal.documents.models import Document
from portal.documents.services import locked
from portal.errors import Unavailable
from portal.i18n import N_
from portal.parts import Parts

log = structlog.get_logger()

READING = N_("The file is being read.")
STOPPED = N_("Reading took too long or too much memory and was stopped. The document is kept.")
BROKE = N_("The file could not be read because of a fault in Kontor. The document is kept; please report it.")
NOT_THERE = N_("The stored file cannot be read right now. Please try again later.")
# As long as a job may run; whoever has not finished by then was stopped.
_TIME = timedelta(seconds=150)
_READABLE = frozenset({"application/xml", "application/zip", "text/csv", "text/plain", "text/x-mt940"})


def read_statement(parts: Parts, document_id: UUID) -> None:
    """Import a statement's transactions, unless that is done; whatever goes wrong is said at the document.

    PDFs among the statements are documents like any other: their movements come with the bank's own files.
    """
    with parts.db.transaction() as session:
        document = locked(session, document_id)
        if document is None or not _begin(session, document):
            return
        firm_id, sha256 = session.get_one(Client, document.client_id).firm_id, document.sha256
        confirmed = imports.confirmed(session, document.client_id)
    looked = _looked(lambda: imports.look(_content(parts, firm_id, sha256), confirmed), document_id)
    with parts.db.transaction() as session:
        document = locked(session, document_id)
        if document is not None:
            imports.enter(session, document, looked)
            _place(session, document)


def is_file(document: Document) -> bool:
    """Whether a document is a bank's own file, whose transactions are imported."""
    return document.kind is DocumentKind.STATEMENT and document.media_type in _READABLE


def awaits(session: Session, document: Document) -> bool:
    """Whether a document is a statement file that is still to be read."""
    if not is_file(document) or document.removed_at:
        return False
    row = session.get(StatementImport, document.id)
    return row is None or row.state is ImportState.READING or _is_answered(row, document)


def _is_answered(row: StatementImport, document: Document) -> bool:
    """Whether a person has said since whose account it is."""
    return row.state is ImportState.ACCOUNT and document.account_id is not None


def _begin(session: Session, document: Document) -> bool:
    """Leave a trace before the file is opened, so that a file that kills its reader does so once."""
    if not awaits(session, document):
        return False
    row = session.get(StatementImport, document.id)
    if row is None:
        row = StatementImport(document_id=document.id, client_id=document.client_id, state=ImportState.READING, text="")
        session.add(row)
    elif row.state is ImportState.READING:
        if clock.now() - row.done_at > _TIME:
            imports.enter(session, document, Unreadable(STOPPED))
        return False
    row.state, row.text, row.facts, row.done_at = ImportState.READING, READING, {}, clock.now()
    return True


def _looked(look: Callable[[], Looked], document_id: UUID) -> Looked:
    try:
        return look()
    except Unavailable:
        return Unreadable(NOT_THERE)
    except Exception:  # a stranger's file must not stay between two states for ever
        log.exception("statement.broke", document_id=str(document_id))
        return Unreadable(BROKE)


def _content(parts: Parts, firm_id: UUID, sha256: str) -> bytes:
    with parts.files.open(firm_id, sha256) as content:
        return content.read()


def _place(session: Session, document: Document) -> None:
    """Put the document where its statements belong: the account, if it is one, and the last day, if none was given."""
    accounts = imports.accounts_of(session, document.id)
    values: dict[str, object] = {}
    if len(accounts) == 1 and document.account_id is None:
        values["account_id"] = accounts[0]
    if document.issued_on is None and (last := _last_day(session, document.id)) is not None:
        values["issued_on"] = last
    if versions.change(session, document, values, None):
        session.flush()
        outbox.plan_document(session, document)


def _last_day(session: Session, document_id: UUID) -> date | None:
    statement = select(func.max(BankStatement.closing_on)).join(
        StatementFile, col(StatementFile.statement_id) == col(BankStatement.id)
    )
    return session.exec(statement.where(StatementFile.document_id == document_id)).one()
