"""Setting up, signing in and working the board in a real browser, by keyboard, in both languages, on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from portal.accounts.models import Firm, Person
from portal.delivery.models import State
from portal.parts import Parts
from tests import factories
from tests.browser.conftest import Window
from tests.factories import PASSWORD

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(address: str, window: Window) -> OpenPage:
    """``open_page(path, width=…, locale=…)``: a window of its own at that page."""

    def make(path: str, **options: Any) -> Page:
        page = window(**options)
        page.goto(address + path)
        return page

    return make


@pytest.fixture
def person(app: Flask, firm: Firm) -> Person:
    """An owner who can sign in with PASSWORD, and three clients; the second has a failed delivery."""
    parts: Parts = app.extensions["kontor"]
    with parts.db.transaction() as session:
        made = factories.person(session, email="anna@kanzlei.example", name="Anna Sommer")
        factories.member(session, firm, who=made)
        installed = factories.installation(session, firm)
        for name in ("Ahlers Tischlerei", "Brandt Bäckerei", "Čapek Druckerei"):
            client = factories.client(session, firm, name=name)
            if name.startswith("Brandt"):
                document = factories.document(session, client)
                instance = factories.instance(session, client, installed)
                factories.delivery(session, document, instance, state=State.FAILED, text="The provider said no.")
    return made


def sign_in(page: Page, password: str = PASSWORD) -> None:
    """Type as a person does who never touches the mouse."""
    expect(page.locator("#f-email")).to_be_focused()
    page.keyboard.type("anna@kanzlei.example")
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    page.keyboard.press("Enter")


def test_the_first_visit_leads_to_an_empty_board(open_page: OpenPage) -> None:
    page = open_page("/", locale="de-DE")
    page.get_by_label("Name der Kanzlei").fill("Kanzlei Sommer")
    page.get_by_label("Ihr Name").fill("Anna Sommer")
    page.get_by_label("E-Mail-Adresse").fill("anna@sommer.example")
    page.get_by_label("Passwort").fill("ein langer Satz")
    page.get_by_role("button", name="Kontor einrichten").click()
    expect(page.get_by_role("heading", name="Noch keine Mandanten")).to_be_visible()
    expect(page.locator(".toast")).to_contain_text("Ihre Kanzlei ist eingerichtet.")
    page.get_by_role("link", name="Neuer Mandant").first.click()
    page.get_by_label("Name des Unternehmens").fill("Bäckerei Brandt GmbH")
    page.get_by_role("button", name="Mandanten anlegen").click()
    expect(page.get_by_role("heading", name="Bäckerei Brandt GmbH")).to_be_visible()


def test_a_wrong_password_is_said_and_the_right_one_opens(open_page: OpenPage, person: Person) -> None:
    page = open_page("/sign-in")
    sign_in(page, "wrong")
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    sign_in_again = page.get_by_label("Password")
    sign_in_again.fill(PASSWORD)
    sign_in_again.press("Enter")
    expect(page.get_by_role("heading", name="Clients")).to_be_visible()


def test_the_board_is_worked_by_keyboard(open_page: OpenPage, person: Person) -> None:
    page = open_page("/")
    sign_in(page)
    chosen = page.locator("tr[aria-current=true]")
    expect(page.locator("tbody tr")).to_have_count(3)
    for key, name in (("j", "Ahlers"), ("ArrowDown", "Brandt"), ("j", "Čapek"), ("j", "Čapek"), ("k", "Brandt")):
        page.keyboard.press(key)
        expect(chosen).to_contain_text(name)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Brandt Bäckerei")).to_be_visible()
    expect(page.get_by_text("The provider said no.")).to_be_visible()


def test_the_search_finds_while_one_types_and_its_view_is_kept(open_page: OpenPage, person: Person) -> None:
    page = open_page("/")
    sign_in(page)
    expect(page.locator("tbody tr")).to_have_count(3)
    page.wait_for_load_state("networkidle")  # a person is slower than the scripts
    page.keyboard.press("/")
    page.keyboard.type("capek")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile("q=capek"))
    page.get_by_role("button", name="Save view").click()
    page.keyboard.type("Druckerei")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Druckerei", exact=True)).to_have_attribute("href", "/?q=capek")


def test_a_double_click_opens_a_client(open_page: OpenPage, person: Person) -> None:
    page = open_page("/")
    sign_in(page)
    page.locator("tbody tr").first.dblclick(position={"x": 700, "y": 10})
    expect(page.get_by_role("heading", name="Ahlers Tischlerei")).to_be_visible()


def test_archiving_is_undone_by_one_click(open_page: OpenPage, person: Person) -> None:
    page = open_page("/")
    sign_in(page)
    page.get_by_role("link", name="Ahlers Tischlerei").click()
    page.locator(".client-head summary").click()
    page.get_by_role("button", name="Archive").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", name="Ahlers Tischlerei")).to_be_visible()


def test_ending_a_membership_asks_first(open_page: OpenPage, person: Person, app: Flask, firm: Firm) -> None:
    with app.extensions["kontor"].db.transaction() as session:
        factories.member(session, firm, who=factories.person(session, name="Bernd Acker"))
    page = open_page("/sign-in?next=/firm/members")
    sign_in(page)
    row = page.locator("tr", has_text="Bernd Acker")
    for answer, left in (("Cancel", 1), ("Yes, go on", 0)):
        if not row.locator("details").evaluate("menu => menu.open"):
            row.locator("summary").click()
        row.get_by_role("button", name="End membership").click()
        page.get_by_role("dialog").get_by_role("button", name=answer).click()
        expect(page.locator("tbody tr", has_text="Bernd Acker")).to_have_count(left)


def test_the_portal_works_without_scripts(open_page: OpenPage, person: Person) -> None:
    page = open_page("/sign-in", scripts=False)
    page.fill("#f-email", "anna@kanzlei.example")
    page.fill("#f-password", PASSWORD)
    page.locator("main button[type=submit]").click()
    page.get_by_role("searchbox", name="Search clients").fill("brandt")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Brandt Bäckerei").click()
    expect(page.get_by_role("heading", name="Brandt Bäckerei")).to_be_visible()
