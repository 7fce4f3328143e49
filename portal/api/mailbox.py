"""/clients/…/mail: a client's address for documents by e-mail, whose mail is taken, and what became of each message."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, cast
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response, send_file
from pydantic import Field
from sqlmodel import Session

from portal import access
from portal.access import Right
from portal.api import told
from portal.api.reach import parts, reading, viewer, writing
from portal.api.shapes import Given, Paging, Text, Told
from portal.documents.names import disposition
from portal.errors import NotFound
from portal.i18n import say
from portal.mailbox import addresses, senders, services
from portal.mailbox.models import Mail, MailPart, MailState, PartOutcome, Proof
from portal.mailbox.parse import message_name
from portal.mailbox.services import Decision
from portal.mailbox.store import MEDIA_TYPE
from portal.mailbox.unpack import unpack, unpack_waiting

bp = APIBlueprint("mailbox", __name__, tag="Mail")
MAIL = "/clients/<uuid:client_id>/mail"
ONE = f"{MAIL}/messages/<uuid:mail_id>"
AT_ONCE = 20  # messages that are opened before the answer; the rest follows in a worker


class SenderIn(Given):
    """Whose mail is taken."""

    pattern: Annotated[Text, Field(min_length=3, max_length=260)] = Field(
        description="An address, or «@domain» for all of a domain."
    )


class DecisionIn(Given):
    """What is to be done with a held message."""

    decision: Decision


class SenderOut(Told):
    """Somebody whose mail is taken without asking."""

    id: UUID
    pattern: str
    created_at: datetime


class MailOut(Told):
    """One message."""

    id: UUID
    state: MailState
    text: str = Field(description="Why it is held or refused; may be empty.")
    sender: str
    sender_name: str
    subject: str
    proof: Proof = Field(description="Whether the sender is proven by the firm's mail server.")
    received_at: datetime
    size: int = Field(description="Bytes.")


class PartOut(Told):
    """What came of one part of a message."""

    number: int
    filename: str
    size: int = Field(description="Bytes.")
    outcome: PartOutcome
    document_id: UUID | None
    text: str = Field(description="Why it is no document; may be empty.")


class MailWhole(MailOut):
    """One message with its parts."""

    parts: Sequence[PartOut]


class MailPage(Told):
    """Some messages."""

    items: Sequence[MailOut]
    after: str | None = Field(description="The cursor of the next page; null at the end.")


class MailHome(Told):
    """A client's address, and whose mail comes in by it."""

    address: str | None = Field(description="Null: none yet, or the firm has no mail domain.")
    senders: Sequence[SenderOut]
    contacts: Sequence[str] = Field(description="The client's own people, whose mail is taken, too.")
    held: Sequence[MailOut] = Field(description="Messages that wait for a decision, oldest first.")


@bp.get(MAIL)
@bp.output(MailHome)
def home(client_id: UUID) -> MailHome:
    """Show the address and its senders"""
    with reading() as session:
        return _home(session, client_id)


@bp.post(f"{MAIL}/address")
@bp.output(MailHome)
def renew(client_id: UUID) -> MailHome:
    """Give the client an address, or a new one

    Mail to the one before is refused from now on.
    """
    with writing() as session:
        addresses.renew(session, viewer(), client_id)
        return _home(session, client_id)


@bp.post(f"{MAIL}/senders")
@bp.input(SenderIn, arg_name="body")
@bp.output(SenderOut, status_code=201)
def allow(client_id: UUID, body: SenderIn) -> SenderOut:
    """Take mail of a sender

    What is held of theirs is opened.
    """
    with writing() as session:
        made = told.filled(SenderOut, senders.allow(session, viewer(), client_id, body.pattern))
    unpack_waiting(parts(), client_id=client_id, limit=AT_ONCE)
    return made


@bp.delete(f"{MAIL}/senders/<uuid:mail_sender_id>")
@bp.output(MailHome)
def disallow(client_id: UUID, mail_sender_id: UUID) -> MailHome:
    """Take mail of a sender no longer

    It waits for a decision from now on.
    """
    with writing() as session:
        senders.disallow(session, viewer(), client_id, mail_sender_id)
        session.flush()
        return _home(session, client_id)


@bp.get(f"{MAIL}/messages")
@bp.input(Paging, location="query", arg_name="query")
@bp.output(MailPage)
def listed(client_id: UUID, query: Paging) -> MailPage:
    """List messages

    Those that were decided about, newest first; those that wait are with the address.
    """
    with reading() as session:
        found = services.page(session, viewer(), client_id, after=query.after, limit=query.limit)
    return MailPage(items=[_mail(one) for one in found.mails], after=found.after)


@bp.get(ONE)
@bp.output(MailWhole)
def show(client_id: UUID, mail_id: UUID) -> MailWhole:
    """Show a message

    With what came of each of its parts.
    """
    with reading() as session:
        return _whole(session, services.mail_or_404(session, viewer(), client_id, mail_id))


@bp.get(f"{ONE}/message.eml")
@bp.doc(responses=cast("Any", {200: {"description": "The message.", "content": {MEDIA_TYPE: {"schema": {}}}}}))
def message(client_id: UUID, mail_id: UUID) -> Response:
    """Download a message

    As it came. 404 when it was refused unseen.
    """
    with reading() as session:
        firm_id = access.client_or_404(session, viewer(), client_id, Right.SEE).firm_id
        mail = services.mail_or_404(session, viewer(), client_id, mail_id)
    if mail.file_id is None:
        raise NotFound
    answer = send_file(parts().files.open(firm_id, mail.sha256), mimetype=MEDIA_TYPE)
    answer.headers["Content-Disposition"] = disposition(message_name(mail.subject))
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@bp.post(f"{ONE}/decision")
@bp.input(DecisionIn, arg_name="body")
@bp.output(MailWhole)
def decide(client_id: UUID, mail_id: UUID, body: DecisionIn) -> MailWhole:
    """Decide about a held message

    Accept it, accept all of this sender from now on, or refuse it; a refused one stays listed.
    """
    with writing() as session:
        services.decide(session, viewer(), client_id, mail_id, body.decision)
    unpack(parts(), mail_id)
    if body.decision is Decision.ALWAYS:
        unpack_waiting(parts(), client_id=client_id, limit=AT_ONCE)
    with reading() as session:
        return _whole(session, services.mail_or_404(session, viewer(), client_id, mail_id))


def _home(session: Session, client_id: UUID) -> MailHome:
    client = access.client_or_404(session, viewer(), client_id, Right.SEE)
    return MailHome(
        address=addresses.shown(services.settings_for(session, client), addresses.present(session, client_id)),
        senders=[told.filled(SenderOut, one) for one in senders.listed(session, viewer(), client_id)],
        contacts=senders.contacts(session, client),
        held=[_mail(one) for one in services.held(session, viewer(), client_id)],
    )


def _mail(row: Mail) -> MailOut:
    return told.filled(MailOut, row, text=say(row.text, row.facts))


def _whole(session: Session, row: Mail) -> MailWhole:
    rows = services.parts_of(session, row)
    return told.filled(MailWhole, row, text=say(row.text, row.facts), parts=[_part(one) for one in rows])


def _part(row: MailPart) -> PartOut:
    return told.filled(PartOut, row, text=say(row.text, row.facts))
