"""Somebody new sets up each storage of the store by clicking, in German and in English."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import pytest
from playwright.sync_api import Page, expect
from sqlmodel import select

import integrations
from integrations.contract import Schedule
from portal.accounts.models import Firm
from portal.clients.models import Client
from portal.config import Settings
from portal.connections.models import Connection, Consent
from portal.delivery import outbox
from portal.instances.models import Instance, InstanceState
from portal.parts import Parts
from tests import factories, servers
from tests.browser.conftest import Window

pytestmark = pytest.mark.browser
APP = {"client_id": "kontor-demo", "client_secret": "kontor-demo-secret"}
HERE = {"inner": "127.0.0.1"}
EMAIL = "owner@example.com"
STORAGES = [
    kind for kind in integrations.KINDS
    if integrations.KINDS[kind].startswith("integrations.")
    and integrations.get(kind).manifest.schedule is Schedule.NIGHTLY
]  # fmt: skip


def entered(sandbox: servers.Sandbox, kind: str) -> Mapping[str, str]:
    """What a person enters where they sign in on our page: as the simulator's own pages show it."""
    return {
        "webdav": {"address": f"{sandbox.url}/webdav", "user": "anna", "password": "anna-app-password"},
        "s3": {
            "endpoint": f"{sandbox.url}/s3", "bucket": "sonnenschein-belege", "access_key": "KONTORSANDBOXANNA",
            "secret_key": "secret-of-sonnenschein-belege",
        },
    }.get(kind, {})  # fmt: skip


@pytest.fixture
def settings(settings: Settings, sandbox: servers.Sandbox) -> Settings:
    return replace(settings, endpoints=sandbox.endpoints)


@pytest.fixture
def client(parts: Parts, firm: Firm) -> Client:
    """A client with two documents; every storage is installed."""
    with parts.db.transaction() as session:
        factories.member(session, firm, who=factories.person(session, name="Sabine Sommer", email=EMAIL))
        for kind in STORAGES:
            app = APP if integrations.get(kind).manifest.oauth else HERE
            factories.installation(session, firm, kind=kind, parts=parts, **app)
        made = factories.client(session, firm, name="Bäckerei Meyer GmbH")
        for _ in range(2):
            outbox.plan_document(session, factories.document(session, made, parts=parts))
        return made


@dataclass
class Somebody:
    """A person in a browser window. ``seen(step)`` is told of every page they come to."""

    page: Page
    address: str
    sandbox: servers.Sandbox
    seen: Callable[[str], None] = lambda _step: None

    def sign_in(self) -> None:
        self.page.goto(f"{self.address}/sign-in")
        self.page.locator("input[name=email]").fill(EMAIL)
        self.page.locator("input[name=password]").fill(factories.PASSWORD)
        self.page.locator("form button.button-main").first.click()

    def set_up(self, client: Client, kind: str) -> None:
        """From the client's tab to the integration's page."""
        page = self.page
        page.goto(f"{self.address}/clients/{client.id}/integrations")
        page.locator("a[href$='/integrations/add']").first.click()
        page.locator(f"input[name=kind][value={kind}]").check()
        self._on("choose")
        for name, value in entered(self.sandbox, kind).items():
            page.locator(f"input[name=login-{name}]").fill(value)
        page.locator("input[name=agree]").check()
        self._on("sign-in")
        if integrations.get(kind).manifest.oauth:
            page.locator("button[value=allow]").click()
        expect(page.locator("#preview li").first).to_be_visible()
        page.locator("input[name=path]").fill("{client}/{month}/{number}")
        expect(page.locator("#preview")).to_contain_text("RE-")
        expect(page.locator("#preview")).not_to_contain_text("Mühlenwerke")
        self._on("settings")
        self._on("documents")
        page.locator("input[name=start][value=earlier]").check()
        page.locator("input[name=earlier_on]").fill("2026-01-02")
        self._on("start")
        expect(page.locator("#plan")).to_be_visible()
        self._on("summary")
        expect(page.locator(".set-up-foot")).to_have_count(0)
        page.wait_for_load_state()
        self.seen("done")

    def _on(self, step: str) -> None:
        """Look at this step, once it is there, and go on."""
        if step != "choose":
            self.page.wait_for_url(f"**/set-up/{step}*")
        self.seen(step)
        self.page.locator(".set-up-foot button.button-main").click()


@pytest.fixture
def somebody(address: str, sandbox: servers.Sandbox, window: Window) -> Callable[..., Somebody]:
    """``somebody("de", 390)``: with a browser in that language, in a window of that width."""

    def make(language: str, width: int) -> Somebody:
        page = window(width=width, locale={"de": "de-DE", "en": "en-GB"}[language])
        page.set_default_timeout(20_000)
        return Somebody(page, address, sandbox)

    return make


@pytest.mark.parametrize("kind", STORAGES)
@pytest.mark.parametrize(("language", "width"), [("de", 1440), ("en", 390)])
def test_a_storage_is_set_up_by_clicking(
    client: Client, parts: Parts, somebody: Callable[..., Somebody], kind: str, language: str, width: int
) -> None:
    person = somebody(language, width)
    person.sign_in()
    wide: list[str] = []

    def seen(step: str) -> None:
        if person.page.evaluate("document.documentElement.scrollWidth") > width:
            wide.append(step)

    person.seen = seen
    person.set_up(client, kind)
    assert wide == []
    assert person.page.locator("html").get_attribute("lang") == language
    said = {"de": "Nützliche Links", "en": "Useful links"}[language]
    expect(person.page.get_by_text(said).first).to_be_visible()
    with parts.db.read() as session:
        instance = session.exec(select(Instance)).one()
        connection = session.exec(select(Connection)).one()
        agreed = session.exec(select(Consent)).one()
    assert (instance.state, instance.kind) == (InstanceState.ACTIVE, kind)
    assert instance.connection_id == connection.id == agreed.connection_id
    assert instance.settings["path"] == "{client}/{month}/{number}"


def test_every_storage_of_the_store_is_walked() -> None:
    assert {"google_drive", "onedrive", "dropbox", "webdav", "s3"} <= set(STORAGES)
