from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.money import Money, digits

currencies = st.sampled_from(["EUR", "USD", "CHF", "JPY", "KWD"])


@given(st.integers(-(10**15), 10**15), currencies)
def test_an_amount_survives_the_way_through_a_decimal(minor: int, currency: str) -> None:
    assert Money.of(Money(minor, currency).decimal, currency) == Money(minor, currency)


@pytest.mark.parametrize(("currency", "text"), [("EUR", "12.34"), ("JPY", "1234"), ("KWD", "1.234")])
def test_a_decimal_has_the_places_of_its_currency(currency: str, text: str) -> None:
    assert str(Money(1234, currency).decimal) == text
    assert digits(currency) == len(text.partition(".")[2])


def test_a_fraction_of_a_cent_is_refused() -> None:
    with pytest.raises(ValueError, match="decimal places"):
        Money.of(Decimal("0.001"), "EUR")


@pytest.mark.parametrize("minor", [1.0, "1", True, None])
def test_only_whole_numbers_are_minor_units(minor: Any) -> None:
    with pytest.raises(TypeError):
        Money(minor, "EUR")


@pytest.mark.parametrize("currency", ["", "eur", "EURO", "E1R"])
def test_only_three_capitals_are_a_currency(currency: str) -> None:
    with pytest.raises(ValueError, match="4217"):
        Money(1, currency)


@given(st.integers(), st.integers())
def test_sums_are_exact(first: int, second: int) -> None:
    total = Money(first, "EUR") + Money(second, "EUR")
    assert total.minor == first + second
    assert total - Money(second, "EUR") == Money(first, "EUR")


def test_currencies_are_never_mixed() -> None:
    with pytest.raises(ValueError, match="cannot add USD to EUR"):
        Money(1, "EUR") + Money(1, "USD")
    with pytest.raises(ValueError, match="cannot add"):
        Money(1, "EUR") - Money(1, "USD")
