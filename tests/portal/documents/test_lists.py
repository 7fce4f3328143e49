"""Lists by key: every document exactly once, whatever the order, the page size and the equal keys."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from sqlmodel import Session

from integrations.contract import DocumentKind
from portal.accounts.models import Firm
from portal.clients.models import Client
from portal.db import Database
from portal.documents.lists import Filter, Line, Order, Sort, chosen, neighbours, page
from portal.documents.models import Document
from portal.errors import Invalid
from tests import factories

FOLDER = DocumentKind.INCOMING_INVOICE
ALL = Filter()
START = datetime(2026, 3, 1, tzinfo=UTC)
rows = st.lists(
    st.tuples(
        st.integers(0, 3),  # minutes after START
        st.sampled_from([None, "Ä", "a", "Zoo", "zoo"]),
        st.sampled_from([None, "1", "RE-1", "2"]),
        st.sampled_from([None, -5, 0, 5, 10**12]),
        st.sampled_from([None, date(2026, 1, 1), date(2025, 12, 31)]),
    ),
    max_size=25,
)


@pytest.fixture
def client(db: Database, firm: Firm) -> Client:
    with db.transaction() as session:
        return factories.client(session, firm)


def walk(session: Session, client_id: UUID, order: Order, limit: int, narrowed: Filter = ALL) -> list[Document]:
    found: list[Document] = []
    after: str | None = None
    while True:
        shown = page(session, client_id, FOLDER, narrowed, order, Document, after=after, limit=limit)
        found += shown.documents
        after = shown.after
        if after is None:
            return found


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=rows, limit=st.integers(1, 7), sort=st.sampled_from(Sort), descending=st.booleans())
def test_paging_loses_and_doubles_nothing(
    db: Database,
    firm: Firm,
    rows: list[tuple[int, str | None, str | None, int | None, date | None]],
    limit: int,
    sort: Sort,
    descending: bool,
) -> None:
    order = Order(sort, descending)
    with db.transaction() as session:
        client = factories.client(session, firm)
        for minutes, party, number, gross, issued in rows:
            factories.document(
                session, client, arrived_at=START + timedelta(minutes=minutes), party_name=party, number=number,
                net=None, tax=None, gross=gross, issued_on=issued,
            )  # fmt: skip
        whole = walk(session, client.id, order, 200)
        paged = walk(session, client.id, order, limit)
        steps = _by_neighbours(session, order, paged)
    keys = [(getattr(one, sort.value), one.id) for one in paged]
    assert len({one.id for one in paged}) == len(rows)
    assert [one.id for one in paged] == [one.id for one in whole]
    assert keys == sorted(keys, reverse=descending)
    assert steps == [one.id for one in paged]


def _by_neighbours(session: Session, order: Order, documents: list[Document]) -> list[UUID]:
    """The list again, stepping from each document to the next and checking the way back."""
    steps: list[UUID] = [documents[0].id] if documents else []
    for document in documents:
        before, behind = neighbours(session, FOLDER, Filter(), order, document)
        assert before == (steps[-2] if len(steps) > 1 else None)
        if behind is not None:
            steps.append(behind)
    return steps


def test_a_page_never_shows_another_client_another_folder_or_what_was_removed(session: Session, firm: Firm) -> None:
    mine, other = factories.client(session, firm), factories.client(session, firm)
    seen = factories.document(session, mine)
    gone = factories.document(session, mine, removed_at=START)
    factories.document(session, mine, kind=DocumentKind.RECEIPT)
    factories.document(session, other)

    assert [one.id for one in walk(session, mine.id, Order(), 50)] == [seen.id]
    assert [one.id for one in walk(session, mine.id, Order(), 50, Filter(removed=True))] == [gone.id]
    everywhere = page(session, mine.id, None, Filter(), Order(), Line).documents
    assert {one.kind for one in everywhere} == {DocumentKind.INCOMING_INVOICE, DocumentKind.RECEIPT}


def test_a_document_without_a_kind_lies_among_the_others(session: Session, firm: Firm) -> None:
    client = factories.client(session, firm)
    unknown = factories.document(session, client, kind=None)
    shown = page(session, client.id, DocumentKind.OTHER, Filter(), Order(), Line).documents
    assert [one.id for one in shown] == [unknown.id]


@pytest.mark.parametrize(
    ("narrowed", "found"),
    [
        (Filter(text="mühlen"), {"Mühlenwerke"}),
        (Filter(text="MÜHLENWERKE"), {"Mühlenwerke"}),
        (Filter(text="2026 17"), {"Stadtwerke"}),
        (Filter(text="scan"), {"Telekom"}),
        (Filter(text="%"), set()),
        (Filter(since=date(2026, 2, 1), until=date(2026, 2, 28)), {"Stadtwerke"}),
        (Filter(least=10000), {"Mühlenwerke", "Telekom"}),
        (Filter(most=9999), {"Stadtwerke"}),
        (Filter(twins=True), {"Telekom"}),
    ],
)
def test_filters_narrow(session: Session, firm: Firm, narrowed: Filter, found: set[str]) -> None:
    client = factories.client(session, firm)
    first = factories.document(
        session, client, party_name="Mühlenwerke", issued_on=date(2026, 1, 5), gross=10000, number="A1"
    )
    factories.document(
        session, client, party_name="Stadtwerke", issued_on=date(2026, 2, 5), gross=9999, number="RE-2026/17"
    )
    factories.document(
        session, client, party_name="Telekom", issued_on=date(2026, 3, 5), gross=20000, number="T9",
        filename="Scan_003.pdf", twin_id=first.id,
    )  # fmt: skip
    assert {one.party_name for one in walk(session, client.id, Order(), 50, narrowed)} == found


@pytest.mark.parametrize("cursor", ["", "x", "W10", "eyJhIjoxfQ", "WyJcdTAwMDAiLCAiMDAiXQ", "✂"])
@pytest.mark.parametrize("sort", list(Sort))
def test_a_forged_cursor_is_refused(session: Session, firm: Firm, cursor: str, sort: Sort) -> None:
    client = factories.client(session, firm)
    with pytest.raises(Invalid):
        page(session, client.id, FOLDER, Filter(), Order(sort), Line, after=cursor)


def test_a_selection_holds_only_the_client_s_own(session: Session, firm: Firm) -> None:
    mine, other = factories.client(session, firm), factories.client(session, firm)
    own, foreign = factories.document(session, mine), factories.document(session, other)
    assert [one.id for one in chosen(session, mine.id, [own.id, foreign.id])] == [own.id]


@pytest.mark.parametrize("sort", list(Sort))
def test_every_order_is_read_from_its_index(db: Database, client: Client, sort: Sort) -> None:
    if not db.is_sqlite:
        pytest.skip("SQLite says how it reads; PostgreSQL plans by the size of the table")
    statements: list[tuple[str, object]] = []
    with db.read() as session:
        connection = session.connection()
        event.listen(connection, "before_cursor_execute", lambda *call: statements.append((call[2], call[3])))
        page(session, client.id, FOLDER, Filter(), Order(sort), Line)
        sql, values = statements[0]
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all()  # type: ignore[arg-type]
    read = " ".join(str(row[-1]) for row in plan)
    assert f"ix_document_by_{sort.value}" in read
    assert "TEMP B-TREE" not in read
