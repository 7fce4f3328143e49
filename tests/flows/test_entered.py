"""WebDAV and S3 from the store to the file: installed, signed in on our own form, exported, looked at, let in again."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import httpx
import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from portal.access import Viewer
from portal.accounts.models import Firm
from portal.clients.models import Client
from portal.config import Settings
from portal.connections.models import Connection, ConnectionState
from portal.delivery import check, outbox
from portal.delivery.deliver import drain
from portal.delivery.models import Delivery, State
from portal.instances.models import Instance
from portal.parts import Parts
from tests import factories, servers

SECRETS = ("jonas-app-password", "secret-of-weber-belege", "changed-meanwhile")


@dataclass(frozen=True)
class Kind:
    """What a person enters, and how the provider's side is seen and changed."""

    kind: str
    login: Mapping[str, str]
    secret: str  # the field
    whose: Mapping[str, str]  # of control calls
    change: str  # the control call that ends the login
    shown: str  # of the account, on the page

    def entered(self, url: str, **more: str) -> dict[str, str]:
        return {f"login-{name}": value.format(url=url) for name, value in {**self.login, **more}.items()}


DAV = Kind(
    "webdav",
    {"address": "{url}/webdav", "user": "jonas", "password": "jonas-app-password"},
    "password", {"account": "jonas"}, "password", "jonas, 127.0.0.1",
)  # fmt: skip
S3 = Kind(
    "s3",
    {
        "endpoint": "{url}/s3", "bucket": "weber-belege", "access_key": "KONTORSANDBOXJONAS",
        "secret_key": "secret-of-weber-belege", "path_style": "on",
    },
    "secret_key", {"bucket": "weber-belege"}, "secret", "weber-belege, 127.0.0.1",
)  # fmt: skip


@pytest.fixture
def settings(settings: Settings, sandbox: servers.Sandbox) -> Settings:
    return replace(settings, endpoints=sandbox.endpoints)


@pytest.fixture
def client(parts: Parts, firm: Firm) -> Client:
    with parts.db.transaction() as session:
        return factories.client(session, firm)


@pytest.fixture
def browser(signed_in: Callable[[Viewer], FlaskClient], viewer: Callable[..., Viewer]) -> FlaskClient:
    return signed_in(viewer())


def sign_in(browser: FlaskClient, page: str, login: Mapping[str, str]) -> Any:
    seen = re.search(r'name="seen" value="(\w+)"', browser.get(page).text)
    assert seen is not None
    return browser.post(page, data={"connection": "new", "name": "Ours", "agree": "yes", "seen": seen[1], **login})


def finish(browser: FlaskClient, answer: Any) -> str:
    """Through the other steps of the set-up; the page of the integration."""
    steps = (
        {"root": "Kontor", "path": "{client}/{date} {number}", "language": "de"},
        {"takes": ["incoming_invoice"]},
        {"start": "now"},
        {"name": "Archive"},
    )
    for step in steps:
        assert answer.status_code == 303, answer.text
        answer = browser.post(answer.location, data=step)
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def arrive(parts: Parts, client: Client) -> None:
    with parts.db.transaction() as session:
        document = factories.document(session, client, parts=parts)
        factories.recorded(session, document)
        outbox.plan_document(session, document)


def states(parts: Parts, instance_id: UUID) -> list[State]:
    with parts.db.read() as session:
        return [row.state for row in session.exec(select(Delivery).where(Delivery.instance_id == instance_id))]


@pytest.mark.parametrize("kind", [DAV, S3], ids=lambda kind: kind.kind)
def test_it_is_installed_signed_in_to_and_exports(
    kind: Kind, browser: FlaskClient, parts: Parts, client: Client, sandbox: servers.Sandbox
) -> None:
    base = f"/clients/{client.id}/integrations"

    def control(action: str, **order: str) -> Any:
        answer = httpx.post(f"{sandbox.url}/_control/{kind.kind}/{action}", json={**kind.whose, **order})
        return answer.raise_for_status().json()

    # Installed without a way inside, our own loopback is out of reach.
    assert browser.post(f"/store/{kind.kind}/install", data={"inner": ""}).status_code == 303
    page = browser.post(f"{base}/add", data={"kind": kind.kind}).location
    refused = sign_in(browser, page, kind.entered(sandbox.url))
    assert refused.status_code == 422
    assert "cannot be used" in refused.text
    assert not [secret for secret in SECRETS if secret in refused.text]
    changed = browser.post(f"/store/{kind.kind}/settings", data={"inner": "127.0.0.1"})
    assert changed.status_code == 303, changed.text

    wrong = sign_in(browser, page, kind.entered(sandbox.url, **{kind.secret: "wrong"}))
    assert wrong.status_code == 422
    page = finish(browser, sign_in(browser, page, kind.entered(sandbox.url)))

    with parts.db.read() as session:
        instance = session.exec(select(Instance)).one()
        kept = session.exec(select(Connection)).one().token or ""
    assert kept
    assert not [secret for secret in SECRETS if secret in kept]
    arrive(parts, client)
    shown = browser.get(page).text
    assert kind.shown in shown
    assert not [secret for secret in SECRETS if secret in shown]
    assert browser.post(f"{page}/export").status_code == 303
    drain(parts, instance.id)
    assert states(parts, instance.id) == [State.DELIVERED]
    assert [one["path"] for one in control("files") if not one.get("folder") and client.name in one["path"]]
    assert list(check.verify_remote(parts, client.firm_id)) == []

    # The password is changed at the provider: held, entered again, released.
    control(kind.change, password="changed-meanwhile", secret="changed-meanwhile")
    try:
        arrive(parts, client)
        browser.post(f"{page}/export")
        drain(parts, instance.id)
        assert sorted(states(parts, instance.id)) == [State.DELIVERED, State.HELD]
        with parts.db.read() as session:
            connection = session.exec(select(Connection)).one()
        assert connection.state is ConnectionState.DEAD
        again = f"{base}/connections/{connection.id}"
        seen = re.search(r'name="seen" value="(\w+)"', browser.get(again).text)
        assert seen is not None
        login = kind.entered(sandbox.url, **{kind.secret: "changed-meanwhile"})
        form = {"name": "Ours", "agree": "yes", "seen": seen[1], **login}
        assert browser.post(f"{again}/reconnect", data=form).status_code == 303
        drain(parts, instance.id)
        assert states(parts, instance.id) == [State.DELIVERED] * 2
    finally:
        control(kind.change, password="jonas-app-password", secret="secret-of-weber-belege")
