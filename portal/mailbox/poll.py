"""Looking into the firms' mailboxes: store, then mark or move. A crash in between is harmless: the message is known.

Looked at are unread messages, and those beyond the last one that was seen to, so that nothing is missed because
somebody opened it in a mail program. Mail that bears no client's address is left as it is, unread.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import cast
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select

from portal import clock
from portal.errors import Error, Invalid
from portal.mailbox import addresses, letter, store
from portal.mailbox.imap import Headline, Login, Mailbox
from portal.mailbox.models import MailAccount, MailAddress
from portal.parts import Parts

log = structlog.get_logger()
EVERY = timedelta(minutes=1)
LEASE = timedelta(minutes=5)  # nobody else looks meanwhile; should somebody, nothing is doubled
AFTER_FAILURE = timedelta(minutes=5)
AFTER_REFUSAL = timedelta(minutes=30)  # a wrong password is not tried until the account is locked
AT_ONCE = 200  # messages of one look
WAY = "imap"
# What ends a look: a part that is away, or too much that waits.
_STOPS = (Error, store.Full, DBAPIError, OSError)


@dataclass
class _Look:
    """One look into one mailbox."""

    parts: Parts
    account: MailAccount
    mailbox: Mailbox
    uid: int
    at_once: int
    unassigned: int = 0
    stored: int = 0

    def all(self) -> None:
        """Unread messages among those seen to before, and all beyond, oldest first and not too many at once."""
        until = self.uid
        again = [uid for uid in self.mailbox.unseen() if uid <= until][-self.at_once :]
        beyond = self.mailbox.beyond(until)[: self.at_once]
        uids = again + beyond
        self.uid = min(until, uids[0] - 1) if uids else until  # should it break off, the next look begins before it
        for headline in sorted(self.mailbox.headlines(uids), key=lambda one: one.uid):
            try:
                self._one(headline)
            except _STOPS:
                raise
            except Exception:  # one message that cannot be stored must not keep the others out; it stays unread
                log.exception("imap.message", firm=str(self.account.firm_id), uid=headline.uid)
            self.uid = headline.uid
        self.uid = max([until, *beyond])

    def _one(self, headline: Headline) -> None:
        head = letter.read(headline.head)
        with self.parts.db.read() as session:
            found = list(addresses.known(session, head.recipients, self.account.firm_id).values())
        if not found:
            self.unassigned += 1
        elif headline.size >= store.MESSAGE_LIMIT:
            store.note_too_large(self.parts.db, found, head.sender, self.account.host, headline.size, WAY)
            self.mailbox.done(headline.uid, self.account.moves_to)
        else:
            self._take(headline.uid, found, head.sender)

    def _take(self, uid: int, found: list[MailAddress], sender: str) -> None:
        content = self.mailbox.fetch(uid)
        if content is None:
            return
        store.keep(self.parts, found, content, way=WAY, peer=self.account.username, envelope_from=sender)
        self.stored += 1
        self.mailbox.done(uid, self.account.moves_to)


def login_of(parts: Parts, account: MailAccount) -> Login:
    """How to get into a firm's mailbox."""
    password = str(parts.vault.unlock(account.secret)["password"])
    return Login(account.host, account.port, account.security, account.username, password)


def poll_due(parts: Parts) -> int:
    """Look into every mailbox that is due; how many messages were stored."""
    with parts.db.read() as session:
        due = session.exec(
            select(MailAccount.firm_id).where(MailAccount.due_at <= clock.now()).order_by(col(MailAccount.due_at))
        ).all()
    return sum(poll(parts, firm_id) for firm_id in due)


def poll(parts: Parts, firm_id: UUID, at_once: int = AT_ONCE) -> int:
    """Look into a firm's mailbox if it is due and nobody else looks; how many messages were stored.

    What goes wrong is written to the account, where its firm reads it.
    """
    account = _claimed(parts, firm_id)
    if account is None:
        return 0
    look: _Look | None = None
    failure: Error | None = None
    try:
        with Mailbox(login_of(parts, account)) as mailbox:
            validity, last = mailbox.select(account.folder)
            same = validity == account.uidvalidity  # else: what was read before our first look is not ours to take
            look = _Look(parts, account, mailbox, account.uid if same else last, at_once)
            if account.moves_to and not same:
                mailbox.make(account.moves_to)
            account.uidvalidity = validity
            look.all()
    except store.Full:
        log.warning("imap.full", firm=str(firm_id))
    except Error as error:
        failure = error
        log.warning("imap.failed", firm=str(firm_id), reason=error.text)
    _record(parts, account, look, failure)
    return look.stored if look else 0


def _claimed(parts: Parts, firm_id: UUID) -> MailAccount | None:
    now = clock.now()
    claim = (
        sa.update(MailAccount)
        .where(col(MailAccount.firm_id) == firm_id, col(MailAccount.due_at) <= now)
        .values(due_at=now + LEASE)
    )
    with parts.db.transaction() as session:
        if cast("sa.CursorResult[object]", session.execute(claim)).rowcount == 0:
            return None
        return session.get_one(MailAccount, firm_id)


def _record(parts: Parts, looked: MailAccount, look: _Look | None, failure: Error | None) -> None:
    """How far it came. A mailbox that was changed or taken away meanwhile begins anew."""
    now = clock.now()
    with parts.db.transaction() as session:
        account = session.get(MailAccount, looked.firm_id, with_for_update=True)
        if account is None or (account.host, account.username, account.folder, account.secret) != (
            looked.host, looked.username, looked.folder, looked.secret
        ):  # fmt: skip
            return
        if look is not None:
            account.uidvalidity, account.uid, account.unassigned = looked.uidvalidity, look.uid, look.unassigned
        account.looked_at = now
        account.text = failure.text if failure else None
        account.facts = dict(failure.facts) if failure else {}
        account.due_at = now + _rest(failure)


def _rest(failure: Error | None) -> timedelta:
    if failure is None:
        return EVERY
    return AFTER_REFUSAL if isinstance(failure, Invalid) else AFTER_FAILURE
