"""Two readings become one, and a reading becomes the fields of a document."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from integrations.contract import DocumentKind
from portal.documents.fields import validated
from portal.money import Money
from portal.reading.findings import (
    NO_CURRENCY,
    Direction,
    Finding,
    Findings,
    Flag,
    Line,
    Paper,
    Source,
    as_fields,
    kind_of,
    merge,
)


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def sure(value: object, confidence: float = 1.0, source: Source = Source.XML) -> Finding:  # type: ignore[type-arg]
    return Finding(value=value, confidence=confidence, source=source)


INVOICE = Findings(
    paper=sure(Paper.INVOICE), number=sure("R-17"), issued_on=sure(date(2026, 3, 2)), seller=sure("Seller GmbH"),
    seller_vat_id=sure("DE136695976"), buyer=sure("Käufer AG"), buyer_vat_id=sure("DE129273398"), currency=sure("EUR"),
    net=sure(eur(10000)), tax=sure(eur(1900)), gross=sure(eur(11900)),
    lines=(Line(description="Beratung", net=eur(11000), quantity=Decimal(2), tax_rate=Decimal(19)),
           Line(description="Rabatt", net=eur(-1000))),
)  # fmt: skip


def test_the_counterparty_is_the_other_side() -> None:
    purchase = validated(as_fields(INVOICE, Direction.PURCHASE))
    sale = validated(as_fields(INVOICE, Direction.SALE))
    assert (purchase.party_name, purchase.party_vat_id) == ("Seller GmbH", "DE136695976")
    assert (sale.party_name, sale.party_vat_id) == ("Käufer AG", "DE129273398")


def test_without_a_direction_there_is_no_counterparty_but_everything_else() -> None:
    fields = validated(as_fields(INVOICE, None))
    assert (fields.party_name, fields.number, fields.gross) == (None, "R-17", 11900)


def test_lines_come_along_when_they_make_up_the_net_amount() -> None:
    assert [line.net for line in validated(as_fields(INVOICE, None)).lines] == [11000, -1000]
    assert not validated(as_fields(replace(INVOICE, lines=INVOICE.lines[:1]), None)).lines


def test_a_credit_note_is_negative_however_it_was_written() -> None:
    credit = replace(INVOICE, paper=sure(Paper.CREDIT_NOTE))
    fields = validated(as_fields(credit, Direction.PURCHASE))
    assert (fields.net, fields.tax, fields.gross) == (-10000, -1900, -11900)
    assert [line.net for line in fields.lines] == [-11000, 1000]
    already = replace(credit, net=sure(eur(-10000)), tax=sure(eur(-1900)), gross=sure(eur(-11900)))
    assert validated(as_fields(already, Direction.PURCHASE)).gross == -11900


def test_amounts_that_contradict_each_other_leave_the_total_alone() -> None:
    fields = validated(as_fields(replace(INVOICE, tax=sure(eur(1800))), None))
    assert (fields.net, fields.tax, fields.gross) == (None, None, 11900)


def test_amounts_without_a_currency_are_left_out() -> None:
    bare = replace(INVOICE, currency=None, net=None, tax=None, gross=sure(Money(11900, NO_CURRENCY)))
    assert validated(as_fields(bare, None)).gross is None


def test_what_is_not_sure_enough_is_left_out() -> None:
    doubtful = replace(INVOICE, number=sure("R-I7", 0.6, Source.OCR))
    assert "number" not in as_fields(doubtful, None, least=0.9)
    assert as_fields(doubtful, None)["number"] == "R-I7"


def test_xml_counts_before_pages() -> None:
    pages = Findings(number=sure("R-71", 0.99, Source.TEXT), due_on=sure(date(2026, 4, 1), 0.9, Source.TEXT))
    both = merge(pages, INVOICE)
    assert both.number is not None
    assert both.number.value == "R-17"
    assert both.due_on is not None
    assert both.due_on.value == date(2026, 4, 1)
    assert both.lines == INVOICE.lines


@pytest.mark.parametrize(("other", "value", "low", "high"), [("A", "A", 0.97, 1.0), ("B", "A", 0.3, 0.79)])
def test_witnesses_that_agree_are_surer_and_those_that_contradict_less_sure(
    other: str, value: str, low: float, high: float
) -> None:
    one = Findings(number=sure("A", 0.9, Source.TEXT))
    merged = merge(one, Findings(number=sure(other, 0.8, Source.OCR))).number
    assert merged is not None
    assert merged.value == value
    assert low < merged.confidence < high


def test_flags_of_both_are_kept_once() -> None:
    flag = Flag(text="x", facts={"a": 1})
    assert merge(Findings(flags=(flag,)), Findings(flags=(flag, Flag(text="y")))).flags == (flag, Flag(text="y"))


@pytest.mark.parametrize(
    ("paper", "direction", "kind"),
    [
        (Paper.INVOICE, None, None),
        (Paper.CREDIT_NOTE, Direction.PURCHASE, DocumentKind.INCOMING_INVOICE),
        (Paper.INVOICE, Direction.SALE, DocumentKind.OUTGOING_INVOICE),
        (Paper.RECEIPT, None, DocumentKind.RECEIPT),
        (None, Direction.SALE, None),
    ],
)
def test_the_folder_of_an_invoice_needs_a_direction(
    paper: Paper | None, direction: Direction | None, kind: DocumentKind | None
) -> None:
    assert kind_of(paper, direction) is kind


def test_a_confidence_is_a_probability() -> None:
    with pytest.raises(ValueError, match="probability"):
        sure("x", 1.01)
