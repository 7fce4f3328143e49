"""Pages of movement reports: a client's accounts, one account's month, its files, documents of a transaction."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from babel.dates import format_date
from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import access, render
from portal.access import Right
from portal.banking import transactions
from portal.documents import names
from portal.errors import Invalid
from portal.i18n import N_, _, language
from portal.ids import parse
from portal.overview import movement_files, movements
from portal.overview.movements import Report
from portal.processing import attaching
from portal.web import go_to, notice, reading, viewer, writing

pages = Blueprint("movements", __name__, url_prefix="/clients/<uuid:client_id>/movements")

MOST_PRINTED = 3000
TOO_LONG = N_("This month has more than %(limit)s movements, too many for a PDF. Please take CSV or Excel.")
_STYLE = Path(__file__).parents[1] / "static" / "css" / "movements-pdf.css"


@pages.get("")
def accounts(client_id: UUID) -> str:
    """The client's accounts: how far their statements go, what lacks a document, which files need somebody."""
    with reading() as session:
        shown = movements.accounts(session, viewer(), client_id)
    rights = access.rights_for(viewer(), shown.client)
    return render_template("movements/accounts.html", client=shown.client, shown=shown, rights=rights)


@pages.get("/<uuid:account_id>")
def report(client_id: UUID, account_id: UUID) -> str:
    """One account's month, a page at a time."""
    only_missing = request.args.get("only") == "missing"
    with reading() as session:
        shown = movements.report(
            session, viewer(), client_id, account_id, month=_month(), only_missing=only_missing,
            after=request.args.get("after"), before=request.args.get("before"),
        )  # fmt: skip
    return render_template(
        "movements/report.html", client=shown.client, shown=shown, only_missing=only_missing, month_name=month_name,
        rights=access.rights_for(viewer(), shown.client), link=_link(client_id, account_id),
    )  # fmt: skip


def _link(client_id: UUID, account_id: UUID) -> object:
    """Makes the address of another page of the same list."""
    kept = {name: request.args[name] for name in ("month", "only") if name in request.args}

    def link(**changed: str) -> str:
        values: dict[str, Any] = {**kept, **changed}
        return url_for("movements.report", client_id=client_id, account_id=account_id, **values)

    return link


@pages.get("/<uuid:account_id>/report.<any(csv, xlsx, pdf):form>")
def download(client_id: UUID, account_id: UUID, form: str) -> Response:
    """The whole month as a file."""
    with reading() as session:
        shown = movements.whole(session, viewer(), client_id, account_id, _month())
    title = f"{shown.account.name} {shown.month:%Y-%m}" if shown.month else shown.account.name
    headings = [_(text) for text in movement_files.HEADINGS]
    if form == "csv":
        content = movement_files.as_csv(shown, headings, decimal_comma=language() == "de")
        answer = Response(content, mimetype="text/csv")
    elif form == "xlsx":
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        answer = Response(movement_files.as_xlsx(shown, headings, title), mimetype=kind)
    else:
        answer = Response(_printed(shown), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = names.disposition(names.safe(f"{shown.client.name} {title}.{form}"))
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _printed(shown: Report) -> bytes:
    """The report as PDF; its time is linear in the lines, some four milliseconds each."""
    if len(shown.lines) > MOST_PRINTED:
        raise Invalid(TOO_LONG, limit=MOST_PRINTED)
    html = render_template(
        "movements/pdf.html", client=shown.client, shown=shown, month_name=month_name, style=_STYLE.read_text()
    )  # fmt: skip
    return render.pdf(html)


@pages.get("/transactions/<uuid:transaction_id>")
def one(client_id: UUID, transaction_id: UUID) -> str:
    """One transaction with all the bank says, its documents, and those that may belong to it."""
    search = request.args.get("q", "")
    with reading() as session:
        client, line = movements.one_line(session, viewer(), client_id, transaction_id)
        rights = access.rights_for(viewer(), client)
        choices = movements.choices(session, line.transaction, search) if Right.CORRECT in rights else ()
    return render_template(
        "movements/transaction.html", client=client, line=line, transaction=line.transaction, choices=choices,
        search=search, rights=rights,
    )  # fmt: skip


@pages.post("/transactions/<uuid:transaction_id>/documents")
def attach(client_id: UUID, transaction_id: UUID) -> ResponseReturnValue:
    """Attach the chosen documents by hand."""
    chosen = [parse(text) for text in dict.fromkeys(request.values.getlist("document"))][:50]
    with writing() as session:
        transactions.transaction_or_404(session, viewer(), client_id, transaction_id, Right.CORRECT)
        if not chosen:
            raise Invalid(N_("Choose at least one document."))
        attached = attaching.attach(session, viewer(), client_id, transaction_id, chosen)
    for document in attached:
        undo = url_for(
            "movements.detach", client_id=client_id, transaction_id=transaction_id, document_id=document.id
        )  # fmt: skip
        notice(N_("“%(filename)s” is attached."), undo=undo, filename=document.filename)
    return go_to(_place(client_id, transaction_id))


@pages.post("/transactions/<uuid:transaction_id>/documents/<uuid:document_id>/detach")
def detach(client_id: UUID, transaction_id: UUID, document_id: UUID) -> ResponseReturnValue:
    """Take a document off again."""
    with writing() as session:
        document = transactions.detach(session, viewer(), client_id, transaction_id, document_id)
    undo = url_for("movements.attach", client_id=client_id, transaction_id=transaction_id, document=document_id)
    notice(N_("“%(filename)s” is no longer attached."), undo=undo, filename=document.filename)
    return go_to(_place(client_id, transaction_id))


def _place(client_id: UUID, transaction_id: UUID) -> str:
    return url_for("movements.one", client_id=client_id, transaction_id=transaction_id)


def _month() -> date | None:
    """The month in the address, as YYYY-MM; None for none or nonsense."""
    found = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", request.args.get("month", ""))
    return date(int(found[1]), int(found[2]), 1) if found and found[1] != "0000" else None


def month_name(month: date) -> str:
    """A month as people write it: Oktober 2026."""
    return format_date(month, "LLLL y", locale=language())
