"""Who may call: tokens, scopes, strangers, limits; and what every refusal looks like."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlmodel import select

from integrations.contract import DriftKind
from portal.accounts.models import ApiToken, Firm, Role
from portal.banking.models import Transaction
from portal.banking.statements.values import Format
from portal.clients.models import Client
from portal.clock import Traveller
from portal.db import Database
from portal.delivery.models import Drift
from portal.mailbox.models import Mail, MailSender, MailState
from portal.parts import Parts
from tests import factories
from tests.portal.api.conftest import Caller

Callers = Callable[..., Caller]
# what is right to ask for, so that a refusal is about the asker
BODIES = {
    "clients": {"name": "X", "number": "X"},
    "instances": {"kind": "google_drive"},
    "installations": {"kind": "google_drive", "settings": {"client_id": "a", "client_secret": "b"}},
    "bank-accounts": {"name": "X"},
    "retry": {"delivery_ids": [str(uuid4())]},
    "deliveries": {"instance_id": str(uuid4())},
    "removal": {"reason": "x"},
    "put-aside": {"refusal_ids": [str(uuid4())]},
    "twin": {"keep": True},
    "split": {"starts": [1, 2]},
    "connection": {"connection_id": str(uuid4())},
    "settings": {"settings": {}},
    "documents": {"takes": ["receipt"]},
    "start": {"earlier_on": None},
    "connections": {"kind": "google_drive", "name": "X", "login": {}, "consent": "x"},
    "login": {"login": {}, "consent": "x"},
    "senders": {"pattern": "x@y.example"},
    "decision": {"decision": "accept"},
    "<string:kind>": {"settings": {"client_id": "a", "client_secret": "b"}},
    "<uuid:document_id>": {"number": "X", "version": 1},
}


def routes(app: Flask) -> list[tuple[str, str]]:
    return [
        (method, rule.rule)
        for rule in app.extensions["kontor-api"].url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        if rule.endpoint != "openapi.spec"
    ]


def address(rule: str, ids: dict[str, str]) -> str:
    return re.sub(r"<\w+:(\w+)>", lambda found: ids[found.group(1)], rule)


@pytest.fixture
def things(db: Database, firm: Firm, client: Client, parts: Parts) -> dict[str, str]:
    """The ids of one thing of each sort."""
    with db.transaction() as session:
        document = factories.document(session, client, parts=parts)
        installed = factories.installation(session, firm, parts=parts, client_id="a", client_secret="b")
        connected = factories.connection(session, client, installed)
        instance = factories.instance(session, client, installed, connected=connected)
        delivery = factories.delivery(session, document, instance)
        drift = Drift(
            client_id=client.id, instance_id=instance.id, document_id=document.id, delivery_id=delivery.id,
            kind=DriftKind.CHANGED, remote_id="r",
        )  # fmt: skip
        session.add(drift)
        account = factories.account(session, client)
        transaction = Transaction(
            client_id=client.id, account_id=account.id, key="1", format=Format.CSV, booked_on=date(2026, 3, 2),
            amount=-98765, currency="EUR",
        )  # fmt: skip
        sender = MailSender(client_id=client.id, pattern="@supplier.example")
        mail = Mail(client_id=client.id, identity="1", address="x-2345678", way="smtp", state=MailState.HELD)
        session.add_all([transaction, sender, mail])
    return {
        "client_id": str(client.id), "document_id": str(document.id), "instance_id": str(instance.id),
        "delivery_id": str(delivery.id), "account_id": str(account.id), "kind": "google_drive",
        "connection_id": str(connected.id), "drift_id": str(drift.id),
        "transaction_id": str(transaction.id), "mail_sender_id": str(sender.id), "mail_id": str(mail.id),
    }  # fmt: skip


def test_without_a_token_every_route_asks_for_one(app: Flask, things: dict[str, str]) -> None:
    nobody = Caller(app.test_client(), "")
    for method, rule in routes(app):
        answer = nobody.call(method, address(rule, things))
        assert answer.status_code == 401, (method, rule)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.mimetype == "application/problem+json"


def test_strangers_find_nothing_on_any_route(app: Flask, caller: Callers, db: Database, things: dict[str, str]) -> None:
    with db.transaction() as session:
        other = factories.firm(session, name="Andere Kanzlei")
    # A firm's own, whosoever it is.
    own = {"/firm", "/extensions", "/extensions/<string:kind>", "/installations", "/clients", "/search"}
    strangers = {
        "another firm's owner": caller(of=other),
        "an accountant of other clients": caller(Role.ACCOUNTANT),
        "a client manager": caller(Role.CLIENT_MANAGER),
    }
    for who, stranger in strangers.items():
        for method, rule in routes(app):
            if rule in own or (who == "a client manager" and is_for_managers(method, rule)):
                continue
            if rule.endswith("<uuid:client_id>/documents") and method == "POST":
                given: dict[str, Any] = {"data": {"file": (io.BytesIO(factories.PDF), "a.pdf")}}
            else:
                given = {"json": BODIES.get(rule.rsplit("/", 1)[-1], {"name": "X"})}
                if "<uuid:transaction_id>" in rule:
                    given = {"json": {"document_ids": [str(uuid4())]}}
            answer = stranger.call(method, address(rule, things), **given)
            assert answer.status_code == 404, (who, method, rule, answer.text)


def is_for_managers(method: str, rule: str) -> bool:
    """Client managers see names and counts."""
    counts = ("/clients/<uuid:client_id>", "/completeness", "/instances", "<uuid:instance_id>", "/runs")
    return rule == "/clients/<uuid:client_id>" or (method == "GET" and rule.endswith(counts[1:]))


@pytest.mark.parametrize("scopes", [("read",), ("documents",), ("integrations",)])
def test_a_scope_is_the_most_a_token_may_do(app: Flask, caller: Callers, client: Client, scopes: tuple[str]) -> None:
    who = caller(scopes=scopes)
    assert who.get(f"/clients/{client.id}").status_code == 200
    assert who.post("/clients", BODIES["clients"]).status_code == 404
    assert who.get("/extensions").status_code == 404
    may_add = who.post(f"/clients/{client.id}/bank-accounts", {"name": "Giro"}).status_code == 201
    assert may_add == (scopes != ("read",))


def test_a_token_ends(caller: Callers, client: Client, clock: Traveller, db: Database) -> None:
    who = caller()
    assert who.get(f"/clients/{client.id}").status_code == 200
    with db.read() as session:
        assert session.exec(select(ApiToken)).one().used_at is not None
    clock.advance(timedelta(days=31))
    answer = who.get(f"/clients/{client.id}")
    assert answer.status_code == 401
    assert "invalid_token" in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("header", ["Basic a2E6a2E=", "Bearer", "Bearer kontor_x", "Bearer \x7f", "kontor_x"])
def test_anything_but_a_valid_token_is_refused(app: Flask, client: Client, header: str) -> None:
    answer = app.test_client().get(f"/api/v1/clients/{client.id}", headers={"Authorization": header})
    assert answer.status_code == 401


def test_a_signed_in_browser_is_no_token(app: Flask, client: Client) -> None:
    browser = app.test_client()
    browser.set_cookie("session", "whatever")
    assert browser.get(f"/api/v1/clients/{client.id}").status_code == 401


def test_too_many_calls_wait(app: Flask, caller: Callers) -> None:
    app.extensions["kontor-api"].config["API_PER_TOKEN"] = "2 per minute"
    who, other = caller(), caller()
    answers = [who.get("/clients") for _time in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2].headers["Retry-After"]) > 0
    assert answers[2].mimetype == "application/problem+json"
    assert other.get("/clients").status_code == 200


def test_guessing_tokens_is_slowed_down(app: Flask) -> None:
    app.extensions["kontor-api"].config["API_PER_STRANGER"] = "2 per minute"
    nobody = Caller(app.test_client(), "kontor_guess")
    assert [nobody.get("/clients").status_code for _time in range(3)] == [401, 401, 429]


def test_every_refusal_is_a_problem_with_a_sentence(caller: Callers, client: Client) -> None:
    who = caller()
    answers = {
        404: who.get("/nothing"),
        405: who.call("DELETE", "/clients"),
        400: who.call("POST", "/clients", data=b"{", content_type="application/json"),
        422: who.post("/clients", {"name": 1, "more": True}),
    }
    for status, answer in answers.items():
        assert answer.status_code == status, answer.text
        assert answer.mimetype == "application/problem+json"
        assert answer.json is not None
        assert answer.json["status"] == status
        assert answer.json["detail"].endswith((".", ":", "fields."))
    wrong = answers[422].json
    assert wrong is not None
    assert {error["field"] for error in wrong["errors"]} == {"name", "number", "more"}


def test_null_is_no_body(caller: Callers, client: Client) -> None:
    who = caller()
    answer = who.call("PATCH", f"/clients/{client.id}", data=b" null ", content_type="application/json")
    assert answer.status_code == 422


def test_a_fault_of_ours_shows_nothing_of_it(app: Flask, caller: Callers, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("a secret")

    monkeypatch.setitem(app.extensions["kontor-api"].view_functions, "clients.listed", broken)
    answer = caller().get("/clients")
    assert answer.status_code == 500
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"a":' * 100_000, rb'{"note": "\ud800"}', b'{"note": "\xed\xa0\x80"}', b"1" * 5_000],
    ids=["a deep list", "deep objects", "half a character", "its bytes", "a number without end"],
)
def test_a_body_that_nothing_of_ours_can_hold_is_no_body(caller: Callers, client: Client, body: bytes) -> None:
    answer = caller().call("PATCH", f"/clients/{client.id}", data=body, content_type="application/json")
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")


def test_what_is_no_file_is_told_in_the_readers_language(caller: Callers, client: Client) -> None:
    who = caller()
    who.language = "de"
    answer = who.post(f"/clients/{client.id}/documents", data=b"%PDF-1.4", content_type="application/pdf")
    assert answer.json is not None
    assert answer.json["errors"] == [{"field": "file", "detail": "Bitte eine Datei."}]


def test_no_cache_keeps_what_is_told(caller: Callers, client: Client) -> None:
    for answer in (caller().get("/clients"), caller().get(f"/clients/{client.id}/documents/{uuid4()}")):
        assert answer.headers["Cache-Control"] == "no-store"
