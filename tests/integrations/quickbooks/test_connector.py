"""QuickBooks' own rules, tried on the simulator: what the kit, which knows no provider, cannot ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from integrations.conformance.parts import MemoryFacts, revised, sample, worker
from integrations.contract import DocumentKind, DriftKind, Line, OutgoingDocument, Party, Receipt, Step
from integrations.errors import Misconfigured, ReauthRequired, Rejected, TargetGone, Transient
from integrations.money import Money
from integrations.quickbooks.connector import QuickBooks
from integrations.quickbooks.settings import Config
from tests.integrations.quickbooks.bench import QuickBooksBench, quickbooks, total

INCOMING, RECEIPT, OUTGOING = DocumentKind.INCOMING_INVOICE, DocumentKind.RECEIPT, DocumentKind.OUTGOING_INVOICE


@pytest.fixture
def bench() -> Iterator[QuickBooksBench]:
    with quickbooks() as made:
        yield made


@pytest.fixture
def books(bench: QuickBooksBench) -> QuickBooks:
    return bench.connected()


@pytest.fixture
def deliver(bench: QuickBooksBench) -> Callable[..., tuple[Receipt, dict[str, Any]]]:
    def delivered(
        connector: QuickBooks, document: OutgoingDocument, previous: Receipt | None = None
    ) -> tuple[Receipt, dict[str, Any]]:
        receipt = connector.deliver(document, connector.reserve(document), previous)
        return receipt, bench.entry(connector, receipt)

    return delivered


Deliver = Callable[..., tuple[Receipt, dict[str, Any]]]


def names(bench: QuickBooksBench, connector: QuickBooks, entity: str) -> list[str]:
    return [one["DisplayName"] for one in bench.company(connector).all(entity)]


# --- what becomes of which document


def test_an_incoming_invoice_is_a_bill_with_vendor_and_file(
    bench: QuickBooksBench, books: QuickBooks, deliver: Deliver
) -> None:
    document = sample(INCOMING, party=Party(name="Mühle & Söhne"))
    receipt, bill = deliver(books, document)
    assert receipt.extras["type"] == "Bill"
    assert (bill["DocNumber"], bill["TxnDate"], bill["DueDate"]) == (document.number, "2026-03-01", "2026-03-31")
    assert total(bill) == Decimal("119.00")
    assert bill["Line"][0]["AccountBasedExpenseLineDetail"]["AccountRef"]["value"] == books.config.expense_account
    assert names(bench, books, "Vendor") == ["Mühle & Söhne"]
    assert receipt.link is not None
    assert receipt.link.endswith(f"/app/bill?txnId={receipt.remote_id}")
    (attachable,) = bench.company(books).all("Attachable")
    assert (attachable["FileName"], attachable["ContentType"]) == (document.filename, "application/pdf")
    assert attachable["AttachableRef"][0]["IncludeOnSend"] is False


def test_a_receipt_is_a_bill_until_a_payment_account_is_set(bench: QuickBooksBench, deliver: Deliver) -> None:
    plain = bench.connected()
    assert deliver(plain, sample(RECEIPT, number=None))[0].extras["type"] == "Bill"
    for kind, payment_type in (("Bank", "Cash"), ("Credit Card", "CreditCard")):
        paying = bench.connected()
        realm = paying.company.realm
        paying.config = paying.config.model_copy(update={"payment_account": bench.account(realm, kind)})
        receipt, purchase = deliver(paying, sample(RECEIPT, number=None))
        assert receipt.extras["type"] == "Purchase"
        assert purchase["PaymentType"] == payment_type
        assert purchase["EntityRef"]["type"] == "Vendor"
        assert total(purchase) == Decimal("119.00")


def test_an_outgoing_invoice_has_customer_item_and_mail(
    bench: QuickBooksBench, books: QuickBooks, deliver: Deliver
) -> None:
    lines = (
        Line(
            description="Beratung März",
            net=Money(10_000, "EUR"),
            quantity=Decimal("2.5"),
            unit_price=Decimal(40),
            service_type="Beratung",
        ),
    )
    receipt, invoice = deliver(books, sample(OUTGOING, lines=lines, party=Party(name="Kunde AG", email="a@b.example")))
    assert receipt.extras["type"] == "Invoice"
    assert invoice["CustomerRef"]["name"] == "Kunde AG"
    assert invoice["BillEmail"] == {"Address": "a@b.example"}
    assert total(invoice) == Decimal("119.00")
    item = next(one for one in bench.company(books).all("Item") if one["Name"] == "Beratung")
    assert item["IncomeAccountRef"]["value"] == books.config.income_account
    assert invoice["Line"][0]["SalesItemLineDetail"]["ItemRef"]["value"] == item["Id"]
    assert bench.company(books).all("Attachable")[0]["AttachableRef"][0]["IncludeOnSend"] is True


def test_the_item_that_new_companies_have_is_the_default(
    bench: QuickBooksBench, books: QuickBooks, deliver: Deliver
) -> None:
    before = len(bench.company(books).all("Item"))
    _receipt, invoice = deliver(books, sample(OUTGOING))
    assert invoice["Line"][0]["SalesItemLineDetail"]["ItemRef"]["name"] == "Dienstleistung"
    assert len(bench.company(books).all("Item")) == before


@pytest.mark.parametrize(("kind", "entity"), [(INCOMING, "VendorCredit"), (OUTGOING, "CreditMemo")])
def test_a_credit_note_is_a_credit(books: QuickBooks, deliver: Deliver, kind: DocumentKind, entity: str) -> None:
    credit: dict[str, Any] = {"net": Money(-10_000, "EUR"), "tax": Money(-1_900, "EUR"), "gross": Money(-11_900, "EUR")}
    lines = (Line(description="zurück", net=Money(-10_000, "EUR")),)
    receipt, entry = deliver(books, sample(kind, **credit, lines=lines))
    assert receipt.extras["type"] == entity
    assert total(entry) == Decimal("119.00")


def test_tax_goes_by_the_code_and_the_documents_own_total(bench: QuickBooksBench, deliver: Deliver) -> None:
    books = bench.connected()
    code = next(choice for choice in books.choices("tax_code") if choice.label.startswith("19"))
    books.config = books.config.model_copy(update={"tax_code": code.value})
    odd: dict[str, Any] = {
        "net": Money(3_333, "EUR"),
        "tax": Money(634, "EUR"),
        "gross": Money(3_967, "EUR"),
    }  # 19 % would be 6.33
    for kind in (INCOMING, OUTGOING):
        _receipt, entry = deliver(books, sample(kind, **odd))
        assert total(entry) == Decimal("39.67")
        assert Decimal(str(entry["TxnTaxDetail"]["TotalTax"])) == Decimal("6.34")


def test_an_american_company_gets_totals_as_they_are(bench: QuickBooksBench, deliver: Deliver) -> None:
    facts = {"name": "Hill Street", "country": "US", "currency": "USD", "global_tax": False, "own_numbers": False}
    books = bench.connected(facts)
    assert books.choices("tax_code") == []
    money: dict[str, Any] = {"net": Money(10_000, "USD"), "tax": Money(800, "USD"), "gross": Money(10_800, "USD")}
    document = sample(OUTGOING, **money)
    _receipt, invoice = deliver(books, document)
    assert total(invoice) == Decimal("108.00")
    assert invoice["DocNumber"] != document.number  # QuickBooks counts by itself here
    assert document.number is not None
    assert document.number in invoice["PrivateNote"]


# --- names


def test_names_that_are_there_are_used_whatever_their_case(
    bench: QuickBooksBench, books: QuickBooks, deliver: Deliver
) -> None:
    bench.by_hand(books, "Vendor", {"DisplayName": "MÜHLE ag"})
    deliver(books, sample(INCOMING, party=Party(name="Mühle AG")))
    assert names(bench, books, "Vendor") == ["MÜHLE ag"]


def test_a_vendor_with_a_customers_name_gets_a_suffix_once(
    bench: QuickBooksBench, books: QuickBooks, deliver: Deliver
) -> None:
    bench.by_hand(books, "Customer", {"DisplayName": "Meyer GmbH"})
    for _turn in range(2):
        deliver(worker(books, MemoryFacts()), sample(INCOMING, party=Party(name="Meyer GmbH")))
    assert names(bench, books, "Vendor") == ["Meyer GmbH (Lieferant)"]
    bench.by_hand(books, "Vendor", {"DisplayName": "Huber KG"})
    deliver(books, sample(OUTGOING, party=Party(name="Huber KG")))
    assert "Huber KG (Kunde)" in names(bench, books, "Customer")


@pytest.mark.parametrize("name", ["A: B", "tab\there", "O'Neil & \\ Söhne", "Ä" * 600, "  spaces  "])
def test_names_that_quickbooks_forbids_are_made_acceptable_and_found_again(
    bench: QuickBooksBench, books: QuickBooks, deliver: Deliver, name: str
) -> None:
    for _turn in range(2):
        deliver(worker(books, MemoryFacts()), sample(INCOMING, party=Party(name=name)))
    assert len(names(bench, books, "Vendor")) == 1


def test_what_was_remembered_wrongly_is_looked_up_again(
    bench: QuickBooksBench, books: QuickBooks, deliver: Deliver
) -> None:
    first = sample(INCOMING, party=Party(name="Alt AG"))
    deliver(books, first)
    memory = books.wiring.memory
    assert isinstance(memory, MemoryFacts)
    (key,) = [key for key in memory.facts if key.startswith("vendor:")]
    memory.put(key, "99999")
    _receipt, bill = deliver(books, sample(INCOMING, party=Party(name="Alt AG")))
    assert bill["VendorRef"]["name"] == "Alt AG"
    assert memory.facts[key] != "99999"


def test_remembered_names_cost_no_read(bench: QuickBooksBench, books: QuickBooks, deliver: Deliver) -> None:
    party = Party(name="Stamm AG")
    deliver(books, sample(INCOMING, party=party))
    before = len(bench.log())
    deliver(books, sample(INCOMING, party=party))
    calls = [call["path"].rpartition("/")[2] for call in bench.log()[before:]]
    assert calls == ["query", "bill", "upload"]


def test_every_write_has_a_request_id_and_the_minor_version(
    bench: QuickBooksBench, books: QuickBooks, deliver: Deliver
) -> None:
    receipt, _invoice = deliver(books, sample(OUTGOING))
    books.send(receipt, "s", "a@b.example")
    writes = [call for call in bench.log() if call["method"] == "POST" and not call["path"].endswith("/query")]
    assert {call["path"].rpartition("/")[2] for call in writes} == {"customer", "invoice", "upload", "send"}
    assert all("requestid=kontor-" in call["query"] for call in writes)
    assert all("minorversion=75" in call["query"] for call in bench.log())


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


# --- currencies


def dollars(**facts: Any) -> OutgoingDocument:
    money = {"net": Money(10_000, "USD"), "tax": Money(0, "USD"), "gross": Money(10_000, "USD")}
    return sample(INCOMING, **{**money, **facts})


def test_another_currency_needs_a_company_with_several(
    bench: QuickBooksBench, books: QuickBooks, deliver: Deliver
) -> None:
    with pytest.raises(Rejected, match="USD"):
        deliver(books, dollars())
    assert bench.company(books).all("Vendor") == []


def test_a_supplier_with_two_currencies_is_two_vendors(bench: QuickBooksBench, deliver: Deliver) -> None:
    books = bench.connected({"name": "Weltweit AG", "multicurrency": True})
    party = Party(name="Global Ltd")
    deliver(books, sample(INCOMING, party=party))
    _receipt, bill = deliver(books, dollars(party=party))
    assert bill["CurrencyRef"]["value"] == "USD"
    assert sorted(names(bench, books, "Vendor")) == ["Global Ltd", "Global Ltd (USD)"]


# --- failures that need a person


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("code", ["6000", "6190", "6210"])
def test_refusals_are_rejected_also_inside_a_success(
    bench: QuickBooksBench, books: QuickBooks, deliver: Deliver, code: str, hidden: bool
) -> None:
    bench.control("settings", provider="quickbooks", faults_as_200=hidden)
    bench.script([f"fault:{code}"])
    with pytest.raises(Rejected):
        deliver(books, sample(INCOMING))


@pytest.mark.parametrize("code", ["120", "3100", "3200"])
def test_lost_rights_ask_to_sign_in_again(bench: QuickBooksBench, books: QuickBooks, code: str) -> None:
    bench.script([f"fault:{code}"] * 2)
    with pytest.raises(ReauthRequired):
        books.check()


def test_a_closed_period_is_told_and_opens_again(bench: QuickBooksBench, books: QuickBooks, deliver: Deliver) -> None:
    realm = books.company.realm
    bench.control("quickbooks/preferences", realm=realm, set={"AccountingInfoPrefs": {"BookCloseDate": "2026-12-31"}})
    document = sample(INCOMING)
    with pytest.raises(Rejected, match="closed"):
        deliver(books, document)
    bench.control("quickbooks/preferences", realm=realm, set={"AccountingInfoPrefs": {"BookCloseDate": ""}})
    deliver(books, document)
    assert len(bench.arrived(books)) == 1


def test_an_account_that_is_gone_is_a_wrong_setting(
    bench: QuickBooksBench, books: QuickBooks, deliver: Deliver
) -> None:
    books.config = books.config.model_copy(update={"expense_account": "99999"})
    with pytest.raises(Misconfigured, match="account"):
        deliver(books, sample(INCOMING))


@pytest.mark.parametrize("extras", [{}, {"realmId": ""}, {"realmId": "../other"}])
def test_a_login_without_a_company_must_be_renewed(books: QuickBooks, extras: dict[str, str]) -> None:
    tokens: Any = books.wiring.tokens
    tokens.token = replace(tokens.token, extras=extras)
    with pytest.raises(ReauthRequired, match="company"):
        worker(books).check()


def test_a_document_without_its_facts_is_rejected_before_anything_is_written(
    bench: QuickBooksBench, books: QuickBooks, deliver: Deliver
) -> None:
    for missing in ("party", "issued_on", "gross"):
        nothing: dict[str, Any] = {missing: None}
        with pytest.raises(Rejected):
            deliver(books, sample(INCOMING, **nothing))
    assert bench.company(books).all("Vendor") == []


def test_an_optional_setting_left_empty_in_a_form_is_none() -> None:
    config = Config.model_validate({"expense_account": "1", "income_account": "2", "tax_code": ""})
    assert config.tax_code is None


# --- plan


def test_a_plan_names_what_would_be_made(books: QuickBooks) -> None:
    plan = books.plan(sample(INCOMING, party=Party(name="Neu AG")), None)
    assert (plan.step, plan.thing, plan.also) == (Step.CREATE, "bill", (("vendor", "Neu AG"),))
    lines = (Line(description="x", net=Money(10_000, "EUR"), service_type="Montage"),)
    plan = books.plan(sample(OUTGOING, party=Party(name="Neu AG"), lines=lines), None)
    assert plan.also == (("customer", "Neu AG"), ("service item", "Montage"))


# --- sending


def test_an_invoice_that_is_gone_cannot_be_sent(bench: QuickBooksBench, books: QuickBooks, deliver: Deliver) -> None:
    receipt, _invoice = deliver(books, sample(OUTGOING))
    bench.remove(books, receipt)
    with pytest.raises(TargetGone):
        books.send(receipt, "s", "a@b.example")


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


# --- files


def test_a_file_without_an_ending_is_taken(bench: QuickBooksBench, books: QuickBooks, deliver: Deliver) -> None:
    deliver(books, sample(INCOMING, filename="Scan vom Dienstag"))
    assert bench.company(books).all("Attachable")[0]["FileName"] == "Scan vom Dienstag.pdf"


def test_an_expired_token_in_the_middle_of_a_delivery_is_refreshed(
    bench: QuickBooksBench, books: QuickBooks, deliver: Deliver
) -> None:
    for call in range(6):
        bench.script([*["ok"] * call, "expired"])
        deliver(worker(books, MemoryFacts()), sample(INCOMING))
        bench.clear()
    assert [len(one.files) for one in bench.arrived(books)] == [1] * 6
