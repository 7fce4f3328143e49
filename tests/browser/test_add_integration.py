"""A person adds an integration by clicking, from the client's tab over the provider's consent page to Finish."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect
from sqlmodel import select

from portal.accounts.models import Firm
from portal.clients.models import Client
from portal.config import Settings
from portal.connections.models import Connection, Consent
from portal.instances.models import Instance, InstanceState
from portal.parts import Parts
from tests import factories, servers
from tests.browser.conftest import Window

pytestmark = pytest.mark.browser
APP = {"client_id": "kontor-demo", "client_secret": "kontor-demo-secret"}
EMAIL = "owner@example.com"


@pytest.fixture
def settings(settings: Settings, sandbox: servers.Sandbox) -> Settings:
    return replace(settings, endpoints=sandbox.endpoints)


@pytest.fixture
def client(parts: Parts, firm: Firm) -> Client:
    with parts.db.transaction() as session:
        owner = factories.person(session, name="Sabine Sommer", email=EMAIL)
        factories.member(session, firm, who=owner)
        for kind in ("google_drive", "quickbooks"):
            factories.installation(session, firm, kind=kind, parts=parts, **APP)
        return factories.client(session, firm, name="Bäckerei Meyer GmbH")


@pytest.fixture
def open_page(address: str, window: Window) -> Callable[[int], Page]:
    """``open_page(width)``: a window of that width in which the owner is signed in."""

    def make(width: int) -> Page:
        page = window(width=width)
        page.goto(f"{address}/sign-in")
        page.get_by_label("E-mail address").fill(EMAIL)
        page.get_by_label("Password").fill(factories.PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        return page

    return make


def begin(page: Page, address: str, client: Client, name: str) -> None:
    page.goto(f"{address}/clients/{client.id}/integrations")
    page.get_by_role("link", name="Add integration").first.click()
    page.get_by_role("radio", name=name).check()
    page.get_by_role("button", name="Next").click()


def consent(page: Page) -> None:
    page.get_by_label("Name of the connection").fill("By clicking")
    page.get_by_role("checkbox", name="I agree on behalf of").check()
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Allow").click()


def test_quickbooks_is_added_by_clicking(
    address: str, client: Client, parts: Parts, open_page: Callable[[int], Page]
) -> None:
    page = open_page(1440)
    begin(page, address, client, "QuickBooks Online")
    expect(page.get_by_text("Step 1 of 4")).to_be_visible()
    consent(page)
    expect(page.get_by_text("Step 2 of 4")).to_be_visible()
    page.get_by_label("Default expense account").select_option(index=1)
    page.get_by_label("Default income account").select_option(index=1)
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Receipts").uncheck()
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Name of the integration").fill("Our books")
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_role("heading", name="Our books")).to_be_visible()
    with parts.db.read() as session:
        instance = session.exec(select(Instance)).one()
        connection = session.exec(select(Connection)).one()
        agreed = session.exec(select(Consent)).one()
    assert instance.state is InstanceState.ACTIVE
    assert instance.takes == ["incoming_invoice", "outgoing_invoice"]
    assert instance.connection_id == connection.id == agreed.connection_id
    assert connection.name == "By clicking"


def test_google_drive_is_added_on_a_phone(
    address: str, client: Client, parts: Parts, open_page: Callable[[int], Page]
) -> None:
    page = open_page(390)
    begin(page, address, client, "Google Drive")
    consent(page)
    for _step in ("settings", "documents"):
        page.get_by_role("button", name="Next").click()
    page.get_by_role("radio", name="From an earlier day").check()
    page.get_by_label("First day").fill("2026-01-02")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("button", name="Finish")).to_be_visible()
    page.wait_for_load_state()
    page.go_back()  # a step can be looked at again
    expect(page.get_by_label("First day")).to_have_value("2026-01-02")
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_text("2 Jan 2026").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    with parts.db.read() as session:
        assert session.exec(select(Instance)).one().state is InstanceState.ACTIVE


def test_a_person_who_cancels_at_the_provider_can_go_on(
    address: str, client: Client, open_page: Callable[[int], Page]
) -> None:
    page = open_page(1440)
    begin(page, address, client, "Google Drive")
    page.get_by_role("checkbox", name="I agree on behalf of").check()
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Access was not allowed at Google Drive")).to_be_visible()
    consent(page)
    expect(page.get_by_text("Step 2 of 5")).to_be_visible()
