"""The whole way by API alone: install, set up with an existing login, upload, deliver, prove, retry."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from flask import Flask
from sqlmodel import select

from integrations.contract import Token
from portal.accounts.models import Firm
from portal.clients.models import Client
from portal.config import Settings
from portal.connections import tokens
from portal.db import Database
from portal.delivery import deliver, runs
from portal.delivery.models import State
from portal.extensions.models import Installation
from portal.parts import Parts
from tests import factories, servers
from tests.portal.api.conftest import Caller

Callers = Callable[..., Caller]
APP = {"client_id": "kontor-demo", "client_secret": "kontor-demo-secret"}
FIELDS = {"party_name": "Mühle", "number": "M-1", "issued_on": "2026-03-01", "currency": "EUR", "gross": 10700}


@pytest.fixture
def settings(settings: Settings, sandbox: servers.Sandbox) -> Settings:
    """The providers are simulators."""
    endpoints = httpx.get(sandbox.url, headers={"Accept": "application/json"}).json()
    return replace(settings, sandbox_url=sandbox.url, endpoints=endpoints)


@pytest.fixture
def drive(sandbox: servers.Sandbox) -> str:
    """A Drive of this test's own."""
    account = f"drive-{uuid4().hex[:8]}"
    order = {"id": account, "name": "Brandt", "email": f"{account}@example.com"}
    httpx.post(f"{sandbox.url}/_control/google_drive/accounts", json=order).raise_for_status()
    return account


def connected(db: Database, parts: Parts, client: Client, sandbox: servers.Sandbox, account: str) -> UUID:
    """A login that a person consented to earlier."""
    order = {"provider": "google_drive", "account": account}
    granted = httpx.post(f"{sandbox.url}/_control/grant", json=order).json()
    token = Token(access=granted["access_token"], refresh=granted["refresh_token"])
    with db.transaction() as session:
        installed = session.exec(select(Installation)).one()
        locked = parts.vault.lock(tokens.packed(token))
        made = factories.connection(session, client, installed, account_id=account)
        made.token = locked
        return made.id


def set_up(who: Caller, client: Client, connection_id: UUID) -> dict[str, Any]:
    path = f"/clients/{client.id}/instances"
    draft = told(who.post(path, {"kind": "google_drive"}), 201)
    assert (draft["state"], draft["next_step"]) == ("draft", "sign-in")
    one = f"{path}/{draft['id']}"
    told(who.call("PUT", f"{one}/connection", json={"connection_id": str(connection_id)}))
    told(who.call("PUT", f"{one}/settings", json={"settings": {"root": "Kontor"}}))
    told(who.call("PUT", f"{one}/documents", json={"takes": ["incoming_invoice"]}))
    told(who.call("PUT", f"{one}/start", json={"earlier_on": None}))
    return told(who.post(f"{one}/finish"))


def upload(who: Caller, client: Client, **more: Any) -> dict[str, Any]:
    data = {"file": (io.BytesIO(factories.PDF), "m-1.pdf"), "kind": "incoming_invoice", **more}
    return told(who.post(f"/clients/{client.id}/documents", data=data), 201)


