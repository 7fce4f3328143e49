"""Amounts of money as they are printed: «1.234,56 €», «1,234.56», «1 234,56», «12.50-», «$10,375», «100,- EUR»."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal

from portal.reading.fields.labels import Seen
from portal.reading.fields.ranking import Choice, Ranked, best
from portal.reading.findings import Source
from portal.reading.words import Cell, Page

_MARK = r"(?:€|\$|£|¥|₹|EUR|EURO|USD|US\$|CHF|SFr\.?|GBP|MYR|RM|Rs\.?|INR|PLN|SEK|DKK|NOK|CZK|HUF)"
_DIGITS = (
    r"\d{1,3}(?:(?P<group>[.,'’  ])\d{3})(?:(?P=group)\d{3})*(?P<cents>[.,]\d{2})?|\d+(?P<cents2>[.,]\d{2})"
    r"|\d+(?P<dash>[.,]\s?[-–—]{1,2})|\d+|(?P<cents3>\.\d{2})"
)
_AMOUNT = re.compile(
    (
        rf"(?:(?<![\w.,/])|(?<=[a-z])(?=RM\d|EUR\s?\d|[€$]))(?P<before>{_MARK})?\s?(?P<sign>[-−–+]\s?)?"
        rf"(?P<before2>{_MARK}\s?)?(?P<digits>{_DIGITS})(?P<minus2>[-−](?=\s?{_MARK}))?"
        rf"(?P<after>\s?{_MARK}(?![A-Za-z]))?(?P<minus>\s?[-−](?!\s?\w))?(?-i:(?:SR|ZRL?"
        rf"|[ABCESTZ])(?![A-Za-z\d]))?(?![\w%]|[.,'’]\d|\s?%|-\d|/\d|:\d)"
    ),
    re.IGNORECASE,
)
# OCR puts a blank behind the point, or reads it as two.
_LOOSE = re.compile(r"(?<=\d)(?:\s(?=[.,]\d\d(?!\d))|(?<=[.,])\s(?=\d\d(?!\d)))")
_CODES = {
    "€": "EUR", "EURO": "EUR", "$": "USD", "US$": "USD", "£": "GBP", "¥": "JPY", "₹": "INR", "RM": "MYR", "RS": "INR",
    "RS.": "INR", "SFR": "CHF", "SFR.": "CHF",
}  # fmt: skip
_NAMED = re.compile(
    (
        r"(?:w[äa]hrung|currency|betr[äa]ge?\s+in|amounts?\s+in|all prices in|alle preise in"
        r"|preise in)\W{0,5}"
        r"(EUR|USD|CHF|GBP|MYR|INR|PLN|SEK|DKK|NOK|CZK|HUF|€|US Dollars)\b"
    ),
    re.IGNORECASE,
)
_CODE = re.compile(
    r"(?<![A-Za-z])(EUR|USD|CHF|GBP|MYR|RM|INR|Rs|PLN|SEK|DKK|NOK|CZK|HUF|US Dollars|€|\$|£|₹)(?![A-Za-z])"
)


def amounts(pages: Sequence[Page]) -> list[Seen[Decimal]]:
    """All amounts on the pages, with their signs."""
    return [one for page in pages for cell in page.cells for one in _amounts(cell, page.source)]


def _amounts(cell: Cell, source: Source) -> Iterator[Seen[Decimal]]:
    text = _tightened(cell.text) if source is Source.OCR else cell.text
    for match in _AMOUNT.finditer(text):
        value = _value(match, bare=len(match.group().strip()) == len(text.strip()))
        if value is not None:
            yield Seen(value, cell, *_span(match))


def _tightened(text: str) -> str:
    """The text with a blank before or behind a decimal point moved to where it does no harm; as long as before."""
    for match in list(_LOOSE.finditer(text)):
        digits = re.compile(r"\d*\s?[.,]?\s?\d\d(?!\d)").search(text, max(text.rfind(" ", 0, match.start()) + 1, 0))
        if digits and digits.start() <= match.start() < digits.end():
            whole = digits.group()
            text = (
                text[: digits.start()]
                + " " * (len(whole) - len(whole.replace(" ", "")))
                + whole.replace(" ", "")
                + text[digits.end() :]
            )
    return text


def _span(match: re.Match[str]) -> tuple[int, int]:
    printed = match.group()
    return match.start() + len(printed) - len(printed.lstrip()), match.end() - len(printed) + len(printed.rstrip())


def _value(match: re.Match[str], *, bare: bool) -> Decimal | None:
    digits = match["digits"]
    cents = match["cents"] or match["cents2"] or match["cents3"]
    marked = bool(match["before"] or match["before2"] or match["after"])
    grouped = match["group"] is not None
    if not cents and not match["dash"] and not marked and not (grouped and bare and len(digits) > 7):
        return None  # a number of anything; only cents or a currency make it an amount
    if grouped and match["group"] in "  " and not cents:
        return None
    whole = digits[: -len(cents)] if cents else digits
    number = (re.sub(r"\D", "", whole) or "0") + ("." + cents[1:] if cents else "")
    if len(number) > 13:
        return None
    negative = (match["sign"] or "").strip() in {"-", "−", "–"} or bool(
        match["minus2"] or (match["minus"] and not match["dash"])
    )
    return -Decimal(number) if negative else Decimal(number)


def currency(pages: Sequence[Page], total: Choice[Decimal] | None, countries: Sequence[str]) -> Choice[str] | None:
    """The currency: named, else the mark at the total, else the mark seen most, else that of the seller's country."""
    found = [
        Ranked(Seen(_code(match[1]), cell, match.start(1), match.end(1)), score)
        for pattern, score in ((_NAMED, 5.0), (_CODE, 1.0))
        for page in pages
        for cell in page.cells
        for match in pattern.finditer(cell.text)
    ]
    often = Counter(one.seen.value for one in found)
    ranked = [
        Ranked(one.seen, one.score + _nearness(one.seen, total) + 2.0 * often[one.seen.value] / len(found))
        for one in found
    ]
    if choice := best(ranked):
        return choice
    euro = {"DE", "AT", "NL", "FR", "IT", "ES", "BE", "LU", "IE", "FI", "PT"}
    return Choice("EUR", 1.0) if countries and countries[0] in euro else None


def _nearness(mark: Seen[str], total: Choice[Decimal] | None) -> float:
    if total is None or total.box is None or mark.cell.page != total.page:
        return 0.0
    box = mark.cell.shown(mark.start, mark.end)
    level = box.top < total.box.bottom and total.box.top < box.bottom
    return 2.0 if level else 0.0


def _code(mark: str) -> str:
    upper = mark.upper().strip()
    return "USD" if upper == "US DOLLARS" else _CODES.get(upper, upper)
