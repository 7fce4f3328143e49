"""Finding documents by what they say. The index follows each document in the transaction that writes it.

``follow`` is called for every document that is inserted or changed; ``index`` adds the text of its file once that is
read. Searching is newest first, by key: nothing is ever ranked over everything. Rights are checked by the callers, and
every search takes the clients it may look into.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlmodel import Session, col, select

from integrations.contract import DocumentKind
from integrations.money import digits
from portal import clock
from portal.clients.models import Client
from portal.db import Database
from portal.documents import queries, terms
from portal.documents.fields import EARLIEST
from portal.documents.models import UNREAD, Document, DocumentText, Reading
from portal.documents.queries import Query
from portal.documents.search_tables import NAME

MOST_TEXT = 200_000  # characters kept of a file
MOST_TERMS = 24_000  # words of a document that can be found; more than PostgreSQL could hold in one row is never made
MOST_BYTES = 250_000  # of its words, and of what goes beside them
FEW = 100  # clients that are named one by one in a search
_BATCH = 200
_POSITIONS, _FARTHEST = 255, 16_383  # what a tsvector can tell of one term
_START = datetime(2000, 1, 1, tzinfo=UTC)
# What of a document can be found or narrows a search; the rest of its columns can change without touching the index.
_FOLLOWED = (
    "client_id", "filename", "folder", "party_name", "party_vat_id", "party_email", "number", "issued_on", "due_on",
    "currency", "net", "tax", "gross", "lines", "note",
)  # fmt: skip

_found = sa.table(NAME, sa.column("rowid", sa.BigInteger), sa.column("place", sa.BigInteger), sa.column("vector"))
_documents: sa.Table = Document.__table__  # type: ignore[attr-defined]
_texts: sa.Table = DocumentText.__table__  # type: ignore[attr-defined]
_clients: sa.Table = Client.__table__  # type: ignore[attr-defined]


def follow(connection: sa.Connection, document: Document) -> None:
    """Keep the index true to a document that was just inserted or changed."""
    row = connection.execute(sa.select(_texts).where(_texts.c.document_id == document.id)).one_or_none()
    if row is None:
        place = _free_place(connection, document.arrived_at)
        values = {"place": place, "document_id": document.id, "client_id": document.client_id, "text": ""}
        connection.execute(_texts.insert().values(values))
        _put(connection, place, document, "")
    elif any(sa.inspect(document).attrs[name].history.has_changes() for name in _FOLLOWED):
        _put(connection, row.place, document, row.text)


def index(session: Session, document: Document, text: str) -> None:
    """Keep the text of a document's file, and let it be found by it. The same again, or another text, is harmless."""
    session.flush()
    follow(session.connection(), document)  # one from before there was an index has no row yet
    row = session.exec(select(DocumentText).where(DocumentText.document_id == document.id)).one()
    row.text, row.read_at = terms.readable(text, MOST_TEXT), clock.now()
    session.flush()
    _put(session.connection(), row.place, document, row.text)


def _free_place(connection: sa.Connection, arrived_at: datetime) -> int:
    """A number that sorts by arrival: microseconds with room for a thousand documents in each."""
    place = (arrived_at - _START) // (datetime.resolution) << 10
    taken = sa.select(sa.func.max(_texts.c.place)).where(_texts.c.place.between(place, place + 1023))
    last = connection.execute(taken).scalar()
    return place if last is None else int(last) + 1


@dataclass(frozen=True)
class _Entry:
    """What the index holds of one document."""

    scope: Sequence[str]
    words: Sequence[str]
    more: Sequence[str]


def _put(connection: sa.Connection, place: int, document: Document, text: str) -> None:
    firm_id = connection.execute(sa.select(_clients.c.firm_id).where(_clients.c.id == document.client_id)).scalar_one()
    whole = f"{facts(document)}\n{text}"
    dated = (f"y{document.dated_on:%Y}", f"m{document.dated_on:%Y%m}")
    entry = _entry(whole, [firm_term(firm_id), client_term(document.client_id), folder_term(document.folder), *dated])
    if connection.dialect.name == "sqlite":
        connection.execute(sa.text(f"DELETE FROM {NAME} WHERE rowid = :place"), {"place": place})  # noqa: S608
        statement = f"INSERT INTO {NAME} (rowid, scope, words, more) VALUES (:place, :scope, :words, :more)"  # noqa: S608
        columns = {"scope": entry.scope, "words": entry.words, "more": entry.more}
        values = {name: " ".join(held) for name, held in columns.items()}
    else:
        statement = (
            f"INSERT INTO {NAME} (place, vector) VALUES (:place, CAST(:vector AS tsvector))"  # noqa: S608
            " ON CONFLICT (place) DO UPDATE SET vector = excluded.vector"
        )
        values = {"vector": _vector(entry)}
    connection.execute(sa.text(statement), {"place": place, **values})


