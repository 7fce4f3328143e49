"""Bank movements by API: how far statements go, a month's transactions, their documents, the report as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date

import pytest

from portal.clients.models import Client
from portal.parts import Parts
from tests import factories
from tests.portal.api.conftest import Caller
from tests.portal.banking.statements.samples import Moved, camt
from tests.portal.web.test_movements import CSV, account, hand_in

Callers = Callable[..., Caller]


@pytest.fixture
def who(caller: Callers) -> Caller:
    return caller()


def transactions(client: Client, parts: Parts) -> str:
    return f"/clients/{client.id}/bank-accounts/{account(parts).id}/transactions"


def test_it_is_told_how_far_statements_go_and_which_files_need_somebody(
    who: Caller, client: Client, parts: Parts
) -> None:
    taken = hand_in(parts, client, camt(Moved(amount="-12.50"), Moved(amount="7.00")))
    table = hand_in(parts, client, CSV, "umsaetze.csv")
    told = who.get(f"/clients/{client.id}/movements").json
    assert told
    assert told["accounts"] == [
        {
            "account_id": str(account(parts).id), "count": 2, "missing": 2, "gaps": 0,
            "newest": {"on": "2026-10-31", "closing": 94_50, "currency": "EUR"},
        }
    ]  # fmt: skip
    assert [(one["document_id"], one["state"]) for one in told["open_files"]] == [(str(table.id), "columns")]
    became = who.get(f"/clients/{client.id}/documents/{taken.id}/statement").json
    assert became
    assert (became["state"], became["added"], became["known"]) == ("imported", 2, 0)


def test_a_month_is_listed_in_pages_with_its_sums(who: Caller, client: Client, parts: Parts) -> None:
    hand_in(parts, client, camt(Moved(amount="-12.50", name="Lang & Söhne"), Moved(amount="7.00")))
    place = transactions(client, parts)
    first = who.get(f"{place}?month=2026-10&limit=1").json
    assert first
    assert first["sums"] == [
        {
            "currency": "EUR", "received": 7_00, "spent": -12_50, "count": 2, "missing": 2, "opening": 100_00,
            "closing": 94_50,
        }
    ]  # fmt: skip
    second = who.get(f"{place}?month=2026-10&after={first['after']}").json
    assert second
    assert second["after"] is None
    seen = [*first["items"], *second["items"]]
    assert min((one["amount"], one["name"]) for one in seen) == (-12_50, "Lang & Söhne")
    empty = who.get(f"{place}?month=2025-01").json
    assert empty
    assert (empty["month"], empty["months"], empty["items"]) == ("2025-01", ["2026-10"], [])
    assert who.get(f"{place}?month=2026-13").status_code == 422


def test_a_gap_is_told_with_what_is_missing(who: Caller, client: Client, parts: Parts) -> None:
    hand_in(parts, client, camt(Moved(amount="5.00")))
    november = camt(opening="115.00", since=date(2026, 10, 31), until=date(2026, 11, 30), number="11")
    hand_in(parts, client, november, "november.xml")
    told = who.get(f"{transactions(client, parts)}?month=2026-10").json
    assert told
    assert told["gaps"] == [{"currency": "EUR", "since": "2026-10-31", "until": "2026-10-31", "difference": 10_00}]


def test_documents_are_attached_and_taken_off(who: Caller, client: Client, parts: Parts) -> None:
    hand_in(parts, client, camt(Moved(amount="-12.50")))
    with parts.db.transaction() as session:
        document = factories.document(session, client)
    listed = who.get(f"{transactions(client, parts)}?missing=true").json
    assert listed
    one = f"/clients/{client.id}/transactions/{listed['items'][0]['id']}"
    attached = who.post(f"{one}/documents", {"document_ids": [str(document.id)]}).json
    assert attached
    assert attached["document_ids"] == [str(document.id)]
    learned = who.get(f"/clients/{client.id}/documents/{document.id}").json
    assert learned
    assert learned["account_id"] == str(account(parts).id)
    assert (who.get(f"{transactions(client, parts)}?missing=true").json or {})["items"] == []
    off = who.call("DELETE", f"{one}/documents/{document.id}").json
    assert off
    assert off["document_ids"] == (who.get(one).json or {})["document_ids"] == []


def test_documents_of_others_are_not_attached(who: Caller, client: Client, parts: Parts) -> None:
    hand_in(parts, client, camt(Moved(amount="-12.50")))
    with parts.db.transaction() as session:
        strange = factories.document(session, factories.client(session, factories.firm(session)))
    listed = who.get(transactions(client, parts)).json
    assert listed
    one = f"/clients/{client.id}/transactions/{listed['items'][0]['id']}"
    assert who.post(f"{one}/documents", {"document_ids": [str(strange.id)]}).status_code == 404
    assert (who.get(one).json or {})["document_ids"] == []


@pytest.mark.parametrize(("language", "amount"), [("de", "-12,50"), ("en", "-12.50")])
def test_the_report_is_a_file_as_the_language_has_it(
    who: Caller, client: Client, parts: Parts, language: str, amount: str
) -> None:
    hand_in(parts, client, camt(Moved(amount="-12.50")))
    place = f"/clients/{client.id}/bank-accounts/{account(parts).id}/report"
    who.language = language
    told = who.get(f"{place}?form=csv")
    assert told.headers["Content-Disposition"].startswith("attachment")
    rows = list(csv.reader(io.StringIO(told.data.decode("utf-8-sig")), delimiter=";"))
    assert amount in rows[1]
    assert who.get(f"{place}?form=xlsx&month=2026-10").data.startswith(b"PK")
