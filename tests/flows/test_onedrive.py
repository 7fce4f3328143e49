"""OneDrive in the portal: installed in the store, connected on Microsoft's page, set up, exported, disconnected."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from portal.access import Viewer
from portal.accounts.models import Firm
from portal.clients.models import Client
from portal.config import Settings
from portal.delivery import outbox
from portal.delivery.deliver import drain
from portal.instances.models import Instance, InstanceState
from portal.parts import Parts
from tests import factories, servers
from tests.portal.connections import dance

APP = {"client_id": "kontor-demo", "client_secret": "kontor-demo-secret", "authority": "common"}
EXPORT = {"root": "Kontor", "path": "{client}/{account}/{month}/{date} {number}", "language": "en"}
CONTENT = b"%PDF-1.7 of the flow"


@pytest.fixture
def settings(settings: Settings, sandbox: servers.Sandbox) -> Settings:
    return replace(settings, endpoints=sandbox.endpoints)


@pytest.fixture
def client(parts: Parts, firm: Firm) -> Client:
    with parts.db.transaction() as session:
        return factories.client(session, firm, name="Bäckerei Meyer")


@pytest.fixture
def owner(signed_in: Callable[[Viewer], FlaskClient], viewer: Callable[..., Viewer]) -> FlaskClient:
    return signed_in(viewer())


@pytest.mark.parametrize("company", [False, True])
def test_it_is_installed_connected_set_up_and_exports(
    owner: FlaskClient, parts: Parts, client: Client, sandbox: servers.Sandbox, company: bool
) -> None:
    account = f"flow-{'company' if company else 'private'}"
    person = {"id": account, "name": "Erika Flow", "email": f"{account}@flow.example", "company": company}
    _control(sandbox, "accounts", **person)
    _install(owner)
    query = _connected(owner, client, account)
    _set_up(owner, client, query)
    with parts.db.transaction() as session:
        document = factories.document(
            session, client, parts=parts, content=CONTENT, kind="receipt", number="B-1", issued_on=None
        )
        outbox.plan_document(session, document)
    with parts.db.read() as session:
        instance = session.exec(select(Instance)).one()
    assert instance.state is InstanceState.ACTIVE
    owner.post(f"/clients/{client.id}/integrations/{instance.id}/export")
    drain(parts, instance.id)
    (file,) = [one for one in _control(sandbox, "files", account=account) if not one["folder"]]
    assert re.fullmatch(r"Kontor/Bäckerei Meyer/Without bank account/\d{4}-\d\d/B-1\.pdf", file["path"])
    page = owner.get(f"/clients/{client.id}/integrations/{instance.id}").text
    assert "Erika Flow" in page
    assert f"/onedrive/my-files/{account}?id=" in page  # the useful link
    login = f"/clients/{client.id}/integrations/connections/{instance.connection_id}"
    ended = owner.post(f"{login}/disconnect", data={"sure": "yes", "revoke": "yes"}, follow_redirects=True)
    assert "Only OneDrive itself can revoke the access" in ended.text


def _control(sandbox: servers.Sandbox, call: str, **order: object) -> list[dict[str, str]]:
    answer = httpx.post(f"{sandbox.url}/_control/onedrive/{call}", json=order).raise_for_status()
    return answer.json()  # type: ignore[no-any-return]


def _install(owner: FlaskClient) -> None:
    """What the firm does once."""
    page = owner.get("/store/onedrive").text
    assert "/connect/callback/onedrive" in page
    refused = owner.post("/store/onedrive/install", data={**APP, "authority": "a/b"})
    assert refused.status_code == 422
    assert owner.post("/store/onedrive/install", data=APP).status_code == 303


def _connected(owner: FlaskClient, client: Client, account: str) -> str:
    """Through Microsoft's consent page and back; the first step of the settings."""
    page = owner.post(f"/clients/{client.id}/integrations/add", data={"kind": "onedrive"}).location
    shown = owner.get(page)
    assert sandboxed(shown.headers["Content-Security-Policy"])
    seen = re.search(r'name="seen" value="(\w+)"', shown.text)
    assert seen is not None
    form = {"connection": "new", "name": "Our OneDrive", "agree": "yes", "seen": seen[1]}
    consent_url = owner.post(page, data=form).location
    assert urlsplit(consent_url).path == "/onedrive/common/oauth2/v2.0/authorize"
    assert dance.asked(consent_url)["scope"] == "offline_access User.Read Files.ReadWrite"
    return str(
        owner.get(f"/connect/callback/onedrive?{urlencode(dance.answer(consent_url, account=account))}").location
    )


def sandboxed(policy: str) -> bool:
    """The page's form may lead to the provider's origin."""
    return re.search(r"form-action [^;]*http://127\.0\.0\.1:\d+", policy) is not None


def _set_up(owner: FlaskClient, client: Client, page: str) -> None:
    for form in (EXPORT, {"takes": ["receipt"]}, {"start": "now"}, {"name": "OneDrive"}):
        answer = owner.post(page, data=form)
        assert answer.status_code == 303, answer.text
        page = answer.location
