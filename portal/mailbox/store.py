"""Keeping a message before anybody hears that it was taken: its bytes, its row and its audit entry.

The same message to the same client is one row, by whatever way and however often it comes (``letter.Letter.identity``):
a sender or a mailbox that never got our answer may bring it again.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import datetime, time
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from portal import audit, clock
from portal.clients.models import Client
from portal.db import Database
from portal.documents.models import Refusal, Source, StoredFile
from portal.i18n import N_
from portal.mailbox import addresses, letter, senders
from portal.mailbox.letter import Letter
from portal.mailbox.models import Mail, MailAddress, MailSettings, MailState, Proof
from portal.mailbox.parse import message_name
from portal.mailbox.proof import proof
from portal.parts import Parts

MESSAGE_LIMIT = 40_000_000  # bytes of a whole message, which are 29 MB of attachments before base64
MEDIA_TYPE = "message/rfc822"
MOST_HELD = 500  # messages of strangers that wait for a person, per client
MOST_NOTES = 50  # notes of what was refused at the door, per client and day

REPLACED = N_("It was sent to an address that has been replaced. Please give the sender the new one.")
TOO_LARGE = N_("The message is too large: it must be smaller than %(limit)s MB.")


class Full(Exception):
    """So much of this client's mail waits for a person that more of it must wait at its sender."""


def keep(
    parts: Parts, found: Sequence[MailAddress], content: bytes, *, way: str, peer: str = "", envelope_from: str = ""
) -> list[UUID]:
    """Store a message for the client of each address; the ids of its rows, old ones when it has come before.

    All is committed when this returns. Raises Full, and whatever the database or the file store raises when they are
    away; nothing but bytes that nothing points to is stored then.
    """
    head = letter.read(content)
    for number in range(3):  # the same message on two connections at once: one of them finds the other's rows
        try:
            return _keep(parts, found, content, head, way, peer, envelope_from)
        except IntegrityError:
            if number == 2:
                raise
    raise AssertionError


def _keep(
    parts: Parts, found: Sequence[MailAddress], content: bytes, head: Letter, way: str, peer: str, envelope_from: str
) -> list[UUID]:
    chosen = addresses.best(found)
    with parts.db.read() as session:
        firms = set(session.exec(select(Client.firm_id).where(col(Client.id).in_([one.client_id for one in chosen]))))
    sha256 = {firm_id: parts.files.put(firm_id, io.BytesIO(content))[0] for firm_id in firms}
    kept = []
    with parts.db.transaction() as session:
        for address in chosen:
            client = session.get_one(Client, address.client_id)
            before = _come_before(session, client.id, head.identity)
            mail = before or _entered(
                session, client, address, head, way=way, peer=peer, envelope_from=envelope_from, size=len(content),
                sha256=sha256[client.firm_id],
            )  # fmt: skip
            kept.append(mail.id)
    return kept


def _come_before(session: Session, client_id: UUID, identity: str) -> Mail | None:
    return session.exec(select(Mail).where(Mail.client_id == client_id, Mail.identity == identity)).one_or_none()


def _entered(
    session: Session, client: Client, address: MailAddress, head: Letter, *, way: str, peer: str, envelope_from: str,
    size: int, sha256: str,
) -> Mail:  # fmt: skip
    settings = session.get(MailSettings, client.firm_id)
    proven = proof(head.headers, settings.proof_host if settings else "", head.sender)
    state, text, facts = _standing(session, client, address, head, proven)
    mail = Mail(
        client_id=client.id, identity=head.identity, address=addresses.shown(settings, address) or address.local,
        way=way, peer=letter.clean(peer), envelope_from=letter.clean(envelope_from), sender=head.sender,
        sender_name=head.sender_name, subject=head.subject, message_id=head.message_id, proof=proven,
        file_id=_stored(session, client.firm_id, sha256, size).id, sha256=sha256, size=size, state=state, text=text,
        facts=dict(facts),
    )  # fmt: skip
    record(session, client, mail, f"mail.{'received' if state is MailState.WAITING else state.value}")
    session.add(mail)
    session.flush()
    return mail


def _standing(
    session: Session, client: Client, address: MailAddress, head: Letter, proven: Proof
) -> tuple[MailState, str | None, Mapping[str, object]]:
    present = session.get_one(MailAddress, address.id, populate_existing=True)
    if present.retired_at is not None:
        return MailState.REFUSED, REPLACED, {}
    held = senders.reason_to_hold(session, client, head.sender, proven)
    if held is None:
        return MailState.WAITING, None, {}
    waiting = select(func.count()).where(Mail.client_id == client.id, col(Mail.state) == MailState.HELD)
    if session.exec(waiting).one() >= MOST_HELD:
        raise Full
    return MailState.HELD, held[0], held[1]


