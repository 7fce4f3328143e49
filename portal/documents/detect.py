"""What a file is, told from its bytes and never from what a sender claims (D1).

``look`` answers with a form that the portal keeps, or with the reason why it does not. Nothing is opened by its name,
unpacked to disk or believed: XML is parsed without entities, a ZIP only listed and its entries' beginnings read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import BinaryIO

import filetype
from lxml import etree

from portal.documents import archives, names
from portal.i18n import N_

HEAD = 64 * 1024
FILE_LIMIT = 15_000_000  # a file is smaller than this
ZIP_LIMIT = 100_000_000  # and a ZIP of bank statements smaller than this


class Form(StrEnum):
    """What a file is good for."""

    PAGES = "pages"  # PDF, JPEG, PNG: may be any kind of document
    E_INVOICE = "e_invoice"  # XML of an invoice or credit note
    STATEMENT = "statement"  # CAMT, MT940, or a ZIP of statement files
    TABLE = "table"  # CSV: a statement when its sender says so
    UNREAD = "unread"  # office files, text and mails: kept as other documents


@dataclass(frozen=True)
class Found:
    """A file that is kept. ``media_type`` is ours, from the bytes."""

    media_type: str
    form: Form


@dataclass(frozen=True)
class Refused:
    """A file that is not kept: a sentence (message id and facts) that its sender reads."""

    text: str
    facts: Mapping[str, str | int] = field(default_factory=dict)


Look = Found | Refused

_PROGRAMS = (
    b"MZ", b"\x7fELF", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe", b"\x00asm", b"#!", b"dex\n", b"L\x00\x00\x00\x01\x14\x02\x00",
)  # fmt: skip
_PROGRAM_ENDINGS = frozenset(
    "apk app bat bin cmd com cpl deb dll dmg exe hta iso jar js jse lnk msi msp pif ps1 rpm scr sh vb vbe vbs".split()
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# Names of streams in an OLE compound file (MS-CFB), as UTF-16 in its directory.
_OLE_STREAMS = {
    "WordDocument": "application/msword",
    "Workbook": "application/vnd.ms-excel",
    "PowerPoint Document": "application/vnd.ms-powerpoint",
    "__nameid_version1.0": "application/vnd.ms-outlook",
    "EncryptedPackage": "application/vnd.ms-office",
}
_HEADERS = re.compile(
    rb"^(received|return-path|from|to|date|subject|message-id|mime-version|delivered-to|content-type|x-[\w-]+):",
    re.IGNORECASE | re.MULTILINE,
)
_MT940 = re.compile(r"^:(20|21|25|28C?|60[FM]|61|62[FM]|64|65|86):", re.MULTILINE)
# SWIFT frames messages by 01 and 03; old programs end a text by 1A.
_ODD = re.compile(rb"[\x00\x02\x04-\x08\x0e-\x19\x1c-\x1f\x7f]")
_INVOICES = (
    "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:",
    "urn:ferd:CrossIndustryDocument:invoice:",
    "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2",
    "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2",
)
_STATEMENT = re.compile(r"urn:iso:std:iso:20022:tech:xsd:camt\.05[234]\.")

EMPTY = N_("The file is empty (0 bytes).")
PROGRAM = N_("Programs and scripts are not taken.")
TOO_LARGE = N_("The file is too large: it must be smaller than %(limit)s MB.")
UNKNOWN = N_("This type of file is not known. Please send PDF, JPEG, PNG, an XML e-invoice or a bank statement file.")
NOT_TAKEN = N_("Files of the type %(type)s are not taken. Please send it as PDF, JPEG or PNG.")
BAD_XML = N_("The XML cannot be read: it is damaged or declares entities.")


def look(content: BinaryIO, size: int, filename: str) -> Look:
    """What the bytes are. ``content`` can be rewound and is left anywhere; ``size`` is its length."""
    if size == 0:
        return Refused(EMPTY)
    content.seek(0)
    head = content.read(HEAD)
    if head.startswith(_PROGRAMS):
        return Refused(PROGRAM)
    found = _by_head(head, content) or _as_text(head, content, filename)
    if _is_script(found, filename):
        return Refused(PROGRAM)
    if found is None:
        return _not_taken(head)
    if isinstance(found, Found) and size >= limit_for(found):
        return too_large(limit_for(found))
    return found


def limit_for(found: Found) -> int:
    """The size in bytes that this file must stay below."""
    return ZIP_LIMIT if found.media_type == archives.ZIP else FILE_LIMIT


def too_large(limit: int) -> Refused:
    """The refusal of a file that is not smaller than ``limit`` bytes."""
    return Refused(TOO_LARGE, {"limit": limit // 1_000_000})


def _is_script(found: Look | None, filename: str) -> bool:
    """A script is a text like any other but for its name; bytes of a PDF stay a PDF whatever they are called."""
    kept = isinstance(found, Found) and found.form is not Form.UNREAD
    return not kept and names.ending(filename) in _PROGRAM_ENDINGS


def _by_head(head: bytes, content: BinaryIO) -> Look | None:
    # Readers accept a PDF header anywhere in the first kilobyte (ISO 32000-1, Annex H).
    if b"%PDF-" in head[:1024] and not _markup(head):
        return Found("application/pdf", Form.PAGES)
    if head.startswith(b"\xff\xd8\xff"):
        return Found("image/jpeg", Form.PAGES)
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return Found("image/png", Form.PAGES)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _archive(content)
    if head.startswith(_OLE):
        return _compound(content)
    if head.startswith(b"{\\rtf"):
        return Found("application/rtf", Form.UNREAD)
    return None


def _archive(content: BinaryIO) -> Look:
    try:
        listed = archives.listing(content)
        if office := archives.office_type(listed):
            return Found(office, Form.UNREAD)
        for name, beginning in archives.beginnings(listed):
            if not _is_statement(beginning, name):
                return Refused(archives.NO_STATEMENT, {"name": names.safe(name)})
    except archives.Unusable as error:
        return Refused(error.text, error.facts)
    return Found(archives.ZIP, Form.STATEMENT)


def _is_statement(beginning: bytes, name: str) -> bool:
    found = _text_form(beginning, name, whole=False)
    return isinstance(found, Found) and found.form in {Form.STATEMENT, Form.TABLE}


def _compound(content: BinaryIO) -> Look | None:
    """Word, Excel, PowerPoint and Outlook of before 2007, told by the streams inside; installers look the same."""
    content.seek(0)
    seen, rest = set(), b""
    while piece := content.read(1 << 20):
        chunk = rest + piece
        seen |= {name for name in _OLE_STREAMS if name.encode("utf-16-le") in chunk}
        rest = chunk[-64:]
    return next((Found(kind, Form.UNREAD) for name, kind in _OLE_STREAMS.items() if name in seen), None)


def _markup(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def _as_text(head: bytes, content: BinaryIO, filename: str) -> Look | None:
    if filetype.guess(head) is not None and not _markup(head):
        return None
    if not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        content.seek(0)
        while piece := content.read(1 << 20):
            if _ODD.search(piece):
                return None
    return _text_form(head, filename, whole=len(head) < HEAD)


def _text_form(head: bytes, filename: str, *, whole: bool) -> Look | None:
    text = decoded(head)
    if text is None:
        return None
    if text.lstrip().startswith("<"):
        return _xml(head, text, whole=whole)
    if len(set(_MT940.findall(text[:8192]))) >= (1 if names.ending(filename) in {"sta", "mt940", "940"} else 2):
        return Found("text/x-mt940", Form.STATEMENT)
    if len(set(_HEADERS.findall(head[:8192].split(b"\r\n\r\n")[0].split(b"\n\n")[0].lower()))) >= 3:
        return Found("message/rfc822", Form.UNREAD)
    if names.ending(filename) in {"csv", "tsv", "txt"} and _is_table(text):
        return Found("text/csv", Form.TABLE)
    return Found("text/plain", Form.UNREAD)


def decoded(content: bytes) -> str | None:
    """Text of UTF-8, UTF-16 with a mark, or Windows-1252; None when it is none of them.

    A character cut off at the end is forgiven: the beginning of a file is text, too.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content[: len(content) // 2 * 2].decode("utf-16", errors="ignore")
    if _ODD.search(content):
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start >= len(content) - 3 and len(content) >= HEAD:
            return content[: error.start].decode("utf-8-sig")
        return content.decode("cp1252", errors="replace")


def _is_table(text: str) -> bool:
    """Whether some delimiter parts a good number of the first lines alike."""
    lines = [line for line in text.splitlines()[:40] if line.strip()]
    return any(sum(line.count(mark) >= 2 for line in lines) >= max(1, len(lines) // 2) for mark in ";,\t|")


def _xml(head: bytes, text: str, *, whole: bool) -> Look:
    if re.match(r"\s*(<!doctype\s+html|<html|<head|<body|<div|<p[ >])", text, re.IGNORECASE):
        return Found("text/html", Form.UNREAD)
    if re.search(r"<!(doctype|entity)", text, re.IGNORECASE):
        return Refused(BAD_XML)
    name = _root(head, whole=whole)
    if name is None:
        return Refused(BAD_XML)
    namespace = name.namespace or ""
    if namespace.startswith(_INVOICES):
        return Found("application/xml", Form.E_INVOICE)
    if _STATEMENT.match(namespace):
        return Found("application/xml", Form.STATEMENT)
    if name.localname.lower() == "svg":
        return Refused(NOT_TAKEN, {"type": "SVG"})
    return Found("application/xml", Form.UNREAD)


def parser() -> etree.XMLPullParser:
    """An XML parser for hostile input: no entities, no network, no DTD, no giant trees."""
    return etree.XMLPullParser(
        events=("start",), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )


def _root(head: bytes, *, whole: bool) -> etree.QName | None:
    """The name of the root element of well-formed XML (of which only the beginning may be at hand)."""
    reader = parser()
    try:
        reader.feed(head.lstrip(b" \t\r\n"))
        if whole:
            reader.close()
        for _event, element in reader.read_events():
            return None if isinstance(element, tuple) else etree.QName(element)
    except etree.XMLSyntaxError:
        return None
    return None


def _not_taken(head: bytes) -> Refused:
    known = filetype.guess(head)
    return Refused(NOT_TAKEN, {"type": str(known.extension).upper()}) if known else Refused(UNKNOWN)


def length(content: BinaryIO) -> int:
    """How many bytes a file that can be rewound holds."""
    return content.seek(0, os.SEEK_END)
