"""What the head of a message says, read without believing it: lengths are cut, controls removed, nothing raises."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import HeaderParser
from email.utils import getaddresses

HEAD_LIMIT = 256 * 1024  # bytes of headers that are looked at
# Characters of one header that are decoded: the standard parser takes a minute for a From of 200 kB.
VALUE_LIMIT = 2000
_LONGEST = 500  # characters of a subject or a name that are kept
# What parts the addresses of a header; to search for whole ones takes a time that grows with its square.
_BETWEEN = re.compile(r"[\s<>\"(),:;\\]+")
# Where receiving servers write whom a message was for, and where senders do.
RECIPIENTS = (
    "delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-rcpt-to", "to", "cc", "bcc", "resent-to",
    "resent-cc", "received",
)  # fmt: skip


@dataclass(frozen=True)
class Letter:
    """A message's head. Addresses are in lower case; what is missing or cannot be read is empty."""

    sender: str
    sender_name: str
    subject: str
    message_id: str
    recipients: tuple[str, ...]
    headers: tuple[tuple[str, str], ...]  # names in lower case, in order
    identity: str


def read(content: bytes) -> Letter:
    """The head of a message (RFC 5322), and the identity by which the same message is known again.

    The identity is made of the Message-ID – else sender, date and subject – and the body, not of the lines that servers
    add on the way, so that a message that comes twice, or by SMTP and IMAP, is one.
    """
    head, body = _parted(content)
    message = head_of(head)
    names, senders = _senders(message)
    message_id = clean(header(message, "message-id"))
    known_by = message_id or "\n".join(header(message, name) for name in ("from", "date", "subject"))
    return Letter(
        sender=senders[0] if len(senders) == 1 else "",  # several authors: nobody answers for it
        sender_name=names[0] if names else "",
        subject=clean(header(message, "subject")),
        message_id=message_id,
        recipients=tuple(_recipients(message)),
        headers=tuple((name.lower(), raw(value)) for name, value in message.raw_items()),
        identity=_digest(known_by, body),
    )


def _parted(content: bytes) -> tuple[bytes, bytes]:
    end = re.search(rb"\r?\n\r?\n", content)
    head, body = (content[: end.end()], content[end.end() :]) if end else (content, b"")
    return head[:HEAD_LIMIT], body


def head_of(head: bytes) -> EmailMessage:
    """The parsed headers; 8-bit ones are UTF-8, else Windows-1252."""
    try:
        text = head.decode()
    except UnicodeDecodeError:
        text = head.decode("cp1252", "replace")
    return HeaderParser(policy=policy.default).parsestr(text)


def _digest(known_by: str, body: bytes) -> str:
    same = body.replace(b"\r\n", b"\n").rstrip()  # servers change line ends and add empty lines
    return hashlib.sha256(known_by.encode("utf-8", "replace") + b"\0" + same).hexdigest()


def header(message: EmailMessage, name: str) -> str:
    """A header's decoded value; empty when there is none or it cannot be decoded."""
    if not _is_short(message, name):
        return ""
    try:
        return str(message.get(name) or "")
    except Exception:  # noqa: BLE001 - the standard parser raises whatever a hostile header provokes
        return ""


def _is_short(message: EmailMessage, name: str) -> bool:
    return all(len(str(value)) <= VALUE_LIMIT for key, value in message.raw_items() if key.lower() == name)


def raw(value: object) -> str:
    """A header as it stands in the message, unfolded."""
    return re.sub(r"\r?\n", "", str(value))


def clean(text: str) -> str:
    """Text that may be stored and shown: no controls, no direction marks, no halves of characters, not endless."""
    seen = (" " if char in "\t\r\n" else char for char in unicodedata.normalize("NFC", text[: _LONGEST * 4]))
    kept = "".join(char for char in seen if unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn"})
    return " ".join(kept.split())[:_LONGEST]


def _senders(message: EmailMessage) -> tuple[list[str], list[str]]:
    """Names and addresses in From."""
    if not _is_short(message, "from"):
        return [], []
    try:
        named = [(one.display_name, one.addr_spec) for one in message["from"].addresses]
    except Exception:  # noqa: BLE001 - see ``header``
        named = getaddresses([header(message, "from")])
    pairs = [(clean(name), normal(address)) for name, address in named]
    return [name for name, _ in pairs], [address for _, address in pairs if address]


def normal(address: str) -> str:
    """An address as it is compared: lower case, its domain as the name system writes it; empty when it is none."""
    plain = address.strip("<> \t\r\n").lower()
    before, _at, domain = plain.rpartition("@")
    if not before or "@" in before or not domain or clean(plain) != plain or " " in plain:
        return ""  # what has characters in it that are not seen is nobody's address
    try:
        return f"{before}@{domain.encode('idna').decode()}"
    except UnicodeError:
        return ""


def _recipients(message: EmailMessage) -> Iterable[str]:
    found: dict[str, None] = {}
    for name, value in message.raw_items():
        if name.lower() in RECIPIENTS:
            text = raw(value)
            for_whom = re.findall(r"\bfor\s+<?([^\s<>;]+)", text) if name.lower() == "received" else [text]
            for part in for_whom:
                found.update(dict.fromkeys(each.lower() for each in _BETWEEN.split(part) if each.count("@") == 1))
    return found
