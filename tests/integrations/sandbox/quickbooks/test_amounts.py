from __future__ import annotations

from typing import Any

import pytest

from tests.integrations.sandbox.serving import Books


def code(books: Books, name: str) -> dict[str, Any]:
    return {"TaxCodeRef": {"value": books.id_of("TaxCode", f"Name LIKE '{name}%'")}}


def test_tax_is_added_by_rate_to_the_cent(books: Books) -> None:
    lines = [books.expense_line(10.05), books.expense_line(0.1), books.expense_line(7.77, **code(books, "7"))]
    bill = books.bill(books.vendor()["Id"], Line=lines, TotalAmt=1, Balance=1)
    taxes = [(line["TaxLineDetail"]["TaxPercent"], line["Amount"]) for line in bill["TxnTaxDetail"]["TaxLine"]]
    assert taxes == [(19, 1.93), (7, 0.54)]
    assert (bill["TxnTaxDetail"]["TotalTax"], bill["TotalAmt"], bill["Balance"]) == (2.47, 20.39, 20.39)


def test_a_tax_total_that_is_told_is_kept(books: Books) -> None:
    bill = books.bill(books.vendor()["Id"], TxnTaxDetail={"TotalTax": 19.01})
    assert (bill["TxnTaxDetail"]["TotalTax"], bill["TotalAmt"]) == (19.01, 119.01)
    assert sum(line["Amount"] for line in bill["TxnTaxDetail"]["TaxLine"]) == pytest.approx(19.01)


def test_new_lines_are_taxed_anew_by_a_sparse_update(books: Books) -> None:
    bill = books.bill(books.vendor()["Id"], TxnTaxDetail={"TotalTax": 19.01})
    sparse = {"Id": bill["Id"], "SyncToken": "0", "sparse": True}
    assert books.write("Bill", {**sparse, "PrivateNote": "x"})["TotalAmt"] == 119.01
    changed = books.write("Bill", {**sparse, "SyncToken": "1", "Line": [books.expense_line(200)]})
    assert (changed["TxnTaxDetail"]["TotalTax"], changed["TotalAmt"], changed["Balance"]) == (38, 238, 238)


def test_tax_inclusive_amounts_are_taken_apart(books: Books) -> None:
    bill = books.bill(books.vendor()["Id"], GlobalTaxCalculation="TaxInclusive", Line=[books.expense_line(119)])
    (line,) = bill["Line"]
    assert (line["Amount"], line["AccountBasedExpenseLineDetail"]["TaxInclusiveAmt"]) == (100, 119)
    assert (bill["TotalAmt"], bill["TxnTaxDetail"]["TotalTax"]) == (119, 19)


def test_where_tax_does_not_apply_no_code_is_needed(books: Books) -> None:
    line = books.expense_line(119)
    del line["AccountBasedExpenseLineDetail"]["TaxCodeRef"]
    bill = books.bill(books.vendor()["Id"], GlobalTaxCalculation="NotApplicable", Line=[line])
    assert bill["TotalAmt"] == 119
    assert "TxnTaxDetail" not in bill


def test_an_american_company_adds_no_tax_to_a_bill(american: Books) -> None:
    bill = american.bill(american.vendor()["Id"])
    assert bill["TotalAmt"] == 100
    assert "GlobalTaxCalculation" not in bill


def test_an_american_invoice_is_taxed_by_its_own_code_on_taxable_lines(american: Books) -> None:
    lines = [american.sales_line(100, TaxCodeRef={"value": "TAX"}), american.sales_line(50)]
    tax = {"TxnTaxCodeRef": {"value": american.id_of("TaxCode")}}
    invoice = american.invoice(american.customer()["Id"], Line=lines, TxnTaxDetail=tax)
    assert (invoice["TxnTaxDetail"]["TotalTax"], invoice["TotalAmt"]) == (8, 158)


