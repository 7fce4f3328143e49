from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.conformance.parts import revised, sample
from integrations.contract import DocumentKind, Line, OutgoingDocument, Party
from integrations.errors import Rejected
from integrations.money import Money
from integrations.quickbooks import mapping
from integrations.quickbooks.client import exact_json, quoted
from integrations.quickbooks.mapping import Books, Match, References

EURO = Books(home="EUR", many_currencies=False, own_numbers=True, global_tax=True)
AMERICAN = Books(home="EUR", many_currencies=False, own_numbers=True, global_tax=False)
MANY = Books(home="EUR", many_currencies=True, own_numbers=True, global_tax=True)
PLAIN = References(party="7", account="64", items={None: "1", "Beratung": "2"})
TAXED = References(party="7", account="64", items={None: "1"}, tax_code="5")

INCOMING, OUTGOING = DocumentKind.INCOMING_INVOICE, DocumentKind.OUTGOING_INVOICE


def entry(document: OutgoingDocument, books: Books = EURO, references: References = PLAIN, **pays: bool) -> Any:
    entity = mapping.entity_of(document, pays_at_once=pays.get("pays_at_once", False))
    return json.loads(exact_json(mapping.payload(entity, document, books, references)), parse_float=Decimal)


def lines_total(made: Any) -> Decimal:
    return sum((Decimal(line["Amount"]) for line in made["Line"]), Decimal(0))


def priced(minor: int, **facts: Any) -> OutgoingDocument:
    kind = facts.pop("kind", INCOMING)
    return sample(kind, net=None, tax=None, gross=Money(minor, "EUR"), **facts)


# --- kinds of entries


@pytest.mark.parametrize(
    ("kind", "minor", "pays_at_once", "entity"),
    [
        (INCOMING, 100, True, "Bill"),
        (INCOMING, -100, True, "VendorCredit"),
        (DocumentKind.RECEIPT, 100, True, "Purchase"),
        (DocumentKind.RECEIPT, 100, False, "Bill"),
        (DocumentKind.RECEIPT, -100, True, "VendorCredit"),
        (OUTGOING, 100, False, "Invoice"),
        (OUTGOING, -100, False, "CreditMemo"),
    ],
)
def test_kind_and_sign_decide_the_entry(kind: DocumentKind, minor: int, pays_at_once: bool, entity: str) -> None:
    assert mapping.entity_of(priced(minor, kind=kind), pays_at_once=pays_at_once) == entity


def test_a_card_pays_as_a_card() -> None:
    references = References(party="7", account="64", paid_from="41", paid_by_card=True)
    made = entry(priced(1234, kind=DocumentKind.RECEIPT), references=references, pays_at_once=True)
    assert made["PaymentType"] == "CreditCard"
    assert made["AccountRef"] == {"value": "41"}
    assert made["EntityRef"] == {"value": "7", "type": "Vendor"}


# --- to the cent


@given(st.integers(min_value=-(10**12), max_value=10**12))
def test_the_lines_add_up_to_the_gross_where_no_tax_code_is_set(minor: int) -> None:
    for kind in (INCOMING, OUTGOING):
        assert lines_total(entry(priced(minor, kind=kind))) == abs(Money(minor, "EUR").decimal)


@given(st.integers(0, 10**10), st.integers(0, 10**9))
def test_net_and_tax_add_up_to_the_gross_with_a_tax_code(net: int, tax: int) -> None:
    document = sample(INCOMING, net=Money(net, "EUR"), tax=Money(tax, "EUR"), gross=Money(net + tax, "EUR"))
    made = entry(document, references=TAXED)
    assert lines_total(made) + Decimal(made["TxnTaxDetail"]["TotalTax"]) == Money(net + tax, "EUR").decimal
    assert made["GlobalTaxCalculation"] == "TaxExcluded"


amounts = st.integers(-(10**7), 10**7)


@given(st.lists(amounts, min_size=1, max_size=8), st.integers(-(10**5), 10**5))
def test_invoice_lines_add_up_whatever_the_document_adds_or_takes_off(nets: list[int], extra: int) -> None:
    lines = tuple(Line(description=f"line {net}", net=Money(net, "EUR")) for net in nets)
    total = sum(nets) + extra
    made = entry(priced(total, kind=OUTGOING, lines=lines))
    assert lines_total(made) == abs(Money(total, "EUR").decimal)


