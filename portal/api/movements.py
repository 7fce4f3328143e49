"""/clients/…/movements, …/transactions: bank statements, what they book, and the documents that belong to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, cast
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response
from pydantic import BeforeValidator, Field

from portal.access import Right
from portal.api import told
from portal.api.reach import reading, viewer, writing
from portal.api.shapes import Given, Paging, Text, Told, nothing
from portal.banking import transactions
from portal.banking.models import BankStatement, ImportState, StatementImport
from portal.documents import names
from portal.i18n import _, language, say
from portal.overview import movement_files, movements
from portal.processing import attaching

bp = APIBlueprint("movements", __name__, tag="Bank movements")
ACCOUNT = "/clients/<uuid:client_id>/bank-accounts/<uuid:account_id>"
ONE = "/clients/<uuid:client_id>/transactions/<uuid:transaction_id>"


class Form(StrEnum):
    """As what a report is handed out."""

    CSV = "csv"
    XLSX = "xlsx"


_MEDIA_TYPES = {
    Form.CSV: "text/csv",
    Form.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_FILES: dict[str, Any] = {kind: {"schema": {}} for kind in _MEDIA_TYPES.values()}
_Month = Annotated[Text, Field(pattern=r"^[1-9][0-9]{3}-(0[1-9]|1[0-2])$")]


class MonthQuery(Given):
    """Which month of an account."""

    month: Annotated[_Month | None, BeforeValidator(nothing)] = Field(
        default=None, description="YYYY-MM by the booking day; without it the newest with transactions."
    )


class TransactionQuery(MonthQuery, Paging):
    """Which transactions of an account."""

    missing: bool = Field(default=False, description="Only those that lack a document.")


class ReportQuery(MonthQuery):
    """Which month, and as what."""

    form: Form = Form.CSV


class DocumentsOfIn(Given):
    """Documents that belong to a transaction."""

    document_ids: Annotated[list[UUID], Field(min_length=1, max_length=50)]


class TransactionOut(Told):
    """One movement on an account."""

    id: UUID
    account_id: UUID
    booked_on: date
    valued_on: date | None
    amount: int = Field(description="Signed, in minor units.")
    currency: str
    name: str = Field(description="Of the counterparty; may be empty, like all texts here.")
    iban: str = Field(description="Of the counterparty, or its account number.")
    text: str
    reference: str = Field(description="Structured creditor reference.")
    end_to_end_id: str
    mandate: str
    bank_reference: str
    type: str
    posting: str
    document_ids: Sequence[UUID]


class MonthSums(Told):
    """A month in one currency, in minor units. Balances are null where no statement tells them."""

    currency: str
    received: int
    spent: int
    count: int
    missing: int = Field(description="How many transactions lack a document.")
    opening: int | None
    closing: int | None


class GapOut(Told):
    """Statements that are missing between two others."""

    currency: str
    since: date
    until: date
    difference: int = Field(description="What the missing movements sum up to, in minor units.")


class TransactionPage(Told):
    """Some transactions of a month, oldest first, and what the month sums up to."""

    month: str | None = Field(description="YYYY-MM; null while the account has no transactions.")
    months: Sequence[str] = Field(description="Those with transactions, newest first.")
    sums: Sequence[MonthSums]
    gaps: Sequence[GapOut]
    items: Sequence[TransactionOut]
    after: str | None = Field(description="The cursor of the next page; null at the end.")


class Balance(Told):
    """What the newest statement of an account says."""

    on: date | None
    closing: int | None = Field(description="In minor units.")
    currency: str


class AccountMovements(Told):
    """How far the statements of an account go."""

    account_id: UUID
    count: int
    missing: int = Field(description="How many transactions lack a document.")
    gaps: int
    newest: Balance | None


class StatementFileOut(Told):
    """What became of a statement file."""

    document_id: UUID
    state: ImportState = Field(description="«account» and «columns» wait for a person, on the page of the file.")
    text: str
    added: int = Field(description="Transactions that were new.")
    known: int = Field(description="Transactions that were there already.")


class Movements(Told):
    """A client's accounts, and the statement files that are not imported."""

    accounts: Sequence[AccountMovements]
    open_files: Sequence[StatementFileOut]


@bp.get("/clients/<uuid:client_id>/movements")
@bp.output(Movements)
def standing(client_id: UUID) -> Movements:
    """Show how far the statements go

    Per bank account, with the statement files that need somebody.
    """
    with reading() as session:
        found = movements.accounts(session, viewer(), client_id)
    return Movements(
        accounts=[_account(row) for row in found.rows], open_files=[_file(row) for row, _document in found.open_files]
    )


