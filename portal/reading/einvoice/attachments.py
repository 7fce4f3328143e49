"""The XML inside a hybrid PDF (ZUGFeRD, Factur-X, XRechnung), found even where the PDF is not as it should be."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from typing import Any

import pikepdf

from portal.reading.xml import SIZE_LIMIT

# ZUGFeRD 1.0, 2.0 and Factur-X / 2.1+ name the file; XRechnung in PDF has its own. Better ones first.
NAMES = ("factur-x.xml", "xrechnung.xml", "zugferd-invoice.xml")
FILE_LIMIT = 50  # embedded files looked at
OBJECT_LIMIT = 100_000  # objects of a PDF searched for embedded files
_INVOICE = re.compile(rb"CrossIndustryInvoice|CrossIndustryDocument|:schema:xsd:(Invoice|CreditNote)-2")
FILTER_LIMIT = 4
SMALL = 100_000  # bytes of a packed stream that another filter than Flate may unpack: at most some megabytes


@dataclass(frozen=True)
class Attachment:
    """A file inside the PDF. ``content`` is empty when it is too large, damaged or not XML."""

    name: str
    content: bytes
    size: int


def embedded(content: bytes) -> list[Attachment]:
    """The files in a PDF, e-invoices first; nothing when the PDF is encrypted, damaged or has none."""
    try:
        with pikepdf.open(BytesIO(content), suppress_warnings=True) as document:
            streams = _streams(_declared(document), {})
            found = [_attachment(*one) for one in streams.values()]
            if not any(map(_is_invoice, found)):
                found += [_attachment(*one) for one in _streams(_anywhere(document), streams).values()]
    except (pikepdf.PdfError, pikepdf.PasswordError, ValueError, RuntimeError, OSError):
        return []
    return sorted(found, key=_rank)


def _is_invoice(attachment: Attachment) -> bool:
    return bool(_INVOICE.search(attachment.content[:8192].replace(b"\0", b"")))


def _rank(attachment: Attachment) -> int:
    name = attachment.name.lower()
    if not _is_invoice(attachment):
        return len(NAMES) + 1
    return NAMES.index(name) if name in NAMES else len(NAMES)


def is_named_invoice(attachment: Attachment) -> bool:
    """Whether the file's name promises an e-invoice."""
    return attachment.name.lower() in NAMES


_Streams = dict[tuple[int, int], tuple[str, pikepdf.Stream]]


def _streams(specifications: Iterator[Any], known: _Streams) -> _Streams:
    """Name and stream of each file, by the stream's object, without those known already."""
    found: _Streams = {}
    for specification in specifications:
        stream = _stream(specification)
        if stream is not None and stream.objgen not in known:
            found.setdefault(stream.objgen, (_name(specification), stream))
        if len(found) >= FILE_LIMIT:
            break
    return found


def _declared(document: pikepdf.Pdf) -> Iterator[Any]:
    """The file specifications that the document tells: by /AF, then by its tree of names."""
    root = document.Root
    yield from _members(root.get("/AF"))
    names = root.get("/Names")
    if isinstance(names, pikepdf.Dictionary):
        yield from _named(names.get("/EmbeddedFiles"), depth=0)


def _anywhere(document: pikepdf.Pdf) -> Iterator[Any]:
    """Every file specification among the objects: annotations, and what a broken tree of names lost."""
    for candidate in islice(document.objects, OBJECT_LIMIT):
        if isinstance(candidate, pikepdf.Dictionary) and "/EF" in candidate:
            yield candidate


def _members(array: Any) -> Iterator[Any]:
    if isinstance(array, pikepdf.Array):
        yield from (array[index] for index in range(min(len(array), FILE_LIMIT)))
    elif isinstance(array, pikepdf.Dictionary):
        yield array


def _named(node: Any, depth: int) -> Iterator[Any]:
    """The values of a name tree, as far as it is one: broken ones have names alone, loops, or wrong types."""
    if not isinstance(node, pikepdf.Dictionary) or depth > 8:
        return
    yield from (member for member in _members(node.get("/Names")) if isinstance(member, pikepdf.Dictionary))
    for kid in _members(node.get("/Kids")):
        yield from _named(kid, depth + 1)


def _stream(specification: Any) -> pikepdf.Stream | None:
    files = specification.get("/EF") if isinstance(specification, pikepdf.Dictionary) else None
    if not isinstance(files, pikepdf.Dictionary):
        return None
    for key in ("/UF", "/F", "/Unix", "/DOS", "/Mac"):
        stream = files.get(key)
        if isinstance(stream, pikepdf.Stream):
            return stream
    return None


def _name(specification: Any) -> str:
    for key in ("/UF", "/F"):
        if isinstance(specification.get(key), pikepdf.String):
            return re.split(r"[/\\]", str(specification[key]))[-1]
    return ""


def _attachment(name: str, stream: pikepdf.Stream) -> Attachment:
    try:
        content = _unpacked(stream)
    except (pikepdf.PdfError, zlib.error, ValueError, RuntimeError):
        content = b""
    return Attachment(name, content if _is_xml(content) else b"", len(content))


def _is_xml(content: bytes) -> bool:
    return content[:64].lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n").startswith(b"<")


def _unpacked(stream: pikepdf.Stream) -> bytes:
    """The stream's bytes. Flate is undone here in steps, never beyond the limit, as a bomb would not ask for leave."""
    named = stream.get("/Filter")
    filters = [str(each) for each in (named if isinstance(named, pikepdf.Array) else [named] if named else [])]
    content = bytes(stream.read_raw_bytes())
    if len(filters) > FILTER_LIMIT:
        raise ValueError("too many filters")
    for name in filters:
        if name != "/FlateDecode":
            return _by_library(stream, len(content), filters)
        content = _inflated(content)
    if len(content) > SIZE_LIMIT:
        raise ValueError("too large")
    return bytes(stream.read_bytes()) if "/DecodeParms" in stream else content


def _inflated(packed: bytes) -> bytes:
    content = zlib.decompressobj().decompress(packed, SIZE_LIMIT + 1)
    if len(content) > SIZE_LIMIT:
        raise ValueError("too large")
    return content


def _by_library(stream: pikepdf.Stream, size: int, filters: list[str]) -> bytes:
    """Other filters: as text (ASCII85, hex) at any size; a single compressing one for small streams."""
    rest = [name for name in filters if name not in {"/ASCII85Decode", "/ASCIIHexDecode"}]
    if rest and (len(rest) > 1 or size > SMALL):
        raise ValueError("too large")
    return bytes(stream.read_bytes())
