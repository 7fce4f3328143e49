from __future__ import annotations

from typing import Any

import pytest

from tests.integrations.sandbox.serving import Books, refusal_of


def test_a_bill_is_created_read_changed_and_deleted(books: Books) -> None:
    vendor = books.vendor()["Id"]
    bill = books.bill(vendor, DocNumber="R-1", PrivateNote="first")
    assert (bill["SyncToken"], bill["VendorRef"]["name"], bill["sparse"]) == ("0", "Meyer GmbH", False)
    assert books.read("Bill", bill["Id"]) == bill
    changed = books.write("Bill", {"Id": bill["Id"], "SyncToken": "0", "sparse": True, "PrivateNote": "second"})
    assert (changed["SyncToken"], changed["PrivateNote"], changed["DocNumber"]) == ("1", "second", "R-1")
    gone = books.write("Bill", {"Id": bill["Id"], "SyncToken": "1"}, operation="delete")
    assert gone == {"domain": "QBO", "status": "Deleted", "Id": bill["Id"]}
    assert refusal_of(books.request("GET", f"bill/{bill['Id']}"))[0] == "610"


def test_a_full_update_blanks_what_it_leaves_out(books: Books) -> None:
    vendor = books.vendor()["Id"]
    bill = books.bill(vendor, PrivateNote="kept?", DocNumber="R-1")
    full = books.bill_body(vendor, Id=bill["Id"], SyncToken="0")
    changed = books.write("Bill", full)
    assert "PrivateNote" not in changed
    assert "DocNumber" not in changed
    assert refused(books, "Bill", {"Id": bill["Id"], "SyncToken": "1", "VendorRef": {"value": vendor}}) == "2020"


def test_an_empty_value_in_a_sparse_update_clears(books: Books) -> None:
    customer = books.customer(Notes="call first")
    cleared = books.write("Customer", {"Id": customer["Id"], "SyncToken": "0", "sparse": True, "Notes": ""})
    assert "Notes" not in cleared


def refused(books: Books, entity: str, body: Any, **params: Any) -> str:
    return books.refusal(entity, body, **params)[0]


def test_a_stale_version_changes_nothing(books: Books) -> None:
    bill = books.bill(books.vendor()["Id"])
    books.write("Bill", {"Id": bill["Id"], "SyncToken": "0", "sparse": True, "PrivateNote": "mine"})
    for operation in ("", "delete"):
        body = {"Id": bill["Id"], "SyncToken": "0", "sparse": True, "PrivateNote": "theirs"}
        code, detail = books.refusal("Bill", body, operation=operation)
        assert code == "5010"
        assert "same time" in detail
    assert books.read("Bill", bill["Id"])["PrivateNote"] == "mine"


def test_a_name_is_used_once_over_customers_and_vendors_whatever_the_case(books: Books) -> None:
    vendor = books.vendor("Meyer GmbH")
    for entity in ("Customer", "Vendor"):
        code, detail = books.refusal(entity, {"DisplayName": "MEYER gmbh"})
        assert code == "6240"
        assert "Another vendor is already using this name" in detail
    books.write("Vendor", {"Id": vendor["Id"], "SyncToken": "0", "sparse": True, "Active": False})
    assert refused(books, "Customer", {"DisplayName": "Meyer GmbH"}) == "6240"


def test_what_is_inactive_cannot_be_used_and_is_not_listed(books: Books) -> None:
    vendor = books.vendor()
    books.write("Vendor", {"Id": vendor["Id"], "SyncToken": "0", "sparse": True, "Active": False})
    code, detail = books.refusal("Bill", books.bill_body(vendor["Id"]))
    assert code == "610"
    assert "made inactive" in detail
    assert books.query("select * from Vendor") == {}
    assert books.query("select * from Vendor where Active = false")["Vendor"][0]["Id"] == vendor["Id"]


def test_names_are_made_inactive_not_deleted(books: Books) -> None:
    vendor = books.vendor()
    assert refused(books, "Vendor", {"Id": vendor["Id"], "SyncToken": "0"}, operation="delete") == "500"


def test_tax_numbers_come_back_masked(books: Books) -> None:
    vendor = books.vendor(TaxIdentifier="X1234567A")
    assert vendor["TaxIdentifier"] == "XXXX4567A"
    assert books.write("Vendor", {**vendor, "Notes": "same"})["TaxIdentifier"] == "XXXX4567A"


def test_the_currency_of_a_name_is_fixed(books: Books) -> None:
    assert books.vendor()["CurrencyRef"] == {"value": "EUR", "name": "Euro"}
    assert refused(books, "Vendor", {"DisplayName": "US Inc.", "CurrencyRef": {"value": "USD"}}) == "6000"