@bp.get(f"{ACCOUNT}/transactions")
@bp.input(TransactionQuery, location="query", arg_name="query")
@bp.output(TransactionPage)
def listed(client_id: UUID, account_id: UUID, query: TransactionQuery) -> TransactionPage:
    """List an account's transactions

    A month of them, each with the documents that belong to it.
    """
    with reading() as session:
        found = movements.report(
            session, viewer(), client_id, account_id, month=_day(query.month), only_missing=query.missing,
            after=query.after, limit=query.limit,
        )  # fmt: skip
    return TransactionPage(
        month=f"{found.month:%Y-%m}" if found.month else None, months=[f"{one:%Y-%m}" for one in found.months],
        sums=[told.filled(MonthSums, one) for one in found.sums],
        gaps=[told.filled(GapOut, gap, currency=currency) for currency, gap in found.gaps],
        items=[_transaction(line) for line in found.lines], after=found.after,
    )  # fmt: skip


@bp.get(f"{ACCOUNT}/report")
@bp.input(ReportQuery, location="query", arg_name="query")
@bp.doc(responses=cast("Any", {200: {"description": "The file.", "content": _FILES}}))
def report(client_id: UUID, account_id: UUID, query: ReportQuery) -> Response:
    """Download the movement report

    A whole month as CSV or Excel file, headings and decimal sign as the language has them.
    """
    with reading() as session:
        found = movements.whole(session, viewer(), client_id, account_id, _day(query.month))
    headings = [_(text) for text in movement_files.HEADINGS]
    title = f"{found.account.name} {found.month:%Y-%m}" if found.month else found.account.name
    content = (
        movement_files.as_csv(found, headings, decimal_comma=language() == "de")
        if query.form is Form.CSV
        else movement_files.as_xlsx(found, headings, title)
    )
    answer = Response(content, mimetype=_MEDIA_TYPES[query.form])
    answer.headers["Content-Disposition"] = names.disposition(names.safe(f"{found.client.name} {title}.{query.form}"))
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@bp.get(ONE)
@bp.output(TransactionOut)
def show(client_id: UUID, transaction_id: UUID) -> TransactionOut:
    """Show a transaction"""
    with reading() as session:
        return _transaction(movements.one_line(session, viewer(), client_id, transaction_id)[1])


@bp.post(f"{ONE}/documents")
@bp.input(DocumentsOfIn, arg_name="body")
@bp.output(TransactionOut)
def attach(client_id: UUID, transaction_id: UUID, body: DocumentsOfIn) -> TransactionOut:
    """Attach documents

    Those that are attached already stay so. A document without a bank account learns the transaction's.
    """
    with writing() as session:
        attaching.attach(session, viewer(), client_id, transaction_id, body.document_ids)
        return _transaction(movements.one_line(session, viewer(), client_id, transaction_id)[1])


@bp.delete(f"{ONE}/documents/<uuid:document_id>")
@bp.output(TransactionOut)
def detach(client_id: UUID, transaction_id: UUID, document_id: UUID) -> TransactionOut:
    """Take a document off"""
    with writing() as session:
        transactions.detach(session, viewer(), client_id, transaction_id, document_id)
        return _transaction(movements.one_line(session, viewer(), client_id, transaction_id)[1])


@bp.get("/clients/<uuid:client_id>/documents/<uuid:document_id>/statement")
@bp.output(StatementFileOut)
def file(client_id: UUID, document_id: UUID) -> StatementFileOut:
    """Show what became of a statement file"""
    with reading() as session:
        return _file(transactions.import_or_404(session, viewer(), client_id, document_id, Right.SEE))


def _day(month: str | None) -> date | None:
    return date.fromisoformat(f"{month}-01") if month else None


def _transaction(line: movements.Line) -> TransactionOut:
    return told.filled(TransactionOut, line.transaction, document_ids=[one.id for one in line.documents])


def _account(row: movements.AccountRow) -> AccountMovements:
    newest = _balance(row.last) if row.last else None
    return AccountMovements(
        account_id=row.account.id, count=row.count, missing=row.missing, gaps=row.gaps, newest=newest
    )  # fmt: skip


def _balance(row: BankStatement) -> Balance:
    return Balance(on=row.closing_on, closing=row.closing, currency=row.currency)


def _file(row: StatementImport) -> StatementFileOut:
    return told.filled(StatementFileOut, row, text=say(row.text, row.facts))
