"""What may be said of a document, and what is wrong with what may not."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from portal.documents.fields import validated
from portal.errors import Invalid


def test_text_is_tidied_and_nothing_is_no_text() -> None:
    fields = validated({"party_name": "  Mu\u0308ller\n GmbH\x00 ", "number": "   ", "issued_on": ""})
    assert (fields.party_name, fields.number, fields.issued_on) == ("M\u00fcller GmbH", None, None)


@pytest.mark.parametrize(
    ("given", "third"),
    [
        ({"net": 10000, "tax": 1900}, ("gross", 11900)),
        ({"net": 10000, "gross": 11900}, ("tax", 1900)),
        ({"tax": -19, "gross": -119}, ("net", -100)),
    ],
)
def test_the_third_amount_follows_from_the_other_two(given: dict[str, object], third: tuple[str, int]) -> None:
    name, amount = third
    assert getattr(validated({**given, "currency": "eur"}), name) == amount


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"net": 1}, "currency"),
        ({"gross": 119, "net": 100, "tax": 20, "currency": "EUR"}, "gross"),
        ({"gross": 1.5, "currency": "EUR"}, "gross"),
        ({"gross": True, "currency": "EUR"}, "gross"),
        ({"gross": 10**14, "currency": "EUR"}, "gross"),
        ({"currency": "EURO"}, "currency"),
        ({"currency": "ZZZ"}, "currency"),
        ({"issued_on": "2026-02-30"}, "issued_on"),
        ({"issued_on": "0012-01-01"}, "issued_on"),
        ({"due_on": "soon"}, "due_on"),
        ({"party_name": "x" * 201}, "party_name"),
        ({"party_name": 5}, "party_name"),
        ({"number": "9" * 101}, "number"),
        ({"party_email": "anna at example.com"}, "party_email"),
        ({"party_vat_id": "DE123456789"}, "party_vat_id"),
        ({"party_vat_id": "no"}, "party_vat_id"),
        ({"account_id": "1"}, "account_id"),
        ({"lines": [{"description": "A"}], "currency": "EUR"}, "lines"),
        ({"lines": [{"description": "", "net": 1}], "currency": "EUR"}, "lines"),
        ({"lines": [{"description": "A", "net": 1}] * 1001, "currency": "EUR"}, "lines"),
        ({"colour": "red"}, "colour"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_field_is_named(given: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        validated(given)
    assert caught.value.field == field
    assert caught.value.text % caught.value.facts


@pytest.mark.parametrize(
    ("written", "kept"),
    [("DE 136 695 976", "DE136695976"), ("atu13585627", "ATU13585627"), ("CHE-107.787.577 IVA", "CHE107787577IVA")],
)
def test_vat_ids_of_our_neighbours_are_known(written: str, kept: str) -> None:
    assert validated({"party_vat_id": written}).party_vat_id == kept


def test_lines_keep_exact_decimals_as_text() -> None:
    fields = validated(
        {"currency": "EUR", "lines": [{"description": "Oil", "net": 150, "quantity": "1.50", "tax_rate": 19}]}
    )
    assert fields.lines[0].quantity == Decimal("1.50")
    assert fields.lines[0].stored() == {"description": "Oil", "net": "150", "quantity": "1.50", "tax_rate": "19"}


def test_dates_are_plain_dates() -> None:
    assert validated({"issued_on": "2026-03-04"}).issued_on == date(2026, 3, 4)
