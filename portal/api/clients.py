"""/clients and their bank accounts."""

from __future__ import annotations

from uuid import UUID

from apiflask import APIBlueprint

from portal import access
from portal.access import Right
from portal.api import told
from portal.api.reach import reading, viewer, writing
from portal.api.shapes import (
    AccountChange,
    AccountIn,
    AccountList,
    AccountOut,
    ClientChange,
    ClientIn,
    ClientLine,
    ClientOut,
    ClientPage,
    ClientQuery,
)
from portal.banking import services as banking
from portal.clients import services as clients
from portal.overview import board

bp = APIBlueprint("clients", __name__, tag="Clients")
accounts = APIBlueprint("bank_accounts", __name__, tag="Bank accounts")


@bp.get("/clients")
@bp.input(ClientQuery, location="query", arg_name="query")
@bp.output(ClientPage)
def listed(query: ClientQuery) -> ClientPage:
    """List clients

    Those that one may see, in the order of their names, with what is open at each.
    """
    wanted = board.Filter(text=query.search or "", only=query.only)
    with reading() as session:
        found = board.page(session, viewer(), wanted, after=query.after, limit=query.limit)
        return ClientPage(items=[_line(one) for one in found.lines], total=found.total, after=found.after)


def _line(line: board.Line) -> ClientLine:
    return told.filled(ClientLine, line.client, open={item.value: number for item, number in line.counts.items()})


@bp.post("/clients")
@bp.input(ClientIn, arg_name="body")
@bp.output(ClientOut, status_code=201)
def create(body: ClientIn) -> ClientOut:
    """Create a client"""
    values = {name: value for name, value in body if value is not None}
    with writing() as session:
        return told.filled(ClientOut, clients.create(session, viewer(), clients.Particulars(**values)))


@bp.get("/clients/<uuid:client_id>")
@bp.output(ClientOut)
def show(client_id: UUID) -> ClientOut:
    """Show a client"""
    with reading() as session:
        return told.filled(ClientOut, access.client_or_404(session, viewer(), client_id, Right.COUNTS))


@bp.patch("/clients/<uuid:client_id>")
@bp.input(ClientChange, arg_name="body")
@bp.output(ClientOut)
def change(client_id: UUID, body: ClientChange) -> ClientOut:
    """Change a client

    Its particulars; or take it off the board and put it back. What is not named stays.
    """
    with writing() as session:
        client = access.client_or_404(session, viewer(), client_id, Right.CLIENTS)
        present = {name: getattr(client, name) or "" for name in ClientChange.model_fields if name != "archived"}
        given = {name: getattr(body, name) or "" for name in body.model_fields_set if name != "archived"}
        changed = clients.change(session, viewer(), client_id, clients.Particulars(**{**present, **given}))
        if body.archived is not None:
            changed = clients.archive(session, viewer(), client_id, away=body.archived)
        return told.filled(ClientOut, changed)


@accounts.get("/clients/<uuid:client_id>/bank-accounts")
@accounts.output(AccountList)
def account_list(client_id: UUID) -> AccountList:
    """List bank accounts"""
    with reading() as session:
        found = banking.accounts(session, viewer(), client_id)
        return AccountList(items=[told.filled(AccountOut, one) for one in found])


@accounts.post("/clients/<uuid:client_id>/bank-accounts")
@accounts.input(AccountIn, arg_name="body")
@accounts.output(AccountOut, status_code=201)
def account_add(client_id: UUID, body: AccountIn) -> AccountOut:
    """Add a bank account"""
    with writing() as session:
        made = banking.add(session, viewer(), client_id, name=body.name, iban=body.iban, currency=body.currency)
        return told.filled(AccountOut, made)


@accounts.patch("/clients/<uuid:client_id>/bank-accounts/<uuid:account_id>")
@accounts.input(AccountChange, arg_name="body")
@accounts.output(AccountOut)
def account_change(client_id: UUID, account_id: UUID, body: AccountChange) -> AccountOut:
    """Change a bank account

    Its name or IBAN; or take it out of the choices and offer it again.
    """
    with writing() as session:
        changed = banking.change(session, viewer(), client_id, account_id, name=body.name, iban=body.iban)
        if body.closed is not None:
            move = banking.close if body.closed else banking.reopen
            changed = move(session, viewer(), client_id, account_id)
        return told.filled(AccountOut, changed)
