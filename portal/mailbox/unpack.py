"""Opening a stored message: each part enters by the one door, once, whatever dies in between.

Where a part comes from – message and number – is written with the document in one transaction, in its audit entry. Who
opens a message again looks there first, so a part that made it through the door is never brought a second time.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import timedelta
from typing import BinaryIO, cast
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlmodel import Session, col, select

from portal import audit, clock, intake
from portal.audit import AuditEntry, By
from portal.clients.models import Client
from portal.documents.models import Document, Refusal, Source
from portal.errors import Unavailable
from portal.mailbox import parse, store
from portal.mailbox.models import Mail, MailPart, MailState, PartOutcome
from portal.mailbox.parse import Part, What
from portal.parts import Parts

log = structlog.get_logger()
LEASE = timedelta(minutes=2)  # begins anew with every part; far longer than one takes
REST = timedelta(seconds=30)  # after a part that we depend on was away
MOST_ATTEMPTS = 5  # a message that kills its process is not opened for ever

Came = Document | Refusal


def unpack_waiting(parts: Parts, *, client_id: UUID | None = None, limit: int = 100) -> int:
    """Open messages that wait, of one client if given, oldest first; how many were opened."""
    wanted = select(Mail.id).where(col(Mail.state) == MailState.WAITING, _is_free())
    if client_id is not None:
        wanted = wanted.where(Mail.client_id == client_id)
    with parts.db.read() as session:
        waiting = session.exec(wanted.order_by(col(Mail.id)).limit(limit)).all()
    return sum(unpack(parts, mail_id) for mail_id in waiting)


def _is_free() -> sa.ColumnElement[bool]:
    leased = col(Mail.leased_until)
    return sa.or_(leased.is_(None), leased < clock.now())


def unpack(parts: Parts, mail_id: UUID) -> bool:
    """Open one message, if it waits and nobody else has it; whether it was opened.

    A database or file store that is away costs a rest, not an attempt.
    """
    claimed = _claimed(parts, mail_id)
    if claimed is None:
        return False
    try:
        _open(parts, *claimed)
    except (Unavailable, OperationalError, InterfaceError, OSError) as error:
        log.warning("mail.postponed", mail=str(mail_id), error=type(error).__name__)
        _give_back(parts, mail_id)
        return False
    return True


def _claimed(parts: Parts, mail_id: UUID) -> tuple[Mail, bool] | None:
    """The message, ours for a while, and whether somebody began to open it before; None when it is not to be had."""
    claim = (
        sa.update(Mail)
        .where(col(Mail.id) == mail_id, col(Mail.state) == MailState.WAITING, _is_free())
        .values(leased_until=clock.now() + LEASE, attempts=Mail.attempts + 1)
    )
    with parts.db.transaction() as session:
        begun = session.exec(select(Mail.leased_until).where(Mail.id == mail_id)).one_or_none() is not None
        if cast("sa.CursorResult[object]", session.execute(claim)).rowcount == 0:
            return None
        return session.get_one(Mail, mail_id), begun


def _give_back(parts: Parts, mail_id: UUID) -> None:
    with parts.db.transaction() as session:
        mail = session.get_one(Mail, mail_id)
        mail.leased_until, mail.attempts = clock.now() + REST, mail.attempts - 1


def _open(parts: Parts, mail: Mail, begun: bool) -> None:
    name = parse.message_name(mail.subject)
    if mail.attempts > MOST_ATTEMPTS:
        found = [Part(What.REFUSE, name, b"", parse.UNREADABLE)]
    else:
        found = parse.parts(_content(parts, mail), name)
    for number, part in enumerate(found, start=1):
        _bring(parts, mail, number, part, begun=begun)
    _finish(parts, mail.id)


def _content(parts: Parts, mail: Mail) -> bytes:
    with parts.db.read() as session:
        firm_id = session.get_one(Client, mail.client_id).firm_id
    with parts.files.open(firm_id, mail.sha256) as file:
        return file.read()


def origin(mail_id: UUID, number: int) -> str:
    """Where a part comes from, as its audit entry says it instead of a network address."""
    return f"mail:{mail_id}/{number}"


def _bring(parts: Parts, mail: Mail, number: int, part: Part, *, begun: bool) -> None:
    """One part to the door, unless it has been there."""
    by = By(name=f"E-mail: {mail.sender or mail.envelope_from}", address=origin(mail.id, number))
    with parts.db.read() as session:
        if session.exec(select(MailPart.id).where(MailPart.mail_id == mail.id, MailPart.number == number)).first():
            return
        came = _came_before(session, mail, by.address) if begun else None
    if came is None and part.what is What.TAKE:
        content = cast("BinaryIO", io.BytesIO(part.content))
        came = intake.receive(parts, by, mail.client_id, part.filename, content, source=Source.MAIL)
    with parts.db.transaction() as session:
        _write_down(session, mail, number, part, came, by)


def _came_before(session: Session, mail: Mail, origin: str) -> Came | None:
    """What an earlier, interrupted opening made of the part."""
    entry = session.exec(
        select(AuditEntry).where(
            AuditEntry.client_id == mail.client_id,
            AuditEntry.address == origin,
            col(AuditEntry.action).in_(("document.received", "document.refused")),
        )
    ).first()
    if entry is None:
        return None
    kind: type[Document | Refusal] = Document if entry.action == "document.received" else Refusal
    return cast("Came", session.get_one(kind, entry.subject_id))


def _write_down(session: Session, mail: Mail, number: int, part: Part, came: Came | None, by: By) -> None:
    client = session.get_one(Client, mail.client_id)
    session.get_one(Mail, mail.id).leased_until = clock.now() + LEASE
    if came is None and part.what is What.REFUSE:
        size = len(part.content) or mail.size
        came = store.refuse(session, client, mail, part.filename, size, part.text or "", part.facts, by)
    row = MailPart(
        mail_id=mail.id, number=number, filename=part.filename, size=len(part.content), outcome=PartOutcome.LEFT_OUT,
        text=part.text, facts=dict(part.facts),
    )  # fmt: skip
    if isinstance(came, Refusal):
        row.outcome, row.text, row.facts = PartOutcome.REFUSED, came.text, came.facts
    elif isinstance(came, Document):
        row.outcome, row.document_id, row.filename = PartOutcome.DOCUMENT, came.id, came.filename
        facts: Mapping[str, object] = {"mail": str(mail.id), "part": number, **store.facts_of(mail)}
        audit.record(
            session, client.firm_id, "document.mailed", by=by, client_id=client.id, subject_id=came.id, facts=facts
        )  # fmt: skip
    session.add(row)


def _finish(parts: Parts, mail_id: UUID) -> None:
    with parts.db.transaction() as session:
        mail = session.get_one(Mail, mail_id, with_for_update=True)
        written = select(MailPart).where(MailPart.mail_id == mail_id).order_by(col(MailPart.number))
        outcomes = session.exec(written).all()
        refused = [part for part in outcomes if part.outcome is PartOutcome.REFUSED]
        taken = any(part.outcome is PartOutcome.DOCUMENT for part in outcomes)
        mail.state, mail.leased_until = MailState.TAKEN, None
        if refused and not taken:
            mail.state, mail.text, mail.facts = MailState.REFUSED, refused[0].text, refused[0].facts
        counts = {one.value: sum(part.outcome is one for part in outcomes) for one in PartOutcome}
        store.record(session, session.get_one(Client, mail.client_id), mail, "mail.opened", more=counts)
