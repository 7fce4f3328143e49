"""The search's pages: what is shown of what, to whom, and that lists and views remember it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from integrations.contract import DocumentKind
from portal.access import Viewer
from portal.accounts.models import Firm, Person, Role
from portal.clients.models import Client, ContactRole
from portal.documents import search
from portal.documents.models import Document
from portal.parts import Parts
from tests import factories
from tests.portal.web.papers import folder

MakeViewer = Callable[..., Viewer]
SignIn = Callable[..., FlaskClient]


@pytest.fixture
def parts(app: Flask) -> Parts:
    made: Parts = app.extensions["kontor"]
    return made


@pytest.fixture
def client(parts: Parts, firm: Firm) -> Client:
    with parts.db.transaction() as session:
        return factories.client(session, firm)


@pytest.fixture
def other(parts: Parts, firm: Firm) -> Client:
    with parts.db.transaction() as session:
        return factories.client(session, firm, name="Tischlerei Ahlers")


@pytest.fixture
def browser(signed_in: SignIn, viewer: MakeViewer, client: Client) -> FlaskClient:
    return signed_in(viewer(Role.ACCOUNTANT, assigned=(client.id,)))


def said(parts: Parts, client: Client, text: str, **more: object) -> Document:
    """A document whose file says this."""
    with parts.db.transaction() as session:
        owner = session.get_one(Client, client.id)
        document = factories.document(session, owner, **more)  # type: ignore[arg-type]
        search.index(session, document, text)
        return document


def test_hits_are_shown_with_client_folder_and_the_words_marked(
    browser: FlaskClient, client: Client, parts: Parts
) -> None:
    document = said(parts, client, "Wir liefern <b>Hafermehl</b> in Säcken", kind=DocumentKind.RECEIPT)
    shown = browser.get("/search?q=hafermehl").text
    assert f"/clients/{client.id}/documents/receipts/{document.id}" in shown
    assert "Wir liefern &lt;b&gt;<mark>Hafermehl</mark>&lt;/b&gt; in Säcken" in shown
    assert client.name in shown


@pytest.mark.parametrize(
    ("query", "finds"),
    [
        ("q=mehl&folder=receipts", {"one"}),
        ("q=mehl&since=2026-02-01", {"two"}),
        ("q=mehl&until=2026-01-31", {"one"}),
        ("q=mehl&since=nonsense&folder=nonsense", {"one", "two"}),
        ("q=mehl -two", {"one"}),
        ("q=salz", set()),
        ("q=", set()),
    ],
)
def test_a_search_is_narrowed_by_its_address(
    browser: FlaskClient, client: Client, parts: Parts, query: str, finds: set[str]
) -> None:
    from datetime import date

    said(parts, client, "Mehl one", filename="one.pdf", kind=DocumentKind.RECEIPT, issued_on=date(2026, 1, 5))
    said(parts, client, "Mehl two", filename="two.pdf", issued_on=date(2026, 2, 5))
    shown = browser.get(f"/search?{query}", headers={"HX-Request": "true"}).text
    assert "<html" not in shown
    assert {
        name for name in ("one", "two") if f"{name}.pdf" in shown.replace("<mark>", "").replace("</mark>", "")
    } == finds


def test_only_clients_one_may_see_are_searched(
    browser: FlaskClient, signed_in: SignIn, viewer: MakeViewer, other: Client, parts: Parts
) -> None:
    said(parts, other, "Geheimrezept", party_name="Fremde Lieferantin")
    assert "Fremde Lieferantin" not in browser.get("/search?q=geheimrezept").text
    assert browser.get(f"/search?q=geheimrezept&client={other.id}").status_code == 404
    assert browser.get("/search?q=geheimrezept&client=1").status_code == 404
    owner = signed_in(viewer(Role.OWNER))
    assert "Fremde Lieferantin" in owner.get("/search?q=geheimrezept").text
    assert "Fremde Lieferantin" in owner.get(f"/search?q=geheimrezept&client={other.id}").text


def test_another_firm_is_never_searched(signed_in: SignIn, parts: Parts, client: Client) -> None:
    said(parts, client, "Geheimrezept", party_name="Fremde Lieferantin")
    with parts.db.transaction() as session:
        member = factories.member(session, factories.firm(session, name="Andere Kanzlei"))
        person = session.get_one(Person, member.person_id)
    assert "Fremde Lieferantin" not in signed_in(person).get("/search?q=geheimrezept").text


def test_a_member_of_a_hundred_clients_and_more_is_answered(
    signed_in: SignIn, viewer: MakeViewer, client: Client, other: Client, parts: Parts, firm: Firm
) -> None:
    with parts.db.transaction() as session:
        many = tuple(factories.client(session, firm).id for _ in range(search.FEW + 1))
    said(parts, client, "Rezept", party_name="Eigene AG")
    said(parts, other, "Rezept", party_name="Fremde AG")
    shown = signed_in(viewer(Role.ACCOUNTANT, assigned=(client.id, *many))).get("/search?q=rezept").text
    assert "Eigene AG" in shown
    assert "Fremde AG" not in shown


def test_a_contact_searches_the_own_companies(signed_in: SignIn, client: Client, other: Client, parts: Parts) -> None:
    said(parts, client, "Rezept", party_name="Eigene AG")
    said(parts, other, "Rezept", party_name="Fremde AG")
    with parts.db.transaction() as session:
        contact = factories.contact(session, session.get_one(Client, client.id), role=ContactRole.MEMBER)
        person = session.get_one(Person, contact.person_id)
    shown = signed_in(person).get("/search?q=rezept").text
    assert "Eigene AG" in shown
    assert "Fremde AG" not in shown


def test_who_may_see_no_documents_finds_no_search(signed_in: SignIn, viewer: MakeViewer) -> None:
    browser = signed_in(viewer(Role.CLIENT_MANAGER))
    assert browser.get("/search?q=a").status_code == 404
    assert 'action="/search"' not in browser.get("/").text


def test_pages_go_on_where_the_last_one_ended(browser: FlaskClient, client: Client, parts: Parts) -> None:
    made = {str(said(parts, client, "Beleg").id) for _ in range(30)}
    seen: list[str] = []
    link = "/search?q=beleg"
    while link:
        page = browser.get(link).text
        seen += [one for one in made if f"/{one}" in page]
        link = page.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert sorted(seen) == sorted(made)
    assert browser.get("/search?q=beleg&after=nonsense").status_code == 422


def test_a_page_takes_as_many_queries_however_much_it_shows(browser: FlaskClient, client: Client, parts: Parts) -> None:
    from tests.portal.web.test_documents import counted

    said(parts, client, "Beleg")
    browser.get("/search?q=beleg")
    with counted(parts) as few:
        browser.get("/search?q=beleg")
    for _ in range(20):
        said(parts, client, "Beleg")
    with counted(parts) as many:
        browser.get("/search?q=beleg")
    assert len(many) == len(few)


def test_a_folder_shows_where_its_documents_say_what_was_typed(
    browser: FlaskClient, client: Client, parts: Parts
) -> None:
    said(parts, client, "Darin steht Hafermehl aus Aue", party_name="Mühle Aue")
    said(parts, client, "Nichts davon", party_name="Andere")
    shown = browser.get(f"{folder(client)}?q=haferm").text
    assert "Darin steht <mark>Hafermehl</mark> aus Aue" in shown
    assert "Andere" not in shown


def test_views_of_the_search_and_of_a_folder_are_kept_and_forgotten(browser: FlaskClient, client: Client) -> None:
    kept = browser.post("/views/search", data={"name": "Strom", "q": "strom", "folder": "receipts", "next": "/search"})
    assert kept.location == "/search?q=strom&folder=receipts"
    at = folder(client)
    kept = browser.post("/views/incoming-invoices", data={"name": "Große", "least": "1000", "next": f"{at}?q=x"})
    assert kept.location == f"{at}?least=1000"

    assert "Strom" in browser.get("/search").text
    assert "Strom" not in browser.get(at).text
    page = browser.get(at).text
    assert f'href="{at}?least=1000"' in page
    forget = page.partition('id="forget-1" method="post" action="')[2].partition('"')[0]
    assert browser.post(forget, data={"next": at}).location == at
    assert "Große" not in browser.get(at).text
    assert browser.post("/views/nonsense", data={"name": "x"}).status_code == 404
