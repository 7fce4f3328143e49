"""A mailbox by IMAP (RFC 3501): the standard library's client with time-outs, in our words and with our errors."""

from __future__ import annotations

import base64
import imaplib
import re
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import TracebackType

from portal.errors import Invalid, Unavailable
from portal.i18n import N_
from portal.mailbox.models import Security

PATIENCE = 20.0  # seconds for each answer
_FIELDS = (
    "TO CC BCC DELIVERED-TO X-ORIGINAL-TO ENVELOPE-TO X-ENVELOPE-TO X-RCPT-TO RESENT-TO RESENT-CC RECEIVED FROM DATE "
    "MESSAGE-ID"
)

NO_ANSWER = N_("The mail server %(host)s does not answer.")
NO_TLS = N_("The connection to %(host)s is not safe: its certificate cannot be checked.")
LOGIN = N_("The mail server refused the login of %(username)s.")
NO_FOLDER = N_("The mailbox has no folder “%(folder)s”.")
BROKEN = N_("The mail server %(host)s broke off or answered something that makes no sense.")


@dataclass(frozen=True)
class Login:
    """Where a mailbox is and how to get in."""

    host: str
    port: int
    security: Security
    username: str
    password: str


@dataclass(frozen=True)
class Headline:
    """What is known of a message before it is fetched. ``head`` are only the headers that say whose it is."""

    uid: int
    size: int  # bytes
    head: bytes


class Mailbox:
    """An open mailbox, as a context. Every method raises Unavailable when the server does not do its part."""

    def __init__(self, login: Login) -> None:
        self.login = login
        try:
            with _translated(login):
                self._imap = _signed_in(login)
                _status, able = self._imap.capability()  # a server may say more once it knows us
        except imaplib.IMAP4.error as error:
            raise Invalid(LOGIN, field="username", username=login.username) from error
        self._abilities = frozenset(able[0].decode("ascii", "replace").upper().split())

    def __enter__(self) -> Mailbox:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with suppress(imaplib.IMAP4.error, OSError):
            self._imap.logout()
        with suppress(imaplib.IMAP4.error, OSError):
            self._imap.shutdown()

    def select(self, folder: str) -> tuple[int, int]:
        """Open a folder: its UIDVALIDITY, which changes when its UIDs mean something else, and the last UID given.

        Invalid when there is no such folder.
        """
        with _translated(self.login):
            status, _count = self._imap.select(quoted(folder))
            if status != "OK":
                raise Invalid(NO_FOLDER, field="folder", folder=folder)
            validity, following = self._number("UIDVALIDITY"), self._number("UIDNEXT")
        return validity or 0, following - 1 if following else max(self._search("UID *"), default=0)

    def _number(self, name: str) -> int | None:
        _name, values = self._imap.response(name)
        return int(values[-1]) if values and values[-1] else None

    def unseen(self) -> list[int]:
        """UIDs of messages that nobody has read, oldest first."""
        return self._search("UNSEEN")

    def beyond(self, uid: int) -> list[int]:
        """UIDs above ``uid``, read or not, oldest first."""
        # "n:*" always holds the last message, even if its UID is below n (RFC 3501, 6.4.8).
        return [found for found in self._search(f"UID {uid + 1}:*") if found > uid]

    def _search(self, criterion: str) -> list[int]:
        found = self._uid("SEARCH", criterion)
        return sorted(int(number) for line in found if isinstance(line, bytes) for number in line.split())

    def headlines(self, uids: Sequence[int]) -> Iterator[Headline]:
        """Size and recipients of messages, without marking them as read. What has gone meanwhile is left out."""
        if not uids:
            return
        wanted = f"(UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS ({_FIELDS})])"
        found = self._uid("FETCH", ",".join(str(uid) for uid in uids), wanted)
        for item, following in zip(found, [*found[1:], b""], strict=True):
            if isinstance(item, tuple):
                told = item[0] + (following if isinstance(following, bytes) else b"")  # UID may stand at the end
                uid = re.search(rb"\bUID (\d+)", told)
                size = re.search(rb"\bRFC822\.SIZE (\d+)", told)
                if uid and size:
                    yield Headline(int(uid[1]), int(size[1]), item[1])

    def fetch(self, uid: int) -> bytes | None:
        """A whole message, without marking it as read; None when it has gone."""
        found = self._uid("FETCH", str(uid), "(BODY.PEEK[])")
        return next((item[1] for item in found if isinstance(item, tuple)), None)

    def done(self, uid: int, moves_to: str) -> None:
        """Mark a message as read or, if a folder is given, move it there. Repeats are harmless."""
        self._uid("STORE", str(uid), "+FLAGS.SILENT", "(\\Seen)")
        if moves_to:
            self._move(uid, moves_to)

    def _move(self, uid: int, folder: str) -> None:
        if "MOVE" in self._abilities:  # RFC 6851
            self._uid("MOVE", str(uid), quoted(folder))
            return
        self._uid("COPY", str(uid), quoted(folder))
        self._uid("STORE", str(uid), "+FLAGS.SILENT", "(\\Deleted)")
        if "UIDPLUS" in self._abilities:  # RFC 4315; a plain EXPUNGE would take what others deleted, too
            self._uid("EXPUNGE", str(uid))

    def make(self, folder: str) -> None:
        """Make a folder, unless it is there."""
        with _translated(self.login), suppress(imaplib.IMAP4.error):
            self._imap.create(quoted(folder))

    def _uid(self, command: str, *words: str) -> list[bytes | tuple[bytes, bytes]]:
        try:
            with _translated(self.login):
                status, found = self._imap.uid(command, *words)
        except imaplib.IMAP4.error as error:
            raise Unavailable(BROKEN, host=self.login.host) from error
        if status != "OK":
            raise Unavailable(BROKEN, host=self.login.host)
        return [item for item in found if item is not None]


