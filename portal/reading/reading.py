"""What reading a file comes to, and the reading itself: in this process, so for trusted files or inside a child."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from portal.errors import Invalid
from portal.i18n import N_
from portal.reading import direction, fields, split
from portal.reading.direction import ClientFacts, Decision, plain
from portal.reading.einvoice.comparison import compare
from portal.reading.einvoice.reader import EInvoice, read_einvoice
from portal.reading.fields import iban
from portal.reading.findings import Findings, Flag, Level, Source, merge
from portal.reading.limits import Limits, Unread, Why
from portal.reading.split import Part
from portal.reading.words import Page

PICTURES = frozenset({"image/jpeg", "image/png"})
XML = frozenset({"application/xml", "text/xml"})
PDF = "application/pdf"
OF_ANOTHER = 0.6  # the most that is believed of a value that may be another paper's
MORE_PAGES = N_("Only the first %(read)s of %(pages)s pages were read.")
MORE_PICTURES = N_("Only the first %(read)s scanned pages were read.")


@dataclass(frozen=True)
class Leaf:
    """One page that was read: its size in points (of a picture: pixels), where its words come from, and its text."""

    number: int
    width: float
    height: float
    source: Source
    text: str


@dataclass(frozen=True, kw_only=True)
class Reading:
    """All that was read of one file. ``unread`` says why there is nothing; ``parts`` only where there are several."""

    findings: Findings
    pages: tuple[Leaf, ...] = ()
    parts: tuple[Part, ...] = ()
    decision: Decision | None = None  # only when the client's facts were given
    einvoice: bool = False
    unread: Flag | None = None

    @property
    def text(self) -> str:
        """All words, for full-text search."""
        return "\n\n".join(page.text for page in self.pages)


def unread(why: Why) -> Reading:
    """Nothing, and the reason."""
    return Reading(findings=Findings(), unread=Flag(text=str(why), level=Level.ERROR))


def read_here(content: bytes, media_type: str, client: ClientFacts | None, limits: Limits) -> Reading:
    """Read a file in this process. ``media_type`` is ours, from the bytes. Never raises for what is in the file."""
    try:
        reading = _read(content, media_type, client, limits)
    except Unread as error:
        return unread(error.why)
    except Invalid as error:
        return Reading(findings=Findings(), unread=Flag(text=error.text, facts=error.facts, level=Level.ERROR))
    if client is None or reading.unread:
        return reading
    return replace(reading, decision=direction.decide(reading.findings, client, reading.text))


def _read(content: bytes, media_type: str, client: ClientFacts | None, limits: Limits) -> Reading:
    if not content:
        raise Unread(Why.EMPTY)
    if len(content) > limits.bytes:
        raise Unread(Why.TOO_LARGE)
    if media_type in XML:
        return _of_xml(content, media_type)
    if media_type == PDF:
        return _of_pdf(content, client, limits)
    if media_type in PICTURES:
        return _of_pages([_of_picture(content, limits)], client, ())
    raise Unread(Why.NOT_READ)


def _of_xml(content: bytes, media_type: str) -> Reading:
    invoice = read_einvoice(content, media_type)
    if invoice is None:
        raise Unread(Why.NOT_READ)
    text = "\n".join(" ".join(str(piece).split()) for piece in _texts(invoice))
    leaf = Leaf(1, 595.0, 842.0, Source.XML, text)
    return Reading(findings=invoice.findings, pages=(leaf,), einvoice=True)


def _texts(invoice: EInvoice) -> list[Any]:
    from portal.reading import xml

    texts = xml.hits(xml.parse(invoice.xml), "//text()[normalize-space()]")
    return [text for text in texts if len(text) < 2000][:20_000]


def _of_pdf(content: bytes, client: ClientFacts | None, limits: Limits) -> Reading:
    invoice = read_einvoice(content, PDF)
    try:
        pages, flags = _pdf_pages(content, limits)
        reading = _of_pages(pages, client, flags)
    except Unread:
        if invoice is None:
            raise
        return Reading(findings=invoice.findings, einvoice=True)
    return _of_the_first(reading) if invoice is None else _hybrid(invoice, reading, pages)


def _of_the_first(reading: Reading) -> Reading:
    """Of a file that seems to hold several papers, what only a later one says is told with doubt."""
    if not reading.parts:
        return reading
    found = reading.findings.found()
    last = reading.parts[0].last
    doubted: dict[str, Any] = {
        name: replace(one, confidence=min(one.confidence, OF_ANOTHER))
        for name, one in found.items()
        if one.page is not None and one.page > last
    }
    return replace(reading, findings=replace(reading.findings, **doubted))


def _hybrid(invoice: EInvoice, reading: Reading, pages: Sequence[Page]) -> Reading:
    """XML counts, its values shown where the pages print them; what the pages say otherwise is flagged."""
    printed_ibans = [one.seen.value.iban for one in iban.accounts(pages) if one.seen.value.valid]
    own = invoice.invoice.ibans if invoice.invoice else []
    differing = compare(invoice.findings, reading.findings, own, printed_ibans)
    merged = merge(invoice.findings, reading.findings)
    printed = reading.findings.found()
    placed: dict[str, Any] = {
        name: replace(one, page=printed[name].page, box=printed[name].box)
        for name, one in merged.found().items()
        if one.box is None and name in printed and _same(printed[name].value, one.value)
    }
    return replace(reading, findings=replace(merged, **placed).flagged(differing), einvoice=True, parts=())


def _same(one: object, two: object) -> bool:
    return one == two or (isinstance(one, str) and isinstance(two, str) and plain(one) == plain(two))


def _of_pages(pages: Sequence[Page], client: ClientFacts | None, flags: Sequence[Flag]) -> Reading:
    leaves = tuple(Leaf(page.number, page.width, page.height, page.source, page.text) for page in pages)
    with_words = [page for page in pages if page.rows]
    if not with_words:
        empty = Reading(findings=Findings(), pages=leaves)
        return replace(empty, unread=Flag(text=str(Why.NO_TEXT), level=Level.ERROR))
    known = fields.Known(client.vat_ids, client.ibans) if client else None
    return Reading(findings=fields.find(with_words, known).flagged(flags), pages=leaves, parts=split.propose(pages))


def _of_picture(content: bytes, limits: Limits) -> Page:
    from portal.reading import ocr

    picture = ocr.loaded(content, limits)
    width, height = ocr.size(content)
    return ocr.read(picture, 1, float(width), float(height))


def _pdf_pages(content: bytes, limits: Limits) -> tuple[list[Page], list[Flag]]:
    """The words of all pages; those without text that can be used are read as pictures, as long as there is time."""
    from contextlib import closing

    from portal.reading import ocr, pdf

    deadline = time.monotonic() + 0.6 * limits.seconds
    flags: list[Flag] = []
    pages: list[Page] = []
    pictures = 0
    with closing(pdf.opened(content)) as document:
        whole = len(document)
        for index in range(min(whole, limits.pages)):
            page = pdf.page_of(document, index, limits)
            if not pdf.is_usable(page) and pdf.is_drawn(document, index):
                if pictures < limits.pictures and time.monotonic() < deadline:
                    picture = pdf.pictured(document, index, limits)
                    page = ocr.read(picture, index + 1, page.width, page.height)
                    pictures += 1
                elif not flags:
                    flags.append(Flag(text=MORE_PICTURES, facts={"read": pictures}))
            pages.append(page)
        if whole > limits.pages:
            flags.append(Flag(text=MORE_PAGES, facts={"read": limits.pages, "pages": whole}))
    return pages, flags
