"""Logins and installations by API: entered, renamed, renewed, ended; changed, uninstalled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portal.accounts.models import Role
from portal.clients.models import Client
from tests import echo
from tests.portal.api.conftest import Caller

Callers = Callable[..., Caller]
LOGIN = {"owner": "anna", "key": "1234"}
APP = {"client_id": "kontor-demo", "client_secret": "kontor-demo-secret"}


@pytest.fixture
def kept() -> echo.Kept:
    return echo.install()


@pytest.fixture
def who(caller: Callers, kept: echo.Kept) -> Caller:
    """The firm's owner; the extension is installed."""
    owner = caller()
    told(owner.post("/installations", {"kind": "safe"}), 201)
    return owner


def told(answer: Any, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json
    return found


def entered(who: Caller, client: Client, **more: Any) -> Any:
    consent = told(who.get("/extensions/safe"))["consent"]
    body = {"kind": "safe", "name": "Our safe", "login": LOGIN, "consent": consent, **more}
    return who.post(f"/clients/{client.id}/connections", body)


def test_the_extension_tells_what_is_entered(who: Caller) -> None:
    schema = told(who.get("/extensions/safe"))["login_schema"]
    assert set(schema["properties"]) == {"owner", "key"}
    assert told(who.get("/extensions/google_drive"))["login_schema"] is None


def test_a_login_is_entered_for_a_draft_renamed_checked_and_ended(who: Caller, client: Client) -> None:
    draft = told(who.post(f"/clients/{client.id}/instances", {"kind": "safe"}), 201)
    made = entered(who, client, instance_id=draft["id"])
    one = f"/clients/{client.id}/connections/{told(made, 201)['id']}"
    assert "1234" not in made.text
    assert told(who.get(f"/clients/{client.id}/instances/{draft['id']}"))["connection_id"] == made.json["id"]
    assert told(who.call("PATCH", one, json={"name": "Ablage"}))["name"] == "Ablage"
    assert told(who.post(f"{one}/look"))["space_left"] == 1000
    assert told(who.call("DELETE", f"{one}?revoke=true"))["revocation"] == "by_hand"
    assert told(who.get(one))["state"] == "ended"
    assert who.call("DELETE", one).status_code == 409


def test_a_login_without_the_consent_as_it_stands_is_refused(who: Caller, client: Client) -> None:
    assert told(entered(who, client, consent="I agree to anything"), 422)["errors"][0]["field"] == "consent"
    assert told(who.get(f"/clients/{client.id}/connections"))["items"] == []


def test_wrong_logins_are_named(who: Caller, client: Client) -> None:
    assert entered(who, client, login={**LOGIN, "key": "0"}).status_code == 422
    errors = told(entered(who, client, login={}), 422)["errors"]
    assert {one["field"] for one in errors} == {"owner", "key"}


def test_a_dead_login_is_renewed(who: Caller, client: Client, kept: echo.Kept) -> None:
    one = f"/clients/{client.id}/connections/{told(entered(who, client), 201)['id']}"
    kept.keys["anna"] = "new"
    assert who.post(f"{one}/look").status_code == 409
    assert told(who.get(one))["state"] == "dead"
    consent = told(who.get("/extensions/safe"))["consent"]
    body = {"login": {"owner": "anna", "key": "new"}, "consent": consent}
    assert told(who.call("PUT", f"{one}/login", json=body))["state"] == "live"


def test_whoever_may_not_set_it_up_finds_nothing(who: Caller, client: Client, caller: Callers) -> None:
    one = f"/clients/{client.id}/connections/{told(entered(who, client), 201)['id']}"
    reader = caller(Role.ASSISTANT, assigned=(client.id,))
    assert reader.get(one).status_code == 404
    assert reader.call("DELETE", one).status_code == 404
    assert reader.call("PATCH", one, json={"name": "Mine"}).status_code == 404
    assert told(who.get(one))["name"] == "Our safe"


def test_an_installation_is_changed_and_uninstalled_after_a_look_at_what_stops(who: Caller, client: Client) -> None:
    told(who.post("/installations", {"kind": "google_drive", "settings": APP}), 201)
    changed = who.call("PATCH", "/installations/google_drive", json={"settings": {**APP, "client_id": "other"}})
    assert told(changed)["installed_at"]
    draft = told(who.post(f"/clients/{client.id}/instances", {"kind": "safe"}), 201)
    stops = told(who.get("/installations/safe/stops"))
    assert (stops["total"], stops["items"][0]["instance_id"]) == (1, draft["id"])
    assert who.call("DELETE", "/installations/safe?seen=0").status_code == 409
    assert told(who.call("DELETE", "/installations/safe?seen=1")) == {"stopped": 1}
    assert told(who.get("/extensions/safe"))["installed_at"] is None
