"""What a statement file needs from a person: what its columns mean, whose account it is of, or another try."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session
from werkzeug.datastructures import MultiDict

from portal import access, ids
from portal.access import Right
from portal.banking import transactions
from portal.banking.services import of_client as accounts_of
from portal.banking.statements import columns, table
from portal.banking.statements.columns import Columns
from portal.banking.statements.values import Statement, Unreadable
from portal.documents.models import Document
from portal.documents.services import document_or_404
from portal.errors import Invalid, NotFound
from portal.i18n import N_, _, say
from portal.processing import corrections
from portal.web import go_to, notice, parts, reading, viewer, writing
from portal.web.fact_form import account_options

pages = Blueprint("statements", __name__, url_prefix="/clients/<uuid:client_id>/movements/files/<uuid:document_id>")

SHOWN = 8  # lines of the preview
# field of Columns -> what a person calls it
FIELDS = {
    "booked": N_("Booked on"), "valued": N_("Value date"), "amount": N_("Amount"), "debit": N_("Debit"),
    "credit": N_("Credit"), "sign": N_("Debit or credit (S/H)"), "currency": N_("Currency"),
    "name": N_("Counterparty"), "iban": N_("Account of the counterparty"), "account": N_("Own account"),
    "end_to_end_id": N_("End-to-end reference"), "mandate": N_("Mandate"), "bank_reference": N_("Bank’s reference"),
    "type": N_("Type"), "balance": N_("Balance"), "status": N_("Status"),
}  # fmt: skip


@dataclass(frozen=True)
class _Table:
    """A table with its columns as they are chosen now, and what would be read by them."""

    document: Document
    signature: str  # by what such files are known again, whatever is chosen
    cells: Sequence[Sequence[str]]
    chosen: Columns
    statement: Statement | None
    wrong: str

    @property
    def headings(self) -> list[tuple[str, str]]:
        """The columns to choose from: number and heading, or a first value where there are no headings."""
        at = self.chosen.heading
        row = self.cells[at if at is not None and at < len(self.cells) else 0] if self.cells else ()
        return [(str(number), f"{number + 1}: {cell[:40]}") for number, cell in enumerate(row)]


@pages.get("")
def look(client_id: UUID, document_id: UUID) -> str:
    """What became of the file and what is to be done; for a table the dialogue of columns."""
    return _page(client_id, document_id, None)


@pages.post("/columns")
def confirm(client_id: UUID, document_id: UUID) -> ResponseReturnValue:
    """Keep the columns, or only look how the table would be read by them."""
    shown = _table(client_id, document_id, request.form)
    if request.form.get("then") != "keep":
        return _page(client_id, document_id, shown)
    account = request.form.get("account_id", "")
    try:
        with writing() as session:
            account_id = ids.parse(account) if account else None
            transactions.confirm_columns(
                session, viewer(), client_id, document_id, shown.signature, shown.chosen, account_id
            )  # fmt: skip
            if account_id is not None:
                _set_account(session, client_id, document_id, account_id)
    except Invalid as error:
        return _page(client_id, document_id, replace(shown, wrong=say(error.text, error.facts))), error.status
    notice(N_("The columns are kept. The file is being read."))
    return go_to(url_for("movements.accounts", client_id=client_id))


@pages.post("/account")
def choose_account(client_id: UUID, document_id: UUID) -> ResponseReturnValue:
    """Say whose account the file is of; it is read then."""
    account = request.form.get("account_id", "")
    with writing() as session:
        transactions.import_or_404(session, viewer(), client_id, document_id, Right.CORRECT)
        if not account:
            raise Invalid(N_("Please choose the account."), field="account_id")
        _set_account(session, client_id, document_id, ids.parse(account))
        transactions.read_again(session, viewer(), client_id, document_id)
    notice(N_("The account is kept. The file is being read."))
    return go_to(url_for("movements.accounts", client_id=client_id))


@pages.post("/again")
def read_again(client_id: UUID, document_id: UUID) -> ResponseReturnValue:
    """Have the file read once more."""
    with writing() as session:
        transactions.read_again(session, viewer(), client_id, document_id)
    notice(N_("The file is being read."))
    return go_to(url_for("movements.accounts", client_id=client_id))


def _set_account(session: Session, client_id: UUID, document_id: UUID, account_id: UUID) -> None:
    corrections.correct(session, viewer(), client_id, document_id, fields={"account_id": account_id})


def _page(client_id: UUID, document_id: UUID, shown: _Table | None) -> str:
    with reading() as session:
        client = access.client_or_404(session, viewer(), client_id, Right.SEE)
        document = document_or_404(session, viewer(), client_id, document_id)
        found = transactions.import_or_404(session, viewer(), client_id, document_id, Right.SEE)
        accounts = accounts_of(session, client_id, closed=False)
    rights = access.rights_for(viewer(), client)
    if shown is None and found.state == "columns" and Right.CORRECT in rights:
        shown = _table(client_id, document_id, None)
    return render_template(
        "movements/file.html", client=client, document=document, found=found, table=shown, fields=FIELDS,
        accounts=account_options(accounts, str(document.account_id or "")), rights=rights, limit=SHOWN,
        encodings=columns.ENCODINGS, delimiters=_delimiters(), orders=_orders(),
    )  # fmt: skip


def _delimiters() -> list[tuple[str, str]]:
    return [(";", _("Semicolon")), (",", _("Comma")), ("\t", _("Tab")), ("|", _("Vertical bar"))]


def _orders() -> list[tuple[str, str]]:
    return [("dmy", _("day month year")), ("mdy", _("month day year")), ("ymd", _("year month day"))]


def _table(client_id: UUID, document_id: UUID, form: MultiDict[str, str] | None) -> _Table:
    """The file's table, by the columns of the form or else as proposed."""
    with reading() as session:
        client = access.client_or_404(session, viewer(), client_id, Right.CORRECT)
        document = document_or_404(session, viewer(), client_id, document_id)
    with parts().files.open(client.firm_id, document.sha256) as file:
        content = file.read()
    try:
        guess = columns.propose(content)
        known = columns.signature(columns.rows(content, guess.encoding, guess.delimiter), guess)
    except Unreadable as error:
        raise NotFound from error
    chosen, cells, statement, wrong = _chosen(form) if form is not None else guess, [], None, ""
    try:
        cells = columns.rows(content, chosen.encoding, chosen.delimiter)
        statement = table.read(content, chosen)[0]
    except Unreadable as error:
        wrong = say(error.text, error.facts)
    return _Table(document, known, cells, chosen, statement, wrong)


def _chosen(form: MultiDict[str, str]) -> Columns:
    """The columns as the form says; what is no choice of ours counts as not chosen."""
    numbers = {name: _number(form.get(name, "")) for name in (*FIELDS, "heading")}
    texts = [number for text in form.getlist("text") if (number := _number(text)) is not None]
    words = {
        "delimiter": _one_of(form.get("delimiter", ""), columns.DELIMITERS),
        "encoding": _one_of(form.get("encoding", ""), columns.ENCODINGS),
        "decimal": _one_of(form.get("decimal", ""), (",", ".")),
        "order": _one_of(form.get("order", ""), ("dmy", "mdy", "ymd")),
    }
    code = form.get("currency_code", "EUR").strip().upper()
    if len(code) != 3 or not (code.isascii() and code.isalpha()):
        code = "EUR"
    stored = {**numbers, **words, "text": texts, "currency_code": code, "inverted": form.get("inverted") == "yes"}
    return Columns.of_json(stored)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else None


def _one_of(text: str, choices: Sequence[str]) -> str:
    return text if text in choices else choices[0]
