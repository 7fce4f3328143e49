"""Pages of documents: folders, uploads, one document, refusals, bank accounts, and who may see them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlmodel import col, select
from werkzeug.test import TestResponse

from integrations.contract import DocumentKind
from portal.access import Viewer
from portal.accounts.models import Firm, Role
from portal.clients.models import Client
from portal.delivery.models import State
from portal.documents.models import Document, Refusal
from portal.parts import Parts
from tests import factories
from tests.portal.web.papers import folder, kept

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
def browser(signed_in: SignIn, viewer: MakeViewer, client: Client) -> FlaskClient:
    return signed_in(viewer(Role.ACCOUNTANT, assigned=(client.id,)))


def send(browser: FlaskClient, client: Client, content: bytes, name: str = "a.pdf") -> TestResponse:
    """As the page's own script hands in one file."""
    return browser.post(
        folder(client), data={"file": (io.BytesIO(content), name)}, headers={"Accept": "application/json"}
    )


def documents(parts: Parts) -> list[Document]:
    with parts.db.read() as session:
        return list(session.exec(select(Document).order_by(col(Document.arrived_at), col(Document.id))))


@contextmanager
def counted(parts: Parts) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(parts.db.engine, "before_cursor_execute", note)
    yield statements
    event.remove(parts.db.engine, "before_cursor_execute", note)


def test_a_file_is_taken_and_its_sender_told_where_it_lies(browser: FlaskClient, client: Client, parts: Parts) -> None:
    answer = send(browser, client, factories.PDF, "Rechnung März.pdf")

    assert (answer.status_code, answer.get_json()["state"]) == (201, "taken")
    (document,) = documents(parts)
    assert (document.kind, document.filename) == (DocumentKind.INCOMING_INVOICE, "Rechnung März.pdf")
    assert browser.get(answer.get_json()["url"]).status_code == 200


def test_the_same_file_again_is_told_to_be_a_twin(browser: FlaskClient, client: Client) -> None:
    send(browser, client, factories.PDF)
    answer = send(browser, client, factories.PDF)
    assert (answer.status_code, answer.get_json()["state"]) == (201, "twin")


def test_a_refused_file_is_told_at_once_and_listed_until_it_is_put_aside(
    browser: FlaskClient, client: Client, parts: Parts
) -> None:
    answer = send(browser, client, b"MZ\x90\x00", "<b>virus.exe")
    assert (answer.status_code, answer.get_json()["state"]) == (422, "refused")
    assert answer.get_json()["text"]
    listed = browser.get(f"/clients/{client.id}/refusals").text
    assert "&lt;b&gt;virus" in listed
    assert f"/clients/{client.id}/refusals" in browser.get(folder(client)).text

    with parts.db.read() as session:
        refusal = session.exec(select(Refusal)).one()
    browser.post(f"/clients/{client.id}/refusals", data={"chosen": str(refusal.id)})
    assert "virus" not in browser.get(f"/clients/{client.id}/refusals").text
    assert "virus" in browser.get(f"/clients/{client.id}/refusals?seen=yes").text


def test_a_file_too_large_to_send_is_named_and_listed(browser: FlaskClient, client: Client, parts: Parts) -> None:
    answer = browser.post(
        folder(client), data={"unsent": "film.pdf", "size": "700000000"}, headers={"Accept": "application/json"}
    )
    assert (answer.status_code, answer.get_json()["state"]) == (422, "refused")
    with parts.db.read() as session:
        assert session.exec(select(Refusal.size)).one() == 700_000_000


def test_without_scripts_a_form_hands_in_many_files_at_once(browser: FlaskClient, client: Client, parts: Parts) -> None:
    many = [(io.BytesIO(factories.PDF + b"%d" % number), f"{number}.pdf") for number in range(5)]
    many.append((io.BytesIO(b""), "leer.pdf"))
    answer = browser.post(folder(client), data={"files": many}, follow_redirects=True)

    assert answer.status_code == 200
    assert "leer.pdf" in answer.text
    assert [document.filename for document in documents(parts)] == [f"{number}.pdf" for number in range(5)]


def test_a_document_is_handed_in_together_with_its_facts(browser: FlaskClient, client: Client, parts: Parts) -> None:
    facts = {"party_name": "Meyer", "gross": "1.190,00", "net": "1000", "currency": "eur", "issued_on": "2026-03-01"}
    answer = browser.post(
        f"{folder(client)}/add", data={**facts, "tax": "5", "file": (io.BytesIO(factories.PDF), "a.pdf")}
    )
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    browser.post(f"{folder(client)}/add", data={**facts, "file": (io.BytesIO(factories.PDF + b"2"), "b.pdf")})
    document = documents(parts)[-1]
    assert (document.party_name, document.net, document.tax, document.gross) == ("Meyer", 100000, 19000, 119000)


