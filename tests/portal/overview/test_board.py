from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlmodel import Session

from integrations.contract import DriftKind
from portal import clock, ids
from portal.access import Viewer
from portal.accounts.models import Firm, Role
from portal.clients.models import Client, fold
from portal.connections.models import ConnectionState
from portal.db import Database
from portal.delivery.models import Delivery, Drift, State
from portal.documents.models import Document
from portal.errors import Invalid
from portal.overview import board
from portal.overview import client as client_overview
from portal.overview.board import Filter, Item, Only, Order, Sort
from tests import factories

MakeViewer = Callable[..., Viewer]


def _names(db: Database, viewer: Viewer, wanted: Filter | None = None, order: str = "name") -> list[str]:
    with db.read() as session:
        return [line.client.name for line in board.page(session, viewer, wanted or Filter(), Order.read(order)).lines]


def test_what_is_open_is_counted_by_kind_and_once(db: Database, firm: Firm, viewer: MakeViewer) -> None:
    with db.transaction() as session:
        client = factories.client(session, firm)
        installed = factories.installation(session, firm)
        connected = factories.connection(session, client, installed, state=ConnectionState.DEAD)
        one, two = (factories.instance(session, client, installed, connected=connected) for _ in range(2))
        asked = factories.document(session, client, kind=None)
        # asked about by two integrations and by the portal: still one document to decide
        factories.delivery(session, asked, one, state=State.ACTION_NEEDED)
        factories.delivery(session, asked, two, state=State.ACTION_NEEDED)
        sent = factories.document(session, client)
        factories.delivery(session, sent, one, state=State.FAILED)
        factories.delivery(session, sent, two, state=State.HELD)
        done = factories.document(session, client)
        factories.delivery(session, done, one, state=State.DELIVERED)
        factories.delivery(session, done, two, state=State.FAILED, current=False)
        gone = factories.document(session, client, kind=None, removed_at=clock.now(), removed_reason="doppelt")
        twin = factories.document(session, client, twin_id=sent.id)
        factories.document(session, client, twin_id=sent.id, twin_accepted=True)
        assert gone.id != twin.id
    with db.read() as session:
        line = board.page(session, viewer()).lines[0]
    assert line.counts == {Item.DOCUMENT: 2, Item.FAILED: 1, Item.HELD: 1, Item.CONNECTION: 1}
    assert line.open == 5


def test_what_was_changed_at_the_destination_is_open_until_somebody_settles_it(
    db: Database, firm: Firm, viewer: MakeViewer
) -> None:
    with db.transaction() as session:
        client = factories.client(session, firm)
        instance = factories.instance(session, client, factories.installation(session, firm))
        for settled_at in (None, None, clock.now()):
            sent = factories.delivery(session, factories.document(session, client), instance, state=State.DELIVERED)
            session.add(
                Drift(
                    client_id=client.id, instance_id=instance.id, document_id=sent.document_id, delivery_id=sent.id,
                    kind=DriftKind.CHANGED, remote_id="x", settled_at=settled_at,
                )
            )  # fmt: skip
    with db.read() as session:
        assert board.page(session, viewer()).lines[0].counts == {Item.CHANGED: 2}
        assert client_overview.of(session, viewer(), client.id).changed == [(instance, 2)]


@pytest.mark.parametrize(("days", "counted"), [(3, 1), (13, 1), (15, 0), (None, 0)])
def test_a_connection_counts_when_it_is_about_to_end(
    db: Database, firm: Firm, viewer: MakeViewer, days: int | None, counted: int
) -> None:
    with db.transaction() as session:
        client = factories.client(session, firm)
        ends = clock.now() + timedelta(days=days) if days else None
        factories.connection(session, client, factories.installation(session, firm), expires_at=ends)
    with db.read() as session:
        assert board.page(session, viewer()).lines[0].open == counted