def test_quantity_and_price_are_told_only_when_they_make_the_amount_exactly() -> None:
    exact = Line(description="a", net=Money(1000, "EUR"), quantity=Decimal("2.5"), unit_price=Decimal(4))
    rounded = Line(description="b", net=Money(333, "EUR"), quantity=Decimal("0.333"), unit_price=Decimal("9.999"))
    first, second, *_rest = entry(priced(1333, kind=OUTGOING, lines=(exact, rounded)))["Line"]
    assert first["SalesItemLineDetail"]["Qty"] == Decimal("2.5")
    assert "Qty" not in second["SalesItemLineDetail"]


def test_a_service_type_is_an_item() -> None:
    lines = (Line(description="a", net=Money(100, "EUR"), service_type="Beratung"),)
    made = entry(priced(100, kind=OUTGOING, lines=lines))
    assert made["Line"][0]["SalesItemLineDetail"]["ItemRef"] == {"value": "2"}


def test_yen_have_no_cents() -> None:
    books = Books(home="JPY", many_currencies=False, own_numbers=True, global_tax=True)
    document = sample(INCOMING, net=None, tax=None, gross=Money(1234, "JPY"))
    assert exact_json(mapping.payload("Bill", document, books, PLAIN)["Line"][0]["Amount"]) == "1234"


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**13), max_value=10**13))
def test_json_holds_decimals_exactly_and_as_numbers(amount: Decimal) -> None:
    assert json.loads(exact_json({"Amount": amount, "List": [amount, "ä", None, True]}), parse_float=Decimal) == {
        "Amount": amount,
        "List": [amount, "ä", None, True],
    }


# --- tax


def test_a_tax_code_without_tax_or_net_is_a_clear_refusal() -> None:
    with pytest.raises(Rejected, match="tax"):
        entry(priced(100), references=TAXED)


def test_the_tax_follows_from_net_and_gross() -> None:
    document = sample(INCOMING, net=Money(1000, "EUR"), tax=None, gross=Money(1190, "EUR"))
    assert entry(document, references=TAXED)["TxnTaxDetail"] == {"TotalTax": Decimal("1.90")}


def test_america_gets_no_tax_of_its_own_added() -> None:
    made = entry(priced(100, kind=OUTGOING), books=AMERICAN)
    assert "GlobalTaxCalculation" not in made
    assert made["Line"][0]["SalesItemLineDetail"]["TaxCodeRef"] == {"value": "NON"}


def test_elsewhere_amounts_without_a_tax_code_are_out_of_scope() -> None:
    assert entry(priced(100))["GlobalTaxCalculation"] == "NotApplicable"


# --- numbers, notes, names


def test_a_long_number_keeps_its_end_and_stands_whole_in_the_note() -> None:
    number = "RECHNUNG-2026-ABTEILUNG-NORD-000123"
    made = entry(priced(100, number=number))
    assert made["DocNumber"] == number[-21:]
    assert number in made["PrivateNote"]


def test_a_number_that_quickbooks_would_not_keep_stands_in_the_note() -> None:
    books = Books(home="EUR", many_currencies=False, own_numbers=False, global_tax=True)
    document = priced(100, kind=OUTGOING, number="RE-17")
    made = entry(document, books=books)
    assert "DocNumber" not in made
    assert "RE-17" in made["PrivateNote"]
    assert entry(priced(100, number="RE-17"), books=books)["DocNumber"] == "RE-17"


@given(st.text(max_size=700), st.sampled_from(["", " (Lieferant)", " (Kunde) (USD)"]))
def test_names_are_always_acceptable(name: str, suffix: str) -> None:
    made = mapping.display_name(name, suffix)
    assert 1 <= len(made) <= 500
    assert made.endswith(suffix)
    assert not set(made) & set(":\t\n\r")


@given(st.text(max_size=80), st.text(max_size=5000))
def test_texts_are_never_too_long(number: str, description: str) -> None:
    lines = (Line(description=description, net=Money(100, "EUR")),)
    made = entry(priced(100, kind=OUTGOING, number=number or None, lines=lines))
    assert len(made.get("DocNumber", "")) <= 21
    assert len(made["PrivateNote"]) <= 4000
    assert all(len(line["Description"]) <= 4000 for line in made["Line"])


