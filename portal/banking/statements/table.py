"""CSV statements, read by a mapping of columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from integrations.money import Money
from portal.banking.statements import cells, values
from portal.banking.statements.columns import NO_TABLE, Columns, rows
from portal.banking.statements.values import Balance, Entry, Format, Note, Statement, Unreadable
from portal.i18n import N_

LEFT_OUT = N_("%(count)s lines without a date or an amount were left out; the first is line %(line)s.")
NOT_DONE = N_("%(count)s lines were left out because the payment was declined or taken back.")

# States of payments that never moved money. Words of Qonto, Revolut and others; anything else counts as booked.
_NOT_DONE = re.compile(r"declin|cancel|revers|refus|annul|abgelehnt|storniert|fail|rejet", re.IGNORECASE)
_PENDING = re.compile(r"pending|processing|en cours|in bearbeitung|vorgemerkt|attente", re.IGNORECASE)
_DEBITS = re.compile(r"^(s|soll|d|debit|dbit|af|outflow|-|kiad.s|lastschrift)$", re.IGNORECASE)


@dataclass
class _Account:
    """The entries of one account in the table."""

    entries: list[Entry] = field(default_factory=list)
    balances: list[Money | None] = field(default_factory=list)


def read(content: bytes, columns: Columns) -> list[Statement]:
    """One statement per account and currency in the table; Unreadable when no line has a date and an amount."""
    if not columns.is_whole:
        raise Unreadable(NO_TABLE)
    reader = _Reader(columns)
    table = rows(content, columns.encoding, columns.delimiter)
    for number, row in enumerate(table):
        if columns.heading is None or number > columns.heading:
            reader.take(number + 1, row)
    if not reader.accounts:
        raise Unreadable(NO_TABLE)
    return list(reader.statements())


class _Reader:
    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.accounts: dict[tuple[str, str], _Account] = {}
        self.notes: list[Note] = []
        self.left_out: list[int] = []
        self.not_done = 0
        self.last: _Account | None = None

    def take(self, number: int, row: Sequence[str]) -> None:
        """One line: an entry, the rest of the entry before, or nothing."""
        columns = self.columns
        cell = _Cells(row)
        booked_on = cells.day(cell(columns.booked), columns.order)
        amount = self._amount(row)
        if booked_on is None or amount is None:
            self._pass(number, row)
            return
        if _NOT_DONE.search(cell(columns.status)):
            self.not_done += 1
            return
        account = self.accounts.setdefault((_account(cell(columns.account)), amount.currency), _Account())
        self.last = account
        account.balances.append(self._balance(cell(columns.balance), amount.currency))
        account.entries.append(
            Entry(
                amount=amount,
                booked_on=booked_on,
                valued_on=cells.day(cell(columns.valued), columns.order),
                name=values.one_line(cell(columns.name)),
                iban="".join(cell(columns.iban).split()),
                text=values.one_line(" ".join(cell(at) for at in columns.text)),
                end_to_end_id=cell(columns.end_to_end_id),
                mandate=cell(columns.mandate),
                bank_reference=cell(columns.bank_reference),
                posting=cell(columns.type),
                pending=bool(_PENDING.search(cell(columns.status))),
            )
        )

    def _pass(self, number: int, row: Sequence[str]) -> None:
        """A line without date and amounts that only says more continues the entry before it."""
        texts = values.one_line(" ".join(_Cells(row)(at) for at in self.columns.text))
        empty = all(not _Cells(row)(at) for at in (self.columns.booked, self.columns.amount, self.columns.debit))
        if self.last is not None and texts and empty:
            entry = self.last.entries[-1]
            self.last.entries[-1] = replace(entry, text=f"{entry.text} {texts}")
        elif any(row):
            self.left_out.append(number)

    def _amount(self, row: Sequence[str]) -> Money | None:
        columns, cell = self.columns, _Cells(row)
        found = cells.amount(cell(columns.amount), columns.decimal)
        if columns.amount is None:
            credit, debit = (cells.amount(cell(at), columns.decimal) for at in (columns.credit, columns.debit))
            found = credit or (-abs(debit) if debit is not None else credit)
        if found is None:
            return None
        if columns.sign is not None and _DEBITS.match(cell(columns.sign)):
            found = -abs(found)
        currency = cell(columns.currency).upper()
        code = currency if cells.is_currency(currency) else columns.currency_code
        return values.money(-found if columns.inverted else found, code, self.notes)

    def _balance(self, text: str, currency: str) -> Money | None:
        found = cells.amount(text, self.columns.decimal)
        return values.money(found, currency, []) if found is not None else None

    def statements(self) -> Iterator[Statement]:
        """What was read, in the order of the table."""
        if self.left_out:
            self.notes.append(Note(LEFT_OUT, {"count": len(self.left_out), "line": self.left_out[0]}))
        if self.not_done:
            self.notes.append(Note(NOT_DONE, {"count": self.not_done}))
        for (account, currency), found in self.accounts.items():
            opening, closing = _balances(found)
            yield Statement(
                format=Format.CSV, iban=values.shaped_iban(account), account=account, currency=currency,
                opening=opening, closing=closing, entries=tuple(found.entries), notes=tuple(self.notes),
            )  # fmt: skip


def _account(text: str) -> str:
    bare = text.strip("\"'= ")
    return values.shaped_iban(bare) or values.one_line(bare)


class _Cells:
    """Cells of a row by column; empty where there is none."""

    def __init__(self, row: Sequence[str]) -> None:
        self.row = row

    def __call__(self, at: int | None) -> str:
        return self.row[at] if at is not None and at < len(self.row) else ""


def _balances(account: _Account) -> tuple[Balance | None, Balance | None]:
    """Opening and closing balance from a column of running balances, oldest or newest first, if it adds up."""
    for step in (1, -1):
        entries, balances = account.entries[::step], account.balances[::step]
        running = [balance.minor for balance in balances if balance is not None]
        if len(running) != len(entries) or len(entries) < 2:
            return None, None
        if all(running[i] == running[i - 1] + entries[i].amount.minor for i in range(1, len(entries))):
            first, last = entries[0], entries[-1]
            before = Money(running[0] - first.amount.minor, first.amount.currency)
            return Balance(before, first.booked_on), Balance(Money(running[-1], before.currency), last.booked_on)
    return None, None
