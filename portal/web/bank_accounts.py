"""Pages of a client's bank accounts."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import access
from portal.access import Right
from portal.banking import services
from portal.errors import Conflict, Error, Invalid
from portal.i18n import N_, say
from portal.web import go_to, notice, reading, viewer, writing

pages = Blueprint("bank_accounts", __name__, url_prefix="/clients/<uuid:client_id>/bank-accounts")


@pages.get("")
def listed(client_id: UUID) -> str:
    """The accounts, and the form for another one."""
    return _page(client_id)


@pages.post("")
def add(client_id: UUID) -> ResponseReturnValue:
    """Add an account."""
    try:
        with writing() as session:
            account = services.add(
                session, viewer(), client_id, name=request.form.get("name", ""), iban=request.form.get("iban", ""),
                currency=request.form.get("currency") or "EUR",
            )  # fmt: skip
    except (Invalid, Conflict) as error:
        return _page(client_id, adding=error), error.status
    notice(N_("The account “%(name)s” is added."), name=account.name)
    return go_to(url_for("bank_accounts.listed", client_id=client_id))


@pages.post("/<uuid:account_id>")
def change(client_id: UUID, account_id: UUID) -> ResponseReturnValue:
    """Rename an account or correct its IBAN."""
    try:
        with writing() as session:
            services.change(
                session, viewer(), client_id, account_id, name=request.form.get("name"), iban=request.form.get("iban")
            )  # fmt: skip
    except (Invalid, Conflict) as error:
        return _page(client_id, changing=(account_id, error)), error.status
    notice(N_("Saved."))
    return go_to(url_for("bank_accounts.listed", client_id=client_id))


@pages.post("/<uuid:account_id>/<any(close, reopen):action>")
def set_closed(client_id: UUID, account_id: UUID, action: str) -> ResponseReturnValue:
    """Take an account out of the choices, or offer it again."""
    with writing() as session:
        verb = services.close if action == "close" else services.reopen
        account = verb(session, viewer(), client_id, account_id)
    if action == "close":
        undo = url_for("bank_accounts.set_closed", client_id=client_id, account_id=account_id, action="reopen")
        notice(N_("The account “%(name)s” is closed."), undo=undo, name=account.name)
    else:
        notice(N_("The account “%(name)s” is open again."), name=account.name)
    return go_to(url_for("bank_accounts.listed", client_id=client_id))


def _page(client_id: UUID, *, adding: Error | None = None, changing: tuple[UUID, Error] | None = None) -> str:
    with reading() as session:
        client = access.client_or_404(session, viewer(), client_id, Right.SEE)
        accounts = services.accounts(session, viewer(), client_id)
    return render_template(
        "bank_accounts/list.html", client=client, accounts=accounts, form=request.form,
        may_change=Right.CORRECT in access.rights_for(viewer(), client),
        wrong_new=_said(adding), changing=changing[0] if changing else None,
        wrong=_said(changing[1] if changing else None),
    )  # fmt: skip


def _said(error: Error | None) -> dict[str, str]:
    return {error.field or "": say(error.text, error.facts)} if error else {}
