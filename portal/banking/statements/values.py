"""What a statement file says, as values that every format yields alike.

Amounts are signed: what the account gained is positive. Dates are the bank's calendar dates without a zone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum

from schwifty import IBAN
from schwifty.exceptions import SchwiftyException

from integrations.money import Money, digits
from portal.errors import Fact, Invalid
from portal.i18n import N_

NOT_ROUND = N_("An amount has more decimal places than its currency and was rounded: %(amount)s %(currency)s.")

TOO_BIG = N_("An amount in the file is too large to be true: %(amount)s.")


class Format(StrEnum):
    """Where an entry was read from. Different formats word the same entry differently."""

    CAMT_052 = "camt.052"  # account report, within the day
    CAMT_053 = "camt.053"  # statement
    CAMT_054 = "camt.054"  # notification of single entries
    MT940 = "mt940"
    MT942 = "mt942"  # within the day
    CSV = "csv"


class Unreadable(Invalid):
    """A file that is no statement, or none that can be trusted; the sentence says why."""


@dataclass(frozen=True)
class Note:
    """Something a person should know about what was read: message id and facts."""

    text: str
    facts: Mapping[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True)
class Balance:
    """What was on the account at the end of a day (of an opening balance: before its first entry)."""

    amount: Money
    on: date | None


@dataclass(frozen=True, kw_only=True)
class Detail:
    """One payment inside a collective entry; ``amount`` is None when the bank does not say."""

    amount: Money | None = None
    name: str = ""
    iban: str = ""
    text: str = ""
    end_to_end_id: str = ""
    mandate: str = ""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One movement. Empty texts mean that the file does not say."""

    amount: Money
    booked_on: date | None = None
    valued_on: date | None = None
    name: str = ""  # of the counterparty
    iban: str = ""  # of the counterparty; a national account number where there is no IBAN
    text: str = ""  # remittance information, else what the bank writes
    reference: str = ""  # structured creditor reference (ISO 11649 and national ones)
    end_to_end_id: str = ""
    mandate: str = ""
    bank_reference: str = ""
    type: str = ""  # the bank's transaction code, e.g. "166" or "PMNT/RCDT/ESCT"
    posting: str = ""  # its wording, e.g. "GUTSCHRIFT"
    pending: bool = False  # announced, not booked
    details: tuple[Detail, ...] = ()  # of a collective entry


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One account's statement. Without an account it is part of one, and somebody must say whose it is."""

    format: Format
    iban: str = ""
    account: str = ""  # what stands there instead of an IBAN, e.g. "50880050/0194774600888"
    currency: str
    number: str = ""  # the bank's own
    opening: Balance | None = None
    closing: Balance | None = None
    made_on: date | None = None
    entries: tuple[Entry, ...] = ()
    notes: tuple[Note, ...] = ()
    part: int = 0  # of a ZIP: which file inside
    signature: str = ""  # of a table: by what its columns are known again

    @property
    def booked(self) -> tuple[Entry, ...]:
        """The entries that count: not those that are only announced."""
        return tuple(entry for entry in self.entries if not entry.pending)

    @property
    def total(self) -> int:
        """Sum of the booked entries in the statement's currency, in minor units."""
        return sum(entry.amount.minor for entry in self.booked if entry.amount.currency == self.currency)

    @property
    def difference(self) -> Money | None:
        """What closing is more than opening + entries; None when a balance is missing or in another currency."""
        if self.opening is None or self.closing is None:
            return None
        before, behind = self.opening.amount, self.closing.amount
        if not before.currency == behind.currency == self.currency:
            return None
        return Money(behind.minor - before.minor - self.total, self.currency)

    @property
    def adds_up(self) -> bool | None:
        """Whether opening + entries = closing; None when a balance is missing."""
        if self.opening is None or self.closing is None:
            return None
        return self.difference is not None and self.difference.minor == 0


def money(amount: Decimal, currency: str, notes: list[Note]) -> Money:
    """Money of a bank's decimal. Places beyond the currency's are rounded half to even, and that is noted.

    Unreadable when it is larger than any account's.
    """
    if amount and amount.adjusted() > 14:
        raise Unreadable(TOO_BIG, amount=str(amount)[:40])
    exact = amount.scaleb(digits(currency))
    whole = exact.quantize(Decimal(1), rounding=ROUND_HALF_EVEN)
    if whole != exact:
        notes.append(Note(NOT_ROUND, {"amount": str(amount), "currency": currency}))
    return Money(int(whole), currency)


def shaped_iban(text: str) -> str:
    """What stands in an account's place and is built like an IBAN, proven or not; else empty."""
    compact = re.sub(r"[\s.]", "", text).upper()
    return compact if re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", compact) else ""


def proven_iban(text: str) -> str:
    """The IBAN without blanks if its country's build and check digits hold (ISO 13616); else empty."""
    try:
        return str(IBAN(shaped_iban(text)).compact)
    except SchwiftyException:
        return ""


def one_line(text: str) -> str:
    """A text without line breaks, control characters and doubled blanks."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
