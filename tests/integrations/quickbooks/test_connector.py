"""QuickBooks' own rules, tried on the simulator: what the kit, which knows no provider, cannot ask."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from integrations.conformance.parts import MemoryFacts, sample, worker
from integrations.contract import DocumentKind, Line, Party, Step
from integrations.errors import Misconfigured, ReauthRequired, Rejected, TargetGone
from integrations.money import Money
from integrations.quickbooks.connector import QuickBooks
from integrations.quickbooks.settings import Config
from tests.integrations.quickbooks.bench import Deliver, QuickBooksBench, names, total

INCOMING, RECEIPT, OUTGOING = DocumentKind.INCOMING_INVOICE, DocumentKind.RECEIPT, DocumentKind.OUTGOING_INVOICE


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