def _stored(session: Session, firm_id: UUID, sha256: str, size: int) -> StoredFile:
    same = select(StoredFile).where(StoredFile.firm_id == firm_id, StoredFile.sha256 == sha256)
    stored = session.exec(same).one_or_none()
    if stored is None:
        stored = StoredFile(firm_id=firm_id, sha256=sha256, size=size, media_type=MEDIA_TYPE)
        session.add(stored)
        session.flush()
    return stored


def facts_of(mail: Mail) -> dict[str, object]:
    """What the audit trail keeps of a message."""
    return {
        "from": mail.sender, "subject": mail.subject, "message_id": mail.message_id, "to": mail.address,
        "proof": mail.proof.value, "sha256": mail.sha256,
    }  # fmt: skip


def record(
    session: Session, client: Client, mail: Mail, action: str, by: audit.By = audit.SYSTEM,
    more: Mapping[str, object] | None = None,
) -> None:  # fmt: skip
    """An audit entry about a message."""
    facts = facts_of(mail) | dict(more or {})
    audit.record(session, client.firm_id, action, by=by, client_id=client.id, subject_id=mail.id, facts=facts)


def note_replaced(db: Database, address: MailAddress, envelope_from: str, peer: str) -> None:
    """Write down that somebody was refused at a replaced address: one line per sender and day."""
    with db.transaction() as session:
        _note(session, address, envelope_from, peer, text=REPLACED, facts={}, size=0)


def note_too_large(
    db: Database, found: Sequence[MailAddress], envelope_from: str, peer: str, size: int, way: str = "smtp"
) -> None:
    """Write down that a message was larger than we take; ``size`` in bytes, as far as it was counted."""
    with db.transaction() as session:
        for address in addresses.best(found):
            facts: dict[str, object] = {"limit": MESSAGE_LIMIT // 1_000_000}
            _note(session, address, envelope_from, peer, text=TOO_LARGE, facts=facts, size=size, way=way)


def _note(
    session: Session, address: MailAddress, envelope_from: str, peer: str, *, text: str, facts: dict[str, object],
    size: int, way: str = "smtp",
) -> None:  # fmt: skip
    """A message that was refused unseen. The client's row is locked, so that two notes at once are one."""
    client = session.exec(select(Client).where(Client.id == address.client_id).with_for_update()).one()
    sender = letter.normal(envelope_from)
    identity = f"refused {clock.now().date()} {address.local} {sender} {text[:20]} {size}"[:500]
    if _come_before(session, client.id, identity) is not None or _notes_today(session, client.id) >= MOST_NOTES:
        return
    settings = session.get(MailSettings, client.firm_id)
    mail = Mail(
        client_id=client.id, identity=identity, address=addresses.shown(settings, address) or address.local, way=way,
        peer=letter.clean(peer), envelope_from=letter.clean(envelope_from), sender=sender, size=size,
        state=MailState.REFUSED, text=text, facts=facts,
    )  # fmt: skip
    session.add(mail)
    session.flush()
    if size:
        refuse(session, client, mail, message_name(sender), size, text, facts)
    record(session, client, mail, "mail.refused", more={"reason": text})


def _notes_today(session: Session, client_id: UUID) -> int:
    since = datetime.combine(clock.now().date(), time(), clock.now().tzinfo)
    notes = select(func.count()).where(
        Mail.client_id == client_id, col(Mail.file_id).is_(None), col(Mail.received_at) >= since
    )
    return session.exec(notes).one()


def refuse(
    session: Session, client: Client, mail: Mail, filename: str, size: int, text: str, facts: Mapping[str, object],
    by: audit.By = audit.SYSTEM,
) -> Refusal:  # fmt: skip
    """List a file that could not even be brought to the door; see ``documents.models.Refusal``."""
    refusal = Refusal(
        client_id=client.id, filename=filename, size=size, source=Source.MAIL, text=text, facts=dict(facts)
    )
    session.add(refusal)
    told = {"filename": filename, "size": size, "reason": text, "mail": str(mail.id)}
    audit.record(
        session, client.firm_id, "document.refused", by=by, client_id=client.id, subject_id=refusal.id, facts=told
    )  # fmt: skip
    return refusal
