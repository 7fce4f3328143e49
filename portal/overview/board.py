"""P1: the board of all clients somebody may see, with what is open at each. Counts and states only, never content.

What is open is counted when it is looked at, from partial indexes that hold nothing but open things: the page costs
as much as the work that is open, however many documents there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine
from sqlmodel import Session, col, func, select

from portal import clock
from portal.access import Right, Viewer, clients_of
from portal.accounts.models import Member, Person
from portal.clients.models import Assignment, Client, fold
from portal.connections.models import Connection, ConnectionState
from portal.db import Instant
from portal.delivery import models as delivery
from portal.delivery.models import Delivery, Drift, State
from portal.documents import cursors
from portal.documents import models as documents
from portal.documents.models import Document

PAGE = 50
# How long before a login ends the board begins to say so.
AHEAD = timedelta(days=14)


class Sort(StrEnum):
    """What the board can be sorted by."""

    NAME = "name"
    NUMBER = "number"
    OPEN = "open"
    ACTIVE = "active"


class Only(StrEnum):
    """Which clients to show."""

    PRESENT = "present"  # not archived
    OPEN = "open"  # with something open
    ARCHIVED = "archived"


class Item(StrEnum):
    """Kinds of open items."""

    DOCUMENT = "document"  # needs a person's decision
    FAILED = "failed"  # delivery
    HELD = "held"  # delivery
    CONNECTION = "connection"  # ended at the provider, or about to
    CHANGED = "changed"  # delivered, and changed there since: restore or accept


@dataclass(frozen=True, kw_only=True)
class Filter:
    """What somebody is looking for."""

    text: str = ""
    only: Only = Only.PRESENT
    member_id: UUID | None = None  # assigned to this member


@dataclass(frozen=True)
class Order:
    """Sorted by what, in which direction."""

    by: Sort = Sort.NAME
    descending: bool = False

    @classmethod
    def read(cls, text: str) -> Order:
        """From ``name`` or ``-name``; anything else is by name."""
        try:
            return cls(Sort(text.removeprefix("-")), text.startswith("-"))
        except ValueError:
            return cls()

    def __str__(self) -> str:
        """As it stands in a URL."""
        return f"{'-' if self.descending else ''}{self.by}"


@dataclass(frozen=True)
class Line:
    """One client on the board."""

    client: Client
    counts: Mapping[Item, int] = field(default_factory=dict)

    @property
    def tally(self) -> tuple[int, ...]:
        """How many things of each kind wait for somebody, in the order of ``Item``."""
        return tuple(self.counts.get(item, 0) for item in Item)

    @property
    def open(self) -> int:
        """How many things wait for somebody."""
        return sum(self.tally)


@dataclass(frozen=True)
class Board:
    """A page of the board; ``before`` and ``after`` are cursors, None where there is nothing."""

    lines: Sequence[Line]
    total: int  # clients that fit the filter
    before: str | None
    after: str | None


def page(
    session: Session,
    viewer: Viewer,
    wanted: Filter = Filter(),
    order: Order = Order(),
    *,
    after: str | None = None,
    before: str | None = None,
    limit: int = PAGE,
) -> Board:
    """The clients the viewer may see, a page at a time, by key. Raises Invalid for an unknown cursor."""
    narrowed = _narrowed(clients_of(viewer, Right.COUNTS), wanted)
    total = session.exec(select(func.count()).select_from(narrowed.subquery())).one()
    key, kind, sums = _key(order.by)
    backwards = before is not None and after is None
    statement: Any = select(Client, key).where(narrowed.whereclause)
    if sums is not None:
        statement = statement.outerjoin(sums, sums.c.client_id == Client.id)
    cursor = before if backwards else after
    descending = order.descending != backwards
    if cursor:
        there, last = cursors.decode(cursor)
        typed = cursors.instant(there) if order.by is Sort.ACTIVE else there
        statement = statement.where(cursors.behind(key, col(Client.id), typed, last, kind=kind, descending=descending))
    directed = [part.desc() if descending else part.asc() for part in (key, col(Client.id))]
    rows: list[Any] = list(session.exec(statement.order_by(*directed).limit(limit + 1)))
    more, rows = len(rows) > limit, rows[:limit]
    if backwards:
        rows.reverse()
    counted = counts(session, [row[0].id for row in rows])
    lines = [Line(row[0], counted.get(row[0].id, {})) for row in rows]
    ends = [cursors.encode(_plain(row[1]), row[0].id) for row in (rows[:1] + rows[-1:])]
    there_is_before, there_is_after = (more, bool(cursor)) if backwards else (bool(cursor), more)
    return Board(
        lines, total, ends[0] if ends and there_is_before else None, ends[-1] if ends and there_is_after else None
    )


def counts(session: Session, client_ids: Sequence[UUID]) -> dict[UUID, dict[Item, int]]:
    """What is open at these clients; those with nothing open are left out."""
    if not client_ids:
        return {}
    found: dict[UUID, dict[Item, int]] = {}
    asked = {"clients": list(client_ids), "soon": clock.now() + AHEAD}
    for client_id, item, number in session.execute(_counted(), asked):
        found.setdefault(client_id, {})[Item(item)] = number
    return found


@cache
def _counted() -> sa.Select[Any]:
    """How many items of each kind are open at the clients given; made once, for it is asked with every page."""
    items = _items(sa.bindparam("clients", expanding=True), sa.bindparam("soon", type_=Instant())).subquery()
    return sa.select(items.c.client_id, items.c.item, sa.func.count()).group_by(items.c.client_id, items.c.item)


def staff(session: Session, viewer: Viewer) -> Sequence[tuple[UUID, str]]:
    """Members whose clients the board may be narrowed to, for those who see all clients."""
    if Right.CLIENTS not in viewer.firm_rights:
        return []
    return session.exec(
        select(Member.id, Person.name)
        .join(Person, col(Person.id) == Member.person_id)
        .where(Member.firm_id == viewer.firm_id, col(Member.ended_at).is_(None))
        .order_by(col(Person.name), col(Member.id))
    ).all()


def _narrowed(statement: Any, wanted: Filter) -> Any:
    archived = col(Client.archived_at)
    statement = statement.where(archived.is_not(None) if wanted.only is Only.ARCHIVED else archived.is_(None))
    for word in fold(wanted.text).split()[:8]:
        statement = statement.where(col(Client.sought).contains(word, autoescape=True))
    if wanted.member_id is not None:
        assigned = select(Assignment.client_id).where(Assignment.member_id == wanted.member_id)
        statement = statement.where(col(Client.id).in_(assigned))
    if wanted.only is Only.OPEN:
        statement = statement.where(col(Client.id).in_(sa.select(_items().subquery().c.client_id)))
    return statement


def _key(by: Sort) -> tuple[Any, TypeEngine[Any], sa.Subquery | None]:
    """The column or expression a sort goes by, its type, and what must be joined for it."""
    if by is Sort.OPEN:
        items = _items().subquery()
        sums = sa.select(items.c.client_id, sa.func.count().label("open")).group_by(items.c.client_id).subquery()
        return sa.func.coalesce(sums.c.open, 0), sa.Integer(), sums
    if by is Sort.ACTIVE:
        return col(Client.active_at), Instant(), None
    return (col(Client.number) if by is Sort.NUMBER else col(Client.sort_name)), sa.String(), None


def _plain(key: object) -> str | int:
    return key.isoformat() if isinstance(key, datetime) else key  # type: ignore[return-value]


def _items(clients: Any = None, soon: Any = None) -> sa.CompoundSelect[Any]:
    """Every open item as (client, item, id), each once: a document that two integrations ask about is one item.

    ``clients`` narrows it to some; a connection that ends before ``soon`` is open.
    """
    attention: Any = sa.select(
        col(Document.client_id).label("client_id"),
        sa.literal(Item.DOCUMENT.value).label("item"),
        col(Document.id).label("id"),
    ).where(sa.text(documents.ATTENTION))
    asks = col(Delivery.state) == State.ACTION_NEEDED
    stopped: Any = sa.select(
        col(Delivery.client_id),
        sa.case(
            (asks, Item.DOCUMENT.value), (col(Delivery.state) == State.HELD, Item.HELD.value), else_=Item.FAILED.value
        ),
        sa.case((asks, col(Delivery.document_id)), else_=col(Delivery.id)),
    ).where(sa.text(delivery.OPEN))
    ending: Any = sa.select(col(Connection.client_id), sa.literal(Item.CONNECTION.value), col(Connection.id)).where(
        sa.or_(
            col(Connection.state) == ConnectionState.DEAD,
            sa.and_(
                col(Connection.state) == ConnectionState.LIVE,
                col(Connection.expires_at) < (clock.now() + AHEAD if soon is None else soon),
            ),
        )
    )
    changed: Any = sa.select(col(Drift.client_id), sa.literal(Item.CHANGED.value), col(Drift.id)).where(
        col(Drift.settled_at).is_(None)
    )
    if clients is not None:
        # as an expression, or SQLite would go through all documents of these clients instead of the small index
        client = sa.func.coalesce(col(Document.client_id), col(Document.client_id))
        attention = attention.where(client.in_(clients))
        stopped = stopped.where(col(Delivery.client_id).in_(clients))
        ending = ending.where(col(Connection.client_id).in_(clients))
        changed = changed.where(col(Drift.client_id).in_(clients))
    return sa.union(attention, stopped, ending, changed)
