from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.integrations.sandbox.serving import AMERICAN, Books, Running, refusal_of


def test_a_repeat_gets_the_first_answer_even_after_the_object_changed(books: Books) -> None:
    first = books.post("vendor", {"DisplayName": "Meyer"}, requestid="r1").json()
    vendor = first["Vendor"]
    books.write("Vendor", {"Id": vendor["Id"], "SyncToken": "0", "sparse": True, "Notes": "new"}, requestid="r2")
    assert books.post("vendor", {"DisplayName": "Meyer"}, requestid="r1").json() == first
    assert books.query("select count(*) from Vendor")["totalCount"] == 1


def test_two_at_once_have_one_effect(books: Books) -> None:
    vendor = books.vendor()["Id"]
    body = books.bill_body(vendor, DocNumber="R-1")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: books.post("bill", body, requestid="same").json()["Bill"]["Id"], range(16)))
    assert len(set(answers)) == 1
    assert books.query("select count(*) from Bill")["totalCount"] == 1


def test_a_refusal_is_not_remembered(books: Books) -> None:
    assert books.refusal("Vendor", {}, requestid="r1")[0] == "6080"
    assert books.write("Vendor", {"DisplayName": "Meyer"}, requestid="r1")["Id"]


def test_a_request_id_is_unique_per_company(sandbox: Running, books: Books) -> None:
    american = Books(sandbox, AMERICAN)
    books.write("Vendor", {"DisplayName": "Meyer"}, requestid="r1")
    assert american.write("Vendor", {"DisplayName": "Smith"}, requestid="r1")["DisplayName"] == "Smith"


def test_its_length_is_limited(books: Books) -> None:
    assert books.refusal("Vendor", {"DisplayName": "a"}, requestid="x" * 51)[0] == "2050"
    books.write("Vendor", {"DisplayName": "a"}, requestid="x" * 50)
    item = {"bId": "b" * 11, "operation": "create", "Vendor": {"DisplayName": "b"}}
    for bid, request_id in (("b" * 11, "r"), ("b", "x" * 37)):
        answer = books.post("batch", {"BatchItemRequest": [{**item, "bId": bid}]}, requestid=request_id)
        assert refusal_of(answer)[0] == "2050"


def test_uploads_and_sendings_are_not_repeated_either(books: Books) -> None:
    invoice = books.invoice(books.customer()["Id"])
    headers = {"content-type": "application/octet-stream"}
    path = f"invoice/{invoice['Id']}/send?sendTo=a@b.de&requestid=s1"
    first, second = (books.request("POST", path, headers=headers).json() for _ in range(2))
    assert first == second
    assert first["Invoice"]["SyncToken"] == "1"


def test_retention_and_the_other_documented_answers_can_be_switched(books: Books) -> None:
    def switch(**settings: Any) -> None:
        books.sandbox.control("settings", provider="quickbooks", **settings)

    books.write("Vendor", {"DisplayName": "a"}, requestid="r1")
    switch(requestid_repeat_is_fault=True)
    assert books.refusal("Vendor", {"DisplayName": "a"}, requestid="r1")[0] == "600"
    switch(requestid_repeat_is_fault=False, requestid_kept_for=3600)
    books.sandbox.control("clock", advance=3599)
    books.token = books.sandbox.control("grant", provider="quickbooks", account=books.realm)
    assert books.write("Vendor", {"DisplayName": "a"}, requestid="r1")["DisplayName"] == "a"
    books.sandbox.control("clock", advance=3)
    assert books.refusal("Vendor", {"DisplayName": "a"}, requestid="r1")[0] == "6240"
    switch(requestid_honoured=False)
    assert books.write("Vendor", {"DisplayName": "b"}, requestid="r1")["DisplayName"] == "b"
