"""A folder's documents a page at a time: filtered, in one of five orders, never by offset.

Every order has an index of its own (``ix_document_by_…``) that ends in the id, so that a page costs the same wherever
in the archive it lies, and documents with equal keys are neither lost nor doubled between two pages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import BigInteger, ColumnElement, Date, String, or_
from sqlalchemy.types import TypeEngine
from sqlmodel import Session, col, select

from integrations.contract import DocumentKind
from portal.db import Instant
from portal.documents import cursors, keys, search
from portal.documents.models import Document

LIMIT = 50
MOST = 200
Condition = ColumnElement[bool]


class Sort(StrEnum):
    """What a list is in order of; the value is the column."""

    ARRIVAL = "arrived_at"
    DATE = "dated_on"
    PARTY = "party_key"
    NUMBER = "number_key"
    AMOUNT = "gross_key"


_TYPES: Mapping[Sort, TypeEngine[Any]] = {
    Sort.ARRIVAL: Instant(),
    Sort.DATE: Date(),
    Sort.PARTY: String(),
    Sort.NUMBER: String(),
    Sort.AMOUNT: BigInteger(),
}


@dataclass(frozen=True)
class Order:
    """An order and its direction: newest, largest or last in the alphabet first when ``descending``."""

    sort: Sort = Sort.ARRIVAL
    descending: bool = True

    @property
    def reversed(self) -> Order:
        """The same order from the other end."""
        return Order(self.sort, not self.descending)


@dataclass(frozen=True, kw_only=True)
class Filter:
    """What a list is narrowed to. Dates are the document's (else its arrival's); amounts are minor units."""

    text: str = ""  # in counterparty, number, file name or content
    since: date | None = None
    until: date | None = None
    least: int | None = None
    most: int | None = None
    removed: bool = False
    twins: bool = False  # only those that a decision is waited for


@dataclass(frozen=True, slots=True)
class Line:
    """What a list shows of a document, and what lists are in order of. Equal lines look the same."""

    id: UUID
    kind: DocumentKind | None
    filename: str
    size: int  # bytes
    party_name: str | None
    number: str | None
    issued_on: date | None
    currency: str | None
    gross: int | None
    twin_id: UUID | None
    twin_accepted: bool
    arrived_at: datetime
    removed_at: datetime | None
    dated_on: date
    party_key: str
    number_key: str
    gross_key: int


Item = TypeVar("Item", Document, Line)
_LINE = [col(getattr(Document, field.name)) for field in fields(Line)]


@dataclass(frozen=True)
class Page(Generic[Item]):
    """Some documents in order, and the cursors behind the last and before the first one (None at the ends)."""

    documents: Sequence[Item]
    after: str | None
    before: str | None = None


def page(
    session: Session,
    client_id: UUID,
    folder: DocumentKind | None,
    narrowed: Filter,
    order: Order,
    of: type[Item],
    *,
    after: str | None = None,
    before: str | None = None,
    limit: int = LIMIT,
    also: Sequence[Condition] = (),
) -> Page[Item]:
    """At most ``limit`` documents of a folder (None: of all), behind or before a cursor. Rights are checked by then.

    ``of`` says whether whole documents are wanted or the lines of a list, which are read much faster. A document
    without a kind lies in *other documents* until somebody says what it is.
    """
    limit = max(1, min(limit, MOST))
    way, place = (order.reversed, before) if before is not None else (order, after)
    conditions = [*_conditions(session, client_id, folder, narrowed), *also]
    if place is not None:
        conditions.append(_behind(way, *_place(order.sort, place)))
    found = _read(session, of, lambda what: what.where(*conditions).order_by(*_ordered(way)).limit(limit + 1))
    more, shown = len(found) > limit, found[:limit]
    if before is not None:
        shown.reverse()
    ends = (more or before is not None, more if before is not None else after is not None)
    return Page(
        shown,
        cursor(order.sort, shown[-1]) if shown and ends[0] else None,
        cursor(order.sort, shown[0]) if shown and ends[1] else None,
    )


def _read(session: Session, of: type[Item], narrowed: Callable[[sa.Select[Any]], sa.Select[Any]]) -> list[Item]:
    if issubclass(of, Document):
        return list(session.scalars(narrowed(sa.select(Document))))
    return [of(*row) for row in session.execute(narrowed(sa.select(*_LINE)))]


def neighbours(
    session: Session,
    folder: DocumentKind | None,
    narrowed: Filter,
    order: Order,
    document: Document,
    also: Sequence[Condition] = (),
) -> tuple[UUID | None, UUID | None]:
    """The ids of the documents before and behind this one in the same list."""

    def nearest(way: Order) -> UUID | None:
        conditions = [
            *_conditions(session, document.client_id, folder, narrowed),
            *also,
            _behind(way, getattr(document, way.sort.value), document.id),
        ]
        return session.exec(select(Document.id).where(*conditions).order_by(*_ordered(way)).limit(1)).first()

    return nearest(order.reversed), nearest(order)


def chosen(session: Session, client_id: UUID, ids: Sequence[UUID]) -> list[Document]:
    """Those of these documents that belong to the client, oldest first; for acting on a selection."""
    statement = select(Document).where(Document.client_id == client_id, col(Document.id).in_(ids))
    return list(session.exec(statement.order_by(col(Document.arrived_at), col(Document.id))))


def _conditions(session: Session, client_id: UUID, folder: DocumentKind | None, narrowed: Filter) -> list[Condition]:
    there = col(Document.removed_at)
    conditions: list[Condition] = [
        col(Document.client_id) == client_id,
        there.is_not(None) if narrowed.removed else there.is_(None),
    ]
    if folder is not None:
        conditions.append(col(Document.folder) == folder)
    if narrowed.text.strip():
        conditions.append(_mentions(session, client_id, narrowed.text))
    for column, bound, least in (
        (col(Document.dated_on), narrowed.since, True),
        (col(Document.dated_on), narrowed.until, False),
        (col(Document.gross), narrowed.least, True),
        (col(Document.gross), narrowed.most, False),
    ):
        if bound is not None:
            conditions.append(column >= bound if least else column <= bound)
    if narrowed.twins:
        conditions += [col(Document.twin_id).is_not(None), col(Document.twin_accepted).is_(False)]
    return conditions


def _mentions(session: Session, client_id: UUID, text: str) -> Condition:
    """A part of the counterparty's name, the number or the file's name; or words of all that the document says."""
    number = keys.number_key(text)
    places = [
        col(Document.party_key).contains(keys.party_key(text), autoescape=True),
        col(Document.filename).icontains(text.strip(), autoescape=True),
    ]
    if number:
        places.append(col(Document.number_key).contains(number, autoescape=True))
    said = search.mentions(session, client_id, text)
    return or_(*places, *([] if said is None else [said]))


def _ordered(order: Order) -> list[ColumnElement[Any]]:
    columns = [col(getattr(Document, order.sort.value)), col(Document.id)]
    return [column.desc() if order.descending else column.asc() for column in columns]


def _behind(order: Order, key: object, last: UUID) -> Condition:
    column = col(getattr(Document, order.sort.value))
    return cursors.behind(
        column, col(Document.id), key, last, kind=_TYPES[order.sort], descending=order.descending
    )  # fmt: skip


def cursor(sort: Sort, document: Document | Line) -> str:
    """The place of a document in an order, as text for a URL."""
    key = getattr(document, sort.value)
    return cursors.encode(key.isoformat() if isinstance(key, date) else key, document.id)


def _place(sort: Sort, text: str) -> tuple[object, UUID]:
    key, last = cursors.decode(text)
    try:
        return _typed(sort, key), last
    except ValueError as error:
        raise cursors.unknown() from error


def _typed(sort: Sort, key: str | int) -> object:
    if sort is Sort.AMOUNT:
        return int(key)
    if sort is Sort.ARRIVAL:
        return cursors.instant(key)
    return date.fromisoformat(str(key)) if sort is Sort.DATE else str(key)
