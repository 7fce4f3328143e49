"""MT940 and MT942 (SWIFT customer statements) as banks really write them.

Fields begin on a line of their own as ``:61:``; everything else continues the field before. Seen in real files and
read here: messages with and without SWIFT's frame, without the line ``-`` between statements, empty lines, entry dates
left out, 30 February, ``CR``/``DR`` with the currency's third letter, reversals ``RC``/``RD``, and lines of text that
happen to begin like a field.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation

from portal.banking.statements import mt940_text, values
from portal.banking.statements.values import Balance, Entry, Format, Note, Statement, Unreadable
from portal.i18n import N_

NO_STATEMENT = N_("The file holds no MT940 statement: there are neither balances nor movements in it.")
BAD_LINE = N_("A movement cannot be read, so nothing was taken over: “%(line)s”.")
BAD_BALANCE = N_("A balance cannot be read: “%(line)s”.")
NO_CURRENCY = N_("The file names no currency; euro is assumed.")

_FIELD = re.compile(r":(20|21|25P?|28C?|60[FM]|61|62[FM]|64|65|86|34F|13D?|90[CD]|NS|940|942):(.*)", re.DOTALL)
_BALANCE = re.compile(r"\s*([CD])\s*(\d{6})([A-Z]{3})?\s*([\d.]*\d[\d.]*,?\d*|,\d+)")
_MOVEMENT = re.compile(
    r"\s*(?P<value>\d{6})\s*(?P<entry>\d{4})?\s*(?P<mark>R[CD]|E[CD]|[CD])\s*(?P<funds>[A-Z])?\s*"
    r"(?P<amount>\d[\d.]*,?\d*)\s*(?P<type>[A-Z][A-Z0-9]{2}[A-Z0-9 ])?(?P<rest>.*)"
)
# The third letter of the currency as SWIFT's funds code, where it names one currency that matters.
_FUNDS = {"R": "EUR", "P": "GBP", "K": "SEK"}


def read(content: bytes) -> list[Statement]:
    """Every statement in the file; Unreadable when there is none or a movement in it cannot be trusted."""
    statements = [one for raw in _messages(_lines(_decoded(content))) if (one := raw.statement()) is not None]
    if not statements:
        raise Unreadable(NO_STATEMENT)
    return statements


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _lines(text: str) -> list[str]:
    """Lines without SWIFT's frame ({1:…}{2:…}{4: … -}{5:…}); a ``:`` torn from its field is joined again."""
    bare = re.sub(r"[\x00-\x09\x0b-\x1f]", "", text.replace("\r\n", "\n").replace("\r", "\n"))
    bare = re.sub(r"^-\}.*$", "-", bare, flags=re.MULTILINE)
    bare = re.sub(r"^(\{\d:(\{[^}]*\}|[^{}\n])*\}?)+$\n?", "", bare, flags=re.MULTILINE)
    return re.sub(r"^:\n(?=\d\d[A-Z]?:)", ":", bare, flags=re.MULTILINE).split("\n")


@dataclass
class _Movement:
    """A ``:61:`` with the ``:86:`` that follow it."""

    line: str
    texts: list[str] = field(default_factory=list)


@dataclass
class _Raw:
    """The fields of one statement as they stand there."""

    intraday: bool = False
    account: str = ""
    number: str = ""
    floor: str = ""
    opening: str | None = None
    closing: str | None = None
    movements: list[_Movement] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def statement(self) -> Statement | None:
        """The typed statement; None when the fields are none."""
        if self.opening is None and self.closing is None and not self.movements:
            return None
        currency = self._currency()
        opening, closing = self._balance(self.opening, currency), self._balance(self.closing, currency)
        account = re.sub(r"(?<=\d)[A-Z]{3}$", "", self.account)
        return Statement(
            format=Format.MT942 if self.intraday else Format.MT940,
            iban=values.shaped_iban(account) or values.proven_iban(account.rpartition("/")[2]),
            account=self.account,
            currency=currency,
            number=self.number,
            opening=opening,
            closing=closing,
            entries=tuple(self._entry(one, currency, account) for one in self.movements),
            notes=tuple(self.notes),
        )

    def _currency(self) -> str:
        for balance in filter(None, (self.opening, self.closing)):
            if (found := _BALANCE.match(balance)) and found[3]:
                return found[3]
        stated = re.search(r"(?<=\d)/?([A-Z]{3})$", self.account)
        if self.floor or stated:
            return self.floor or (stated[1] if stated else "")
        for one in self.movements:
            if (found := _MOVEMENT.match(one.line)) and (known := _FUNDS.get(found["funds"] or "")):
                return known
        self.notes.append(Note(NO_CURRENCY))
        return "EUR"

    def _balance(self, text: str | None, currency: str) -> Balance | None:
        if text is None:
            return None
        found = _BALANCE.match(text)
        if found is None:
            self.notes.append(Note(BAD_BALANCE, {"line": values.one_line(text)[:60]}))
            return None
        amount = _decimal(found[4]) * (-1 if found[1] == "D" else 1)
        return Balance(values.money(amount, found[3] or currency, self.notes), _day(found[2]))

    def _entry(self, one: _Movement, currency: str, account: str) -> Entry:
        first, _, supplement = one.line.partition("\n")
        found = _MOVEMENT.match(first)
        if found is None:  # torn apart
            found, supplement = _MOVEMENT.match(one.line.replace("\n", "")), ""
        valued_on = _day(found["value"]) if found else None
        if found is None or valued_on is None:
            raise Unreadable(BAD_LINE, line=values.one_line(one.line)[:60])
        # A reversed credit takes money away, a reversed debit gives it back.
        sign = -1 if found["mark"] in {"D", "ED", "RC"} else 1
        amount = values.money(_decimal(found["amount"]) * sign, currency, self.notes)
        reference, _, bank_reference = found["rest"].partition("//")
        said = mt940_text.read(one.texts, account, reference, supplement)
        return Entry(
            amount=amount,
            booked_on=_near(found["entry"], valued_on) if found["entry"] else valued_on,
            valued_on=valued_on,
            name=said.name,
            iban=said.iban,
            text=said.text,
            reference=said.reference,
            end_to_end_id=said.end_to_end_id,
            mandate=said.mandate,
            bank_reference=_given(bank_reference),
            type=said.code or (found["type"] or "").strip(),
            posting=said.posting,
            pending=found["mark"].startswith("E"),  # expected, in MT942
        )


