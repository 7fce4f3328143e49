"""Sending what is to be told: claimed by a conditional UPDATE with a lease, sent outside of any transaction, marked.

| what dies | what happens |
|---|---|
| worker after the claim | the lease ends, the notice is due again |
| worker after the mail server took it | it is sent again under the same Message-ID |
| the mail server | tried again with growing pauses, then given up with a sentence on the connection's page |
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy import CursorResult
from sqlmodel import Session, col, func, select

from portal import audit, clock, mail
from portal.accounts.models import Firm, Person
from portal.clients.models import Client
from portal.connections.models import Connection
from portal.db import Database, ring
from portal.delivery.models import Delivery, State
from portal.extensions import services as extensions
from portal.i18n import LANGUAGES, N_
from portal.instances.models import Instance
from portal.mail import Letter, NotSent
from portal.notices import letters, people, services
from portal.notices.models import Notice, NoticeState
from portal.parts import Parts

log = structlog.get_logger()
LEASE = timedelta(minutes=3)  # longer than the job may run
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 20, 60, 240, 720, 1440))
_BATCH = 200
_LOST = N_("It could not be found out whether the mail server took the e-mail.")


@dataclass(frozen=True)
class Claimed:
    """A notice that this worker alone sends now."""

    notice_id: UUID
    number: int  # of the try
    letter: Letter


def ring_due(db: Database) -> None:
    """Ring for every notice that is due: the bell may have been lost, or it was not yet due when it rang."""
    with db.read() as session:
        waiting = session.exec(select(Notice.id).where(*_due()).order_by(col(Notice.due_at)).limit(_BATCH)).all()
    if waiting:
        with db.transaction() as session:
            for notice_id in waiting:
                ring(session, "tell", notice_id)


def tell(parts: Parts, notice_id: UUID) -> None:
    """Send one notice if it is due, still true, and nobody else does; nothing where no mail server is set."""
    if parts.settings.mail is None:
        return
    with parts.db.transaction() as session:
        claimed = _claim(session, notice_id, parts.settings.url)
    if claimed is None:
        return
    try:
        mail.send(parts.settings.mail, claimed.letter)
    except NotSent as error:
        with parts.db.transaction() as session:
            _not_told(session, claimed, error)
        return
    with parts.db.transaction() as session:
        _told(session, claimed)


def _due() -> tuple[Any, ...]:
    now = clock.now()
    free = col(Notice.lease_until).is_(None) | (col(Notice.lease_until) < now)
    return (Notice.state == NoticeState.WAITING, col(Notice.due_at) <= now, free)


def _claim(session: Session, notice_id: UUID, url: str | None) -> Claimed | None:
    """The notice as a letter, taken for this worker; None when it is not due, not true, or taken."""
    taking = sa.update(Notice).where(col(Notice.id) == notice_id, *_due())
    taken = session.execute(taking.values(lease_until=clock.now() + LEASE, tries=Notice.tries + 1))
    if cast("CursorResult[Any]", taken).rowcount != 1:
        return None
    notice = session.get_one(Notice, notice_id, populate_existing=True)
    connection = session.get_one(Connection, notice.connection_id)
    if not services.is_true(session, notice, connection):
        _end(notice, NoticeState.DROPPED)
        return None
    if not people.may_reconnect(session, notice.person_id, connection):
        _end(notice, NoticeState.DROPPED)
        services.write(session, connection, notice.kind, notice.about)
        return None
    if notice.tries > len(PAUSES) + 1:
        notice.text, notice.facts = _LOST, {}
        _end(notice, NoticeState.FAILED)
        return None
    return Claimed(notice.id, notice.tries, _letter(session, notice, connection, url))


def _letter(session: Session, notice: Notice, connection: Connection, url: str | None) -> Letter:
    person = session.get_one(Person, notice.person_id)
    client = session.get_one(Client, connection.client_id)
    firm = session.get_one(Firm, client.firm_id)
    page = f"/clients/{client.id}/integrations/connections/{connection.id}"
    subject, text = letters.written(
        letters.Facts(
            kind=notice.kind,
            language=person.language if person.language in LANGUAGES else firm.language,
            person=person.name,
            firm=firm.name,
            client=client.name,
            connection=connection.name,
            provider=extensions.manifest_of(connection.kind).name,
            held=_held(session, connection),
            ends_at=notice.ends_at,
            zone=firm.zone,
            link=f"{url}{page}" if url else None,
        )
    )
    return Letter(id=f"notice-{notice.id}", to=person.email, to_name=person.name, subject=subject, text=text)


def _held(session: Session, connection: Connection) -> int:
    """How many documents wait for a login."""
    waiting = (
        select(func.count(sa.distinct(col(Delivery.document_id))))
        .join(Instance, col(Instance.id) == col(Delivery.instance_id))
        .where(Instance.connection_id == connection.id, Delivery.state == State.HELD)
    )
    return session.exec(waiting).one()


def _mine(session: Session, claimed: Claimed) -> Notice | None:
    """The notice, if nobody has claimed it since."""
    notice = session.get_one(Notice, claimed.notice_id, with_for_update=True)
    return notice if (notice.tries, notice.state) == (claimed.number, NoticeState.WAITING) else None


def _told(session: Session, claimed: Claimed) -> None:
    notice = _mine(session, claimed)
    if notice is None:
        return
    notice.told_at, notice.text, notice.facts = clock.now(), None, {}
    _end(notice, NoticeState.TOLD)
    session.add(notice)
    firm_id = session.get_one(Client, notice.client_id).firm_id
    connection = session.get_one(Connection, notice.connection_id)
    person = session.get_one(Person, notice.person_id)
    facts = {"name": connection.name, "person": person.name, "kind": notice.kind.value}
    audit.record(
        session, firm_id, "connection.told", by=audit.SYSTEM, client_id=notice.client_id,
        subject_id=notice.connection_id, facts=facts,
    )  # fmt: skip
    log.info("notice.told", notice=str(notice.id), kind=notice.kind.value, tries=notice.tries)


def _not_told(session: Session, claimed: Claimed, error: NotSent) -> None:
    notice = _mine(session, claimed)
    if notice is None:
        return
    notice.text, notice.facts, notice.lease_until = error.text, dict(error.facts), None
    if error.final or notice.tries > len(PAUSES):
        _end(notice, NoticeState.FAILED)
    else:
        notice.due_at = clock.now() + PAUSES[notice.tries - 1]
    session.add(notice)
    log.warning("notice.not_told", notice=str(notice.id), tries=notice.tries, reason=str(error), state=notice.state)


def _end(notice: Notice, state: NoticeState) -> None:
    notice.state, notice.lease_until = state, None
