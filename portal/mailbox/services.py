"""What the pages ask for: messages of a client, decisions about held ones, the firm's mail domain and mailbox."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlmodel import Session, col, select

from portal import access, audit, clock
from portal.access import Right, Viewer
from portal.clients.models import Client
from portal.db import Instant
from portal.documents import cursors
from portal.errors import Conflict, Invalid, NotFound
from portal.i18n import N_
from portal.mailbox import senders, store
from portal.mailbox.models import Mail, MailAccount, MailPart, MailSender, MailSettings, MailState, Security
from portal.secrets import Vault

REFUSED_BY = N_("%(name)s refused it.")
_HOST = re.compile(r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_MAILBOX = re.compile(r"[a-z0-9][a-z0-9._-]{0,40}")
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class Decision(StrEnum):
    """What a person says about a held message."""

    ACCEPT = "accept"  # this one
    ALWAYS = "always"  # and all of its sender's from now on
    REFUSE = "refuse"


@dataclass(frozen=True)
class Mails:
    """Some messages, newest first, and the cursor behind the last one."""

    mails: Sequence[Mail]
    after: str | None


def page(session: Session, viewer: Viewer, client_id: UUID, *, after: str | None = None, limit: int = 50) -> Mails:
    """Messages of a client that were decided about, by rule or by a person."""
    access.client_or_404(session, viewer, client_id, Right.SEE)
    statement = select(Mail).where(Mail.client_id == client_id, col(Mail.state) != MailState.HELD)
    if after is not None:
        key, last = cursors.decode(after)
        at = cursors.instant(key)
        behind = cursors.behind(col(Mail.received_at), col(Mail.id), at, last, kind=Instant(), descending=True)
        statement = statement.where(behind)
    newest = statement.order_by(col(Mail.received_at).desc(), col(Mail.id).desc())
    found = session.exec(newest.limit(limit + 1)).all()
    end = found[limit - 1] if len(found) > limit else None
    return Mails(found[:limit], cursors.encode(end.received_at.isoformat(), end.id) if end else None)


def held(session: Session, viewer: Viewer, client_id: UUID, limit: int = store.MOST_HELD) -> Sequence[Mail]:
    """Messages that wait for somebody's decision, oldest first."""
    access.client_or_404(session, viewer, client_id, Right.SEE)
    waiting = select(Mail).where(Mail.client_id == client_id, col(Mail.state) == MailState.HELD)
    return session.exec(waiting.order_by(col(Mail.received_at), col(Mail.id)).limit(limit)).all()


def mail_or_404(session: Session, viewer: Viewer, client_id: UUID, mail_id: UUID) -> Mail:
    """One message of a client."""
    access.client_or_404(session, viewer, client_id, Right.SEE)
    mail = session.get(Mail, mail_id)
    if mail is None or mail.client_id != client_id:
        raise NotFound
    return mail


def parts_of(session: Session, mail: Mail) -> Sequence[MailPart]:
    """What came of an opened message, in its order."""
    return session.exec(select(MailPart).where(MailPart.mail_id == mail.id).order_by(col(MailPart.number))).all()


def mail_of(session: Session, viewer: Viewer, client_id: UUID, document_id: UUID) -> Mail | None:
    """The message that a document came with; None when it came another way."""
    access.client_or_404(session, viewer, client_id, Right.SEE)
    came = select(Mail).join(MailPart, col(MailPart.mail_id) == Mail.id).where(MailPart.document_id == document_id)
    return session.exec(came.where(Mail.client_id == client_id)).first()


def decide(session: Session, viewer: Viewer, client_id: UUID, mail_id: UUID, decision: Decision) -> Mail:
    """Open or refuse a held message; Conflict when somebody decided before.

    An accepted one waits to be opened: call ``unpack.unpack`` after the commit. *Always* does not make a sender proven:
    the next message that fails the proof is held again.
    """
    client = access.client_or_404(session, viewer, client_id, Right.CORRECT)
    wanted = select(Mail).where(Mail.id == mail_id, Mail.client_id == client_id)
    mail = session.exec(wanted.with_for_update().execution_options(populate_existing=True)).one_or_none()
    if mail is None:
        raise NotFound
    if mail.state is not MailState.HELD:
        raise Conflict(N_("Somebody has decided about this message meanwhile."))
    mail.decided_by = viewer.person_id
    if decision is Decision.REFUSE:
        mail.state, mail.text, mail.facts = MailState.REFUSED, REFUSED_BY, {"name": viewer.name}
    else:
        mail.state, mail.text, mail.facts = MailState.WAITING, None, {}
    store.record(session, client, mail, f"mail.{'refused' if decision is Decision.REFUSE else 'accepted'}", viewer.by)
    if decision is Decision.ALWAYS and mail.sender and not _is_allowed(session, client_id, mail.sender):
        senders.allow(session, viewer, client_id, mail.sender)
    return mail


def _is_allowed(session: Session, client_id: UUID, pattern: str) -> bool:
    there = select(MailSender.id).where(MailSender.client_id == client_id, MailSender.pattern == pattern)
    return session.exec(there).first() is not None


def settings_for(session: Session, client: Client) -> MailSettings | None:
    """The mail domain of a client's firm."""
    return session.get(MailSettings, client.firm_id)


