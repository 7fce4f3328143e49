"""The index on this run's engine: true to every document at any moment, quick to narrow, deaf to tricks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from integrations.contract import DocumentKind
from portal.accounts.models import Firm
from portal.clients.models import Client
from portal.db import Database
from portal.documents import lists, queries, search
from portal.documents.lists import Filter, Order
from portal.documents.models import Document, DocumentText
from portal.documents.search import Where
from tests import factories

HOSTILE = [
    "\"", "'", "''); DROP TABLE document;--", "(", ")", "a AND", "NOT", "OR OR", "NEAR(a b)", "words:x", "{words} : a",
    "a*b*", "^a", "a + b", "-", "--a", "* *", "\\", "a\\'b", "!a & b", "a:*", "a <-> b", "%", "_", "\x00", "\ud800",
    "🧾", "ﷺ", "a" * 5000, "a " * 500, '"' * 301, "-a " * 100, "=1", "~a", ":c1", "a\x1ab", "٣٤", "½", "Ǆ",
]  # fmt: skip


@pytest.fixture
def client(db: Database, firm: Firm) -> Client:
    with db.transaction() as session:
        return factories.client(session, firm)


def where(
    client: Client, folder: DocumentKind | None = None, since: date | None = None, until: date | None = None
) -> Where:
    ids = sa.select(sa.literal(client.id, sa.Uuid()))
    return Where(clients=ids, scope=[[search.client_term(client.id)]], folder=folder, since=since, until=until)


def found(session: Session, text: str, at: Where, limit: int = 1000) -> list[UUID]:
    query = queries.parse(text)
    return [one for _place, one in search.page(session, query, at, before=None, limit=limit)] if query else []


def paper(session: Session, client: Client, text: str = "", **more: object) -> Document:
    fields: dict[str, object] = {"party_name": None, "number": None, "filename": "scan.pdf", **more}
    document = factories.document(session, client, **fields)  # type: ignore[arg-type]
    if text:
        search.index(session, document, text)
    return document


@pytest.mark.parametrize(
    ("text", "finds"),
    [
        ("Wartungsvertrag für Häuser", ["wartungsvertrag", "haus", "HÄUSER", "wartung*", '"für Häuser"', "für -wagen"]),
        ("Nr. RE 2026 17 vom", ["RE-2026/17", "RE202617", "re 2026 17", "RE-2026*", '"RE-2026/17"']),
        ("Nr. RE-2026/17 vom", ["RE 2026 17", "RE202617", "2026/17"]),
        ("1.234,56 €", ["1.234,56", "1234,56", "1,234.56", "1234.56"]),
        ("IBAN: DE89 3704 0044 0532 0130 00.", ["DE89370400440532013000", "DE89 3704 0044 0532 0130 00"]),
        ("Café Größe Łódź", ["cafe", "groesse", "grösse", "CAFÉ"]),
        ("请 发票", ["发票"]),
    ],
)
def test_a_document_is_found_by_the_text_of_its_file(
    session: Session, client: Client, text: str, finds: list[str]
) -> None:
    document = paper(session, client, text)
    paper(session, client, "Etwas ganz anderes, RE-2027/18 über 99,00")
    assert [sought for sought in finds if found(session, sought, where(client)) != [document.id]] == []


@pytest.mark.parametrize(
    "sought",
    ["storno", '"Häuser Wartungsvertrag"', "wartungsvertrag storno", "-wartungsvertrag", "vertrag*", "RE-2026/1"],
)
def test_what_is_not_said_is_not_found(session: Session, client: Client, sought: str) -> None:
    paper(session, client, "Wartungsvertrag für Häuser RE-2026/17")
    assert found(session, sought, where(client)) == []


def test_a_document_is_found_by_its_facts_before_its_file_is_read(session: Session, client: Client) -> None:
    document = factories.document(
        session, client, party_name="Mühlenwerke", number="M-7/8", filename="brief vom amt.pdf", note="Bitte prüfen",
        issued_on=date(2026, 2, 3),
    )  # fmt: skip
    for sought in ("mühlenwerk", "M78", "amt", "prüfen", "119,00", "03.02.2026", "2026-02-03"):
        assert found(session, sought, where(client)) == [document.id], sought


def test_a_change_of_facts_is_found_in_the_same_transaction_and_what_was_is_forgotten(
    session: Session, client: Client
) -> None:
    document = paper(session, client, "Behaltener Text", party_name="Alt AG")
    document.party_name = "Neu GmbH"
    document.kind = DocumentKind.RECEIPT
    session.flush()
    assert found(session, "neu", where(client, DocumentKind.RECEIPT)) == [document.id]
    assert found(session, "behaltener", where(client)) == [document.id]
    assert found(session, "alt", where(client)) == []
    assert found(session, "neu", where(client, DocumentKind.INCOMING_INVOICE)) == []


def test_another_text_takes_the_place_of_the_first(session: Session, client: Client) -> None:
    document = paper(session, client, "erste Lesung")
    search.index(session, document, "zweite Fassung")
    assert found(session, "lesung", where(client)) == []
    assert found(session, "fassung", where(client)) == [document.id]


def test_a_removed_document_is_not_found_until_it_is_back(session: Session, client: Client) -> None:
    document = paper(session, client, "Vertrag")
    document.removed_at = datetime.now(UTC)
    session.flush()
    assert found(session, "vertrag", where(client)) == []
    document.removed_at = None
    session.flush()
    assert found(session, "vertrag", where(client)) == [document.id]


def test_a_rollback_leaves_nothing_behind(db: Database, client: Client) -> None:
    with db.transaction() as session:
        paper(session, client, "Vergänglich")
        session.rollback()
    with db.read() as session:
        assert found(session, "vergänglich", where(client)) == []


def test_the_clients_given_are_obeyed_whatever_the_scope_says(session: Session, client: Client, firm: Firm) -> None:
    other = factories.client(session, firm)
    paper(session, other, "Geheim")
    wide = Where(clients=sa.select(sa.literal(client.id, sa.Uuid())), scope=[[search.firm_term(firm.id)]])
    assert found(session, "geheim", wide) == []
    assert found(session, search.client_term(other.id), wide) == []


def test_pages_by_key_hold_every_document_once_newest_first(session: Session, client: Client) -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    made = [paper(session, client, "Beleg", arrived_at=at + timedelta(seconds=number // 3)) for number in range(20)]
    query, pages, before = queries.parse("beleg"), [], None
    while page := search.page(session, query, where(client), before=before, limit=3):
        pages += page
        before = page[-1][0]
    arrived = {document.id: document.arrived_at for document in made}
    assert sorted(one for _place, one in pages) == sorted(arrived)
    assert [arrived[one] for _place, one in pages] == sorted(arrived.values(), reverse=True)


DAYS = (date(1999, 12, 31), date(2024, 1, 1), date(2024, 12, 31), date(2025, 1, 1), date(2026, 11, 30))


@pytest.mark.parametrize("since", [None, *DAYS])
@pytest.mark.parametrize("until", [None, date(1940, 1, 1), *DAYS, date(2150, 1, 1)])
def test_a_period_is_of_the_date_of_the_document(
    session: Session, client: Client, since: date | None, until: date | None
) -> None:
    made = {paper(session, client, "Beleg", issued_on=day).id: day for day in DAYS}
    wanted = {one for one, day in made.items() if (since or day) <= day <= (until or day)}
    assert set(found(session, "beleg", where(client, since=since, until=until))) == wanted


def test_a_date_that_is_corrected_moves_the_document_to_its_period(session: Session, client: Client) -> None:
    document = paper(session, client, "Beleg", issued_on=date(2024, 5, 5))
    document.issued_on = date(2025, 5, 5)
    session.flush()
    assert found(session, "beleg", where(client, until=date(2024, 12, 31))) == []
    assert found(session, "beleg", where(client, until=date(2025, 12, 31))) == [document.id]


@pytest.mark.parametrize("sought", HOSTILE)
def test_no_search_is_an_error(session: Session, client: Client, sought: str) -> None:
    document = paper(session, client, "Ein Beleg")
    assert set(found(session, sought, where(client))) <= {document.id}
    narrowed = Filter(text=sought.replace("\x00", "").encode(errors="ignore").decode()[:200])
    lists.page(session, client.id, None, narrowed, Order(), lists.Line)
    assert session.exec(select(Document.id)).all() == [document.id]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=200), sought=st.text(max_size=60))
def test_any_text_is_kept_and_any_search_answered(db: Database, client: Client, text: str, sought: str) -> None:
    with db.transaction() as session:
        document = paper(session, client, text + " Anker")
        assert document.id in found(session, "anker", where(client))
        found(session, sought, where(client))


def test_the_longest_and_strangest_texts_are_kept(session: Session, client: Client) -> None:
    words = " ".join(f"wort{number:x}" for number in range(60_000))
    document = paper(session, client, words)
    same = paper(session, client, "gleich " * 60_000)
    wide = paper(session, client, "𒀀𒀁𒀂𒀃 " * 40_000 + "ﷺ" * 50_000)
    assert found(session, "wort1", where(client)) == [document.id]
    assert found(session, "gleich", where(client)) == [same.id]
    assert found(session, "scan", where(client)) == [wide.id, same.id, document.id]


def test_rows_written_past_the_index_are_taken_in_and_a_rebuild_changes_nothing(db: Database, client: Client) -> None:
    with db.transaction() as session:
        document = paper(session, client, "Beleg")
        values = {**document.model_dump(), "id": UUID(int=7), "party_name": "Vorbei"}
        session.execute(sa.insert(Document).values(values))
    assert search.fill_gaps(db) == 1
    assert search.fill_gaps(db) == 0
    for done in (0, search.rebuild(db)):
        with db.read() as session:
            assert found(session, "vorbei", where(client)) == [UUID(int=7)], done
            assert found(session, "beleg", where(client)) == [document.id]
    assert done == 2


def test_a_damaged_index_is_made_anew_by_a_rebuild(db: Database, client: Client) -> None:
    with db.transaction() as session:
        document = paper(session, client, "Beleg")
        session.execute(sa.text("DELETE FROM document_search"))
    search.rebuild(db)
    with db.read() as session:
        assert found(session, "beleg", where(client)) == [document.id]


def test_unread_texts_are_known_until_they_are_read(session: Session, client: Client) -> None:
    document = paper(session, client)
    later = document.arrived_at + timedelta(seconds=1)
    assert search.unread(session, document.arrived_at, 10) == []
    assert search.unread(session, later, 10) == [document.id]
    search.index(session, document, "")
    assert search.unread(session, later, 10) == []


def test_a_folder_is_filtered_by_content_too_and_by_parts_of_names_as_before(session: Session, client: Client) -> None:
    by_text = paper(session, client, "Wartungsvertrag")
    by_name = paper(session, client, party_name="Hauswart AG")
    paper(session, client, "Anderes")
    found = lists.page(session, client.id, None, Filter(text="wart"), Order(), lists.Line).documents
    assert {one.id for one in found} == {by_text.id, by_name.id}


def test_a_text_belongs_to_one_document(session: Session, client: Client) -> None:
    paper(session, client, "eins")
    paper(session, client, "zwei")
    rows = session.exec(select(DocumentText).order_by(col(DocumentText.place))).all()
    assert [row.text for row in rows] == ["eins", "zwei"]