def test_a_correction_by_hand_is_kept_as_a_version(browser: FlaskClient, client: Client, parts: Parts) -> None:
    facts = {"party_name": "Alt AG", "currency": "EUR", "gross": "5", "file": (io.BytesIO(factories.PDF), "a.pdf")}
    page = browser.post(f"{folder(client)}/add", data=facts).location
    form = {"version": "1", "kind": "incoming_invoice", "party_name": "Neu GmbH", "number": "77", "currency": "EUR"}
    assert browser.post(page, data={**form, "gross": "1.234,56"}).status_code == 303

    (after,) = documents(parts)
    assert (after.version, after.party_name, after.number, after.gross) == (2, "Neu GmbH", "77", 123456)
    shown = browser.get(page).text
    assert "Neu GmbH" in shown
    assert "<del>Alt AG</del>" in shown


def test_a_wrong_field_is_said_at_the_field_and_nothing_typed_is_lost(
    browser: FlaskClient, client: Client, parts: Parts
) -> None:
    document = kept(parts, client)
    answer = browser.post(
        f"{folder(client)}/{document.id}", data={"version": "1", "gross": "abc", "party_name": "Getippt"}
    )
    assert answer.status_code == 422
    assert 'value="Getippt"' in answer.text
    assert 'value="abc" aria-invalid="true"' in answer.text


def test_who_was_slower_is_told_so_and_keeps_what_was_typed(browser: FlaskClient, client: Client, parts: Parts) -> None:
    document = kept(parts, client, version=3)
    answer = browser.post(f"{folder(client)}/{document.id}", data={"version": "2", "party_name": "Getippt"})
    assert answer.status_code == 409
    assert 'value="Getippt"' in answer.text


def test_save_and_next_goes_on_in_the_list_as_it_was_filtered(
    browser: FlaskClient, client: Client, parts: Parts
) -> None:
    first, _other, second = (kept(parts, client, party_name=name) for name in ("Alpha", "Beta", "Alpha Zwei"))
    form = {"version": "1", "kind": "incoming_invoice", "party_name": "Alpha", "then": "next"}
    answer = browser.post(f"{folder(client)}/{second.id}?q=alpha", data=form)
    assert answer.location == f"{folder(client)}/{first.id}?q=alpha"


def test_a_document_moves_to_the_folder_of_its_kind(browser: FlaskClient, client: Client, parts: Parts) -> None:
    document = kept(parts, client)
    browser.post(
        f"/clients/{client.id}/documents/chosen/move",
        data={"chosen": str(document.id), "to": "receipts", "from": "incoming-invoices"},
    )
    assert browser.get(f"{folder(client)}/{document.id}").location == f"{folder(client, 'receipts')}/{document.id}"


def test_a_removal_has_a_reason_and_an_undo(browser: FlaskClient, client: Client, parts: Parts) -> None:
    document = kept(parts, client)
    act = f"/clients/{client.id}/documents/chosen/remove"
    assert browser.post(act, data={"chosen": str(document.id), "from": "other"}).status_code == 422
    shown = browser.post(
        act, data={"chosen": str(document.id), "from": "other", "reason": "Privat"}, follow_redirects=True
    ).text
    undo = f"/clients/{client.id}/documents/restore?ids={document.id}"
    assert undo in shown
    assert document.filename not in browser.get(folder(client)).text
    assert document.filename in browser.get(f"{folder(client)}?only=removed").text

    browser.post(undo)
    assert document.filename in browser.get(folder(client)).text


def test_twins_are_shown_side_by_side_and_decided(browser: FlaskClient, client: Client, parts: Parts) -> None:
    first = kept(parts, client, content=factories.PDF)
    second = kept(parts, client, content=factories.PDF, twin_id=first.id, filename="zweimal.pdf")
    page = f"/clients/{client.id}/documents/{second.id}/twin"
    shown = browser.get(page).text
    assert first.filename in shown
    assert "zweimal.pdf" in shown
    browser.post(page, data={"decision": "keep"})
    assert documents(parts)[1].twin_accepted


def test_the_list_is_filtered_and_sorted_by_its_address(browser: FlaskClient, client: Client, parts: Parts) -> None:
    for name, gross in (("Beta", 200), ("Alpha", 100), ("Gamma", 300)):
        kept(parts, client, party_name=name, net=None, tax=None, gross=gross)
    shown = browser.get(f"{folder(client)}?sort=party&least=1,50", headers={"HX-Request": "true"}).text
    assert "<html" not in shown
    assert "Alpha" not in shown
    assert 0 < shown.index("Beta") < shown.index("Gamma")


def test_the_list_can_show_only_what_stands_still_at_an_integration(
    browser: FlaskClient, client: Client, parts: Parts, firm: Firm
) -> None:
    with parts.db.transaction() as session:
        owner = session.get_one(Client, client.id)
        drive = factories.instance(session, owner, factories.installation(session, firm), name="Ablage")
        for state in (State.FAILED, State.DELIVERED, State.QUEUED):
            factories.delivery(
                session, factories.document(session, owner, party_name=f"Is {state}"), drive, state=state
            )
    everything = browser.get(folder(client)).text
    assert "Ablage" in everything
    for asked, seen in (("open", "failed"), ("delivered", "delivered"), ("queued", "queued")):
        shown = browser.get(f"{folder(client)}?state={asked}&instance={drive.id}").text
        assert [state for state in ("failed", "delivered", "queued") if f"Is {state}" in shown] == [seen]


