"""Each row of the published list of faults that a client can meet, and what leads to it."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from tests.integrations.sandbox.serving import AMERICAN, GERMAN, Books, refusal_of


def vendor_with(**fields: Any) -> dict[str, Any]:
    return {"DisplayName": "Meyer", **fields}


@pytest.mark.parametrize(
    ("entity", "body", "code"),
    [
        ("Vendor", vendor_with(Colour="red"), "2010"),
        ("Vendor", vendor_with(BillAddr={"Street": "x"}), "2010"),
        ("Vendor", vendor_with(BillAddr="Lindenallee"), "2010"),
        ("Vendor", vendor_with(Active="perhaps"), "2010"),
        ("Vendor", vendor_with(CurrencyRef="EUR"), "2010"),
        ("Vendor", [], "2010"),
        ("Vendor", vendor_with(BillRate="much"), "2080"),
        ("Vendor", {"DisplayName": "x" * 501}, "2050"),
        ("Vendor", vendor_with(GivenName="x" * 101), "2050"),
        ("Vendor", vendor_with(Title="x" * 17), "2050"),
        ("Vendor", vendor_with(PrintOnCheckName="x" * 111), "2050"),
        ("Vendor", vendor_with(PrimaryPhone={"FreeFormNumber": "1" * 31}), "2050"),
        ("Vendor", vendor_with(BillAddr={"Line1": "x" * 501}), "2050"),
        ("Vendor", vendor_with(BillAddr={"PostalCode": "1" * 31}), "2050"),
        ("Vendor", vendor_with(PrimaryEmailAddr={"Address": "x" * 101}), "2050"),
        ("Customer", vendor_with(Notes="x" * 2001), "2050"),
        ("Vendor", vendor_with(PrimaryEmailAddr={"Address": "nobody"}), "6000"),
        ("Vendor", {"DisplayName": "a:b"}, "6000"),
        ("Vendor", {"DisplayName": "a\tb"}, "6000"),
        ("Vendor", {}, "6080"),
        ("Vendor", vendor_with(TermRef={"value": "999"}), "2500"),
        ("Account", {"Name": "x", "AccountType": "Piggy bank"}, "2170"),
        ("Account", {"Name": "x"}, "6000"),
        ("Item", {"Name": "x", "Type": "Inventory"}, "5020"),
        ("Bill", {"Line": []}, "2020"),
        ("Deposit", {}, "5030"),
        ("TaxCode", {"Name": "x"}, "500"),
        ("Nonsense", {}, "500"),
        ("Vendor", {"Id": "999", "SyncToken": "0", "DisplayName": "x"}, "610"),
        ("Vendor", {"Id": "999", "DisplayName": "x"}, "2020"),
    ],
)
def test_what_the_provider_refuses_is_refused_with_its_code(books: Books, entity: str, body: Any, code: str) -> None:
    assert books.refusal(entity, body)[0] == code


def with_line(**changes: Any) -> Any:
    def changed(books: Books, body: dict[str, Any]) -> dict[str, Any]:
        line = {**body["Line"][0], **changes}
        return {**body, "Line": [{name: value for name, value in line.items() if value is not None}]}

    return changed


def with_detail(**changes: Any) -> Any:
    def changed(books: Books, body: dict[str, Any]) -> dict[str, Any]:
        kind = "AccountBasedExpenseLineDetail"
        detail = {**body["Line"][0][kind], **changes}
        return {**body, "Line": [{**body["Line"][0], kind: {k: v for k, v in detail.items() if v is not None}}]}

    return changed


def on_payables(books: Books, body: dict[str, Any]) -> dict[str, Any]:
    account = books.id_of("Account", "AccountType = 'Accounts Payable'")
    return dict(with_detail(AccountRef={"value": account})(books, body))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda _, body: {**body, "DocNumber": "1" * 22}, "2050"),
        (lambda _, body: {**body, "PrivateNote": "x" * 4001}, "2050"),
        (lambda _, body: {**body, "TxnDate": "1.10.2026"}, "2010"),
        (lambda _, body: {**body, "VendorRef": {"value": "999"}}, "2500"),
        (lambda _, body: {**body, "DepartmentRef": {"value": "1"}}, "2500"),
        (lambda _, body: {**body, "SalesTermRef": {"value": "999"}}, "2500"),
        (lambda _, body: {**body, "CurrencyRef": {"value": "XXX"}}, "6000"),
        (lambda _, body: {**body, "GlobalTaxCalculation": "Perhaps"}, "2170"),
        (with_line(Amount=None), "2020"),
        (with_line(Amount="a lot"), "2080"),
        (with_line(Amount=1.005), "6000"),
        (with_line(Amount=-500), "6000"),
        (with_line(Description="x" * 4001), "2050"),
        (with_line(DetailType=None), "2020"),
        (with_line(DetailType="SalesItemLineDetail"), "2170"),
        (with_line(AccountBasedExpenseLineDetail=None), "2020"),
        (with_detail(AccountRef=None), "2020"),
        (with_detail(AccountRef={"value": "999"}), "2500"),
        (with_detail(TaxCodeRef={"value": "999"}), "2500"),
        (with_detail(TaxCodeRef=None), "6000"),
        (on_payables, "6000"),
    ],
)
def test_a_bill_that_is_wrong_is_refused_and_leaves_nothing(books: Books, change: Any, code: str) -> None:
    body = change(books, books.bill_body(books.vendor()["Id"]))
    assert books.refusal("Bill", body)[0] == code
    assert books.query("select count(*) from Bill")["totalCount"] == 0


def test_quantity_times_price_must_be_the_amount(books: Books) -> None:
    customer = {"value": books.customer()["Id"]}
    line = books.sales_line(100, Qty=3, UnitPrice=33.33)
    code, detail = books.refusal("Invoice", {"CustomerRef": customer, "Line": [line]})
    assert code == "6070"
    assert "Supplied value:100" in detail
    assert books.write("Invoice", {"CustomerRef": customer, "Line": [{**line, "Amount": 99.99}]})["Id"]


def test_american_lines_know_tax_and_non_only(american: Books) -> None:
    line = american.sales_line(TaxCodeRef={"value": american.id_of("TaxCode")})
    body = {"CustomerRef": {"value": american.customer()["Id"]}, "Line": [line]}
    code, detail = american.refusal("Invoice", body)
    assert code == "6100"
    assert "TAX or NON" in detail


def test_the_token_decides_what_may_be_seen(books: Books) -> None:
    other = f"{books.sandbox.url}/quickbooks/v3/company/{AMERICAN}/companyinfo/{AMERICAN}"
    signed = {"authorization": f"Bearer {books.token['access_token']}"}
    mismatch = books.sandbox.http.get(other, headers=signed)
    assert mismatch.status_code == 403
    assert mismatch.json()["fault"]["error"][0]["code"] == "3100"
    for header in ({}, {"authorization": "Bearer nonsense"}):
        answer = books.sandbox.http.get(f"{books.base}/companyinfo/{GERMAN}", headers=header)
        assert answer.status_code == 401
        fault = answer.json()["fault"]
        assert (fault["type"], fault["error"][0]["code"]) == ("AUTHENTICATION", "3200")
    books.sandbox.control("clock", advance=3601)
    assert "expired" in books.request("GET", "preferences").json()["fault"]["error"][0]["detail"]


@pytest.mark.parametrize(("setting", "status"), [("429", 429), ("403", 403)])
def test_a_throttle_comes_in_its_new_and_old_form(books: Books, setting: str, status: int) -> None:
    books.sandbox.control("settings", provider="quickbooks", throttle_form=setting)
    books.sandbox.faults("throttle")
    answer = books.request("GET", "preferences")
    assert answer.status_code == status
    assert "retry-after" not in answer.headers  # the provider documents none
    fault = answer.json()["Fault"]
    assert fault["type"] == "SERVICE"
    assert fault["Error"][0]["code"] == "3001"
    assert f"ThrottleExceeded; errorCode=003001; statusCode={status}" in fault["Error"][0]["Message"]


def test_a_limit_of_calls_per_minute_throttles_until_the_minute_is_over(books: Books) -> None:
    books.sandbox.control("settings", provider="quickbooks", requests_per_minute=3)
    statuses = [books.request("GET", "preferences").status_code for _ in range(8)]
    assert statuses[-1] == 429
    books.sandbox.control("clock", advance=60)
    assert books.request("GET", "preferences").status_code == 200


def test_an_outage_is_a_page_of_the_gateway_or_a_system_fault(books: Books) -> None:
    books.sandbox.faults("down", "down:500", "full", "fault:6540", "fault:120", "fault:600")
    page = books.request("GET", "preferences")
    assert (page.status_code, page.headers["content-type"]) == (503, "text/html")
    fault = books.request("GET", "preferences")
    assert (fault.status_code, fault.json()["Fault"]["type"]) == (500, "SystemFault")
    assert refusal_of(fault)[0] == "10000"
    for code in ("6190", "6540", "120", "600"):
        assert refusal_of(books.request("GET", "preferences"))[0] == code


def test_a_fault_may_come_with_http_200(books: Books) -> None:
    books.sandbox.control("settings", provider="quickbooks", faults_as_200=True)
    answer = books.post("vendor", {})
    assert answer.status_code == 200
    assert refusal_of(answer)[0] == "6080"


@pytest.mark.parametrize(
    ("path", "content_type", "body"),
    [
        ("bill", "text/plain", b"{}"),
        ("bill", "application/x-www-form-urlencoded", b"a=b"),
        ("batch", "application/xml", b"<a/>"),
        ("query", "application/json", b"select * from Bill"),
        ("upload", "application/pdf", b"%PDF"),
        ("invoice/1/send", "application/json", b"{}"),
    ],
)
def test_a_media_type_that_is_not_taken_is_refused(books: Books, path: str, content_type: str, body: bytes) -> None:
    answer = books.request("POST", path, content=body, headers={"content-type": content_type})
    assert answer.status_code == 415
    assert refusal_of(answer)[0] == "1050"


@pytest.mark.parametrize(("body", "code"), [(b"{", "2010"), (b"", "2020"), (b"\xff\xfe", "500"), (b"[1", "2010")])
def test_a_body_that_cannot_be_read_is_refused(books: Books, body: bytes, code: str) -> None:
    answer = books.request("POST", "bill", content=body, headers={"content-type": "application/json"})
    assert refusal_of(answer)[0] == code


def test_a_packed_body_is_unpacked(books: Books) -> None:
    packed = gzip.compress(json.dumps({"DisplayName": "Packed"}).encode())
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    assert books.request("POST", "vendor", content=packed, headers=headers).json()["Vendor"]["DisplayName"] == "Packed"
    assert refusal_of(books.request("POST", "vendor", content=b"plain", headers=headers))[0] == "500"


def test_every_answer_names_the_call_for_support(books: Books) -> None:
    answers = [books.request("GET", "preferences"), books.post("vendor", {}), books.request("GET", "nonsense/1")]
    tids = {answer.headers["intuit_tid"] for answer in answers}
    assert len(tids) == 3
    assert [answer.headers["content-type"] for answer in answers] == ["application/json;charset=UTF-8"] * 3


def test_who_does_not_ask_for_json_gets_xml(books: Books) -> None:
    answer = books.request("GET", "preferences", headers={"accept": "*/*"})
    assert answer.headers["content-type"] == "application/xml"
    assert b"IntuitResponse" in answer.content


def test_an_address_that_does_not_exist_is_not_found(books: Books) -> None:
    assert books.request("GET", "bill/1/2/3").status_code == 404
    assert books.request("DELETE", "bill/1").status_code == 405
