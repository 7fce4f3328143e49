"""Which movements of a file are there already. Pure: values in, pairs out.

Files overlap, come twice and come in two formats, and no reference is filled in by every bank. So movements of one
account, day and amount are compared one by one: references decide where both have them, else the wording. Within one
format the wording must be the same; between formats it only must not contradict. Each known movement is taken once,
so that two equal payments of one day stay two.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from portal.banking.statements.values import Format

OTHER = 0  # certainly not the same


@dataclass(frozen=True, kw_only=True)
class Movement:
    """What movements are compared by; ``amount`` in minor units."""

    day: date
    amount: int
    currency: str
    format: Format
    bank_reference: str = ""
    end_to_end_id: str = ""
    mandate: str = ""
    iban: str = ""
    name: str = ""
    text: str = ""

    @property
    def place(self) -> tuple[date, int, str]:
        """Only movements of the same day, amount and currency can be the same."""
        return self.day, self.amount, self.currency

    @property
    def identity(self) -> str:
        """Day, amount and a digest of the rest: equal for movements that a bank words alike."""
        said = (self.bank_reference, self.end_to_end_id, self.mandate, self.iban, bare(self.name), bare(self.text))
        digest = hashlib.sha256("\n".join(said).encode()).hexdigest()[:20]
        return f"{self.day}|{self.amount}{self.currency}|{digest}"


def bare(text: str) -> str:
    """Letters and digits only: ``"Rechnung 4711 / B"`` → ``"rechnung4711b"``; wrapping and blanks say nothing."""
    return "".join(filter(str.isalnum, text.casefold()))


def likeness(one: Movement, other: Movement) -> int:
    """How sure it is that two movements of one account, day and amount are the same; OTHER when they are not."""
    between = one.format is not other.format
    for mine, theirs in ((one.end_to_end_id, other.end_to_end_id), (one.mandate, other.mandate)):
        if mine and theirs and bare(mine) != bare(theirs):
            return OTHER
    if one.bank_reference and other.bank_reference:
        if one.bank_reference == other.bank_reference:
            return 6
        if not between:
            return OTHER
    if one.end_to_end_id and other.end_to_end_id:
        return 5
    if bare(one.text) == bare(other.text) and bare(one.name) == bare(other.name):
        return 4
    return _across(one, other) if between else OTHER


def _across(one: Movement, other: Movement) -> int:
    """Of two formats: contradicting accounts or names part them, anything they share brings them closer."""
    if one.iban and other.iban:
        return 3 if one.iban == other.iban else OTHER
    names, texts = (bare(one.name), bare(other.name)), (bare(one.text), bare(other.text))
    if _begins(*names) or _holds(*texts):
        return 2
    return OTHER if all(names) and all(texts) else 1


def _begins(one: str, other: str) -> bool:
    """Banks cut names off, each elsewhere."""
    return bool(one and other) and (one.startswith(other) or other.startswith(one))


def _holds(one: str, other: str) -> bool:
    return bool(one and other) and (one in other or other in one)


def pair(new: Sequence[Movement], known: Sequence[Movement]) -> list[int | None]:
    """For each new movement the index of the known one that it is, or None; the likest first, each known one once."""
    there: dict[tuple[date, int, str], list[int]] = defaultdict(list)
    for at, one in enumerate(known):
        there[one.place].append(at)
    ranked = sorted(
        (-like, number, at)
        for number, one in enumerate(new)
        for at in there.get(one.place, ())
        if (like := likeness(one, known[at])) > OTHER
    )
    found: list[int | None] = [None] * len(new)
    taken: set[int] = set()
    for _like, number, at in ranked:
        if found[number] is None and at not in taken:
            found[number] = at
            taken.add(at)
    return found