@pytest.mark.parametrize(
    ("text", "found"),
    [("muller", 1), ("MÜLLER", 1), ("söhne mü", 1), ("10077", 1), ("de8123", 1), ("100%", 0), ("_", 0), ("bäcker", 0)],
)
def test_the_search_finds_parts_of_name_number_and_vat_id(
    db: Database, firm: Firm, viewer: MakeViewer, text: str, found: int
) -> None:
    with db.transaction() as session:
        factories.client(session, firm, name="Müller & Söhne", number="10077", vat_id="DE812345678")
    assert len(_names(db, viewer(), Filter(text=text))) == found


def test_archived_clients_are_shown_only_when_asked_for(db: Database, firm: Firm, viewer: MakeViewer) -> None:
    with db.transaction() as session:
        factories.client(session, firm, name="Alt", archived_at=clock.now())
        factories.client(session, firm, name="Neu")
    assert _names(db, viewer()) == ["Neu"]
    assert _names(db, viewer(), Filter(only=Only.ARCHIVED)) == ["Alt"]


def test_each_sees_what_they_work_for(db: Database, firm: Firm, viewer: MakeViewer) -> None:
    with db.transaction() as session:
        mine, _other = factories.client(session, firm, name="Meiner"), factories.client(session, firm, name="Anderer")
        factories.client(session, factories.firm(session), name="Fremder")
    accountant = viewer(Role.ACCOUNTANT, assigned=(mine.id,))
    assert _names(db, accountant) == ["Meiner"]
    assert _names(db, viewer(Role.CLIENT_MANAGER)) == ["Anderer", "Meiner"]
    assert _names(db, viewer(), Filter(member_id=accountant.member_id)) == ["Meiner"]


@pytest.fixture
def many(db: Database, firm: Firm) -> list[Client]:
    """Twenty-five clients, some with the same activity and the same number of open items."""
    made = []
    with db.transaction() as session:
        installed = factories.installation(session, firm)
        for number in range(25):
            client = factories.client(session, firm, name=f"Mandant {number % 7} {number}", number=f"{20000 + number}")
            client.active_at = clock.now() - timedelta(hours=number % 5)
            for _ in range(number % 4):
                document = factories.document(session, client)
                instance = factories.instance(session, client, installed)
                factories.delivery(session, document, instance, state=State.FAILED)
            made.append(client)
    return made


@pytest.mark.parametrize("by", list(Sort))
@pytest.mark.parametrize("descending", [False, True])
def test_paging_there_and_back_shows_everything_once(
    db: Database, many: list[Client], viewer: MakeViewer, by: Sort, descending: bool
) -> None:
    who, order = viewer(), Order(by, descending)
    with db.read() as session:
        whole = [line.client.id for line in board.page(session, who, order=order, limit=100).lines]
        there = _walk(session, who, order, whole)
    assert sorted(whole) == sorted(client.id for client in many)
    assert there == whole


def _walk(session: Session, who: Viewer, order: Order, whole: list[UUID]) -> list[UUID]:
    """Forward to the end; on every page also one step back, which must lead to the page before."""
    seen: list[UUID] = []
    pages: list[list[UUID]] = []
    after = None
    while True:
        found = board.page(session, who, order=order, after=after, limit=7)
        pages.append([line.client.id for line in found.lines])
        seen += pages[-1]
        assert (found.before is None) is (len(pages) == 1)
        if found.before:
            back = board.page(session, who, order=order, before=found.before, limit=7)
            assert [line.client.id for line in back.lines] == pages[-2]
            assert back.after is not None
            assert (back.before is None) is (len(pages) == 2)
        if found.after is None:
            return seen
        assert len(seen) < len(whole)
        after = found.after