@pytest.mark.parametrize(
    ("filename", "media_type", "name"),
    [
        ("Rechnung 1.pdf", "application/pdf", "Rechnung 1.pdf"),
        ("scan", "application/pdf", "scan.pdf"),
        ("Foto.JPEG", "image/jpeg", "Foto.JPEG"),
        ("a/b:c.pdf", "application/pdf", "a_b_c.pdf"),
        ("", "image/png", "document.png"),
    ],
)
def test_file_names_say_what_the_file_is(filename: str, media_type: str, name: str) -> None:
    assert mapping.file_name(sample(INCOMING, filename=filename, media_type=media_type)) == name


def test_an_address_that_quickbooks_refuses_is_left_out() -> None:
    assert "BillEmail" not in entry(priced(1, kind=OUTGOING, party=Party(name="A", email="nobody")))


# --- currencies


def test_another_currency_needs_books_in_several() -> None:
    document = sample(INCOMING, net=None, tax=None, gross=Money(100, "USD"))
    with pytest.raises(Rejected, match="USD"):
        entry(document)
    assert entry(document, books=MANY)["CurrencyRef"] == {"value": "USD"}


# --- telling entries apart


def existing(document: OutgoingDocument, **changed: Any) -> dict[str, Any]:
    made = entry(document)
    return {**made, "TotalAmt": document.gross.decimal if document.gross else 0, "PrivateNote": "typed", **changed}


def test_our_mark_tells_our_entry() -> None:
    document = priced(100)
    found = existing(document, PrivateNote=f"see {mapping.mark(document)}", DocNumber="changed by hand")
    assert mapping.judge(found, entry(document), document) is Match.OURS


def test_the_same_invoice_entered_by_hand_is_a_twin() -> None:
    document = priced(100)
    assert mapping.judge(existing(document), entry(document), document) is Match.TWIN


def test_the_same_number_with_another_total_is_a_question_for_a_person() -> None:
    document = priced(100)
    assert mapping.judge(existing(document, TotalAmt=Decimal(2)), entry(document), document) is Match.TYPO


@pytest.mark.parametrize(
    "changed",
    [
        {"VendorRef": {"value": "8"}},
        {"TxnDate": "2025-03-01"},
        {"DocNumber": "another"},
        {"PrivateNote": "Kontor:01890000-0000-7000-8000-ffffffffffff/1"},
    ],
)
def test_another_party_year_number_or_document_is_a_stranger(changed: dict[str, Any]) -> None:
    document = priced(100)
    assert mapping.judge(existing(document, **changed), entry(document), document) is Match.STRANGER


def test_receipts_without_a_number_are_never_taken_for_each_other() -> None:
    document = priced(100, kind=DocumentKind.RECEIPT, number=None)
    assert mapping.judge(existing(document), entry(document), document) is Match.STRANGER


def test_payments_and_recoding_are_no_change_of_content() -> None:
    paid = existing(priced(100), SyncToken="9", Balance=0)
    assert mapping.content(paid) == mapping.content({**paid, "SyncToken": "1", "Line": []})
    assert mapping.content(paid) != mapping.content({**paid, "TotalAmt": Decimal("1.01")})
    assert mapping.content(paid) == mapping.content({**paid, "TotalAmt": Decimal("1.0")})


# --- request ids


def test_a_request_id_is_short_and_the_same_for_the_same_content_only() -> None:
    first = mapping.request_id("r" * 200, "entry", {"a": Decimal("1.00")})
    assert len(first) <= 50
    assert first == mapping.request_id("r" * 200, "entry", {"a": Decimal("1.00")})
    others: list[tuple[str, str, dict[str, Any]]] = [
        ("s", "entry", {"a": Decimal("1.00")}),
        ("r" * 200, "file", {"a": Decimal("1.00")}),
        ("r" * 200, "entry", {"a": 2}),
    ]
    assert first not in {mapping.request_id(*one) for one in others}


def test_a_new_version_has_a_new_mark() -> None:
    document = priced(100)
    assert mapping.marked({"PrivateNote": mapping.mark(revised(document))}) == (document.id, 2)


@pytest.mark.parametrize(("value", "text"), [("O'Neil", r"'O\'Neil'"), ("a\\b", r"'a\\b'"), ("ä", "'ä'")])
def test_queries_quote_what_names_may_hold(value: str, text: str) -> None:
    assert quoted(value) == text


def test_dates_are_the_documents_own() -> None:
    made = entry(priced(100, issued_on=date(2026, 2, 3), due_on=date(2026, 3, 4)))
    assert (made["TxnDate"], made["DueDate"]) == ("2026-02-03", "2026-03-04")
