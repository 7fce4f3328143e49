"""Which notices there are: written when a login dies or comes near its end, shown where connections are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from portal import clock
from portal.accounts.models import Person
from portal.connections import services as connections
from portal.connections.models import Connection, ConnectionState
from portal.connections.services import FORECAST
from portal.db import Database, ring
from portal.notices import people
from portal.notices.models import Notice, NoticeKind, NoticeState


@dataclass(frozen=True, kw_only=True)
class Told:
    """Who was or will be told of the present state of a connection, and how far that has come."""

    person: str
    state: NoticeState
    at: datetime | None  # told, or tried again
    text: str | None  # why not (yet): message id and facts
    facts: Mapping[str, object]


def died(session: Session, connection: Connection) -> None:
    """A login has died: in the same transaction it is written down who is to be told."""
    # the number of the token counts up with every reconnection, so each death has one of its own
    write(session, connection, NoticeKind.DEAD, str(connection.token_number))


def look_ahead(db: Database) -> int:
    """Write down who is to be told of logins that end within the forecast; return for how many. Harmless if repeated.

    An end that moves a little, because it was computed anew with a refresh, is the same end; one that a person brought
    about by reconnecting is another.
    """
    now = clock.now()
    soon = select(Connection).where(
        Connection.state == ConnectionState.LIVE, col(Connection.expires_at).between(now, now + FORECAST)
    )
    with db.read() as session:
        ending = [one.id for one in session.exec(soon) if not _was_told(session, one)]
    for connection_id in ending:
        with db.transaction() as session:
            connection = session.get_one(Connection, connection_id, with_for_update=True)
            if connection.expires_at and connections.ends_soon(connection) and not _was_told(session, connection):
                write(session, connection, NoticeKind.ENDING, connection.expires_at.isoformat())
    return len(ending)


def _was_told(session: Session, connection: Connection) -> bool:
    """Whether notices of this end were written since somebody signed in."""
    written = select(Notice).where(
        Notice.connection_id == connection.id, Notice.kind == NoticeKind.ENDING, Notice.state != NoticeState.DROPPED
    )
    newest = session.exec(written.order_by(col(Notice.id).desc()).limit(1)).first()
    return newest is not None and is_true(session, newest, connection)


def write(session: Session, connection: Connection, kind: NoticeKind, about: str) -> None:
    """One notice for each of the right people who has none of this yet, and a ring for it."""
    same = select(Notice.person_id).where(
        Notice.connection_id == connection.id, Notice.kind == kind, Notice.about == about
    )
    known = set(session.exec(same))
    for person_id in people.right_ones(session, connection):
        if person_id not in known:
            notice = Notice(
                client_id=connection.client_id, connection_id=connection.id, person_id=person_id, kind=kind,
                about=about, ends_at=connection.expires_at if kind is NoticeKind.ENDING else None,
            )  # fmt: skip
            session.add(notice)
            ring(session, "tell", notice.id)


def is_true(session: Session, notice: Notice, connection: Connection) -> bool:
    """Whether what a notice says is still so: nobody has reconnected or ended the login since."""
    if notice.kind is NoticeKind.DEAD:
        return connection.state is ConnectionState.DEAD and notice.about == str(connection.token_number)
    end = connection.expires_at
    if notice.ends_at is None or end is None or end < clock.now() or not connections.ends_soon(connection):
        return False
    return end - notice.ends_at < FORECAST and notice.created_at >= _signed_in(session, connection)


def _signed_in(session: Session, connection: Connection) -> datetime:
    """When somebody last signed in for it."""
    given = connections.consents(session, connection)
    return given[0].given_at if given else connection.created_at


def told(session: Session, found: Sequence[Connection]) -> dict[UUID, list[Told]]:
    """For each connection that is dead or about to end: whom that was told. The caller has resolved the connections."""
    known = {one.id: one for one in found}
    rows = session.exec(
        select(Notice, Person.name)
        .join(Person, col(Person.id) == Notice.person_id)
        .where(col(Notice.connection_id).in_(known), Notice.state != NoticeState.DROPPED)
        .order_by(col(Notice.id))
    )
    lists: dict[UUID, list[Told]] = {}
    for notice, name in rows:
        if is_true(session, notice, known[notice.connection_id]):
            lists.setdefault(notice.connection_id, []).append(_line(notice, name))
    return lists


def _line(notice: Notice, name: str) -> Told:
    return Told(
        person=name, state=notice.state, at=notice.told_at or notice.due_at, text=notice.text, facts=notice.facts
    )