def test_with_several_currencies_a_transaction_must_name_its_partys(books: Books) -> None:
    books.sandbox.control(
        "quickbooks/preferences", realm=books.realm, set={"CurrencyPrefs": {"MultiCurrencyEnabled": True}}
    )
    vendor = books.vendor("US Inc.", CurrencyRef={"value": "USD"})["Id"]
    assert refused(books, "Bill", books.bill_body(vendor)) == "2020"
    assert refused(books, "Bill", books.bill_body(vendor, CurrencyRef={"value": "EUR"})) == "6000"
    assert books.bill(vendor, CurrencyRef={"value": "USD"})["CurrencyRef"]["value"] == "USD"


def test_a_bill_number_is_used_once_per_vendor_unless_told_otherwise(books: Books) -> None:
    vendor, other = books.vendor()["Id"], books.vendor("Other")["Id"]
    first = books.bill(vendor, DocNumber="R-1")
    code, detail = books.refusal("Bill", books.bill_body(vendor, DocNumber="R-1"))
    assert code == "6140"
    assert f"TxnId={first['Id']}" in detail
    books.bill(other, DocNumber="R-1")
    books.write("Bill", books.bill_body(vendor, DocNumber="R-1"), include="allowduplicatedocnum")


def test_a_company_with_own_numbers_keeps_them_the_other_counts_by_itself(books: Books, american: Books) -> None:
    assert books.invoice(books.customer()["Id"], DocNumber="2026-7")["DocNumber"] == "2026-7"
    assert refused(books, "Invoice", {"CustomerRef": {"value": books.customer("B")["Id"]}, "DocNumber": "2026-7",
                                      "Line": [books.sales_line()]}) == "6140"  # fmt: skip
    numbers = [american.invoice(american.customer(name)["Id"], DocNumber="2026-7")["DocNumber"] for name in ("A", "B")]
    assert numbers == ["1001", "1002"]


def test_a_closed_period_takes_no_postings(books: Books) -> None:
    vendor = books.vendor()["Id"]
    bill = books.bill(vendor, TxnDate="2026-02-01")
    closed = {"AccountingInfoPrefs": {"BookCloseDate": "2026-03-31"}}
    books.sandbox.control("quickbooks/preferences", realm=books.realm, set=closed)
    assert refused(books, "Bill", books.bill_body(vendor, TxnDate="2026-03-31")) == "6210"
    moved = {"Id": bill["Id"], "SyncToken": "0", "sparse": True, "TxnDate": "2026-05-01"}
    assert refused(books, "Bill", moved) == "6210"
    books.bill(vendor, TxnDate="2026-04-01")


def test_an_expense_is_paid_from_an_account_of_the_right_type(books: Books) -> None:
    bank, card = books.id_of("Account", "AccountType = 'Bank'"), books.id_of("Account", "AccountType = 'Credit Card'")
    vendor = {"value": books.vendor()["Id"], "type": "Vendor"}
    body = {"EntityRef": vendor, "PaymentType": "Cash", "AccountRef": {"value": bank}, "Line": [books.expense_line()]}
    assert books.write("Purchase", body)["EntityRef"] == {**vendor, "name": "Meyer GmbH"}
    assert refused(books, "Purchase", {**body, "AccountRef": {"value": card}}) == "6000"
    for name in ("PaymentType", "AccountRef", "Line"):
        assert refused(books, "Purchase", {key: value for key, value in body.items() if key != name}) == "2020"


def test_a_service_item_needs_an_income_account(books: Books) -> None:
    income, expense = (books.id_of("Account", f"AccountType = '{kind}'") for kind in ("Income", "Expense"))
    assert refused(books, "Item", {"Name": "Beratung", "Type": "Service"}) == "2020"
    wrong = {"Name": "Beratung", "Type": "Service", "IncomeAccountRef": {"value": expense}}
    assert refused(books, "Item", wrong) == "6000"
    right = books.write("Item", {**wrong, "IncomeAccountRef": {"value": income}})
    assert right["IncomeAccountRef"]["name"] == "Umsatzerlöse"
    assert refused(books, "Item", {**right, "Id": None, "SyncToken": None}) == "6240"


def test_voiding_an_invoice_keeps_it_with_nothing_on_it(books: Books) -> None:
    invoice = books.invoice(books.customer()["Id"])
    void = books.write("Invoice", {"Id": invoice["Id"], "SyncToken": "0"}, operation="void")
    assert (void["TotalAmt"], void["Balance"], void["PrivateNote"]) == (0, 0, "Voided")
    assert all(line.get("Amount", 0) == 0 for line in void["Line"])


@pytest.mark.parametrize("name", ["Bill", "bill", "BILL"])
def test_an_entitys_name_is_taken_in_any_case(books: Books, name: str) -> None:
    vendor = books.vendor()["Id"]
    answer = books.post(name, books.bill_body(vendor))
    assert list(answer.json()) == ["Bill", "time"]
