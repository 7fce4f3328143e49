"""One e-mail sent by SMTP (RFC 5321), whatever it is about. Never called within a transaction.

Whoever calls keeps what is to be sent until ``send`` returns, and sends it again after a crash under the same id: a
server's answer can be lost, so a message may come twice, and its Message-ID shows that it is the same.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from portal import clock
from portal.config import MailServer, Security
from portal.i18n import N_

TIMEOUT = 15.0  # seconds for the connection, and for each answer

_SILENT = N_("The mail server does not answer.")
_UNENCRYPTED = N_("The mail server offers no encryption (STARTTLS), so nothing was sent to it.")
_CERTIFICATE = N_("The certificate of the mail server is not valid, so nothing was sent to it.")
_LOGIN = N_("The mail server does not accept Kontor's login.")
_UNKNOWN = N_("The mail server takes no e-mail for this address (code %(code)s).")
_UNWRITABLE = N_("This e-mail address cannot be written to.")
_REFUSED = N_("The mail server did not take the e-mail (code %(code)s).")


class NotSent(Exception):
    """Why a message was not taken: a message id and its facts. ``final``: trying again would change nothing."""

    def __init__(self, text: str, facts: Mapping[str, str | int] | None = None, *, final: bool = False) -> None:
        self.text, self.facts, self.final = text, dict(facts or {}), final
        super().__init__(text % self.facts if self.facts else text)


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One message to one person. Line breaks in names and subject become blanks."""

    id: str  # stays the same when it is sent again
    to: str  # the address alone
    to_name: str
    subject: str
    text: str


def one_line(text: str) -> str:
    """Text that cannot end a header or begin another: no line breaks, no control characters."""
    return "".join(char for char in " ".join(text.split()) if char.isprintable())


def written(server: MailServer, letter: Letter) -> EmailMessage:
    """The message as it goes over the wire. NotSent for an address that cannot be written in one."""
    message = EmailMessage(policy=SMTP)
    try:
        message["From"] = Address(one_line(server.sender_name), addr_spec=server.sender)
        message["To"] = Address(one_line(letter.to_name), addr_spec=letter.to)
    except (ValueError, IndexError) as error:  # what the standard parser says to broken addresses
        raise NotSent(_UNWRITABLE, final=True) from error
    message["Subject"] = one_line(letter.subject)
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = f"<{letter.id}@{_domain(server)}>"
    message["Auto-Submitted"] = "auto-generated"  # so that nobody's absence note answers (RFC 3834)
    message.set_content(letter.text, cte="quoted-printable")
    return message


def send(server: MailServer, letter: Letter) -> None:
    """Hand a message to the server; NotSent when it was not taken."""
    message = written(server, letter)
    with _line(server) as line:
        try:
            line.send_message(message)
        except smtplib.SMTPNotSupportedError as error:  # an address with umlauts, which few servers take (RFC 6531)
            raise NotSent(_UNWRITABLE, final=True) from error


def prove(server: MailServer) -> None:
    """Connect and sign in without sending anything; NotSent when that fails."""
    with _line(server) as line:
        line.noop()


@contextmanager
def _line(server: MailServer) -> Iterator[smtplib.SMTP]:
    """An encrypted, signed-in connection; whatever goes wrong on it becomes NotSent."""
    try:
        line = _opened(server)
        try:
            _greet(line, server)
            yield line
        finally:
            with suppress(OSError):  # the message was taken before; how the server takes leave changes nothing
                line.quit()
            line.close()
    except (OSError, smtplib.SMTPException) as error:
        raise _why(error) from error


def _opened(server: MailServer) -> smtplib.SMTP:
    # named by ourselves: asking the system for this machine's full name may take seconds
    name = _domain(server)
    if server.security is Security.TLS:
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(server.host, server.port, local_hostname=name, timeout=TIMEOUT, context=context)
    return smtplib.SMTP(server.host, server.port, local_hostname=name, timeout=TIMEOUT)


def _greet(line: smtplib.SMTP, server: MailServer) -> None:
    if server.security is Security.STARTTLS:
        try:
            line.starttls(context=ssl.create_default_context())
        except smtplib.SMTPNotSupportedError as error:
            raise NotSent(_UNENCRYPTED) from error
    if server.user:
        try:
            line.login(server.user, server.password)
        except smtplib.SMTPNotSupportedError as error:
            raise NotSent(_LOGIN) from error


def _why(error: OSError) -> NotSent:
    """The sentence for what went wrong; never the server's own words, which nobody has checked."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            code = next(iter(error.recipients.values()))[0]
            return NotSent(_UNKNOWN, {"code": code}, final=code >= 500)
        case smtplib.SMTPAuthenticationError():
            return NotSent(_LOGIN)
        case smtplib.SMTPResponseException():
            return NotSent(_REFUSED, {"code": error.smtp_code})
        case ssl.SSLCertVerificationError():
            return NotSent(_CERTIFICATE)
        case _:
            return NotSent(_SILENT)


def _domain(server: MailServer) -> str:
    return server.sender.rpartition("@")[2]
