"""Amounts of money as the whole product knows them: whole minor units and an ISO 4217 currency, never a float."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

# ISO 4217 minor units that are not two; everything else has two.
_NO_MINOR = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split())
_THREE_MINOR = frozenset("BHD IQD JOD KWD LYD OMR TND".split())


def digits(currency: str) -> int:
    """Number of decimal places of a currency (ISO 4217 «minor unit»): 0, 2 or 3."""
    return 0 if currency in _NO_MINOR else 3 if currency in _THREE_MINOR else 2


@dataclass(frozen=True, order=True)
class Money:
    """An exact amount: ``minor`` whole units (cents) of ``currency`` (three capital letters)."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if isinstance(self.minor, bool) or not isinstance(self.minor, int):
            raise TypeError("minor units are a whole number")
        if len(self.currency) != 3 or not self.currency.isalpha() or not self.currency.isupper():
            raise ValueError(f"not an ISO 4217 currency: {self.currency!r}")

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, with exactly the currency's decimal places."""
        return Decimal(self.minor).scaleb(-digits(self.currency))

    @classmethod
    def of(cls, amount: Decimal, currency: str) -> Money:
        """Money of an exact decimal in major units; ValueError when it has more places than the currency."""
        minor = amount.scaleb(digits(currency))
        if minor != minor.to_integral_value():
            raise ValueError(f"{amount} has more decimal places than {currency}")
        return cls(int(minor), currency)

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other).minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other).minor, self.currency)

    def _same(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return other
