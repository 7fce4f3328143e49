"""The alarm when the pages of a hybrid say otherwise than its XML."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from portal.money import Money
from portal.reading.einvoice.comparison import DIFFERS, compare
from portal.reading.findings import Finding, Findings, Source


def seen(value: object, confidence: float = 0.97) -> Finding:  # type: ignore[type-arg]
    return Finding(value=value, confidence=confidence, source=Source.TEXT)


XML = Findings(
    number=seen("R-2026/17"), issued_on=seen(date(2026, 3, 2)), gross=seen(Money(16060, "EUR")),
    payable=seen(Money(10000, "EUR")), tax=seen(Money(2060, "EUR")), iban=seen("DE02120300000000202051"),
)  # fmt: skip


def test_the_same_raises_no_alarm() -> None:
    assert compare(XML, XML) == ()
    assert compare(XML, Findings()) == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("number", "R-2026/18"),
        ("issued_on", date(2026, 2, 3)),
        ("gross", Money(16061, "EUR")),
        ("gross", Money(16060, "USD")),
        ("tax", Money(0, "EUR")),
        ("iban", "DE88200800000970375700"),
    ],
)
def test_each_difference_that_matters_raises_its_alarm(name: str, value: object) -> None:
    changed: dict[str, Any] = {name: seen(value)}
    (flag,) = compare(XML, replace(XML, **changed))
    assert flag.text == DIFFERS[name]
    assert flag.facts["xml"] != flag.facts["pages"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("number", "r 2026 17"),
        ("gross", Money(10000, "EUR")),
        ("gross", Money(-16060, "EUR")),
        ("iban", "DE02 1203 0000 0000 2020 51"),
    ],
)
def test_other_ways_to_write_the_same_raise_none(name: str, value: object) -> None:
    changed: dict[str, Any] = {name: seen(value)}
    assert compare(XML, replace(XML, **changed)) == ()


def test_a_doubtful_reading_raises_none() -> None:
    assert compare(XML, replace(XML, gross=seen(Money(1, "EUR"), 0.5))) == ()


def test_a_second_account_of_the_xml_is_no_difference() -> None:
    pages = replace(XML, iban=seen("DE88200800000970375700"))
    assert compare(XML, pages, ibans=["DE88 2008 0000 0970 3757 00"]) == ()