def told(answer: Any, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json
    return found


def test_a_document_goes_the_whole_way_by_api_alone(
    caller: Callers, client: Client, db: Database, app: Flask, sandbox: servers.Sandbox, drive: str
) -> None:
    who, parts = caller(), app.extensions["kontor"]
    early = upload(who, client, fields=json.dumps(FIELDS))
    assert told(who.post("/installations", {"kind": "google_drive", "settings": APP}), 201)["installed_at"]
    instance = set_up(who, client, connected(db, parts, client, sandbox, drive))
    late = upload(who, client, fields=json.dumps({**FIELDS, "number": "M-2"}))
    told(who.post(f"/clients/{client.id}/documents/{late['id']}/twin", {"keep": True}))
    runs.end_finished(parts.db)  # as the scheduler does, now and then
    told(who.post(f"/clients/{client.id}/instances/{instance['id']}/runs"), 202)
    deliver.drain(parts, UUID(instance["id"]))
    states = {one["id"]: one["statuses"][0] for one in told(who.get(f"/clients/{client.id}/documents"))["items"]}
    assert states[early["id"]]["state"] == "before_activation"
    assert states[late["id"]]["state"] == "delivered"
    assert states[late["id"]]["link"].startswith("http")
    whole = told(who.get(f"/clients/{client.id}/deliveries/{states[late['id']]['delivery_id']}"))
    assert whole["receipt"]["sha256"] == late["sha256"]
    assert [one["outcome"] for one in whole["tries"]] == ["delivered"]
    sums = told(who.get(f"/clients/{client.id}/completeness"))["items"][0]
    assert (sums["documents"], sums["difference"], sums["unproven"]) == (2, 0, 0)
    # a person's explicit wish may take what came before activation
    asked = who.post(f"/clients/{client.id}/documents/{early['id']}/deliveries", {"instance_id": instance["id"]})
    assert told(asked, 202)["state"] == "queued"


def test_an_instance_is_paused_resumed_renamed_and_removed(
    caller: Callers, client: Client, db: Database, app: Flask, sandbox: servers.Sandbox, drive: str
) -> None:
    who = caller()
    told(who.post("/installations", {"kind": "google_drive", "settings": APP}), 201)
    instance = set_up(who, client, connected(db, app.extensions["kontor"], client, sandbox, drive))
    one = f"/clients/{client.id}/instances/{instance['id']}"
    assert told(who.post(f"{one}/pause"))["state"] == "paused"
    assert who.post(f"{one}/pause").status_code == 409
    assert told(who.post(f"{one}/resume"))["state"] == "active"
    assert told(who.call("PATCH", one, json={"name": "Ablage"}))["name"] == "Ablage"
    assert told(who.get(f"{one}/runs"))["items"][0]["trigger"] == "finish"
    assert told(who.call("DELETE", one))["state"] == "removed"
    assert told(who.get(f"/clients/{client.id}/connections"))["items"][0]["kind"] == "google_drive"


def test_secrets_of_an_installation_are_never_told(caller: Callers) -> None:
    who = caller()
    answer = who.post("/installations", {"kind": "quickbooks", "settings": APP})
    assert told(answer, 201)
    assert APP["client_secret"] not in answer.text + who.get("/installations").text + who.get("/extensions").text


def test_wrong_settings_are_named_field_by_field(caller: Callers) -> None:
    answer = caller().post("/installations", {"kind": "quickbooks", "settings": {}})
    assert {one["field"] for one in told(answer, 422)["errors"]} == {"client_id", "client_secret"}


def test_what_failed_is_tried_again(caller: Callers, client: Client, db: Database, app: Flask) -> None:
    who = caller()
    with db.transaction() as session:
        installed = factories.installation(session, session.get_one(Firm, client.firm_id))
        document = factories.document(session, client)
        at = factories.instance(session, client, installed, sync_from=document.arrived_at)
        failed = factories.delivery(session, document, at, state=State.FAILED, text="It broke.")
    found = told(who.get(f"/clients/{client.id}/deliveries?state=failed"))["items"]
    assert [(one["id"], one["text"]) for one in found] == [(str(failed.id), "It broke.")]
    retried = who.post(f"/clients/{client.id}/deliveries/retry", {"delivery_ids": [str(failed.id)]})
    assert told(retried, 202) == {"queued": 1}
    assert told(who.get(f"/clients/{client.id}/deliveries/{failed.id}"))["state"] == "queued"


def test_a_draft_says_where_a_person_goes_on(caller: Callers, client: Client, app: Flask) -> None:
    who = caller()
    told(who.post("/installations", {"kind": "google_drive", "settings": APP}), 201)
    draft = told(who.post(f"/clients/{client.id}/instances", {"kind": "google_drive"}), 201)
    path = draft["page"].removeprefix("http://localhost")
    with app.test_request_context():
        endpoint, values = app.url_map.bind("localhost").match(path, method="GET")
    assert endpoint == "integration_setup.show"
    assert values["step"] == "sign-in"