def _signed_in(at: Login) -> imaplib.IMAP4:
    """A connection that is logged in; whatever goes wrong, none is left open."""
    if at.security is Security.TLS:
        imap: imaplib.IMAP4 = imaplib.IMAP4_SSL(
            at.host, at.port, ssl_context=ssl.create_default_context(), timeout=PATIENCE
        )
    else:
        imap = imaplib.IMAP4(at.host, at.port, timeout=PATIENCE)
    try:
        if at.security is Security.STARTTLS:
            _start_tls(imap, at)
        _sign_in(imap, at)
    except BaseException:
        with suppress(OSError):
            imap.shutdown()
        raise
    return imap


def _start_tls(imap: imaplib.IMAP4, at: Login) -> None:
    try:
        imap.starttls(ssl.create_default_context())
    except imaplib.IMAP4.error as error:  # it cannot: then nothing is said to it
        raise Unavailable(NO_TLS, host=at.host) from error


def _sign_in(imap: imaplib.IMAP4, at: Login) -> None:
    """Log in. PLAIN (RFC 4616) where the server has it, for passwords that are not ASCII."""
    if "AUTH=PLAIN" in imap.capabilities:
        imap.authenticate("PLAIN", lambda _challenge: f"\0{at.username}\0{at.password}".encode())
    else:
        imap.login(at.username, at.password)


@contextmanager
def _translated(at: Login) -> Iterator[None]:
    """Time-outs, resets, bad certificates and nonsense as Unavailable; a «no» of the server stays an IMAP4.error."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise Unavailable(NO_TLS, host=at.host) from error
    except (imaplib.IMAP4.abort, ValueError) as error:
        raise Unavailable(BROKEN, host=at.host) from error
    except OSError as error:
        raise Unavailable(NO_ANSWER, host=at.host) from error


def quoted(folder: str) -> str:
    """A folder's name as the protocol wants it: modified UTF-7 (RFC 3501, 5.1.3) between quotation marks."""
    encoded = "".join(_encoded(run) for run in re.findall(r"&|[\x20-\x25\x27-\x7e]+|[^\x20-\x7e]+", folder))
    return '"' + encoded.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _encoded(run: str) -> str:
    if run == "&":
        return "&-"
    if run.isascii():
        return run
    return "&" + base64.b64encode(run.encode("utf-16-be")).decode().rstrip("=").replace("/", ",") + "-"
