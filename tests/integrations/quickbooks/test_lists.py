from __future__ import annotations

from typing import Any

import pytest

from integrations.conformance.parts import MemoryFacts, sample, worker
from integrations.contract import DocumentKind, OutgoingDocument, Party
from integrations.errors import Rejected
from integrations.money import Money
from integrations.quickbooks.connector import QuickBooks
from tests.integrations.quickbooks.bench import Deliver, QuickBooksBench, names

INCOMING, RECEIPT, OUTGOING = DocumentKind.INCOMING_INVOICE, DocumentKind.RECEIPT, DocumentKind.OUTGOING_INVOICE


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
