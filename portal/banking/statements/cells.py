"""Single cells of a bank's table: dates and amounts in the ways banks write them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal

Test = Callable[[str], bool]

_DAY = re.compile(r"\s*(\d{1,4})[-./ ]\s?(\d{1,2}|[A-Za-zäé]{3,9})\.?[-./ ]\s?(\d{2,4})(?!\d)")
_COMPACT = re.compile(r"\s*(\d{4})(\d{2})(\d{2})\s*")
_AMOUNT = re.compile(r"[(+-]?\d{1,3}(?:[.,'’ \u00a0\u202f]\d{3})*(?:[.,]\d+)?[-)]?|[(+-]?\d+(?:[.,]\d+)?[-)]?")
_SYMBOLS = re.compile(r"[€$£¥]|\b(?:EUR|CHF|USD|GBP|CZK|PLN|HUF|SEK|DKK|NOK|SGD)\b")
_MONTHS = {
    month: number
    for number, names in enumerate(
        ("jan", "feb", "mar mär mrz", "apr avr", "may mai mei", "jun", "jul", "aug", "sep", "oct okt", "nov",
         "dec dez"), 1
    )
    for month in names.split()
}  # fmt: skip


def day(text: str, order: str) -> date | None:
    """The date at the beginning of a cell; ``order`` is "dmy", "mdy" or "ymd" and yields to a year of four digits."""
    if compact := _COMPACT.fullmatch(text):
        return _date(compact[1], compact[2], compact[3])
    found = _DAY.match(text)
    if found is None:
        return None
    first, second, third = found[1], found[2], found[3]
    if len(first) == 4 or (order == "ymd" and len(third) < 4):
        return _date(first, second, third)
    if second.isalpha() or order != "mdy":
        return _date(third, second, first)
    return _date(third, first, second)


def _date(year: str, month: str, day_: str) -> date | None:
    number = _MONTHS.get(month[:3].lower(), 0) if month.isalpha() else int(month)
    try:
        return date(int(year) + (2000 if len(year) == 2 else 0), number, int(day_))
    except ValueError:
        return None


def is_day(text: str) -> bool:
    """Whether a cell holds a date in any order."""
    return any(day(text, order) is not None for order in ("dmy", "mdy", "ymd"))


def date_order(texts: Sequence[str]) -> str:
    """The order that reads all these dates; where several do, day first, as everywhere but in America."""
    return next((order for order in ("dmy", "mdy", "ymd") if all(day(text, order) for text in texts)), "dmy")


def amount(text: str, decimal: str) -> Decimal | None:
    """The amount in a cell: ``1.234,56``, ``-12.5``, ``12,00-``, ``(12.00)``, ``+ £1,100.00``; None when it is none."""
    bare = re.sub(r"[\s\u00a0\u202f'’]", "", _SYMBOLS.sub("", text.replace("\u2212", "-")))
    negative = bare.startswith(("-", "(")) or bare.endswith(("-", ")"))
    bare = bare.strip("+-()").replace("." if decimal == "," else ",", "").replace(",", ".")
    if not re.fullmatch(r"\d+(\.\d*)?|\.\d+", bare):
        return None
    return -Decimal(bare) if negative else Decimal(bare)


def is_amount(text: str) -> bool:
    """Whether a cell holds an amount."""
    bare = re.sub(r"^([+-]) ", r"\1", _SYMBOLS.sub("", text.replace("\u2212", "-")).strip())
    return bool(_AMOUNT.fullmatch(bare)) and not is_day(text)


def is_currency(text: str) -> bool:
    """Whether a cell looks like a currency's code."""
    return bool(re.fullmatch("[A-Z]{3}", text))


def decimal_mark(texts: Sequence[str]) -> str:
    """The decimal mark of these amounts: where one or two digits follow a mark at the end, it is that one."""
    bare = [_SYMBOLS.sub("", text).strip(" +-()") for text in texts]
    for marks in (r"[.,]\d{1,2}$", r"[.,]\d+$"):
        last = [found[0][0] for text in bare if (found := re.search(marks, text))]
        if last:
            return max(",.", key=last.count)
    return ","
