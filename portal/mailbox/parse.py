"""What a message holds, part by part: bytes in, parts out; no database, and nothing is believed.

The tree is read with the standard library's older policy: its newer one takes minutes for some hostile headers of a few
hundred kilobytes. Depth, number and proportions are limited before and while the tree is walked.
"""

from __future__ import annotations

import binascii
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from email.policy import Compat32
from enum import StrEnum
from html import unescape
from typing import cast

from portal.documents import names
from portal.i18n import N_
from portal.mailbox.pictures import is_decoration

LINES = 1_200_000  # 40 MB of base64 are half of that
SEPARATORS = 20_000  # lines that may part a message
STEPS = 20_000_000  # lines times boundaries: the parser holds every line against every boundary around it
DEPTH = 40  # containers and messages within each other
PARTS = 300
NESTED = 8  # messages within messages
HEADER_LIMIT = 2000  # characters of one
TEXT_SHOWN = 20_000  # characters

ENCRYPTED = N_("The message is encrypted. Please send it unencrypted, or upload the files.")
WRAPPED = N_("The message is signed in a way that hides its contents. Please send it with a clear signature.")
TNEF = N_("Outlook packed the attachments into “winmail.dat”, which only Outlook reads. Please send HTML or text.")
PARTIAL = N_("The attachment is only a piece of a message, or lies somewhere else. Please send it whole.")
TOO_COMPLEX = N_("The message has too many parts, or too many within each other.")
UNREADABLE = N_("The message is damaged and cannot be opened.")
LOGO = N_("A small picture within the text, such as a logo.")
SIGNATURE = N_("An electronic signature.")

_HIDDEN = re.compile(r"<(?:script|style|head)\b", re.IGNORECASE)
_HIDDEN_END = re.compile(r"</(?:script|style|head)\s*>", re.IGNORECASE)
_TNEF_MARK = b"\x78\x9f\x3e\x22"  # MS-OXTNEF 2.1.3.1
_PGP = ("-----BEGIN PGP MESSAGE-----", "-----BEGIN CMS-----")
_SIGNATURES = {
    "application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature", "application/pgp-keys",
}  # fmt: skip


class What(StrEnum):
    """What is to be done with a part."""

    TAKE = "take"
    REFUSE = "refuse"
    LEAVE_OUT = "leave_out"


@dataclass(frozen=True)
class Part:
    """One thing in a message. ``text`` and ``facts`` say why it is not taken."""

    what: What
    filename: str
    content: bytes
    text: str | None = None
    facts: Mapping[str, str | int] = field(default_factory=dict)


class TooComplex(Exception):
    """The message is out of proportion."""


