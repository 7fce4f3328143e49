"""Every answer of a broad walk has only names and types of Intuit's schemas."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.integrations.sandbox.serving import Books

TABLE = json.loads((Path(__file__).parents[4] / "integrations/sandbox/quickbooks/names.json").read_text("utf-8"))
TYPES: Mapping[str, Mapping[str, list[Any]]] = TABLE["types"]
ENVELOPE = {"time", "Fault", "QueryResponse", "CDCResponse", "BatchItemResponse", "AttachableResponse"}
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?(Z|[+-]\d\d:\d\d)")
CHECKS: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "date": lambda value: isinstance(value, str) and bool(re.fullmatch(r"\d{4}-\d\d-\d\d", value)),
    "dateTime": lambda value: isinstance(value, str) and bool(STAMP.fullmatch(value)),
    "Ref": lambda value: (
        isinstance(value, dict)
        and set(value) <= {"value", "name", "type"}
        and all(isinstance(part, str) for part in value.values())
    ),
    "any": lambda value: True,
}


def complaints(answer: Any) -> list[str]:
    """What in an answer Intuit's schemas do not know."""
    if not isinstance(answer, dict) or not STAMP.fullmatch(str(answer.get("time", ""))):
        return ["the answer has no time"]
    found = []
    for name, value in answer.items():
        if name == "QueryResponse":
            found += _object(value, "QueryResponse", name)
        elif name in {"CDCResponse", "BatchItemResponse", "AttachableResponse"}:
            found += [text for one in value for text in _object(one, name, name)]
        elif name == "Fault":
            found += _object(value, "Fault", name)
        elif name in TABLE["entities"]:
            found += _object(value, name, name)
        elif name not in ENVELOPE:
            found.append(f"{name} is no part of an answer")
    return found


def _object(value: Any, kind: str, path: str) -> list[str]:
    found = []
    for name, inner in value.items():
        here = f"{path}.{name}"
        if name in TYPES[kind]:
            found += _property(inner, TYPES[kind][name], here)
        elif kind in {"QueryResponse", "BatchItemResponse"} and name in TABLE["entities"]:
            found += [
                text for one in (inner if isinstance(inner, list) else [inner]) for text in _object(one, name, here)
            ]
        else:
            found.append(f"{here} is unknown")
    return found


def _property(value: Any, described: list[Any], path: str) -> list[str]:
    kind, many = described
    if many != isinstance(value, list):
        return [f"{path} is {'no' if many else 'a'} list"]
    found = []
    for one in value if many else [value]:
        if isinstance(kind, list):
            found += [] if one in kind else [f"{path}: {one!r} is none of {kind}"]
        elif kind.startswith("#"):
            found += _object(one, kind[1:], path)
        elif not CHECKS[kind](one):
            found.append(f"{path}: {one!r} is no {kind}")
    return found