def settings_of(session: Session, viewer: Viewer) -> MailSettings | None:
    """The viewer's firm's mail domain; None before there is one."""
    return session.get(MailSettings, access.firm_or_404(viewer, Right.FIRM))


def change_settings(
    session: Session, viewer: Viewer, *, domain: str, mailbox: str = "", proof_host: str = ""
) -> MailSettings:
    """Set how the firm's addresses end and whose word about senders counts. Raises Invalid for what is no name."""
    firm_id = access.firm_or_404(viewer, Right.FIRM)
    given = {"domain": domain.strip().lower().removeprefix("@"), "mailbox": mailbox.strip().lower().rstrip("+"),
             "proof_host": proof_host.strip().lower()}  # fmt: skip
    if "." not in given["domain"] or not _HOST.fullmatch(given["domain"]):
        raise Invalid(N_("Please give a domain such as documents.example.com."), field="domain")
    if given["mailbox"] and not _MAILBOX.fullmatch(given["mailbox"]):
        raise Invalid(N_("Please give only what stands before the @, or leave it empty."), field="mailbox")
    if given["proof_host"] and not _HOST.fullmatch(given["proof_host"]):
        raise Invalid(N_("Please give the name by which your mail server signs its results."), field="proof_host")
    settings = session.get(MailSettings, firm_id) or MailSettings(firm_id=firm_id, domain="")
    for name, value in given.items():
        setattr(settings, name, value)
    session.add(settings)
    audit.record(session, firm_id, "mail_settings.changed", by=viewer.by, facts=dict(given))
    return settings


@dataclass(frozen=True, kw_only=True)
class Particulars:
    """A mailbox as somebody typed it; an empty password keeps the present one."""

    host: str
    port: str = ""
    security: str = Security.TLS
    username: str = ""
    password: str = ""
    folder: str = "INBOX"
    moves_to: str = ""


def account_of(session: Session, viewer: Viewer) -> MailAccount | None:
    """The firm's mailbox; None when there is none."""
    return session.get(MailAccount, access.firm_or_404(viewer, Right.FIRM))


def change_account(session: Session, vault: Vault, viewer: Viewer, given: Particulars) -> MailAccount:
    """Set the mailbox that is looked into for the firm, due at once. Raises Invalid for what cannot be."""
    firm_id = access.firm_or_404(viewer, Right.FIRM)
    present = session.get(MailAccount, firm_id)
    host, security = given.host.strip().lower(), _security(given)
    plain = {"username": given.username.strip(), "folder": given.folder.strip() or "INBOX",
             "moves_to": given.moves_to.strip()}  # fmt: skip
    _check_texts(plain | {"password": given.password})
    moved = present is None or (present.host, present.username) != (host, plain["username"])
    if not given.password and moved:
        raise Invalid(N_("Please give the password."), field="password")
    account = present or MailAccount(firm_id=firm_id, host=host, username="", secret="")
    if moved or account.folder != plain["folder"]:
        account.uidvalidity, account.uid = None, 0
    account.host, account.port, account.security = host, _port(given, security), security
    for name, value in plain.items():
        setattr(account, name, value)
    if given.password:
        account.secret = vault.lock({"password": given.password})
    account.due_at, account.text, account.facts = clock.now(), None, {}
    session.add(account)
    facts: dict[str, object] = {"host": host, "port": account.port, "security": security.value, **plain}
    audit.record(session, firm_id, "mail_account.changed", by=viewer.by, facts=facts)
    return account


def _security(given: Particulars) -> Security:
    host = given.host.strip().lower()
    if host not in _LOOPBACK and not _HOST.fullmatch(host):
        raise Invalid(N_("Please give the name of the mail server, such as imap.example.com."), field="host")
    try:
        security = Security(given.security)
    except ValueError as error:
        raise Invalid(N_("Please choose one of these."), field="security") from error
    if security is Security.NONE and host not in _LOOPBACK:
        raise Invalid(N_("Without encryption only a server on this machine is asked."), field="security")
    return security


def _port(given: Particulars, security: Security) -> int:
    text = given.port.strip() or {Security.TLS: "993"}.get(security, "143")
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise Invalid(N_("Please give a port between 1 and 65535."), field="port")
    return int(text)


def _check_texts(given: dict[str, str]) -> None:
    """Nothing that would end a line of the protocol, and nothing endless."""
    for name, value in given.items():
        if len(value) > 200 or any(ord(char) < 32 or ord(char) == 127 for char in value):
            raise Invalid(N_("Please check what you entered."), field=name)
    if not given["username"]:
        raise Invalid(N_("Please give the user name."), field="username")


def end_account(session: Session, viewer: Viewer) -> None:
    """Look into the firm's mailbox no more; its password is gone with it."""
    firm_id = access.firm_or_404(viewer, Right.FIRM)
    account = session.get(MailAccount, firm_id)
    if account is None:
        raise NotFound
    audit.record(session, firm_id, "mail_account.ended", by=viewer.by, facts={"host": account.host})
    session.delete(account)


def ask_look(session: Session, viewer: Viewer) -> MailAccount:
    """Have the mailbox looked into now."""
    account = session.get(MailAccount, access.firm_or_404(viewer, Right.FIRM))
    if account is None:
        raise NotFound
    account.due_at = clock.now()
    return account
