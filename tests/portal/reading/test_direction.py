from __future__ import annotations

import pytest

from portal.reading.direction import ClientFacts, decide, is_named
from portal.reading.findings import Direction, Finding, Findings, Paper, Source

CLIENT = ClientFacts(
    names=frozenset({"Beispiel Bau AG"}),
    vat_ids=frozenset({"DE136695976"}),
    ibans=frozenset({"DE02120300000000202051"}),
)


def said(value: str, confidence: float = 0.97) -> Finding[str]:
    return Finding(value=value, confidence=confidence, source=Source.TEXT)


def test_what_is_addressed_to_the_client_is_a_purchase() -> None:
    decision = decide(Findings(seller=said("Muster GmbH"), buyer=said("Beispiel Bau")), CLIENT)
    assert decision.direction is Direction.PURCHASE
    assert decision.confidence > 0.8


@pytest.mark.parametrize(
    "findings",
    [
        Findings(seller_vat_id=said("DE 136 695 976"), buyer=said("Kunde KG")),
        Findings(seller=said("BEISPIEL BAU A.G."), buyer=said("Kunde KG")),
        Findings(
            seller=said("Beispiel Bau AG"), seller_vat_id=said("DE136695976"), iban=said("DE02120300000000202051")
        ),
    ],
)
def test_what_the_client_issued_is_a_sale(findings: Findings) -> None:
    assert decide(findings, CLIENT).direction is Direction.SALE


@pytest.mark.parametrize("buyer", ["Beispiel Bau AG", "Kunde KG"])
@pytest.mark.parametrize("paper", [Paper.INVOICE, Paper.RECEIPT, Paper.CREDIT_NOTE])
def test_what_bears_the_clients_id_as_sellers_is_never_a_purchase(buyer: str, paper: Paper) -> None:
    kind = Finding(value=paper, confidence=0.99, source=Source.TEXT)
    findings = Findings(paper=kind, seller_vat_id=said("DE136695976"), buyer=said(buyer))
    assert decide(findings, CLIENT).direction is not Direction.PURCHASE


def test_contradictions_are_left_to_a_person() -> None:
    decision = decide(Findings(seller=said("Beispiel Bau AG"), buyer_vat_id=said("DE136695976")), CLIENT)
    assert decision.direction is None
    assert len(decision.reasons) == 3


def test_an_account_debited_does_not_turn_a_purchase_into_a_sale() -> None:
    findings = Findings(seller=said("Strom AG"), buyer=said("Beispiel Bau AG"), iban=said("DE02120300000000202051"))
    assert decide(findings, CLIENT).direction in {Direction.PURCHASE, None}
    assert decide(findings, CLIENT).direction is not Direction.SALE


def test_strangers_on_both_sides_leave_it_open() -> None:
    decision = decide(Findings(seller=said("Muster GmbH"), buyer=said("Kunde KG")), CLIENT)
    assert decision.direction is None
    assert decision.reasons


def test_a_receipt_is_a_purchase_even_without_the_clients_name() -> None:
    findings = Findings(paper=Finding(value=Paper.RECEIPT, confidence=0.95, source=Source.OCR), seller=said("Bäckerei"))
    assert decide(findings, CLIENT).direction is Direction.PURCHASE


@pytest.mark.parametrize(("printed", "same"), [
    ("BEISPIEL BAU AG", True), ("Beispie1 Bau AG", True),
    ("Beispiel Bau", True), ("Beispiel Bank AG", False), ("AG", False),
])  # fmt: skip
def test_names_are_the_same_apart_from_spelling_and_legal_form(printed: str, same: bool) -> None:
    assert is_named(printed, CLIENT.names) is same
