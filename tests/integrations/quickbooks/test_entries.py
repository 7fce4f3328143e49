from __future__ import annotations

from decimal import Decimal

import pytest

from integrations.conformance.parts import MemoryFacts, revised, sample, worker
from integrations.contract import DocumentKind, DriftKind, OutgoingDocument, Party, Step
from integrations.errors import Rejected, TargetGone, Transient
from integrations.money import Money
from integrations.quickbooks.connector import QuickBooks
from tests.integrations.quickbooks.bench import Deliver, QuickBooksBench, total

INCOMING, RECEIPT, OUTGOING = DocumentKind.INCOMING_INVOICE, DocumentKind.RECEIPT, DocumentKind.OUTGOING_INVOICE


# --- numbers and doubles


def test_two_suppliers_may_use_one_number(bench: QuickBooksBench, books: QuickBooks, deliver: Deliver) -> None:
    for _turn in range(2):
        deliver(books, sample(INCOMING, number="2026-001"))
    assert len(bench.arrived(books)) == 2


def test_one_supplier_may_use_a_number_again_next_year(
    bench: QuickBooksBench, books: QuickBooks, deliver: Deliver
) -> None:
    party = Party(name="Stadtwerke")
    first = sample(INCOMING, number="1", party=party)
    deliver(books, first)
    deliver(books, sample(INCOMING, number="1", party=party, issued_on=first.arrived_on.replace(year=2025)))
    assert len(bench.arrived(books)) == 2


def test_long_numbers_with_one_end_stay_apart(bench: QuickBooksBench, books: QuickBooks, deliver: Deliver) -> None:
    party = Party(name="Lange Nummern AG")
    numbers = [f"{start}-ABTEILUNG-NORD-EINKAUF-0001" for start in ("A", "B")]
    found = [deliver(books, sample(INCOMING, number=number, party=party))[1] for number in numbers]
    assert [number in bill["PrivateNote"] for number, bill in zip(numbers, found, strict=True)] == [True, True]
    assert len(bench.arrived(books)) == 2


def by_hand(bench: QuickBooksBench, books: QuickBooks, document: OutgoingDocument, amount: float) -> str:
    """The bill that a person entered before."""
    assert document.party is not None
    assert document.issued_on is not None
    vendor = bench.by_hand(books, "Vendor", {"DisplayName": document.party.name})["Id"]
    detail = {"AccountRef": {"value": books.config.expense_account}}
    line = {"Amount": amount, "DetailType": "AccountBasedExpenseLineDetail", "AccountBasedExpenseLineDetail": detail}
    bill = {
        "VendorRef": {"value": vendor},
        "DocNumber": document.number,
        "TxnDate": document.issued_on.isoformat(),
        "GlobalTaxCalculation": "NotApplicable",
        "Line": [line],
    }
    return str(bench.by_hand(books, "Bill", bill)["Id"])


def test_a_bill_entered_by_hand_is_linked_and_gets_the_file(
    bench: QuickBooksBench, books: QuickBooks, deliver: Deliver
) -> None:
    document = sample(INCOMING)
    hand = by_hand(bench, books, document, 119.00)
    assert books.plan(document, None).step is Step.LINK
    receipt, bill = deliver(books, document)
    assert receipt.remote_id == hand
    assert bill["SyncToken"] == "0"
    assert [len(one.files) for one in bench.arrived(books)] == [1]
    deliver(worker(books, MemoryFacts()), document)
    assert [len(one.files) for one in bench.arrived(books)] == [1]


def test_a_bill_entered_by_hand_with_another_total_is_a_question(
    bench: QuickBooksBench, books: QuickBooks, deliver: Deliver
) -> None:
    document = sample(INCOMING)
    by_hand(bench, books, document, 118.99)
    with pytest.raises(Rejected, match=r"118\.99"):
        deliver(books, document)
    assert [one.files for one in bench.arrived(books)] == [()]


def test_a_request_id_that_quickbooks_calls_a_duplicate_finds_the_first(
    bench: QuickBooksBench, books: QuickBooks, deliver: Deliver
) -> None:
    bench.control("settings", provider="quickbooks", requestid_repeat_is_fault=True)
    document = sample(INCOMING)
    bench.script(["ok:3", "ok:1", "ok:1", "commit-then-drop"])
    with pytest.raises(Transient):
        deliver(books, document)
    deliver(books, document)
    assert [len(one.files) for one in bench.arrived(books)] == [1]


# --- updates


def test_an_update_survives_what_a_person_changed_meanwhile(
    bench: QuickBooksBench, books: QuickBooks, deliver: Deliver
) -> None:
    document = sample(INCOMING)
    receipt, bill = deliver(books, document)
    bench.by_hand(books, "Bill", {"Id": bill["Id"], "SyncToken": "0", "sparse": True, "DueDate": "2026-05-05"})
    changed = revised(document, net=None, tax=None, gross=Money(20_000, "EUR"))
    again, bill = deliver(books, changed, receipt)
    assert again.remote_id == receipt.remote_id
    assert total(bill) == Decimal("200.00")


def test_an_update_of_a_deleted_bill_says_that_it_is_gone(
    bench: QuickBooksBench, books: QuickBooks, deliver: Deliver
) -> None:
    document = sample(INCOMING)
    receipt, _bill = deliver(books, document)
    bench.remove(books, receipt)
    with pytest.raises(TargetGone):
        deliver(books, revised(document), receipt)


def test_an_invoice_becomes_a_credit_only_after_a_person_deleted_it(
    bench: QuickBooksBench, books: QuickBooks, deliver: Deliver
) -> None:
    document = sample(INCOMING)
    receipt, _bill = deliver(books, document)
    credit = revised(document, gross=Money(-100, "EUR"))
    with pytest.raises(Rejected, match="another kind"):
        deliver(books, credit, receipt)
    bench.remove(books, receipt)
    with pytest.raises(TargetGone):
        deliver(books, credit, receipt)
    assert deliver(books, credit)[0].extras["type"] == "VendorCredit"


def test_payments_are_no_drift_but_a_void_is(bench: QuickBooksBench, books: QuickBooks, deliver: Deliver) -> None:
    receipt, _invoice = deliver(books, sample(OUTGOING))
    other, voided = deliver(books, sample(OUTGOING))
    bench.pay(books, receipt, Money(100, "EUR"))
    body = {"Id": other.remote_id, "SyncToken": voided["SyncToken"]}
    bench.by_hand(books, "Invoice", body, operation="void")
    assert [(drift.remote_id, drift.kind) for drift in books.inspect([receipt, other])] == [
        (other.remote_id, DriftKind.CHANGED)
    ]
