"""Clients and bank accounts by API."""

from __future__ import annotations

from collections.abc import Callable

from portal.accounts.models import Firm, Role
from portal.clients.models import Client
from portal.db import Database
from tests import factories
from tests.portal.api.conftest import Caller

Callers = Callable[..., Caller]
IBAN = "DE89370400440532013000"


def test_a_client_is_created_found_and_changed(caller: Callers) -> None:
    who = caller()
    made = who.post("/clients", {"name": "Töpferei Lund", "number": "777", "vat_id": "DE 136 695 976"})
    assert made.status_code == 201, made.text
    assert made.json is not None
    assert made.json["vat_id"] == "DE136695976"
    found = who.get("/clients?search=topferei").json
    assert found is not None
    assert [one["number"] for one in found["items"]] == ["777"]
    path = f"/clients/{made.json['id']}"
    changed = who.call("PATCH", path, json={"note": "calls on Mondays"}).json
    assert changed is not None
    assert (changed["name"], changed["note"]) == ("Töpferei Lund", "calls on Mondays")
    cleared = who.call("PATCH", path, json={"vat_id": None}).json
    assert cleared is not None
    assert cleared["vat_id"] is None


def test_a_client_is_archived_and_put_back(caller: Callers, client: Client) -> None:
    who, path = caller(), f"/clients/{client.id}"
    away = who.call("PATCH", path, json={"archived": True}).json or {}
    assert (away["name"], away["archived_at"] is None) == (client.name, False)
    assert (who.get("/clients").json or {})["items"] == []
    assert [one["id"] for one in (who.get("/clients?only=archived").json or {})["items"]] == [str(client.id)]
    assert (who.call("PATCH", path, json={"archived": False}).json or {})["archived_at"] is None
    assert len((who.get("/clients").json or {})["items"]) == 1


def test_a_number_in_use_is_a_conflict_that_names_the_field(caller: Callers, client: Client) -> None:
    answer = caller().post("/clients", {"name": "Noch einer", "number": client.number})
    assert answer.status_code == 409
    assert answer.json is not None
    assert answer.json["errors"][0]["field"] == "number"


def test_all_clients_come_once_page_by_page(caller: Callers, db: Database, firm: Firm) -> None:
    with db.transaction() as session:
        numbers = [factories.client(session, firm, name=f"Betrieb {'ab'[one % 2]}").number for one in range(7)]
    who, seen, after = caller(), [], ""
    while after is not None:
        page = who.get("/clients?limit=3" + (f"&after={after}" if after else "")).json
        assert page is not None
        seen += [one["number"] for one in page["items"]]
        after = page["after"]
    assert sorted(seen) == sorted(numbers)
    assert page["total"] == 7


def test_an_accountant_sees_the_assigned_ones_only(caller: Callers, db: Database, firm: Firm, client: Client) -> None:
    with db.transaction() as session:
        factories.client(session, firm, name="Fremd")
    found = caller(Role.ACCOUNTANT, assigned=(client.id,)).get("/clients").json
    assert found is not None
    assert [one["id"] for one in found["items"]] == [str(client.id)]


def test_bank_accounts_are_added_renamed_closed_and_offered_again(caller: Callers, client: Client) -> None:
    who, path = caller(), f"/clients/{client.id}/bank-accounts"
    made = who.post(path, {"name": "Giro", "iban": IBAN}).json
    assert made is not None
    one = f"{path}/{made['id']}"
    assert who.call("PATCH", one, json={"name": "Hauptkonto"}).json
    closed = who.call("PATCH", one, json={"closed": True}).json
    assert closed is not None
    assert closed["closed_at"]
    again = who.call("PATCH", one, json={"closed": False}).json
    assert again is not None
    assert (again["name"], again["iban"], again["closed_at"]) == ("Hauptkonto", IBAN, None)


def test_a_wrong_iban_is_refused_with_a_sentence_in_the_readers_language(caller: Callers, client: Client) -> None:
    who = caller()
    who.language = "de"
    answer = who.post(f"/clients/{client.id}/bank-accounts", {"name": "Giro", "iban": "DE00370400440532013000"})
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["errors"][0]["field"] == "iban"
