from __future__ import annotations

from typing import Any

import pytest

from tests.integrations.sandbox.serving import Books, refusal_of


@pytest.fixture
def people(books: Books) -> Books:
    """Five vendors; the fourth is inactive."""
    for name in ("Ärzte & Co", "Bäcker O'Neil", "Cafe 100%", "Dach AG", "Eis GmbH"):
        books.vendor(name, AcctNum=str(len(name)))
    gone = books.first("Vendor", "DisplayName = 'Dach AG'")
    books.write("Vendor", {"Id": gone["Id"], "SyncToken": "0", "sparse": True, "Active": False})
    return books


def names(answer: dict[str, Any]) -> list[str]:
    return [vendor["DisplayName"] for vendor in answer.get("Vendor", [])]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("select * from vendor where DisplayName = 'Bäcker O\\'Neil'", ["Bäcker O'Neil"]),
        ("SELECT * FROM Vendor WHERE DisplayName LIKE '%GmbH'", ["Eis GmbH"]),
        ("SELECT * FROM Vendor WHERE DisplayName IN ('Eis GmbH', 'Ärzte & Co')", ["Ärzte & Co", "Eis GmbH"]),
        ("SELECT * FROM Vendor WHERE Active = false", ["Dach AG"]),
        ("SELECT * FROM Vendor WHERE Active IN (true, false) ORDERBY DisplayName DESC MAXRESULTS 2",
         ["Ärzte & Co", "Eis GmbH"]),
        ("Select * From Vendor Order By Id desc startposition 2 maxresults 1", ["Cafe 100%"]),
        ("SELECT * FROM Vendor WHERE displayname >= 'c' AND displayname < 'e'", ["Cafe 100%"]),
        ("SELECT * FROM Vendor WHERE CurrencyRef = 'USD'", []),
        ("SELECT * FROM Vendor STARTPOSITION 99", []),
        ("SELECT * FROM Department", []),
    ],
)  # fmt: skip
def test_the_documented_grammar_finds_what_it_says(people: Books, query: str, found: list[str]) -> None:
    assert names(people.query(query)) == found


def test_a_query_comes_by_post_as_text_too(people: Books) -> None:
    headers = {"content-type": "application/text"}
    answer = people.request("POST", "query", content=b"select count(*) from Vendor", headers=headers)
    assert answer.json()["QueryResponse"] == {"totalCount": 4}


def test_pages_are_counted_from_one_and_have_at_most_a_thousand(people: Books) -> None:
    page = people.query("SELECT * FROM Vendor STARTPOSITION 2 MAXRESULTS 2")
    assert (page["startPosition"], page["maxResults"], page["totalCount"]) == (2, 2, 4)
    assert names(page) == ["Bäcker O'Neil", "Cafe 100%"]


def test_chosen_columns_come_as_a_sparse_object(people: Books) -> None:
    first = people.query("SELECT Id, DisplayName FROM Vendor MAXRESULTS 1")["Vendor"][0]
    assert set(first) == {"Id", "DisplayName", "domain", "sparse"}
    assert first["sparse"] is True


def test_times_are_compared_as_instants(people: Books) -> None:
    people.sandbox.control("clock", advance=60)
    late = people.vendor("Late AG")
    moment = late["MetaData"]["LastUpdatedTime"]
    utc = "2000-01-01T00:00:00Z"
    assert names(people.query(f"select * from Vendor where MetaData.LastUpdatedTime >= '{moment}'")) == ["Late AG"]
    assert len(names(people.query(f"select * from Vendor where MetaData.CreateTime > '{utc}'"))) == 5


def test_amounts_numbers_and_references_can_be_asked_for(books: Books) -> None:
    vendor = books.vendor()["Id"]
    books.bill(vendor, DocNumber="007")
    books.bill(vendor, DocNumber="R-8", Line=[books.expense_line(200)])
    for where in ("TotalAmt > '200'", "DocNumber = 'R-8'", f"VendorRef = '{vendor}' AND TotalAmt = 238.00"):
        assert [bill["DocNumber"] for bill in books.query(f"select * from Bill where {where}")["Bill"]] == ["R-8"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT * FROM Vendor WHERE Active = true OR Active = false", "4000"),
        ("SELECT * FROM", "4000"),
        ("FROM Vendor", "4000"),
        ("SELECT * FROM Vendor WHERE DisplayName = Meyer", "4000"),
        ("SELECT * FROM Vendor WHERE DisplayName = 'Meyer", "4000"),
        ("SELECT * FROM Vendor LIMIT 5", "4000"),
        ("SELECT * FROM Vendor WHERE DisplayName != 'Meyer'", "4000"),
        ("", "4000"),
        ("SELECT * FROM Unicorn", "4001"),
        ("SELECT * FROM Vendor WHERE Colour = 'red'", "4001"),
        ("SELECT * FROM Bill WHERE PrivateNote = 'x'", "4001"),
        ("SELECT * FROM Vendor ORDERBY Colour", "4001"),
        ("SELECT * FROM Vendor STARTPOSITION 0", "4001"),
        ("SELECT * FROM Vendor MAXRESULTS 1001", "4001"),
        ("SELECT * FROM Vendor MAXRESULTS 0", "4001"),
    ],
)
def test_a_query_that_is_wrong_is_refused(books: Books, query: str, code: str) -> None:
    assert refusal_of(books.request("GET", "query", params={"query": query}))[0] == code


def test_too_small_a_start_is_refused_in_the_published_words(books: Books) -> None:
    _, detail = refusal_of(books.request("GET", "query", params={"query": "select * from Bill startposition 0"}))
    assert detail == "QueryValidationError: value 0 is too small. Min allowed value is 1"


def test_whether_case_matters_can_be_switched(people: Books) -> None:
    query = "select * from Vendor where DisplayName = 'EIS gmbh'"
    assert names(people.query(query)) == ["Eis GmbH"]
    people.sandbox.control("settings", provider="quickbooks", query_exact_case=True)
    assert names(people.query(query)) == []
