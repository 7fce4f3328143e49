"""Pages of movement reports: accounts, a month, its files, attaching documents, the dialogue of columns, strangers."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from datetime import date
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import select

from integrations.contract import DocumentKind
from portal.access import Viewer
from portal.accounts.models import Firm, Role
from portal.audit import SYSTEM
from portal.banking.models import Attachment, BankAccount, ImportState, StatementImport, Transaction
from portal.clients.models import Client
from portal.documents.models import Document, Source
from portal.intake import receive
from portal.parts import Parts
from portal.processing import corrections, services
from tests import factories
from tests.portal.banking.statements.samples import Moved, camt, mt940

MakeViewer = Callable[..., Viewer]
SignIn = Callable[..., FlaskClient]
CSV = b"Datum;Wer;Wofuer;Summe\n05.10.2026;Lang;Rechnung 4711;-12,50\n06.10.2026;Weber;Danke;99,00\n"


@pytest.fixture
def parts(app: Flask) -> Parts:
    made: Parts = app.extensions["kontor"]
    return made


@pytest.fixture
def client(parts: Parts, firm: Firm) -> Client:
    with parts.db.transaction() as session:
        return factories.client(session, firm)


@pytest.fixture
def who(viewer: MakeViewer, client: Client) -> Viewer:
    return viewer(Role.ACCOUNTANT, assigned=(client.id,))


@pytest.fixture
def browser(signed_in: SignIn, who: Viewer) -> FlaskClient:
    return signed_in(who)


def hand_in(parts: Parts, client: Client, content: bytes, name: str = "auszug.xml") -> Document:
    kind = DocumentKind.STATEMENT
    document = receive(parts, SYSTEM, client.id, name, io.BytesIO(content), source=Source.UPLOAD, kind=kind)
    assert isinstance(document, Document)
    services.settle(parts, document.id)
    return document


def account(parts: Parts) -> BankAccount:
    with parts.db.read() as session:
        return session.exec(select(BankAccount)).one()


def transactions(parts: Parts) -> list[Transaction]:
    with parts.db.read() as session:
        return list(session.exec(select(Transaction).order_by(Transaction.booked_on, Transaction.id)))  # type: ignore[arg-type]


def place(client: Client, rest: object = "") -> str:
    return f"/clients/{client.id}/movements" + (f"/{rest}" if rest else "")


def test_the_accounts_tell_how_far_their_statements_go_and_what_lacks_a_document(
    browser: FlaskClient, parts: Parts, client: Client
) -> None:
    hand_in(parts, client, camt(Moved(amount="-12.50"), Moved(amount="7.00")))
    shown = browser.get(place(client)).text
    assert "Commerzbank" in shown
    assert "DE89 3704 0044 0532 0130 00" in shown
    assert "€94.50" in shown
    assert "31 Oct 2026" in shown
    assert "no gaps" in shown


def test_the_month_lists_every_transaction_with_its_sums_and_balances(
    browser: FlaskClient, parts: Parts, client: Client
) -> None:
    hand_in(parts, client, camt(Moved(amount="-12.50", name="<b>Lang & Söhne</b>"), Moved(amount="7.00")))
    shown = browser.get(place(client, account(parts).id)).text
    assert "&lt;b&gt;Lang &amp; Söhne&lt;/b&gt;" in shown
    for figure in ("€100.00", "€7.00", "-€12.50", "€94.50"):
        assert figure in shown
    assert shown.count("no document") == 2


def test_a_gap_and_a_wrong_sum_are_said(browser: FlaskClient, parts: Parts, client: Client) -> None:
    hand_in(parts, client, camt(Moved(amount="5.00"), closing="300.00"))
    november = camt(opening="310.00", since=date(2026, 10, 31), until=date(2026, 11, 30), number="11")
    hand_in(parts, client, november, "november.xml")
    shown = browser.get(place(client, account(parts).id) + "?month=2026-10").text
    assert "a statement is missing: movements of €10.00" in shown
    assert "does not add up" in shown


def test_long_months_are_paged_by_key_and_can_be_narrowed_to_what_is_missing(
    browser: FlaskClient, parts: Parts, client: Client
) -> None:
    moved = [Moved(amount=f"-{number}.00", text=f"Nr {number}") for number in range(1, 151)]
    hand_in(parts, client, camt(*moved))
    url = place(client, account(parts).id)
    first = browser.get(url).text
    assert first.count('id="row-') == 100
    found = re.search(r'rel="next" href="([^"]+)"', first)
    assert found
    second = browser.get(found[1].replace("&amp;", "&")).text
    assert second.count('id="row-') == 50
    back = re.search(r'rel="prev" href="([^"]+)"', second)
    assert back
    assert browser.get(back[1].replace("&amp;", "&")).text.count('id="row-') == 100
    with parts.db.transaction() as session:
        document = factories.document(session, client)
        session.add(Attachment(transaction_id=transactions(parts)[0].id, document_id=document.id))
    assert ">149</b>" in browser.get(url + "?only=missing").text
    assert browser.get(url + "?after=nonsense").status_code == 422


def test_documents_are_attached_and_detached_with_undo_and_learn_their_account(
    browser: FlaskClient, parts: Parts, client: Client
) -> None:
    hand_in(parts, client, camt(Moved(amount="-119.00")))
    [moved] = transactions(parts)
    with parts.db.transaction() as session:
        document = factories.document(session, client, gross=11900, number="RE-9")
    page = place(client, f"transactions/{moved.id}")
    assert "same amount" in browser.get(page).text

    said = browser.post(f"{page}/documents", data={"document": str(document.id)}, follow_redirects=True).text
    assert "is attached" in said
    with parts.db.read() as session:
        assert session.get_one(Document, document.id).account_id == account(parts).id
    undo = re.search(r'action="([^"]+/detach)"', said)
    assert undo
    said = browser.post(undo[1], follow_redirects=True).text
    assert "no longer attached" in said
    with parts.db.read() as session:
        assert session.exec(select(Attachment)).all() == []
    redo = re.search(r'action="([^"]+documents\?document=[^"]+)"', said)
    assert redo
    browser.post(redo[1])
    with parts.db.read() as session:
        assert len(session.exec(select(Attachment)).all()) == 1


def test_a_removed_document_is_no_proof_and_a_removed_statement_takes_its_transactions_along(
    browser: FlaskClient, parts: Parts, client: Client, who: Viewer
) -> None:
    statement = hand_in(parts, client, camt(Moved(amount="-119.00")))
    [moved] = transactions(parts)
    with parts.db.transaction() as session:
        document = factories.document(session, client)
        session.add(Attachment(transaction_id=moved.id, document_id=document.id))
    url = place(client, account(parts).id)
    assert "no document" not in browser.get(url).text
    with parts.db.transaction() as session:
        corrections.remove(session, who, client.id, [document.id], "falsch")
    assert "no document" in browser.get(url).text
    with parts.db.transaction() as session:
        corrections.remove(session, who, client.id, [statement.id], "falscher Mandant")
    assert "No transactions yet" in browser.get(url).text
    with parts.db.transaction() as session:
        corrections.restore(session, who, client.id, [statement.id])
    assert f'id="row-{moved.id}"' in browser.get(url).text


@pytest.mark.parametrize("form", ["csv", "xlsx", "pdf"])
def test_the_month_can_be_had_as_a_file(browser: FlaskClient, parts: Parts, client: Client, form: str) -> None:
    hand_in(parts, client, camt(Moved(amount="-12.50", name='=HYPERLINK("http://evil")', text="Größe")))
    answer = browser.get(place(client, f"{account(parts).id}/report.{form}?month=2026-10"))
    assert answer.status_code == 200
    assert f"2026-10.{form}" in answer.headers["Content-Disposition"]
    if form == "csv":
        text = answer.data.decode("utf-8-sig")
        assert text.splitlines()[1].startswith("2026-10-05;2026-10-05;\"'=HYPERLINK")
        assert ";-12.50;EUR;" in text
    elif form == "xlsx":
        with zipfile.ZipFile(io.BytesIO(answer.data)) as book:
            sheet, strings = book.read("xl/worksheets/sheet1.xml"), book.read("xl/sharedStrings.xml").decode()
        assert b"<f>" not in sheet
        assert b"<v>-12.5</v>" in sheet
        assert "=HYPERLINK" in strings
    else:
        assert answer.data.startswith(b"%PDF-")


def test_the_columns_of_a_table_are_confirmed_once_and_then_known(
    browser: FlaskClient, parts: Parts, client: Client
) -> None:
    with parts.db.transaction() as session:
        own = factories.account(session, client)
    document = hand_in(parts, client, CSV, "export.csv")
    assert state(parts, document.id) is ImportState.COLUMNS
    page = place(client, f"files/{document.id}")
    assert "What the columns mean" in browser.get(page).text

    columns = {"booked": "0", "name": "1", "text": "2", "amount": "3", "heading": "0", "delimiter": ";",
               "encoding": "utf-8", "decimal": ",", "order": "dmy", "account_id": str(own.id)}  # fmt: skip
    preview = browser.post(f"{page}/columns", data={**columns, "then": "look"}).text
    assert "-€12.50" in preview
    assert "sum €86.50" in preview
    refused = browser.post(f"{page}/columns", data={**columns, "amount": "", "then": "keep"})
    assert refused.status_code == 422
    assert "which the amount" in refused.text

    assert browser.post(f"{page}/columns", data={**columns, "then": "keep"}).status_code == 303
    services.settle(parts, document.id)
    assert state(parts, document.id) is ImportState.IMPORTED
    next_month = CSV.replace(b".10.2026", b".11.2026")
    assert state(parts, hand_in(parts, client, next_month, "november.csv").id) is ImportState.IMPORTED
    assert [one.amount for one in transactions(parts)] == [-1250, 9900, -1250, 9900]


def test_a_file_that_does_not_say_whose_it_is_asks(browser: FlaskClient, parts: Parts, client: Client) -> None:
    with parts.db.transaction() as session:
        own = factories.account(session, client)
        factories.account(session, client, name="Tagesgeld")
    fragment = b"\r\n".join(mt940(Moved(amount="-12.50")).splitlines()[3:])
    document = hand_in(parts, client, fragment, "teil.sta")
    assert state(parts, document.id) is ImportState.ACCOUNT
    assert transactions(parts) == []
    page = place(client, f"files/{document.id}")
    assert "Which account is it of?" in browser.get(page).text
    browser.post(f"{page}/account", data={"account_id": str(own.id)})
    services.settle(parts, document.id)
    assert [one.account_id for one in transactions(parts)] == [own.id]


def test_a_file_that_cannot_be_read_stays_and_says_why(browser: FlaskClient, parts: Parts, client: Client) -> None:
    document = hand_in(parts, client, camt(Moved(amount="-12.50")).replace(b"053.001.08", b"053.001.01"))
    assert state(parts, document.id) is ImportState.FAILED
    assert "version 2 or newer" in browser.get(place(client)).text
    assert browser.post(place(client, f"files/{document.id}/again")).status_code == 303
    services.settle(parts, document.id)
    assert state(parts, document.id) is ImportState.FAILED


def test_strangers_find_nothing_and_readers_cannot_attach(
    signed_in: SignIn, viewer: MakeViewer, parts: Parts, client: Client
) -> None:
    document = hand_in(parts, client, camt(Moved(amount="-12.50")))
    [moved] = transactions(parts)
    pages = [place(client), place(client, account(parts).id), place(client, f"transactions/{moved.id}"),
             place(client, f"{account(parts).id}/report.csv"), place(client, f"files/{document.id}")]  # fmt: skip
    other = signed_in(viewer(Role.ACCOUNTANT))
    manager = signed_in(viewer(Role.CLIENT_MANAGER))
    assert {browser.get(page).status_code for page in pages for browser in (other, manager)} == {404}
    reader = signed_in(viewer(Role.ASSISTANT, assigned=(client.id,)))
    assert {reader.get(page).status_code for page in pages} == {200}
    forms = [place(client, f"transactions/{moved.id}/documents"), place(client, f"files/{document.id}/again"),
             place(client, f"transactions/{moved.id}/documents/{document.id}/detach")]  # fmt: skip
    assert {reader.post(form, data={"document": str(document.id)}).status_code for form in forms} == {404}


def test_another_clients_transaction_account_and_document_are_not_there(
    browser: FlaskClient, parts: Parts, client: Client, firm: Firm
) -> None:
    with parts.db.transaction() as session:
        other = factories.client(session, firm, name="Fremd GmbH")
        theirs = factories.document(session, other)
    hand_in(parts, other, camt(Moved(amount="-12.50")))
    [moved] = transactions(parts)
    assert browser.get(place(client, account(parts).id)).status_code == 404
    assert browser.get(place(client, f"transactions/{moved.id}")).status_code == 404
    hand_in(parts, client, camt(Moved(amount="-1.00")))
    mine = next(one for one in transactions(parts) if one.client_id == client.id)
    url = place(client, f"transactions/{mine.id}/documents")
    assert browser.post(url, data={"document": str(theirs.id)}).status_code == 404


def state(parts: Parts, document_id: UUID) -> ImportState:
    with parts.db.read() as session:
        return session.get_one(StatementImport, document_id).state
