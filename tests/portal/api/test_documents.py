"""Documents by API: in by the one door, changed with the version that was seen, never twice for one key."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from flask import Flask
from sqlmodel import select
from werkzeug.test import TestResponse

from portal.accounts.models import Firm, Role
from portal.api.models import ApiUpload
from portal.clients.models import Client
from portal.db import Database
from portal.documents.models import Document
from portal.parts import Parts
from portal.processing.services import settle
from tests import factories
from tests.portal.api.conftest import Caller

FIELDS = {
    "party_name": "Mühle Sandkrug",
    "number": "MS-1",
    "issued_on": "2026-03-01",
    "currency": "EUR",
    "net": 10000,
    "tax": 700,
}
Callers = Callable[..., Caller]


def upload(who: Caller, client: Client, content: bytes = factories.PDF, key: str = "", **form: Any) -> TestResponse:
    data = {"file": (io.BytesIO(content), "rechnung.pdf"), **form}
    headers = {"Idempotency-Key": key} if key else {}
    return who.post(f"/clients/{client.id}/documents", data=data, headers=headers)


def test_an_upload_with_fields_is_a_document_with_these_fields(caller: Callers, client: Client) -> None:
    answer = upload(caller(), client, kind="incoming_invoice", fields=json.dumps(FIELDS))
    assert answer.status_code == 201, answer.text
    assert answer.json is not None
    assert answer.json["gross"] == 10700
    assert answer.json["kind"] == answer.json["folder"] == "incoming_invoice"
    assert answer.json["source"] == "api"
    assert caller().get(answer.headers["Location"].removeprefix("http://localhost").removeprefix("/api/v1")).json


def test_a_file_comes_back_as_it_went(caller: Callers, client: Client) -> None:
    who = caller()
    made = upload(who, client).json
    assert made is not None
    answer = who.get(f"/clients/{client.id}/documents/{made['id']}/file")
    assert answer.data == factories.PDF
    assert answer.mimetype == "application/pdf"
    assert "attachment" in answer.headers["Content-Disposition"]


def test_a_file_may_be_called_in_any_language(caller: Callers, client: Client, db: Database, parts: Parts) -> None:
    with db.transaction() as session:
        owner = session.get_one(Client, client.id)
        made = factories.document(session, owner, parts=parts, filename="Rechnung – März 2026 😀.pdf")
    told = caller().get(f"/clients/{client.id}/documents/{made.id}/file").headers["Content-Disposition"]
    assert told.isascii()  # a server sends no other header
    assert "filename*=UTF-8''Rechnung%20%E2%80%93%20M%C3%A4rz" in told


def test_wrong_fields_are_named_and_nothing_is_kept(caller: Callers, client: Client, db: Database) -> None:
    answer = upload(caller(), client, kind="incoming_invoice", fields=json.dumps({**FIELDS, "gross": 1}))
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert answer.json is not None
    assert [error["field"] for error in answer.json["errors"]] == ["gross"]
    with db.read() as session:
        assert session.exec(select(Document)).all() == []


def test_a_file_that_is_not_taken_is_refused_with_its_reason_and_listed(caller: Callers, client: Client) -> None:
    who = caller()
    answer = upload(who, client, b"")
    assert answer.status_code == 422
    assert answer.json is not None
    listed = who.get(f"/clients/{client.id}/refusals").json
    assert listed is not None
    assert [one["text"] for one in listed["items"]] == [answer.json["detail"]]
    chosen = {"refusal_ids": [listed["items"][0]["id"]]}
    for count in (1, 0):
        assert who.post(f"/clients/{client.id}/refusals/put-aside", chosen).json == {"count": count}
    assert (who.get(f"/clients/{client.id}/refusals").json or {})["items"] == []
    assert len((who.get(f"/clients/{client.id}/refusals?seen=true").json or {})["items"]) == 1


def test_the_same_key_gives_the_same_document(caller: Callers, client: Client, db: Database) -> None:
    who = caller()
    first, second = upload(who, client, key="a-1"), upload(who, client, key="a-1")
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json is not None
    assert second.json is not None
    assert first.json["id"] == second.json["id"]
    with db.read() as session:
        assert len(session.exec(select(Document)).all()) == 1


def test_the_same_key_for_other_bytes_is_refused(caller: Callers, client: Client) -> None:
    who = caller()
    upload(who, client, key="a-1")
    assert upload(who, client, factories.PDF + b"%", key="a-1").status_code == 422


def test_a_key_whose_upload_died_after_the_file_was_taken_finds_its_document(
    caller: Callers, client: Client, db: Database
) -> None:
    who = caller()
    first = upload(who, client, key="a-1").json
    with db.transaction() as session:
        session.exec(select(ApiUpload)).one().document_id = None  # as if the note had not been completed
    again = upload(who, client, key="a-1")
    assert first is not None
    assert again.json is not None
    assert again.json["id"] == first["id"]


def test_a_change_needs_the_version_that_was_seen(caller: Callers, client: Client) -> None:
    who = caller()
    made = upload(who, client, kind="incoming_invoice", fields=json.dumps(FIELDS)).json
    assert made is not None
    path = f"/clients/{client.id}/documents/{made['id']}"
    assert who.call("PATCH", path, json={"number": "MS-2"}).status_code == 428
    changed = who.call("PATCH", path, json={"number": "MS-2"}, headers={"If-Match": '"1"'})
    assert changed.status_code == 200, changed.text
    assert changed.headers["ETag"] == '"2"'
    assert changed.json is not None
    assert (changed.json["number"], changed.json["party_name"]) == ("MS-2", "Mühle Sandkrug")
    assert who.call("PATCH", path, json={"number": "MS-3", "version": 1}).status_code == 412


def test_a_removed_document_is_listed_apart_and_can_be_restored(caller: Callers, client: Client) -> None:
    who = caller()
    made = upload(who, client).json
    assert made is not None
    path = f"/clients/{client.id}/documents"
    assert who.post(f"{path}/{made['id']}/removal", {"reason": "twice"}).json
    assert ids(who.get(path)) == []
    assert ids(who.get(f"{path}?removed=true")) == [made["id"]]
    assert who.call("DELETE", f"{path}/{made['id']}/removal").status_code == 200
    assert ids(who.get(path)) == [made["id"]]


def test_a_duplicate_is_kept_or_removed_by_decision(caller: Callers, client: Client) -> None:
    who = caller()
    first, twin = upload(who, client).json, upload(who, client).json
    assert first is not None
    assert twin is not None
    assert twin["twin_id"] == first["id"]
    path = f"/clients/{client.id}/documents/{twin['id']}/twin"
    kept = who.post(path, {"keep": True}).json
    assert kept is not None
    assert kept["twin_accepted"] is True


def test_a_list_goes_on_where_it_stopped(caller: Callers, client: Client) -> None:
    who = caller()
    made = [upload(who, client, factories.PDF + str(number).encode()).json for number in range(5)]
    path = f"/clients/{client.id}/documents?limit=2"
    seen: list[str] = []
    after = ""
    while True:
        answer = who.get(path + (f"&after={after}" if after else "")).json
        assert answer is not None
        seen += [one["id"] for one in answer["items"]]
        after = answer["after"]
        if not after:
            break
    assert seen == [one["id"] for one in reversed(made) if one]


def test_a_strange_place_in_a_list_is_refused(caller: Callers, client: Client) -> None:
    assert caller().get(f"/clients/{client.id}/documents?after=nonsense").status_code == 422


def test_a_token_that_only_reads_adds_nothing(caller: Callers, client: Client) -> None:
    assert upload(caller(scopes=("read",)), client).status_code == 404


def test_an_assistant_reads_and_adds_nothing(caller: Callers, client: Client) -> None:
    who = caller(Role.ASSISTANT, assigned=(client.id,))
    assert who.get(f"/clients/{client.id}/documents").status_code == 200
    assert upload(who, client).status_code == 404


def test_another_firms_documents_do_not_exist(caller: Callers, client: Client, db: Database) -> None:
    made = upload(caller(), client).json
    assert made is not None
    with db.transaction() as session:
        other = factories.firm(session, name="Andere Kanzlei")
    stranger = caller(of=other)
    for path in ("", "/file"):
        assert stranger.get(f"/clients/{client.id}/documents/{made['id']}{path}").status_code == 404
    with db.transaction() as session:
        own = factories.client(session, other)
    assert stranger.get(f"/clients/{own.id}/documents/{made['id']}").status_code == 404


def test_the_document_tells_how_it_stands_at_each_integration(
    caller: Callers, client: Client, firm: Firm, db: Database, parts: Parts
) -> None:
    with db.transaction() as session:
        factories.instance(session, client, factories.installation(session, firm, kind="quickbooks", parts=parts))
    made = upload(caller(), client, kind="incoming_invoice").json
    assert made is not None
    assert (made["reading"], made["statuses"][0]["state"]) == ("waiting", "reading")
    settle(parts, UUID(made["id"]))
    found = caller().get(f"/clients/{client.id}/documents/{made['id']}").json
    assert found is not None
    status = found["statuses"][0]
    assert (found["reading"], status["state"]) == ("settled", "action_needed")
    assert status["text"]
    german = caller()
    german.language = "de"
    assert german.get(f"/clients/{client.id}/documents/{made['id']}").json


def ids(answer: TestResponse) -> list[str]:
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    return [str(UUID(one["id"])) for one in answer.json["items"]]


def test_the_same_key_at_the_same_moment_makes_one_document(
    app: Flask, caller: Callers, client: Client, db: Database
) -> None:
    secret = caller().secret
    with ThreadPoolExecutor(4) as pool:
        uploads = [pool.submit(upload, Caller(app.test_client(), secret), client, key="a-1") for _caller in range(4)]
        statuses = sorted(one.result().status_code for one in uploads)
    assert statuses.count(201) == 1
    assert set(statuses) <= {200, 201, 409}
    with db.read() as session:
        assert len(session.exec(select(Document)).all()) == 1
