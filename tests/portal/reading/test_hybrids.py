"""The alarm where the pages of a hybrid and the XML inside it say different things, from the bytes on."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache

import pytest

from portal.demo.papers.companies import german
from portal.demo.papers.einvoice import EN16931, cii
from portal.demo.papers.invoices import Invoice, Item
from portal.demo.papers.pages import page
from portal.reading.einvoice.comparison import DIFFERS
from portal.reading.limits import Limits
from portal.reading.reading import PDF, Reading, read_here
from tests.portal.processing.test_readings import INVOICE

OTHER = german("Andere GmbH", "Weg 1", "23552 Lübeck").iban


@cache
def pages() -> bytes:
    return page(INVOICE.layout, language="de", pdfa=True, invoice=INVOICE)


def read(xml: Invoice) -> Reading:
    """What is read of pages that show INVOICE and carry the XML of another."""
    import facturx

    content: bytes = facturx.generate_from_binary(
        pages(), cii(xml, EN16931), flavor="factur-x", level="en16931", check_schematron=False, lang="de",
        afrelationship="alternative", xmp_compression=False,
    )  # fmt: skip
    return read_here(content, PDF, None, Limits())


def alarms(reading: Reading) -> set[str]:
    return {flag.text for flag in reading.findings.flags if flag.rule == "HYBRID"}


def sold(price: str, rate: int) -> Invoice:
    return replace(INVOICE, items=(Item(text="Nadeln", quantity=Decimal(3), price=Decimal(price), rate=rate),))


def test_a_hybrid_that_agrees_raises_none() -> None:
    assert alarms(read(INVOICE)) == set()


@pytest.mark.parametrize(
    ("xml", "fields"),
    [
        (replace(INVOICE, number="RE-2026-99"), {"number"}),
        (replace(INVOICE, issued_on=date(2026, 3, 5)), {"issued_on"}),
        (sold("110.00", 19), {"gross", "tax"}),
        (sold("100.00", 7), {"gross", "tax"}),
        (replace(INVOICE, seller=replace(INVOICE.seller, iban=OTHER)), {"iban"}),
    ],
)
def test_each_value_that_differs_is_an_alarm(xml: Invoice, fields: set[str]) -> None:
    assert alarms(read(xml)) == {DIFFERS[name] for name in fields}


def test_the_xml_counts() -> None:
    number = read(replace(INVOICE, number="RE-2026-99")).findings.number
    assert number
    assert number.value == "RE-2026-99"
