"""Bank statements: opening + movements = closing, as a PDF, as CAMT.053 (ISO 20022, version 8) or as MT940."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from integrations.money import Money
from portal.demo.papers.companies import Company
from portal.demo.papers.pages import text


@dataclass(frozen=True, kw_only=True)
class Movement:
    """One booking; money that leaves is negative."""

    booked_on: date
    amount: Money
    party: str
    reference: str
    kind: str = "Überweisung"
    iban: str = ""


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One month of one account."""

    owner: Company
    iban: str
    number: str  # "3/2026"
    first: date
    last: date
    opening: Money
    movements: Sequence[Movement]

    @property
    def closing(self) -> Money:
        """The balance at the end."""
        return sum((movement.amount for movement in self.movements), self.opening)

    @property
    def id(self) -> str:
        """A name for the message, within the 35 characters of ISO 20022."""
        return f"{self.iban[-10:]}-{self.last:%Y%m}"


def camt(statement: Statement) -> bytes:
    """CAMT.053.001.08."""
    return text("camt.xml", statement=statement).encode()


def mt940(statement: Statement) -> bytes:
    """MT940 as German banks write it: SWIFT characters only, CRLF, structured field 86."""
    lines = [
        f":20:{statement.id}"[:20],
        f":25:{statement.iban[4:12]}/{statement.iban[12:]}",
        f":28C:{int(statement.number.split('/')[0]):05d}/001",
        f":60F:{_balance(statement.opening, statement.first)}",
        *(line for movement in statement.movements for line in _booked(movement)),
        f":62F:{_balance(statement.closing, statement.last)}",
        "-",
    ]
    return "\r\n".join(lines).encode("ascii") + b"\r\n"


def _balance(amount: Money, day: date) -> str:
    return f"{'D' if amount.minor < 0 else 'C'}{day:%y%m%d}{amount.currency}{_amount(amount)}"


def _amount(amount: Money) -> str:
    return str(abs(amount.decimal)).replace(".", ",")


def _booked(movement: Movement) -> list[str]:
    mark, code = ("D", "177") if movement.amount.minor < 0 else ("C", "166")
    entry = f":61:{movement.booked_on:%y%m%d}{movement.booked_on:%m%d}{mark}{_amount(movement.amount)}NTRFNONREF"
    reference = f"SVWZ+{_swift(movement.reference)}"
    parts = [f"?{20 + number}{reference[at : at + 27]}" for number, at in enumerate(range(0, len(reference), 27))]
    party = _swift(movement.party)[:54]
    name = f"?32{party[:27]}" + (f"?33{party[27:]}" if party[27:] else "")
    detail = f":86:{code}?00{_swift(movement.kind).upper()}{''.join(parts)}?31{movement.iban}{name}"
    return [entry, *(detail[at : at + 65] for at in range(0, len(detail), 65))]


_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "&": "+"})


def _swift(words: str) -> str:
    plain = unicodedata.normalize("NFKD", words.translate(_UMLAUTS)).encode("ascii", "ignore").decode()
    return re.sub(r"[^0-9A-Za-z /?:().,'+-]", " ", plain).replace("?", ".")