def _entry(text: str, scope: Sequence[str]) -> _Entry:
    found = terms.words(text)[:MOST_TERMS]
    more = dict.fromkeys(word.stem for word in found if word.stem != word.plain)
    more.update(dict.fromkeys(one.term for one in terms.joined(text, found)))
    return _Entry(scope, _within(word.plain for word in found), _within(more))


def _within(given: Iterable[str]) -> list[str]:
    """As many terms as fit into half of what one row of either engine can hold."""
    room, kept = MOST_BYTES, []
    for term in given:
        room -= len(term.encode()) + 4
        if room < 0:
            break
        kept.append(term)
    return kept


def _vector(entry: _Entry) -> str:
    """A tsvector as text: terms are letters, digits and our own marks, so that quotes are enough."""
    positions: dict[str, list[int]] = {}
    for number, word in enumerate(entry.words, 1):
        positions.setdefault(word, []).append(min(number, _FARTHEST))
    with_places = [f"'{word}':{','.join(map(str, at[:_POSITIONS]))}" for word, at in positions.items()]
    without = [f"'{term}'" for term in entry.more if term not in positions]
    return " ".join([*map(queries.scoped, entry.scope), *with_places, *without])


def facts(document: Document) -> str:
    """What is known of a document, one fact a line."""
    sums = [_plain(amount, document.currency) for amount in (document.gross, document.net, document.tax)]
    days = [f"{day:%d.%m.%Y} {day.isoformat()}" for day in (document.issued_on, document.due_on) if day]
    lines = [line.get("description") for line in document.lines]
    known = [
        document.party_name, document.number, document.filename, *days, *sums, document.party_vat_id,
        document.party_email, document.note, *lines,
    ]  # fmt: skip
    return "\n".join(fact for fact in known if fact)


def _plain(amount: int | None, currency: str | None) -> str | None:
    if amount is None or currency is None:
        return None
    return f"{abs(Decimal(amount).scaleb(-digits(currency))):.2f}"


def firm_term(firm_id: UUID) -> str:
    """The term that all documents of a firm have."""
    return f"f{firm_id.hex}"


def client_term(client_id: UUID) -> str:
    """The term that all documents of a client have."""
    return f"c{client_id.hex}"


def folder_term(folder: DocumentKind) -> str:
    """The term that all documents of a folder have."""
    return f"k{DocumentKind(folder).value.replace('_', '')}"


def period_terms(since: date | None, until: date | None) -> list[str]:
    """Terms of which every document of a past period has one; none for a period up to now, which newest first finds."""
    if until is None:
        return []
    begin = max(since or EARLIEST, EARLIEST)
    months = (until.year - begin.year) * 12 + until.month - begin.month
    if months > 24:
        return [f"y{year:04}" for year in range(begin.year, until.year + 1)]
    counted = range(begin.month - 1, begin.month + months)
    return [f"m{begin.year + month // 12:04}{month % 12 + 1:02}" for month in counted] or ["none"]


@dataclass(frozen=True, kw_only=True)
class Where:
    """Which documents are looked into. ``clients`` is the viewer's own statement of clients, always obeyed.

    ``scope`` are terms that say the same for the index, of each group one; they make it quick. Dates are the
    document's own, else its arrival's.
    """

    clients: sa.Select[Any]  # of ids
    scope: Sequence[Sequence[str]]
    folder: DocumentKind | None = None
    since: date | None = None
    until: date | None = None


