"""Whose mail is taken without asking: people who may add the client's documents, and whom somebody allowed.

A From is no proof of its sender. With a configured host (``proof``) an unproven one is held like a stranger's; without
one it is taken at its word, which the pages say: the address nobody guesses is then all that keeps strangers out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlmodel import Session, col, select

from portal import access, audit
from portal.access import Right, Viewer
from portal.accounts.models import Person
from portal.clients.models import Client, Contact
from portal.errors import Conflict, Invalid, NotFound
from portal.i18n import N_
from portal.mailbox.letter import normal
from portal.mailbox.models import Mail, MailSender, MailState, Proof

STRANGER = N_("%(sender)s is not on the list of senders.")
UNPROVEN = N_("Nothing proves that this came from %(sender)s.")
NOBODY = N_("The message does not say who sent it.")
MOST = 500
_DOMAIN = re.compile(r"@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
# Anybody may have an address there, so the whole domain stands for nobody.
_SHARED = frozenset(
    "gmail.com googlemail.com gmx.de gmx.net gmx.at gmx.ch web.de t-online.de freenet.de outlook.com outlook.de "
    "hotmail.com hotmail.de live.de live.com yahoo.com yahoo.de icloud.com me.com aol.com posteo.de mailbox.org "
    "proton.me arcor.de bluewin.ch a1.net".split()
)


def reason_to_hold(
    session: Session, client: Client, sender: str, sender_proof: Proof
) -> tuple[str, Mapping[str, object]] | None:
    """Why a person must decide about a message (message id and facts); None when it is taken."""
    if not sender:
        return NOBODY, {}
    if not _is_listed(session, client.id, sender) and not _may_add(session, client, sender):
        return STRANGER, {"sender": sender}
    if sender_proof is Proof.FAILED:
        return UNPROVEN, {"sender": sender}
    return None


def _is_listed(session: Session, client_id: UUID, sender: str) -> bool:
    patterns = (sender, "@" + sender.rpartition("@")[2])
    found = select(MailSender.id).where(MailSender.client_id == client_id, col(MailSender.pattern).in_(patterns))
    return session.exec(found).first() is not None


def _may_add(session: Session, client: Client, sender: str) -> bool:
    """Whether this is the address of somebody who may add documents for the client in the portal, too."""
    person = session.exec(select(Person).where(Person.email == sender)).one_or_none()
    viewer = access.viewer_of(session, person.id) if person else None
    if viewer is None:
        return False
    try:
        access.client_or_404(session, viewer, client.id, Right.ADD)
    except NotFound:
        return False
    return True


def contacts(session: Session, client: Client) -> Sequence[str]:
    """Addresses of the client's own people, whose mail is taken; for showing them."""
    people = select(Person.email).join(Contact, col(Contact.person_id) == Person.id)
    active = people.where(Contact.client_id == client.id, col(Contact.ended_at).is_(None), col(Person.active))
    return session.exec(active.order_by(Person.email)).all()


def listed(session: Session, viewer: Viewer, client_id: UUID) -> Sequence[MailSender]:
    """Whom somebody allowed."""
    access.client_or_404(session, viewer, client_id, Right.SEE)
    return session.exec(
        select(MailSender).where(MailSender.client_id == client_id).order_by(col(MailSender.pattern))
    ).all()


def allow(session: Session, viewer: Viewer, client_id: UUID, pattern: str) -> MailSender:
    """Take mail of an address, or of all addresses of a domain, from now on; held mail of theirs is opened.

    Raises Invalid for what is neither, and for domains where anybody can have an address; Conflict when it is there.
    """
    client = access.client_or_404(session, viewer, client_id, Right.CORRECT)
    wanted = cleaned(pattern)
    there = select(MailSender).where(MailSender.client_id == client_id)
    present = {one.pattern for one in session.exec(there)}
    if wanted in present:
        raise Conflict(N_("%(pattern)s is on the list already."), field="pattern", pattern=wanted)
    if len(present) >= MOST:
        raise Invalid(N_("The list is full: at most %(number)s senders."), field="pattern", number=MOST)
    sender = MailSender(client_id=client_id, pattern=wanted, added_by=viewer.person_id)
    session.add(sender)
    session.flush()
    _record(session, viewer, client, "mail_sender.allowed", sender)
    _release(session, client)
    return sender


def disallow(session: Session, viewer: Viewer, client_id: UUID, mail_sender_id: UUID) -> str:
    """Take somebody off the list; their pattern. NotFound when they are not on it."""
    client = access.client_or_404(session, viewer, client_id, Right.CORRECT)
    sender = session.get(MailSender, mail_sender_id)
    if sender is None or sender.client_id != client_id:
        raise NotFound
    _record(session, viewer, client, "mail_sender.disallowed", sender)
    session.delete(sender)
    return sender.pattern


def cleaned(pattern: str) -> str:
    """An address or “@domain” as it is compared; Invalid when it is neither."""
    text = pattern.strip().lower().removeprefix("*")  # "*@supplier.com" is how some write a domain
    is_domain = text.startswith("@") or "@" not in text
    address = normal(f"x@{text.removeprefix('@')}" if is_domain else text)
    end = "@" + address.rpartition("@")[2]
    if not address or not _DOMAIN.fullmatch(end) or len(address) > 254:
        raise Invalid(N_("Please give an e-mail address, or a domain such as @supplier.com."), field="pattern")
    if is_domain and end[1:] in _SHARED:
        everybody = N_("Anybody can have an address at %(domain)s. Please give whole addresses.")
        raise Invalid(everybody, field="pattern", domain=end[1:])
    return end if is_domain else address


def _release(session: Session, client: Client) -> None:
    """What was held only because its sender was not on the list waits to be opened now."""
    held = select(Mail).where(Mail.client_id == client.id, col(Mail.state) == MailState.HELD)
    for mail in session.exec(held.with_for_update()).all():
        if reason_to_hold(session, client, mail.sender, mail.proof) is None:
            mail.state, mail.text, mail.facts = MailState.WAITING, None, {}


def _record(session: Session, viewer: Viewer, client: Client, action: str, sender: MailSender) -> None:
    facts = {"pattern": sender.pattern}
    audit.record(
        session, client.firm_id, action, by=viewer.by, client_id=client.id, subject_id=sender.id, facts=facts
    )  # fmt: skip
