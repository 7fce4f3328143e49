"""Amounts as people write and read them. The value itself is ``integrations.money.Money``: whole minor units."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from babel.numbers import format_currency, format_decimal

from integrations.money import Money, digits
from portal.errors import Invalid
from portal.i18n import N_

__all__ = ["Money", "digits", "display", "parse"]

_PLAIN = re.compile(r"[+-]?\d+(?:\.\d+)?")
_GROUPED = re.compile(
    r"[+-]?\d{1,3}(?:[.'\u2019 \u00a0]\d{3})+(?:,\d+)?|[+-]?\d+,\d+|[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?"
)


def parse(text: str, currency: str) -> Money:
    """Read what a person typed: ``1234.56``, ``1.234,56``, ``1,234.56``, ``1'234.50``, ``12,5``.

    A single separator followed by exactly three digits (``1.234``) could be either; it is refused, not guessed.
    Raises Invalid with a sentence for the form.
    """
    cleaned = text.strip().replace("\u00a0", " ").replace("\u2019", "'").replace("\u2212", "-")
    try:
        return Money.of(Decimal(_normalised(cleaned)), currency.strip().upper())
    except (InvalidOperation, ValueError) as error:
        raise Invalid(N_("“%(text)s” is not an amount in %(currency)s."), text=text, currency=currency) from error


def _normalised(text: str) -> str:
    if re.fullmatch(r"[+-]?[1-9]\d{0,2}[.,]\d{3}", text):
        raise ValueError("could be thousands or decimals")
    if _PLAIN.fullmatch(text):
        return text
    if not _GROUPED.fullmatch(text):
        raise ValueError("no amount")
    decimal = "," if text.rfind(",") > text.rfind(".") else "."
    if text.count(decimal) > 1:
        decimal = ""
    kept = [char for char in text if char.isdigit() or char in "+-" or char == decimal]
    return "".join(kept).replace(",", ".")


def display(amount: Money, locale: str, *, symbol: bool = True) -> str:
    """The amount for a reader of ``locale`` ("de", "en"), with the currency unless ``symbol`` is false."""
    if symbol:
        return format_currency(amount.decimal, amount.currency, locale=locale)
    places = digits(amount.currency)
    pattern = "#,##0" + ("." + "0" * places if places else "")
    return format_decimal(amount.decimal, format=pattern, locale=locale)
