from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.integrations.sandbox.serving import Books, refusal_of


def batch(books: Books, *items: dict[str, Any]) -> list[dict[str, Any]]:
    numbered = [{"bId": f"b{number}", **item} for number, item in enumerate(items)]
    answer = books.post("batch", {"BatchItemRequest": numbered})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["BatchItemResponse"]
    assert [item["bId"] for item in found] == [item["bId"] for item in numbered]
    return found


def test_every_item_has_its_own_result_or_fault(books: Books) -> None:
    made, clash, wrong, count = batch(
        books,
        {"operation": "create", "Vendor": {"DisplayName": "A"}},
        {"operation": "create", "Vendor": {"DisplayName": "a"}},
        {"operation": "dance", "Vendor": {"DisplayName": "b"}},
        {"Query": "select count(*) from Vendor"},
    )
    assert made["Vendor"]["DisplayName"] == "A"
    assert clash["Fault"]["Error"][0]["code"] == "6240"
    assert wrong["Fault"]["Error"][0]["code"] == "500"
    assert count["QueryResponse"]["totalCount"] == 1


def test_update_delete_and_void_work_in_a_batch(books: Books) -> None:
    bill = books.bill(books.vendor()["Id"])
    invoice = books.invoice(books.customer()["Id"])
    changed, voided = batch(
        books,
        {"operation": "update", "Bill": {"Id": bill["Id"], "SyncToken": "0", "sparse": True, "PrivateNote": "x"}},
        {"operation": "update", "optionsData": "void", "Invoice": {"Id": invoice["Id"], "SyncToken": "0"}},
    )
    assert changed["Bill"]["PrivateNote"] == "x"
    assert voided["Invoice"]["TotalAmt"] == 0
    (gone,) = batch(books, {"operation": "delete", "Bill": {"Id": bill["Id"], "SyncToken": "1"}})
    assert gone["Bill"]["status"] == "Deleted"


def test_a_batch_that_is_too_large_or_without_ids_is_refused_whole(books: Books) -> None:
    item = {"operation": "create", "Vendor": {"DisplayName": "A"}}
    many = {"BatchItemRequest": [{**item, "bId": str(number)} for number in range(31)]}
    assert refusal_of(books.post("batch", many))[0] == "1040"
    assert refusal_of(books.post("batch", {"BatchItemRequest": [item]}))[0] == "2020"
    assert refusal_of(books.post("batch", {}))[0] == "2020"
    assert books.query("select count(*) from Vendor")["totalCount"] == 0


def since(**before: float) -> str:
    return (datetime.now(UTC) - timedelta(**before)).isoformat()


def captured(books: Books, entities: str, moment: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = books.get("cdc", entities=entities, changedSince=moment)["CDCResponse"][0][
        "QueryResponse"
    ]
    return found


def test_change_capture_tells_what_changed_and_what_was_deleted(books: Books) -> None:
    vendor = books.vendor()["Id"]
    kept, gone = books.bill(vendor), books.bill(vendor)
    books.write("Bill", {"Id": gone["Id"], "SyncToken": "0"}, operation="delete")
    bills, invoices = captured(books, "Bill,Invoice", since(minutes=5))
    assert {bill["Id"]: bill.get("status") for bill in bills["Bill"]} == {kept["Id"]: None, gone["Id"]: "Deleted"}
    assert invoices == {}


def test_change_capture_starts_at_its_moment(books: Books) -> None:
    vendor = books.vendor()["Id"]
    books.bill(vendor)
    books.sandbox.control("clock", advance=120)
    late = books.bill(vendor)
    moment = late["MetaData"]["LastUpdatedTime"]
    assert [bill["Id"] for bill in captured(books, "Bill", moment)[0]["Bill"]] == [late["Id"]]


def test_change_capture_has_at_most_a_thousand_objects_in_all(books: Books) -> None:
    for group in range(34):
        names = [f"Customer {group}-{number}" for number in range(30)]
        batch(books, *[{"operation": "create", "Customer": {"DisplayName": name}} for name in names])
    books.vendor()
    customers, vendors = captured(books, "Customer,Vendor", since(minutes=5))
    assert len(customers["Customer"]) == 1000
    assert vendors == {}


def test_change_capture_reaches_back_thirty_days_and_needs_its_parameters(books: Books) -> None:
    def refused(**params: str) -> str:
        return refusal_of(books.request("GET", "cdc", params=params))[0]

    assert captured(books, "Bill", since(days=29)) == [{}]
    assert refused(entities="Bill", changedSince=since(days=31)) == "4001"
    assert refused(entities="Bill", changedSince="yesterday") == "2010"
    assert refused(entities="Unicorn", changedSince=since(days=1)) == "2010"
    assert refused(entities="Bill") == "2020"
    assert refused(changedSince=since(days=1)) == "2020"