def test_an_invoice_has_a_subtotal_and_falls_due_by_its_term(books: Books) -> None:
    term = books.id_of("Term", "Name LIKE '14%'")
    fields: dict[str, Any] = {"TxnDate": "2026-10-01", "SalesTermRef": {"value": term}}
    invoice = books.invoice(books.customer()["Id"], **fields)
    assert invoice["DueDate"] == "2026-10-15"
    assert invoice["Line"][-1] == {"Amount": 100, "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}}
    again = books.write("Invoice", invoice)
    assert [line["DetailType"] for line in again["Line"]] == ["SalesItemLineDetail", "SubTotalLineDetail"]


def pay(books: Books, invoice: dict[str, Any], amount: float, **fields: Any) -> dict[str, Any]:
    link = {"TxnId": invoice["Id"], "TxnType": "Invoice"}
    body = {
        "CustomerRef": invoice["CustomerRef"],
        "TotalAmt": amount,
        "Line": [{"Amount": amount, "LinkedTxn": [link]}],
    }
    return books.write("Payment", {**body, **fields})


def test_payments_reduce_the_balance_and_taking_them_back_restores_it(books: Books) -> None:
    invoice = books.invoice(books.customer()["Id"])
    part = pay(books, invoice, 19)
    rest = pay(books, invoice, 100)
    paid = books.read("Invoice", invoice["Id"])
    assert paid["Balance"] == 0
    assert [link["TxnId"] for link in paid["LinkedTxn"]] == [part["Id"], rest["Id"]]
    assert books.refusal("Invoice", {"Id": paid["Id"], "SyncToken": paid["SyncToken"]}, operation="delete")[0] == "6000"
    books.write("Payment", {"Id": part["Id"], "SyncToken": "0"}, operation="delete")
    assert books.read("Invoice", invoice["Id"])["Balance"] == 19
    void = {"Id": rest["Id"], "SyncToken": "0", "sparse": True}
    assert books.write("Payment", void, operation="update", include="void")["TotalAmt"] == 0
    assert books.read("Invoice", invoice["Id"])["Balance"] == 119


def test_a_payment_cannot_pay_too_much_or_somebody_elses_invoice(books: Books) -> None:
    invoice = books.invoice(books.customer()["Id"])
    other = books.customer("Other")["Id"]
    link = {"TxnId": invoice["Id"], "TxnType": "Invoice"}
    line = {"Amount": 200, "LinkedTxn": [link]}
    body = {"CustomerRef": invoice["CustomerRef"], "TotalAmt": 200, "Line": [line]}
    assert books.refusal("Payment", body)[0] == "6000"
    assert books.refusal("Payment", {**body, "TotalAmt": 100})[0] == "6000"
    assert books.refusal("Payment", {**body, "CustomerRef": {"value": other}})[0] == "620"
    assert books.read("Invoice", invoice["Id"])["Balance"] == 119
    assert books.query("select count(*) from Payment")["totalCount"] == 0


def test_bills_are_paid_by_bill_payments(books: Books) -> None:
    bill = books.bill(books.vendor()["Id"])
    bank = {"BankAccountRef": {"value": books.id_of("Account", "AccountType = 'Bank'")}}
    line = {"Amount": 119, "LinkedTxn": [{"TxnId": bill["Id"], "TxnType": "Bill"}]}
    body = {"VendorRef": bill["VendorRef"], "PayType": "Check", "TotalAmt": 119, "CheckPayment": bank, "Line": [line]}
    books.write("BillPayment", body)
    assert books.read("Bill", bill["Id"])["Balance"] == 0
    for name in ("PayType", "CheckPayment", "TotalAmt", "Line"):
        assert books.refusal("BillPayment", {key: one for key, one in body.items() if key != name})[0] == "2020"


def test_sending_marks_the_invoice_and_is_listed(books: Books) -> None:
    invoice = books.invoice(books.customer()["Id"])
    path, headers = f"invoice/{invoice['Id']}/send", {"content-type": "application/octet-stream"}
    assert books.request("POST", path, headers=headers).json()["Fault"]["Error"][0]["code"] == "6000"
    sent = books.request("POST", path, headers=headers, params={"sendTo": "a@b.de"}).json()["Invoice"]
    assert (sent["EmailStatus"], sent["DeliveryInfo"]["DeliveryType"]) == ("EmailSent", "Email")
    assert sent["BillEmail"] == {"Address": "a@b.de"}
    assert "a@b.de" in books.sandbox.http.get(f"{books.sandbox.url}/quickbooks/companies/{books.realm}").text
    books.sandbox.control("settings", provider="quickbooks", mails_per_day=1)
    refused = books.request("POST", path, headers=headers, params={"sendTo": "a@b.de"})
    assert refused.json()["Fault"]["Error"][0]["code"] == "6000"


def test_an_invoice_can_be_had_as_a_pdf(books: Books) -> None:
    import pypdfium2

    invoice = books.invoice(books.customer("Kunde (AG)")["Id"], DocNumber="2026-7")
    answer = books.request("GET", f"invoice/{invoice['Id']}/pdf", headers={"accept": "application/pdf"})
    assert answer.headers["content-type"] == "application/pdf"
    document = pypdfium2.PdfDocument(answer.content)
    page = document[0]
    textpage = page.get_textpage()
    text = textpage.get_text_bounded()
    textpage.close()
    page.close()
    document.close()
    for words in ("Invoice 2026-7", "Kunde (AG)", "119.00 EUR"):
        assert words in text
