"""Which of a client's accounts a statement is of. Other clients' accounts are never looked at."""

from __future__ import annotations

import re
from collections.abc import Sequence

from schwifty import IBAN
from schwifty.exceptions import SchwiftyException
from sqlmodel import Session

from portal import audit
from portal.audit import By
from portal.banking.models import BankAccount
from portal.banking.services import NAME_LIMIT, of_client
from portal.banking.statements import values
from portal.banking.statements.values import Statement
from portal.clients.models import Client

_ENOUGH = 6  # digits that tell an account number


def account_for(session: Session, client: Client, statement: Statement, by: By) -> tuple[BankAccount, bool] | None:
    """The account that the statement names, and whether it is new; None when it names none.

    Found by IBAN, else by the number in files without IBANs, which is also looked for at the end of an IBAN. An account
    that is not there is added. A better name of an account that is there (its IBAN) is kept.
    """
    iban, number = values.proven_iban(statement.iban), _number(statement)
    if not iban and not number:
        return None
    present = of_client(session, client.id)
    found = _by_iban(present, iban) or _by_number(present, number) or _by_number_in(present, iban)
    if found is None:
        return _added(session, client, present, iban, number, statement.currency, by), True
    if iban and found.iban is None:
        _learn(session, client, found, iban, by)
    return found, False


def _number(statement: Statement) -> str:
    """What stands instead of an IBAN, without blanks and a currency at its end."""
    stated = statement.account or ("" if values.proven_iban(statement.iban) else statement.iban)
    return re.sub(r"(?<=\d)/?[A-Z]{3}$", "", "".join(stated.split()).upper())[:70]


def _by_iban(present: Sequence[BankAccount], iban: str) -> BankAccount | None:
    return next((one for one in present if iban and one.iban == iban), None)


def _by_number(present: Sequence[BankAccount], number: str) -> BankAccount | None:
    """By the same number, else by the one account whose IBAN ends in it."""
    if not number:
        return None
    same = [one for one in present if one.number == number]
    ending = [one for one in present if one.iban and _is_in(number, one.iban)]
    return same[0] if same else (ending[0] if len(ending) == 1 else None)


def _by_number_in(present: Sequence[BankAccount], iban: str) -> BankAccount | None:
    found = [one for one in present if iban and one.iban is None and one.number and _is_in(one.number, iban)]
    return found[0] if len(found) == 1 else None


def _is_in(number: str, iban: str) -> bool:
    """Whether an account number, with or without its bank's («50880050/194774600»), is the one in an IBAN."""
    bank, _, account = number.rpartition("/")
    digits = account.replace(".", "").lstrip("0")
    try:
        known = IBAN(iban)
    except SchwiftyException:
        return False
    if len(digits) < _ENOUGH or not digits.isdigit() or known.account_code.lstrip("0") != digits:
        return False
    return not bank.isdigit() or known.bank_code == bank


def _added(
    session: Session, client: Client, present: Sequence[BankAccount], iban: str, number: str, currency: str, by: By
) -> BankAccount:
    account = BankAccount(
        client_id=client.id, name=_free(present, _name(iban, number)), iban=iban or None,
        number=None if iban else number, currency=currency,
    )  # fmt: skip
    session.add(account)
    session.flush()
    audit.record(
        session, client.firm_id, "bank_account.added", by=by, client_id=client.id, subject_id=account.id,
        facts={"name": account.name, "iban": account.iban or "", "number": account.number or ""},
    )  # fmt: skip
    return account


def _learn(session: Session, client: Client, account: BankAccount, iban: str, by: By) -> None:
    account.iban = iban
    audit.record(
        session, client.firm_id, "bank_account.changed", by=by, client_id=client.id, subject_id=account.id,
        facts={"before": {"iban": ""}, "after": {"iban": iban}},
    )  # fmt: skip


def _name(iban: str, number: str) -> str:
    """The bank's name and the last digits, as people call their accounts; the number where the bank is not known."""
    if not iban:
        return number.replace("/", " ")[: NAME_LIMIT - 5]
    try:
        bank = IBAN(iban).bank_short_name or IBAN(iban).bank_name or ""
    except SchwiftyException:
        bank = ""
    return f"{bank[: NAME_LIMIT - 10] or iban[:4]} {iban[-4:]}"


def _free(present: Sequence[BankAccount], name: str) -> str:
    taken = {one.name.casefold() for one in present}
    others = (f"{name} ({count})" for count in range(2, len(taken) + 3))
    return next(one for one in (name, *others) if one.casefold() not in taken)
