"""Till slips: gross prices, the tax inside, a photograph instead of a file."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from integrations.money import Money
from portal.demo.papers.companies import Company, digits
from portal.demo.papers.invoices import rounded

KEYS = {19: "A", 7: "B", 0: "C"}


@dataclass(frozen=True, kw_only=True)
class Bought:
    """One line: what the till prints, with the tax inside."""

    text: str
    amount: Money
    rate: int = 19

    @property
    def key(self) -> str:
        """The letter of the rate."""
        return KEYS[self.rate]


@dataclass(frozen=True, kw_only=True)
class TillTax:
    """One rate's share."""

    key: str
    rate: int
    net: Money
    amount: Money


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """All that is printed on a slip."""

    shop: Company
    number: str
    bought_on: date
    items: Sequence[Bought]
    paid_by: str = "Kartenzahlung"
    goodbye: str = "Vielen Dank für Ihren Einkauf!"

    @property
    def gross(self) -> Money:
        """What was paid."""
        return sum((item.amount for item in self.items), Money(0, "EUR"))

    @property
    def taxes(self) -> tuple[TillTax, ...]:
        """Tax by rate; what is left of the gross is the net."""
        return tuple(self._tax(rate) for rate in sorted({item.rate for item in self.items}, reverse=True))

    @property
    def tax(self) -> Money:
        """All tax."""
        return sum((tax.amount for tax in self.taxes), Money(0, "EUR"))

    @property
    def time(self) -> str:
        """When, as printed."""
        seed = int(digits(self.number + self.shop.name, 4))
        return f"{8 + seed % 11:02d}:{seed % 60:02d}"

    @property
    def till(self) -> str:
        """Which till."""
        return str(1 + int(digits(self.number, 2)) % 6)

    @property
    def signature(self) -> str:
        """Looks like what a German till's security device prints."""
        return base64.b64encode(hashlib.sha256(f"{self.shop.name}{self.number}".encode()).digest()).decode()

    def _tax(self, rate: int) -> TillTax:
        gross = sum((item.amount for item in self.items if item.rate == rate), Money(0, "EUR"))
        net = rounded(gross.decimal * 100 / (Decimal(100) + rate), "EUR")
        return TillTax(key=KEYS[rate], rate=rate, net=net, amount=gross - net)