@pytest.mark.parametrize(
    "query",
    [
        "state=nonsense",
        "instance=1",
        "since=2026-13-01",
        "least=abc",
        "least=9999999999999999999999",
        "sort=up",
        "q=%00",
    ],
)
def test_what_cannot_be_understood_in_an_address_narrows_nothing(
    browser: FlaskClient, client: Client, parts: Parts, query: str
) -> None:
    document = kept(parts, client)
    assert document.filename in browser.get(f"{folder(client)}?{query}").text


def test_a_page_of_a_folder_takes_as_many_queries_however_much_it_shows(
    browser: FlaskClient, client: Client, parts: Parts, firm: Firm
) -> None:
    with parts.db.transaction() as session:
        owner = session.get_one(Client, client.id)
        drive = factories.instance(session, owner, factories.installation(session, firm))
        factories.delivery(session, factories.document(session, owner), drive, state=State.DELIVERED)
    browser.get(folder(client))
    with counted(parts) as few:
        browser.get(f"{folder(client)}?sort=-arrival")  # another address: this one is kept
    with parts.db.transaction() as session:
        for _ in range(60):
            factories.delivery(session, factories.document(session, owner), drive, state=State.DELIVERED)
    with counted(parts) as many:
        assert 'rel="next"' in browser.get(folder(client)).text
    assert len(many) == len(few)
    assert len(many) < 20


@pytest.mark.parametrize("role", [Role.CLIENT_MANAGER, Role.ASSISTANT])
def test_rights_decide_what_is_seen_and_done(
    signed_in: SignIn, viewer: MakeViewer, client: Client, parts: Parts, role: Role
) -> None:
    document = kept(parts, client)
    browser = signed_in(viewer(role, assigned=(client.id,)))
    sees = 200 if role is Role.ASSISTANT else 404
    base = f"/clients/{client.id}/documents/{document.id}"
    for path in (folder(client), f"{folder(client)}/{document.id}", f"{base}/file", f"{base}/preview",
                 f"/clients/{client.id}/refusals", f"/clients/{client.id}/bank-accounts"):  # fmt: skip
        assert browser.get(path).status_code == sees, path
    assert send(browser, client, factories.PDF).status_code == 404
    remove = {"chosen": str(document.id), "reason": "x", "from": "other"}
    assert browser.post(f"/clients/{client.id}/documents/chosen/remove", data=remove).status_code == 404
    assert browser.post(f"{folder(client)}/{document.id}", data={"party_name": "x"}).status_code == 404
    if sees == 200:
        shown = browser.get(folder(client)).text
        assert "data-dropzone" not in shown
        assert "chosen/remove" not in shown


def test_a_contact_who_may_only_add_sees_no_buttons_to_correct(signed_in: SignIn, client: Client, parts: Parts) -> None:
    from portal.accounts.models import Person
    from portal.clients.models import ContactRole

    document = kept(parts, client)
    with parts.db.transaction() as session:
        contact = factories.contact(session, session.get_one(Client, client.id), role=ContactRole.MEMBER)
        person = session.get_one(Person, contact.person_id)
    browser = signed_in(person)
    assert send(browser, client, factories.PDF).status_code == 201
    page = browser.get(f"{folder(client)}/{document.id}").text
    assert '<fieldset class="stack" disabled>' in page


def test_documents_of_another_client_are_not_found_under_this_one(
    browser: FlaskClient, client: Client, parts: Parts, firm: Firm
) -> None:
    with parts.db.transaction() as session:
        other = factories.client(session, firm)
    foreign = kept(parts, other)
    base = f"/clients/{client.id}/documents/{foreign.id}"
    for path in (
        f"{folder(client)}/{foreign.id}",
        f"{base}/file",
        f"{base}/preview",
        f"{base}/twin",
        f"{base}/standing",
    ):
        assert browser.get(path).status_code == 404, path
    zipped = browser.post(f"/clients/{client.id}/documents/chosen/zip", data={"chosen": str(foreign.id)})
    assert zipped.status_code == 422


def test_an_unknown_folder_is_not_found(browser: FlaskClient, client: Client) -> None:
    assert browser.get(folder(client, "secret")).status_code == 404


def test_dates_of_arrival_are_shown_in_the_zone_of_the_firm(browser: FlaskClient, client: Client, parts: Parts) -> None:
    document = kept(parts, client, arrived_at=datetime(2026, 1, 5, 23, 30, tzinfo=UTC))
    page = browser.get(f"{folder(client)}/{document.id}", headers={"Accept-Language": "en"}).text
    assert "6 Jan 2026, 00:30" in page