def test_sorting_by_open_items_begins_with_the_most(db: Database, many: list[Client], viewer: MakeViewer) -> None:
    with db.read() as session:
        lines = board.page(session, viewer(), order=Order(Sort.OPEN, True), limit=100).lines
        open_only = board.page(session, viewer(), Filter(only=Only.OPEN), limit=100)
    assert [line.open for line in lines] == sorted((number % 4 for number in range(25)), reverse=True)
    assert open_only.total == sum(1 for number in range(25) if number % 4)


@pytest.mark.parametrize("cursor", ["x", "", "WyJhIl0", "bnVsbA"])
def test_an_invented_place_is_refused_or_the_beginning(db: Database, viewer: MakeViewer, cursor: str) -> None:
    with db.read() as session:
        if not cursor:
            assert board.page(session, viewer(), after=cursor).before is None
            return
        with pytest.raises(Invalid):
            board.page(session, viewer(), after=cursor)


def test_the_board_does_not_grow_with_the_archive(db: Database, firm: Firm, viewer: MakeViewer) -> None:
    """1,000 clients; the same pages before and after 10,000 delivered documents at those of the first page."""
    who = viewer()
    client_ids = _fill_clients(db, firm, 1000)
    bare = _fastest(db, who)
    _fill_archive(db, firm, client_ids, 10_000)
    full = _fastest(db, who)
    assert full < bare * 3 + 0.05, f"{bare * 1000:.0f} ms with no archive, {full * 1000:.0f} ms with it"


def test_the_board_asks_a_fixed_number_of_questions(db: Database, many: list[Client], viewer: MakeViewer) -> None:
    who, asked = viewer(), 0

    def count(*_: object) -> None:
        nonlocal asked
        asked += 1

    event.listen(db.engine, "before_cursor_execute", count)
    with db.read() as session:
        board.page(session, who, order=Order(Sort.OPEN, True))
    event.remove(db.engine, "before_cursor_execute", count)
    statements = 3 + (2 if db.is_sqlite else 0)  # SQLite says BEGIN itself
    assert asked <= statements


def _fastest(db: Database, who: Viewer) -> float:
    def once(order: str, only: Only) -> float:
        begun = time.perf_counter()
        with db.read() as session:
            board.page(session, who, Filter(only=only), Order.read(order))
        return time.perf_counter() - begun

    pages = [("name", Only.PRESENT), ("-open", Only.PRESENT), ("-active", Only.PRESENT), ("name", Only.OPEN)]
    return max(min(once(order, only) for _ in range(3)) for order, only in pages)


def _fill_clients(db: Database, firm: Firm, number: int) -> list[UUID]:
    rows = []
    for n in range(number):
        name = f"Mandant {n:05}"
        row = {"id": ids.new(), "firm_id": firm.id, "number": str(n), "name": name, "sort_name": fold(name)}
        times = {"created_at": clock.now(), "active_at": clock.now() - timedelta(seconds=n)}
        rows.append({**row, **times, "sought": fold(f"{name} {n}")})
    with db.transaction() as session:
        session.connection().execute(sa.insert(Client), rows)
    return [row["id"] for row in rows]  # type: ignore[misc]


def _fill_archive(db: Database, firm: Firm, client_ids: list[UUID], number: int) -> None:
    """Delivered documents at the clients of the first page, and one that failed at each of them."""
    with db.transaction() as session:
        installed = factories.installation(session, firm)
        client = session.get_one(Client, client_ids[0])
        document = factories.document(session, client)
        instance = factories.instance(session, client, installed)
        delivery = factories.delivery(session, document, instance, state=State.DELIVERED)
        documents, deliveries = [], []
        for n in range(number):
            at = client_ids[n % 50]
            state = State.FAILED if n < 50 else State.DELIVERED
            documents.append({**document.model_dump(), "id": ids.new(), "client_id": at})
            of = {"id": ids.new(), "document_id": documents[-1]["id"], "client_id": at, "state": state}
            deliveries.append({**delivery.model_dump(), **of})
        session.connection().execute(sa.insert(Document), documents)
        session.connection().execute(sa.insert(Delivery), deliveries)
