"""A client's bank accounts: add, rename, close. Their names are folders in storage exports (E2)."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from uuid import UUID

from schwifty import IBAN
from schwifty.exceptions import SchwiftyException
from sqlmodel import Session, col, select

from portal import access, audit, clock
from portal.access import Right, Viewer
from portal.banking.models import BankAccount
from portal.clients.models import Client
from portal.documents.fields import currency_code
from portal.errors import Conflict, Invalid, NotFound
from portal.i18n import N_

NAME_LIMIT = 100


def accounts(session: Session, viewer: Viewer, client_id: UUID, *, closed: bool = True) -> Sequence[BankAccount]:
    """The client's accounts by name, open ones first; without closed ones if so wanted."""
    access.client_or_404(session, viewer, client_id, Right.SEE)
    return of_client(session, client_id, closed=closed)


def of_client(session: Session, client_id: UUID, *, closed: bool = True) -> Sequence[BankAccount]:
    """The same without a viewer, for those who have checked already. A client has a handful, so it is one list."""
    statement = select(BankAccount).where(BankAccount.client_id == client_id)
    if not closed:
        statement = statement.where(col(BankAccount.closed_at).is_(None))
    return session.exec(statement.order_by(col(BankAccount.closed_at).is_not(None), col(BankAccount.name))).all()


def account_of(session: Session, client_id: UUID, account_id: UUID) -> BankAccount:
    """The account, if it is this client's; else Invalid for the field ``account_id``."""
    account = session.get(BankAccount, account_id)
    if account is None or account.client_id != client_id:
        raise Invalid(N_("This bank account does not belong to the client."), field="account_id")
    return account


def add(
    session: Session, viewer: Viewer, client_id: UUID, *, name: str, iban: str = "", currency: str = "EUR"
) -> BankAccount:
    """Add an account; Invalid or Conflict say what is wrong with the name, IBAN or currency."""
    client = access.client_or_404(session, viewer, client_id, Right.CORRECT)
    account = BankAccount(
        client_id=client_id, name=_name(name), iban=checked_iban(iban), currency=currency_code(currency)
    )
    _unused(session, account)
    session.add(account)
    audit.record(
        session, client.firm_id, "bank_account.added", by=viewer.by, client_id=client_id, subject_id=account.id,
        facts={"name": account.name, "iban": account.iban or ""},
    )  # fmt: skip
    return account


def change(
    session: Session,
    viewer: Viewer,
    client_id: UUID,
    account_id: UUID,
    *,
    name: str | None = None,
    iban: str | None = None,
) -> BankAccount:
    """Give an account another name or IBAN; what is None stays. An IBAN once known can be corrected, not taken away."""
    client, account = _account_or_404(session, viewer, client_id, account_id)
    before = {"name": account.name, "iban": account.iban or ""}
    with session.no_autoflush:
        account.name = account.name if name is None else _name(name)
        account.iban = (checked_iban(iban or "") or account.iban) if iban is not None else account.iban
        _unused(session, account)
    after = {"name": account.name, "iban": account.iban or ""}
    if after != before:
        audit.record(
            session, client.firm_id, "bank_account.changed", by=viewer.by, client_id=client_id, subject_id=account.id,
            facts={"before": before, "after": after},
        )  # fmt: skip
    return account


def close(session: Session, viewer: Viewer, client_id: UUID, account_id: UUID) -> BankAccount:
    """Take an account out of the choices; its documents keep it. Harmless when it is closed."""
    return _set_closed(session, viewer, client_id, account_id, closed=True)


def reopen(session: Session, viewer: Viewer, client_id: UUID, account_id: UUID) -> BankAccount:
    """Offer a closed account again."""
    return _set_closed(session, viewer, client_id, account_id, closed=False)


def _set_closed(session: Session, viewer: Viewer, client_id: UUID, account_id: UUID, *, closed: bool) -> BankAccount:
    client, account = _account_or_404(session, viewer, client_id, account_id)
    if (account.closed_at is not None) != closed:
        account.closed_at = clock.now() if closed else None
        audit.record(
            session, client.firm_id, "bank_account.closed" if closed else "bank_account.reopened", by=viewer.by,
            client_id=client_id, subject_id=account.id, facts={"name": account.name},
        )  # fmt: skip
    return account


def _account_or_404(session: Session, viewer: Viewer, client_id: UUID, account_id: UUID) -> tuple[Client, BankAccount]:
    client = access.client_or_404(session, viewer, client_id, Right.CORRECT)
    account = session.get(BankAccount, account_id)
    if account is None or account.client_id != client_id:
        raise NotFound
    return client, account


def _name(text: str) -> str:
    seen = "".join(" " if unicodedata.category(char)[0] == "C" else char for char in unicodedata.normalize("NFC", text))
    name = " ".join(seen.split())
    if not name:
        raise Invalid(N_("An account needs a name."), field="name")
    if len(name) > NAME_LIMIT:
        raise Invalid(N_("At most %(limit)s characters."), field="name", limit=NAME_LIMIT)
    return name


def checked_iban(text: str) -> str | None:
    """An IBAN without blanks, its check digits and its country's build proven (ISO 13616); None for nothing."""
    compact = "".join(text.split()).upper()
    if not compact:
        return None
    try:
        return IBAN(compact).compact
    except SchwiftyException as error:
        raise Invalid(N_("“%(iban)s” is not a valid IBAN."), field="iban", iban=text.strip()[:50]) from error


def _unused(session: Session, account: BankAccount) -> None:
    """Conflict when another account of the client has the name (as a folder: without regard to case) or the IBAN."""
    for other in of_client(session, account.client_id):
        if other.id == account.id:
            continue
        if other.name.casefold() == account.name.casefold():
            raise Conflict(N_("There is an account “%(name)s” already."), field="name", name=other.name)
        if account.iban and other.iban == account.iban:
            raise Conflict(N_("The account “%(name)s” has this IBAN already."), field="iban", name=other.name)