def walk(books: Books) -> None:
    """All entities, all operations, refusals among them."""
    for entity in TABLE["entities"]:
        books.request("GET", "query", params={"query": f"select * from {entity}"})
    books.get(f"companyinfo/{books.realm}")
    books.get("preferences")
    vendor = books.vendor(
        TaxIdentifier="DE123456789", PrimaryPhone={"FreeFormNumber": "1"}, BillAddr={"Line1": "a", "Lat": "1"},
        WebAddr={"URI": "http://a.de"}, TermRef={"value": books.id_of("Term")},
    )  # fmt: skip
    customer = books.customer(PrimaryEmailAddr={"Address": "a@b.de"}, Notes="n")
    books.write("Account", {"Name": "Porto", "AccountType": "Expense", "AcctNum": "6800"})
    books.write("Class", {"Name": "Filiale"})
    books.write("Term", {"Name": "7 Tage", "DueDays": 7})
    bill = books.bill(vendor["Id"], DocNumber="R-1", PrivateNote="x")
    bank = {"value": books.id_of("Account", "AccountType = 'Bank'")}
    party = {"value": vendor["Id"], "type": "Vendor"}
    books.write(
        "Purchase", {"PaymentType": "Cash", "AccountRef": bank, "EntityRef": party, "Line": [books.expense_line()]}
    )
    books.write("VendorCredit", books.bill_body(vendor["Id"]))
    memo = {"CustomerRef": {"value": customer["Id"]}, "Line": [books.sales_line()]}
    books.write("CreditMemo", memo)
    invoice = books.invoice(
        customer["Id"], CustomerMemo={"value": "Danke"}, BillEmail={"Address": "a@b.de"},
        Line=[books.sales_line(100, Qty=2, UnitPrice=50), {"DetailType": "DescriptionOnly", "Description": "hello"}],
    )  # fmt: skip
    headers = {"content-type": "application/octet-stream"}
    books.request("POST", f"invoice/{invoice['Id']}/send", headers=headers)
    link = [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]
    payment = books.write("Payment", {"CustomerRef": invoice["CustomerRef"], "TotalAmt": 50,
                                      "Line": [{"Amount": 50, "LinkedTxn": link}]})  # fmt: skip
    line = {"Amount": 50, "LinkedTxn": [{"TxnId": bill["Id"], "TxnType": "Bill"}]}
    books.write("BillPayment", {"VendorRef": bill["VendorRef"], "PayType": "Check", "TotalAmt": 50,
                                "CheckPayment": {"BankAccountRef": bank}, "Line": [line]})  # fmt: skip
    books.upload(b"x", AttachableRef=[{"EntityRef": {"type": "Bill", "value": bill["Id"]}, "IncludeOnSend": False}])
    books.upload(b"x", AttachableRef=[{"EntityRef": {"type": "Bill", "value": "999"}}])
    books.write("Attachable", {"Note": "a note"})
    books.refusal("Vendor", {"DisplayName": "Meyer GmbH"})
    books.post("batch", {"BatchItemRequest": [
        {"bId": "1", "operation": "create", "Customer": {"DisplayName": "Batch"}},
        {"bId": "2", "operation": "create", "Customer": {}},
        {"bId": "3", "Query": "select * from Bill"},
    ]})  # fmt: skip
    books.write("Payment", {"Id": payment["Id"], "SyncToken": "0"}, operation="delete")
    void = books.read("Invoice", invoice["Id"])
    books.write("Invoice", {"Id": void["Id"], "SyncToken": void["SyncToken"]}, operation="void")
    books.get("cdc", entities=",".join(TABLE["entities"]), changedSince=bill["MetaData"]["CreateTime"])
    for entity in TABLE["entities"]:
        books.request("GET", "query", params={"query": f"select * from {entity}"})
    books.get("query", query="select count(*) from Bill")
    for fault in ("throttle", "down:500", "full"):
        books.sandbox.faults(fault)
        books.request("GET", "preferences")


@pytest.mark.parametrize("company", ["books", "american"])
def test_every_answer_has_only_intuits_names_and_types(company: str, request: pytest.FixtureRequest) -> None:
    books: Books = request.getfixturevalue(company)
    walk(books)
    assert len(books.seen) > 60
    assert {text for answer in books.seen for text in complaints(answer)} == set()
    kinds = {name for answer in books.seen for name in answer}
    assert {"Bill", "Invoice", "Payment", "Attachable", "Fault", "CDCResponse", "BatchItemResponse"} <= kinds


def test_the_check_finds_what_is_wrong() -> None:
    time = "2026-10-01T10:00:00.000-08:00"
    wrong: Any
    for wrong in (
        {"Bill": {"Colour": "red"}, "time": time},
        {"Bill": {"TotalAmt": "12"}, "time": time},
        {"Bill": {"Line": {"Amount": 1}}, "time": time},
        {"Bill": {"TxnDate": "1.1.2026"}, "time": time},
        {"Bill": {"VendorRef": "1"}, "time": time},
        {"Bill": {"GlobalTaxCalculation": "Maybe"}, "time": time},
        {"Bill": {}},
        {"Unicorn": {}, "time": time},
    ):
        assert complaints(wrong)


def test_the_table_names_its_source_and_licence() -> None:
    assert "QuickBooks-V3-PHP-SDK" in TABLE["source"]
    assert "Apache-2.0" in TABLE["licence"]
