"""An invoice as values: lines, tax by rate, totals right to the cent (EN 16931: tax is rounded once per rate)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from integrations.money import Money, digits
from portal.demo.papers.companies import Company


class Treatment(StrEnum):
    """How value added tax applies; the value is the category code of UNTDID 5305."""

    NORMAL = "S"
    REVERSE_CHARGE = "AE"  # the buyer owes the tax (§ 13b UStG)
    EXEMPT = "E"  # § 4 UStG, or a small trader of § 19 UStG
    EXPORT = "G"


@dataclass(frozen=True, kw_only=True)
class Item:
    """One line; ``price`` is net per ``unit`` (UN/ECE Recommendation 20 code in ``code``), ``rate`` per cent."""

    text: str
    quantity: Decimal
    price: Decimal
    rate: int = 19
    unit: str = "Stk."
    code: str = "C62"
    article: str = ""


@dataclass(frozen=True, kw_only=True)
class Tax:
    """One rate's share of the total."""

    rate: int
    base: Money
    amount: Money


@dataclass(frozen=True, kw_only=True)
class Invoice:
    """All that is printed on an invoice, or on a credit note when ``corrects`` names an invoice."""

    seller: Company
    buyer: Company
    number: str
    issued_on: date
    due_on: date
    items: Sequence[Item]
    layout: str  # a template below pdf/demo
    language: str = "de"
    currency: str = "EUR"
    treatment: Treatment = Treatment.NORMAL
    reason: str = ""  # why no tax is charged, as printed
    intro: str = ""
    note: str = ""
    period: str = ""  # when it was delivered, as printed
    order: str = ""  # the buyer's reference
    customer: str = ""  # the buyer's number at the seller
    corrects: str = ""

    def net_of(self, item: Item) -> Money:
        """A line's amount, rounded half up."""
        return self._money(item.quantity * item.price)

    @property
    def net(self) -> Money:
        """The sum of the lines."""
        return sum((self.net_of(item) for item in self.items), Money(0, self.currency))

    @property
    def taxes(self) -> tuple[Tax, ...]:
        """Tax by rate, highest rate first."""
        return tuple(self._tax(rate) for rate in sorted({item.rate for item in self.items}, reverse=True))

    @property
    def tax(self) -> Money:
        """All tax."""
        return sum((tax.amount for tax in self.taxes), Money(0, self.currency))

    @property
    def gross(self) -> Money:
        """What is to be paid."""
        return self.net + self.tax

    def _tax(self, rate: int) -> Tax:
        lines = [self.net_of(item) for item in self.items if item.rate == rate]
        base = sum(lines, Money(0, self.currency))
        return Tax(rate=rate, base=base, amount=self._money(base.decimal * rate / 100))

    def _money(self, amount: Decimal) -> Money:
        return rounded(amount, self.currency)


def rounded(amount: Decimal, currency: str) -> Money:
    """An amount rounded half up to what the currency has."""
    return Money.of(amount.quantize(Decimal(1).scaleb(-digits(currency)), ROUND_HALF_UP), currency)