def page(session: Session, query: Query, where: Where, *, before: int | None, limit: int) -> list[tuple[int, UUID]]:
    """At most ``limit`` places and ids of documents that fit, newest first, older than the place ``before``."""
    folder, period = [folder_term(where.folder)] if where.folder else [], period_terms(where.since, where.until)
    scope = [*where.scope, *filter(None, (folder, period))]
    place = _place(session)
    statement = (
        sa.select(_texts.c.place, _texts.c.document_id)
        .select_from(
            _found.join(_texts, _texts.c.place == place).join(_documents, _documents.c.id == _texts.c.document_id)
        )
        .where(_matches(session, query, scope), *_narrowed(where))
        .order_by(place.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(place < before)
    return [(row.place, row.document_id) for row in session.connection().execute(statement)]


def mentions(session: Session, client_id: UUID, text: str) -> sa.ColumnElement[bool] | None:
    """The condition for documents of a client that say what somebody is typing; None when that is no word yet."""
    query = queries.parse(text, typing=True)
    if not query:
        return None
    matching = _matches(session, query, [[client_term(client_id)]])
    places = sa.select(_place(session)).select_from(_found).where(matching)
    return col(Document.id).in_(sa.select(_texts.c.document_id).where(_texts.c.place.in_(places)))


def _place(session: Session) -> sa.ColumnClause[int]:
    return _found.c.rowid if session.get_bind().dialect.name == "sqlite" else _found.c.place


def _matches(session: Session, query: Query, scope: Sequence[Sequence[str]]) -> sa.ColumnElement[bool]:
    if session.get_bind().dialect.name == "sqlite":
        return sa.literal_column(NAME).op("MATCH")(queries.fts5(query, scope))
    return _found.c.vector.op("@@")(sa.cast(queries.tsquery(query, scope), TSQUERY))


def _narrowed(where: Where) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = [
        _texts.c.client_id.in_(where.clients),
        _documents.c.removed_at.is_(None),
    ]
    if where.folder is not None:
        conditions.append(_documents.c.folder == where.folder)
    if where.since is not None:
        conditions.append(_documents.c.dated_on >= where.since)
    if where.until is not None:
        conditions.append(_documents.c.dated_on <= where.until)
    return conditions


def texts(session: Session, document_ids: Sequence[UUID]) -> dict[UUID, str]:
    """What is kept of the files of these documents."""
    kept = select(DocumentText.document_id, DocumentText.text).where(col(DocumentText.document_id).in_(document_ids))
    return dict(session.exec(kept).all())


def unread(session: Session, before: datetime, limit: int) -> list[UUID]:
    """Documents that arrived before a moment and whose text nobody has read yet, oldest first.

    Those that wait to be read for their fields are not among them: their text comes with these.
    """
    reading = select(Document.id).where(Document.reading == Reading.WAITING)
    waiting = select(DocumentText.document_id).where(
        sa.text(UNREAD), DocumentText.place < (before - _START) // datetime.resolution << 10,
        col(DocumentText.document_id).not_in(reading),
    )  # fmt: skip
    return list(session.exec(waiting.order_by(col(DocumentText.place)).limit(limit)))


def fill_gaps(db: Database) -> int:
    """Let documents be found that came past the index (an upgrade, rows written in bulk); return how many."""
    missing = ~sa.exists().where(_texts.c.document_id == _documents.c.id)
    filled, last = 0, UUID(int=0)
    while True:
        with db.read() as session:
            found = session.exec(
                select(Document.id).where(missing, Document.id > last).order_by(col(Document.id)).limit(_BATCH)
            ).all()
        if not found:
            return filled
        with db.transaction() as session:
            for document in session.exec(select(Document).where(col(Document.id).in_(found))):
                follow(session.connection(), document)
        filled, last = filled + len(found), found[-1]


def rebuild(db: Database) -> int:
    """Make the index anew from documents and kept texts, a batch a transaction; return how many documents.

    Searching goes on meanwhile. For after a change of what terms are, or a damaged index.
    """
    fill_gaps(db)
    done, last = 0, -(2**63)
    while True:
        with db.transaction() as session:
            rows = session.exec(
                select(DocumentText, Document)
                .join(Document, col(Document.id) == DocumentText.document_id)
                .where(DocumentText.place > last)
                .order_by(col(DocumentText.place))
                .limit(_BATCH)
            ).all()
            for row, document in rows:
                _put(session.connection(), row.place, document, row.text)
        if not rows:
            return done
        done, last = done + len(rows), rows[-1][0].place