def _messages(lines: list[str]) -> Iterator[_Raw]:
    """The statements of a file, told apart by ``:20:``, a line ``-``, or a second opening balance."""
    raw, last, closed = _Raw(), "", False
    for number, line in enumerate(lines):
        if line.strip() in {"-", "-}"}:
            yield raw
            raw, last, closed = _Raw(), "", False
            continue
        tag, text = _field(lines, number, within=last if raw.opening is not None and not closed else "")
        begins = tag == "20" or (tag in {"60F", "60M"} and closed)
        if begins and (raw.movements or raw.opening is not None or raw.closing is not None):
            yield raw
            raw, closed = _Raw(), False
        last = tag or last
        closed = closed or last in {"62F", "62M"}
        _take(raw, tag, last, text, closed=closed)
    yield raw


def _field(lines: list[str], number: int, *, within: str) -> tuple[str, str]:
    """Tag and content of a line; no tag for a line that continues the field before.

    Inside the text of a movement a line may by chance begin like a field; only fields that can follow there count.
    """
    found = _FIELD.fullmatch(lines[number])
    if found is None:
        return "", lines[number]
    tag, text = found[1], found[2]
    if within == "86" and tag in {"20", "21", "25", "25P", "28", "28C", "13"}:
        follows = any(line.startswith((":60", ":34F:")) for line in lines[number + 1 : number + 7])
        if tag != "20" or not follows:
            return "", lines[number]
    return tag, text


def _take(raw: _Raw, tag: str, last: str, text: str, *, closed: bool) -> None:
    if tag in {"25", "25P"}:
        raw.account = "".join(text.split())
    elif tag in {"28", "28C"}:
        raw.number = text.strip()
    elif tag in {"60F", "60M"} and raw.opening is None:
        raw.opening = text
    elif tag in {"62F", "62M"}:
        raw.closing = text
    elif tag in {"34F", "13D", "90C", "90D", "942"}:
        raw.intraday = True
        raw.floor = raw.floor or (text[:3] if tag == "34F" and text[:3].isalpha() else "")
    elif tag == "61":
        raw.movements.append(_Movement(text))
    elif tag == "86" and raw.movements and not closed:
        raw.movements[-1].texts.append(text)
    elif not tag and raw.movements and not closed and text.strip():
        _continue(raw.movements[-1], last, text)


def _continue(movement: _Movement, last: str, text: str) -> None:
    if last == "61":
        movement.line += "\n" + text
    elif last == "86" and movement.texts:
        movement.texts[-1] += "\n" + text


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text.replace(".", "").replace(",", ".") if "," in text else text)
    except InvalidOperation as error:
        raise Unreadable(BAD_LINE, line=text[:60]) from error


def _day(text: str) -> date | None:
    """YYMMDD. Banks that count every month as 30 days write 30 February; it is taken as the month's last day."""
    year, month, day = 2000 + int(text[:2]), int(text[2:4]), int(text[4:6])
    year -= 100 if year >= 2080 else 0
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def _near(text: str, valued_on: date) -> date:
    """MMDD in the year that brings it nearest to the value date; the value date when it is no day."""
    years = (valued_on.year - 1, valued_on.year, valued_on.year + 1)
    days = [day for year in years if (day := _day(f"{year % 100:02}{text}")) is not None]
    return min(days, key=lambda day: abs(day - valued_on), default=valued_on)


def _given(text: str) -> str:
    text = values.one_line(text)
    return "" if text.upper() in {"NONREF", ""} else text
