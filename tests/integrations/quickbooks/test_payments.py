from __future__ import annotations

import pytest

from integrations.conformance.parts import sample
from integrations.contract import DocumentKind, Party
from integrations.errors import TargetGone
from integrations.money import Money
from integrations.quickbooks.connector import QuickBooks
from tests.integrations.quickbooks.bench import Deliver, QuickBooksBench

INCOMING, RECEIPT, OUTGOING = DocumentKind.INCOMING_INVOICE, DocumentKind.RECEIPT, DocumentKind.OUTGOING_INVOICE


# --- payments


def test_a_payment_on_two_invoices_is_two_items_of_one_payment(
    bench: QuickBooksBench, books: QuickBooks, deliver: Deliver
) -> None:
    party = Party(name="Sammelzahler")
    receipts = [deliver(books, sample(OUTGOING, party=party))[0] for _turn in range(2)]
    start = books.payments(None).cursor
    bench.advance(60)
    lines = [
        {"Amount": amount, "LinkedTxn": [{"TxnId": receipt.remote_id, "TxnType": "Invoice"}]}
        for receipt, amount in zip(receipts, (10.5, 20.25), strict=True)
    ]
    customer = bench.entry(books, receipts[0])["CustomerRef"]
    bench.by_hand(books, "Payment", {"CustomerRef": customer, "TotalAmt": 30.75, "Line": lines})
    items = books.payments(start).items
    assert len({item.id for item in items}) == 1
    assert {(item.invoice_remote_id, item.amount.minor) for item in items} == {
        (receipts[0].remote_id, 1050),
        (receipts[1].remote_id, 2025),
    }


def test_a_voided_payment_is_taken_back(bench: QuickBooksBench, books: QuickBooks, deliver: Deliver) -> None:
    receipt, _invoice = deliver(books, sample(OUTGOING))
    start = books.payments(None).cursor
    bench.advance(60)
    payment = bench.pay(books, receipt, Money(1000, "EUR"))
    cursor = books.payments(start).cursor
    bench.advance(60)
    token = bench.company(books).get("Payment", payment)["SyncToken"]
    bench.by_hand(books, "Payment", {"Id": payment, "SyncToken": token}, operation="void")
    assert [(item.id, item.reversed) for item in books.payments(cursor).items] == [(payment, True)]


def test_more_payments_than_one_capture_tells_are_all_read(
    bench: QuickBooksBench, books: QuickBooks, deliver: Deliver
) -> None:
    receipt, invoice = deliver(books, sample(OUTGOING))
    start = books.payments(None).cursor
    bench.advance(60)
    line = {"Amount": 0.01, "LinkedTxn": [{"TxnId": receipt.remote_id, "TxnType": "Invoice"}]}
    company = bench.company(books)
    for _turn in range(1005):
        company.create(
            "Payment",
            {"CustomerRef": invoice["CustomerRef"], "TotalAmt": 0.01, "TxnDate": "2026-03-01", "Line": [line]},
        )
    page = books.payments(start)
    assert len({item.id for item in page.items}) == 1005
    assert {item.amount.minor for item in page.items} == {1}
    assert list(books.payments(page.cursor).items) == []


def test_a_cursor_older_than_the_feed_reaches_is_told(bench: QuickBooksBench, books: QuickBooks) -> None:
    start = books.payments(None).cursor
    bench.advance(31 * 86400)
    with pytest.raises(TargetGone):
        books.payments(start)