class _Policy(Compat32):
    """Headers of 8-bit senders are text, too: UTF-8, else Windows-1252."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        """A name and a value that is not endless: reading parameters takes a time that grows with its square."""
        name, value = super().header_source_parse(sourcelines)
        return name, value[:HEADER_LIMIT]

    def header_fetch_parse(self, name: str, value: str) -> str:
        """The value with its bytes decoded."""
        given = value.encode("utf-8", "surrogateescape")
        try:
            return given.decode()
        except UnicodeDecodeError:
            return given.decode("cp1252", "replace")


_POLICY = _Policy()


def parts(content: bytes, name: str) -> list[Part]:
    """Everything that a message holds, in its order; ``name`` is what the message is called when it is kept itself.

    A message without attachments is kept whole; one that cannot be opened is one refused part.
    """
    try:
        _in_proportion(content)
        return _Walk().whole(message_from_bytes(content, policy=_POLICY), content, name)
    except (TooComplex, RecursionError):
        return [Part(What.REFUSE, name, content, TOO_COMPLEX)]
    except Exception:  # noqa: BLE001 - the standard parser raises whatever a hostile message provokes
        return [Part(What.REFUSE, name, content, UNREADABLE)]


def text_of(content: bytes) -> str:
    """What a message says, for showing it: the first plain text, else the words of the HTML; cut, and never raising."""
    try:
        _in_proportion(content)
        walk = _Walk()
        walk.visit(message_from_bytes(content, policy=_POLICY), 0, 0)
    except Exception:  # noqa: BLE001 - see ``parts``
        return ""
    return (walk.plain or _words(walk.html))[:TEXT_SHOWN]


def _in_proportion(content: bytes) -> None:
    lines, boundaries = content.count(b"\n"), len(re.findall(rb"boundary", content, re.IGNORECASE))
    separators = content.count(b"\n--")
    if lines > LINES or separators > SEPARATORS or lines * boundaries > STEPS:
        raise TooComplex


class _Walk:
    """Goes through the tree once."""

    def __init__(self) -> None:
        self.found: list[Part] = []
        self.pictures: list[Part] = []
        self.plain = ""
        self.html = ""
        self.visited = 0

    def whole(self, message: Message, content: bytes, name: str) -> list[Part]:
        """All parts of the outermost message."""
        self.visit(message, 0, 0)
        if not any(part.what is not What.LEAVE_OUT for part in self.found):
            self._keep(0, Part(What.TAKE, name, content), says=bool(self.plain.strip() or _words(self.html)))
        left = [Part(What.LEAVE_OUT, one.filename, one.content, LOGO) for one in self.pictures]
        return self.found + left

    def _keep(self, since: int, itself: Part, *, says: bool) -> None:
        """A message without attachments is a document itself; one that is nothing but pictures is its pictures."""
        pictures = self.pictures[since:]
        if pictures and not says:
            self.found += pictures
            del self.pictures[since:]
        else:
            self.found.append(itself)

    def visit(self, message: Message, depth: int, nested: int) -> None:
        """One part and all within it."""
        self.visited += 1
        if depth > DEPTH or self.visited > PARTS or nested > NESTED:
            raise TooComplex
        kind = message.get_content_type()
        if kind == "multipart/encrypted":
            self._refuse(message, ENCRYPTED)
        elif kind in {"message/partial", "message/external-body"}:
            self._refuse(message, PARTIAL)
        elif kind == "message/rfc822":
            self._message(message, depth, nested)
        elif message.is_multipart() and kind.startswith("multipart/"):
            for part in cast("list[Message]", message.get_payload()):
                self.visit(part, depth + 1, nested)
        else:
            self._leaf(message, depth, nested, kind)

    def _message(self, outer: Message, depth: int, nested: int) -> None:
        """An attached message: RFC 2046 5.2.1 forbids encoding it, some senders do."""
        payload = outer.get_payload()
        inner = cast("Message", payload[0]) if isinstance(payload, list) and payload else None
        encoded = str(outer.get("content-transfer-encoding", "")).strip().lower() in {"base64", "quoted-printable"}
        if inner is None:
            self._refuse(outer, UNREADABLE)
        elif encoded and not inner.keys():
            self._nested(_decoded_text(outer, inner), _filename(outer, self.visited), depth, nested)
        else:
            self._nested(inner.as_bytes(), _filename(outer, self.visited, inner), depth, nested, inner)

    def _nested(self, content: bytes, name: str, depth: int, nested: int, message: Message | None = None) -> None:
        """A message within: its attachments; without any, itself."""
        if message is None:
            message = message_from_bytes(content, policy=_POLICY)
        before, pictures = len(self.found), len(self.pictures)
        outside = (self.plain, self.html)
        self.plain = self.html = ""
        self.visit(message, depth + 1, nested + 1)
        if not any(part.what is not What.LEAVE_OUT for part in self.found[before:]):
            says = bool(self.plain.strip() or _words(self.html))
            self._keep(pictures, Part(What.TAKE, name, content), says=says)
        self.plain, self.html = outside

    def _leaf(self, message: Message, depth: int, nested: int, kind: str) -> None:
        attached = message.get_content_disposition() == "attachment"
        named = message.get_filename() is not None
        content = _content(message)
        if kind.startswith("text/") and not attached and not named:
            self._body(message, kind, content)
            return
        name = _filename(message, self.visited)
        if reason := _unreadable(message, kind, name, content):
            self._refuse(message, reason)
        elif kind in _SIGNATURES:
            self.found.append(Part(What.LEAVE_OUT, name, content, SIGNATURE))
        elif names.ending(name) == "eml" and _looks_like_mail(content):
            self._nested(content, name, depth, nested)
        elif kind.startswith("image/") and not attached and is_decoration(content):
            self.pictures.append(Part(What.TAKE, name, content))
        else:
            self.found.append(Part(What.TAKE, name, content))

    def _body(self, message: Message, kind: str, content: bytes) -> None:
        text = _text(message, content)
        if text.lstrip().startswith(_PGP):
            self._refuse(message, ENCRYPTED)
        elif kind == "text/html":
            self.html = self.html or text
        elif kind == "text/plain":
            self.plain = self.plain or text

    def _refuse(self, message: Message, reason: str) -> None:
        name = _filename(message, self.visited)
        self.found.append(Part(What.REFUSE, name, _content(message), reason))


def _unreadable(message: Message, kind: str, name: str, content: bytes) -> str | None:
    """Why nothing can be read from a part, if so."""
    if kind in {"application/ms-tnef", "application/vnd.ms-tnef"} or content.startswith(_TNEF_MARK):
        return TNEF
    if kind in {"application/pkcs7-mime", "application/x-pkcs7-mime"} or names.ending(name) == "p7m":
        signed = str(message.get_param("smime-type", "")).lower() in {"signed-data", "certs-only"}
        return WRAPPED if signed else ENCRYPTED
    if kind == "application/pgp-encrypted" or names.ending(name) in {"pgp", "gpg"}:
        return ENCRYPTED
    return None


def _content(message: Message) -> bytes:
    if message.is_multipart():
        return b""
    content = message.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _decoded_text(outer: Message, inner: Message) -> bytes:
    text = str(inner.get_payload()).encode("utf-8", "surrogateescape")
    if str(outer.get("content-transfer-encoding", "")).strip().lower() == "base64":
        return binascii.a2b_base64(text)
    return binascii.a2b_qp(text)


def _text(message: Message, content: bytes) -> str:
    charset = message.get_content_charset() or "utf-8"
    try:
        return content.decode(charset, "replace")
    except (LookupError, ValueError):  # a charset that nobody knows, or one that is no text ("hex")
        return content.decode("utf-8", "replace")


def _looks_like_mail(content: bytes) -> bool:
    head = content[:65_536].split(b"\n\n")[0].split(b"\r\n\r\n")[0].lower()
    return len(set(re.findall(rb"^(from|to|date|subject|received|message-id|mime-version):", head, re.MULTILINE))) >= 2


def _words(html: str) -> str:
    """The text of HTML, roughly: for showing, and for telling an empty message."""
    first, *after = _HIDDEN.split(html[:1_000_000])
    seen = " ".join([first, *(_HIDDEN_END.split(piece, maxsplit=1)[-1] for piece in after)])
    return " ".join(unescape(re.sub(r"<[^<>]*>", " ", seen)).split())


def _filename(message: Message, number: int, inner: Message | None = None) -> str:
    """What the sender calls a part, made safe; else its kind and place."""
    given = decoded(message.get_filename() or "")
    if given:
        return names.safe(given)
    kind = message.get_content_type()
    if inner is not None or kind == "message/rfc822":
        subject = decoded(str(inner.get("subject", ""))) if inner is not None else ""
        return message_name(subject)
    return f"attachment-{number}{mimetypes.guess_extension(kind) or ''}"


def message_name(subject: str) -> str:
    """What a message is called as a file."""
    return names.safe(re.sub(r"[\\/:*?\"<>|]+", "-", subject)[:120] + ".eml", "message.eml").lstrip(".")


def decoded(text: str) -> str:
    """A name with encoded words (RFC 2047), which senders put where RFC 2231 belongs; as it stands if that fails."""
    if "=?" not in text or len(text) > 4000:
        return text
    try:
        return str(make_header(decode_header(text)))
    except Exception:  # noqa: BLE001 - an unknown charset, broken base64
        return text
