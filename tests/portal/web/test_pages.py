"""The board, a client's pages, the firm's pages: what they show and do; errors, headers and health."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import col, select

from portal import audit
from portal.access import Viewer
from portal.accounts import tokens
from portal.accounts.models import ApiToken, Firm, Person, Role
from portal.audit import AuditEntry
from portal.clients.models import Assignment, Client, Contact, ContactRole
from portal.db import Database
from portal.delivery.models import State
from portal.parts import Parts
from tests import factories

SignedIn = Callable[[Person | Viewer], FlaskClient]
MakeViewer = Callable[..., Viewer]


@pytest.fixture
def client(db: Database, firm: Firm) -> Client:
    """A client with one failed delivery."""
    with db.transaction() as session:
        made = factories.client(session, firm, number="10001")
        document = factories.document(session, made)
        instance = factories.instance(session, made, factories.installation(session, firm))
        factories.delivery(session, document, instance, state=State.FAILED, text="The provider said no.")
        return made


def test_the_board_leads_to_each_client(signed_in: SignedIn, viewer: MakeViewer, client: Client) -> None:
    page = signed_in(viewer()).get("/").text
    assert f'data-href="/clients/{client.id}"' in page
    assert "1 failed" in page


def test_a_search_typed_on_the_board_is_answered_by_the_list_alone(
    signed_in: SignedIn, viewer: MakeViewer, client: Client
) -> None:
    browser = signed_in(viewer())
    found = browser.get("/?q=brandt", headers={"HX-Request": "true"}).text
    assert found.lstrip().startswith('<div id="clients">')
    assert client.name in found
    assert client.name not in browser.get("/?q=ahlers", headers={"HX-Request": "true"}).text


def test_a_saved_view_leads_to_its_filter_and_goes(signed_in: SignedIn, viewer: MakeViewer, client: Client) -> None:
    browser = signed_in(viewer())
    saved = browser.post("/views", data={"name": "Offene", "only": "open", "sort": "-open"})
    assert saved.location == "/?only=open&sort=-open"
    page = browser.get(saved.location).text
    forget = re.search(r'action="(/views/[^"]+/remove)"', page)
    assert forget is not None
    browser.post(forget[1])
    assert "Offene" not in browser.get("/").text


def test_a_contact_of_one_client_goes_straight_there(
    db: Database, app: Flask, signed_in: SignedIn, client: Client
) -> None:
    with db.transaction() as session:
        contact = factories.contact(session, client, role=ContactRole.MEMBER)
    browser = factories.sign_in(app, contact.person_id)
    assert browser.get("/").location == f"/clients/{client.id}"
    page = browser.get(f"/clients/{client.id}").text
    assert "The provider said no." in page
    assert "/edit" not in page


def test_a_client_manager_sees_counts_but_no_reasons(signed_in: SignedIn, viewer: MakeViewer, client: Client) -> None:
    page = signed_in(viewer(Role.CLIENT_MANAGER)).get(f"/clients/{client.id}").text
    assert "failed deliveries" in page
    for hidden in ("The provider said no.", "Mühlenwerke", "/documents/", "/deliveries"):
        assert hidden not in page


def test_a_client_is_added_changed_archived_and_put_back(
    db: Database, signed_in: SignedIn, viewer: MakeViewer, firm: Firm
) -> None:
    browser = signed_in(viewer(Role.CLIENT_MANAGER))
    assert 'value="10001"' in browser.get("/clients/new").text
    made = browser.post("/clients/new", data={"name": "Tischlerei Ahlers", "number": "10001", "vat_id": "DE811111111"})
    address = made.location
    assert "Tischlerei Ahlers" in browser.get(address).text
    browser.post(f"{address}/edit", data={"name": "Tischlerei Ahlers GmbH", "number": "10001"})
    assert browser.post(f"{address}/archive").location == "/"
    board = browser.get("/").text
    assert f'action="{address}/unarchive"' in board  # to be undone
    assert f'data-href="{address}"' not in board
    browser.post(f"{address}/unarchive")
    assert "Tischlerei Ahlers GmbH" in browser.get("/").text
    with db.read() as session:
        assert audit.broken(session, firm.id) is None


def test_a_fault_is_said_beside_its_field(signed_in: SignedIn, viewer: MakeViewer, client: Client) -> None:
    browser = signed_in(viewer())
    answer = browser.post("/clients/new", data={"name": "Ahlers", "number": client.number})
    assert answer.status_code == 409
    assert re.search(r'id="f-number"[^>]*aria-invalid="true"', answer.text)
    assert 'value="Ahlers"' in answer.text


def test_staff_is_assigned_from_the_client_and_from_the_member(
    db: Database, signed_in: SignedIn, viewer: MakeViewer, client: Client, firm: Firm
) -> None:
    accountant, browser = viewer(Role.ACCOUNTANT), signed_in(viewer(Role.CLIENT_MANAGER))

    def works() -> bool:
        with db.read() as session:
            return session.get(Assignment, (client.id, accountant.member_id)) is not None

    browser.post(f"/clients/{client.id}/assign", data={"member": str(accountant.member_id)})
    assert works()
    browser.post(f"/clients/{client.id}/assign", data={})
    assert not works()
    address = f"/firm/members/{accountant.member_id}/clients"
    browser.post(address, data={"chosen": str(client.id), "do": "add"})
    assert works()
    assert "assigned" in browser.get(f"{address}?mine=yes&q=brandt").text
    browser.post(address, data={"chosen": str(client.id), "do": "remove"})
    assert not works()


def test_a_companys_owner_runs_its_contacts(db: Database, app: Flask, client: Client) -> None:
    with db.transaction() as session:
        boss = factories.contact(session, client)
    browser, address = factories.sign_in(app, boss.person_id), f"/clients/{client.id}/contacts"
    page = browser.post(address, data={"name": "Petra", "email": "petra@brandt.example", "role": "member"}).text
    assert "/invitations/" in page
    with db.read() as session:
        petra = session.exec(select(Contact).where(Contact.id != boss.id)).one()
    browser.post(f"{address}/{petra.id}", data={"role": "admin"})
    browser.post(f"{address}/{petra.id}/end")
    with db.read() as session:
        ended = session.get_one(Contact, petra.id)
        actions = session.exec(
            select(AuditEntry.action)
            .where(col(AuditEntry.action).startswith("contact."))
            .order_by(col(AuditEntry.number))
        ).all()
    assert (ended.role, ended.ended_at is not None) == (ContactRole.ADMIN, True)
    assert actions == ["contact.invited", "contact.role_changed", "contact.ended"]


def test_an_unknown_role_is_refused(signed_in: SignedIn, viewer: MakeViewer, client: Client) -> None:
    form = {"name": "Petra", "email": "petra@brandt.example", "role": "emperor"}
    browser = signed_in(viewer())
    assert browser.post(f"/clients/{client.id}/contacts", data=form).status_code == 422
    assert browser.post("/firm/members", data=form).status_code == 422


def test_the_firms_settings_are_kept(db: Database, signed_in: SignedIn, viewer: MakeViewer, firm: Firm) -> None:
    browser = signed_in(viewer())
    browser.post("/firm", data={"name": "Sommer & Partner", "zone": "Europe/Zurich", "language": "en"})
    with db.read() as session:
        kept = session.get_one(Firm, firm.id)
    assert (kept.name, kept.zone, kept.language) == ("Sommer & Partner", "Europe/Zurich", "en")
    assert browser.post("/firm", data={"name": "", "zone": "Europe/Zurich", "language": "en"}).status_code == 422


def test_a_token_is_shown_once_and_works_until_revoked(parts: Parts, signed_in: SignedIn, viewer: MakeViewer) -> None:
    browser = signed_in(viewer())
    page = browser.post("/firm/tokens", data={"name": "Shop", "scope": ["read", "documents"], "days": "90"}).text
    secret = re.search(r"kontor_[\w-]+", page)
    assert secret is not None
    assert secret[0] not in browser.get("/firm/tokens").text
    with parts.db.read() as session:
        assert tokens.verify(session, parts.vault, secret[0]) is not None
        row = session.exec(select(ApiToken)).one()
    browser.post(f"/firm/tokens/{row.id}/revoke")
    with parts.db.read() as session:
        assert tokens.verify(session, parts.vault, secret[0]) is None


@pytest.mark.parametrize("days", ["", "-1", "x", "99999999999999999999", "٣"])
def test_a_tokens_length_is_a_sensible_number(signed_in: SignedIn, viewer: MakeViewer, days: str) -> None:
    answer = signed_in(viewer()).post("/firm/tokens", data={"name": "Shop", "scope": "read", "days": days})
    assert answer.status_code == 422


def test_members_get_roles_and_leave(db: Database, signed_in: SignedIn, viewer: MakeViewer) -> None:
    browser, other = signed_in(viewer()), viewer(Role.ASSISTANT)
    theirs = signed_in(other)
    browser.post(f"/firm/members/{other.member_id}", data={"role": "admin"})
    assert theirs.get("/firm").status_code == 200
    browser.post(f"/firm/members/{other.member_id}/end")
    assert theirs.get("/").location == "/sign-in"


ERRORS = [
    ("/nothing", "en", 404, "There is nothing here, or it is not yours to see."),
    ("/nothing", "de", 404, "Hier ist nichts, oder es ist nicht für Sie bestimmt."),
    (f"/clients/{UUID(int=5)}", "de", 404, "Prüfen Sie die Adresse oder gehen Sie zurück zu Ihren Mandanten."),
    ("/?after=x", "en", 422, "This place in the list is not known."),
]


@pytest.mark.parametrize(("address", "asks", "status", "sentence"), ERRORS)
def test_errors_are_pages_that_say_what_to_do(
    signed_in: SignedIn, viewer: MakeViewer, address: str, asks: str, status: int, sentence: str
) -> None:
    answer = signed_in(viewer()).get(address, headers={"Accept-Language": asks})
    assert answer.status_code == status
    assert sentence in answer.text
    assert 'href="/"' in answer.text


def test_a_fault_of_ours_shows_nothing_of_itself(own_app: Flask, viewer: MakeViewer) -> None:
    def broken() -> str:
        raise ZeroDivisionError("secret detail")

    own_app.add_url_rule("/broken", "broken", broken)
    answer = factories.sign_in(own_app, viewer().person_id).get("/broken")
    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.text
    assert "secret detail" not in answer.text


def test_without_a_database_there_is_still_a_page(db: Database, signed_in: SignedIn, viewer: MakeViewer) -> None:
    browser = signed_in(viewer())
    with db.engine.execution_options(writes=True).begin() as connection:
        connection.execute(sa.text("ALTER TABLE sign_in RENAME TO sign_ins"))
    answer = browser.get("/", headers={"Accept-Language": "de"})
    assert answer.status_code in {500, 503}
    assert '<html lang="de">' in answer.text
    assert "sign_in" not in answer.text


def test_errors_come_as_a_piece_for_htmx_and_as_json_for_scripts(signed_in: SignedIn, viewer: MakeViewer) -> None:
    browser = signed_in(viewer())
    piece = browser.get(f"/clients/{UUID(int=5)}", headers={"HX-Request": "true"})
    assert (piece.status_code, "<html" in piece.text, "X-Notice" in piece.headers) == (404, False, True)
    told = browser.get(f"/clients/{UUID(int=5)}", headers={"Accept": "application/json"})
    assert (told.status_code, told.get_json()["state"]) == (404, "refused")


def test_a_form_of_another_site_is_refused(app: Flask, viewer: MakeViewer) -> None:
    browser = factories.sign_in(app, viewer().person_id)
    browser.environ_base.pop("HTTP_X_CSRFTOKEN")
    answer = browser.post("/clients/new", data={"name": "x", "number": "1"})
    assert answer.status_code == 400
    assert "too old" in answer.text


def test_every_answer_keeps_strangers_out(
    app: Flask, browser: FlaskClient, signed_in: SignedIn, viewer: MakeViewer
) -> None:
    for answer in (
        browser.get("/sign-in"),
        signed_in(viewer()).get("/"),
        browser.get("/nothing"),
        browser.get("/healthz"),
    ):
        policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
        assert policy["frame-ancestors"] == "'self'"
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Strict-Transport-Security" not in answer.headers
    assert "Strict-Transport-Security" in browser.get("/sign-in", base_url="https://localhost").headers


def test_no_page_carries_script_or_style_of_its_own(signed_in: SignedIn, viewer: MakeViewer, client: Client) -> None:
    browser = signed_in(viewer())
    for address in ("/", "/account", "/firm", "/firm/members", "/firm/tokens", f"/clients/{client.id}", "/clients/new"):
        page = browser.get(address).text
        assert not re.search(r"<style|<script(?![^>]* src=)| style=| on\w+=|javascript:", page), address


def test_static_files_may_be_kept_for_ever_since_their_address_changes(browser: FlaskClient) -> None:
    address = re.search(r'href="(/static/css/base.css\?v=\w+)"', browser.get("/welcome").text)
    assert address is not None
    answer = browser.get(address[1])
    assert "max-age=31536000" in answer.headers["Cache-Control"]
    answer.close()


def test_only_a_proxy_on_this_machine_is_believed(app: Flask, db: Database, viewer: MakeViewer) -> None:
    forwarded = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"}
    browser = factories.sign_in(app, viewer().person_id)
    for peer, believed in (("127.0.0.1", True), ("203.0.113.5", False)):
        answer = browser.get("/account", headers=forwarded, environ_overrides={"REMOTE_ADDR": peer})
        assert ("Strict-Transport-Security" in answer.headers) is believed


def test_health_is_told_without_signing_in(app: Flask, browser: FlaskClient, db: Database) -> None:
    assert browser.get("/healthz").get_json() == {"status": "ok"}
    assert browser.get("/readyz").get_json() == {"status": "ok", "database": True, "redis": True}
    with db.engine.execution_options(writes=True).begin() as connection:
        connection.execute(sa.text("ALTER TABLE firm RENAME TO firms"))
    answer = browser.get("/readyz")
    assert (answer.status_code, answer.get_json()["database"]) == (503, False)
