"""A file that holds several documents (D2): split by page when a person says so, and whole again when they undo it.

The file stays the document that it came as, with its bytes, its history and whatever was delivered of it; it says no
more what one of its documents says, and goes nowhere from then on. Each part is a document with bytes of its own: read,
planned and delivered like any other, as old as the file. Together they are all pages, so nothing is lost in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from uuid import UUID

from sqlmodel import Session, col, select

from integrations.contract import DocumentKind
from portal import access, audit, clock
from portal.access import Right, Viewer
from portal.clients.models import Client
from portal.documents import page_ranges, versions
from portal.documents.fields import Fields, validated
from portal.documents.models import Document, Reading
from portal.documents.page_ranges import Range
from portal.documents.services import document_or_404
from portal.errors import Conflict
from portal.i18n import N_
from portal.intake import take_pages
from portal.parts import Parts
from portal.processing import corrections, readings
from portal.processing.planning import plan_again
from portal.reading.reading import PDF
from portal.reading.split import Part

NOT_A_PDF = N_("Only PDF files can be split.")
IS_SPLIT = N_("This file is split already. Take that back first.")
IS_REMOVED = N_("This document was removed. Bring it back first.")
UNDECIDED = N_("Decide first whether this document is a duplicate.")
ONE_PAGE = N_("A file can be split where it has at least two pages.")
NOT_SPLIT = N_("This file is not split.")
SPLIT_FURTHER = N_("“%(filename)s” is split itself. Take that back first.")
UNDONE = N_("The file that it is a part of is whole again.")


@dataclass(frozen=True)
class Proposal:
    """A file that may be split: how many pages it has, and what reading proposes (nothing: it seems to be one)."""

    client: Client
    document: Document
    pages: int
    parts: Sequence[Part]

    @property
    def starts(self) -> list[int]:
        """The pages on which its documents seem to begin; the first page always."""
        return sorted({1, *(part.first for part in self.parts if 1 < part.first <= self.pages)})


@dataclass(frozen=True)
class Standing:
    """Where a document stands among the parts of a file: the file that it is a part of, or its own parts."""

    whole: Document | None = None
    parts: Sequence[Document] = ()


def standing(session: Session, document: Document) -> Standing:
    """What a page says of a split file or of one of its parts; nothing for all others."""
    whole = session.get(Document, document.part_of) if document.part_of else None
    return Standing(whole, parts_of(session, document) if document.split_version is not None else ())


def parts_of(session: Session, whole: Document) -> list[Document]:
    """The documents that a file was split into, by page; without those that were removed."""
    parts = select(Document).where(Document.part_of == whole.id, col(Document.removed_at).is_(None))
    return list(session.exec(parts.order_by(col(Document.first_page), col(Document.id))))


def is_splittable(document: Document) -> bool:
    """Whether a document's file may be split, as far as that is known without opening it."""
    return document.media_type == PDF and document.removed_at is None and document.split_version is None


def propose(parts: Parts, viewer: Viewer, client_id: UUID, document_id: UUID) -> Proposal:
    """How a file could be split. Conflict says why it cannot; Invalid when it cannot be opened."""
    with parts.db.read() as session:
        client, document = _asked(session, viewer, client_id, document_id)
        read = readings.kept(session, document_id)
    with parts.files.open(client.firm_id, document.sha256) as content:
        pages = page_ranges.count(content)
    if pages < 2:
        raise Conflict(ONE_PAGE)
    return Proposal(client, document, pages, read.parts if read else ())


def split(
    parts: Parts, viewer: Viewer, client_id: UUID, document_id: UUID, starts: Sequence[int],
    expected: int | None = None,
) -> list[Document]:  # fmt: skip
    """Make a document of each range of pages that begins on one of ``starts`` (the first of them 1); them, by page.

    ``expected`` is the version that the person saw. Invalid for cuts that the file has not, Conflict for a file that
    cannot be split (any more). The bytes are made before the transaction; unused ones stay without a document.
    """
    with parts.db.read() as session:
        client, document = _asked(session, viewer, client_id, document_id)
    if len(starts) < 2:
        raise Conflict(ONE_PAGE)
    firm_id = client.firm_id
    with parts.files.open(firm_id, document.sha256) as content:
        ranges = page_ranges.cut(content, starts)
    stored = [parts.files.put(firm_id, BytesIO(pages.content))[0] for pages in ranges]
    with parts.db.transaction() as session:
        client, document = corrections.opened(session, viewer, client_id, document_id, expected)
        _check(document)
        return _split(session, viewer, client, document, list(zip(ranges, stored, strict=True)))


def _asked(session: Session, viewer: Viewer, client_id: UUID, document_id: UUID) -> tuple[Client, Document]:
    client = access.client_or_404(session, viewer, client_id, Right.CORRECT)
    document = document_or_404(session, viewer, client_id, document_id, Right.CORRECT)
    _check(document)
    return client, document


def _check(document: Document) -> None:
    if document.media_type != PDF:
        raise Conflict(NOT_A_PDF)
    if document.removed_at is not None:
        raise Conflict(IS_REMOVED)
    if document.split_version is not None:
        raise Conflict(IS_SPLIT)
    if document.twin_id is not None and not document.twin_accepted:
        raise Conflict(UNDECIDED)


def _split(
    session: Session, viewer: Viewer, client: Client, whole: Document, ranges: Sequence[tuple[Range, str]]
) -> list[Document]:
    made = [take_pages(session, viewer.by, whole, pages, sha256) for pages, sha256 in ranges]
    # One of its documents' facts are not the file's: it says nothing any more, so no amount is there twice.
    nothing = versions.values_of(Fields(account_id=whole.account_id))
    whole.reading = Reading.SETTLED
    if not versions.change(session, whole, {**nothing, "kind": DocumentKind.OTHER}, viewer.person_id):
        versions.keep(session, whole, viewer.person_id)
    whole.split_version = whole.version
    facts: dict[str, object] = {
        "filename": whole.filename, "version": whole.version,
        "parts": [{"id": str(part.id), "first": part.first_page, "last": part.last_page} for part in made],
    }  # fmt: skip
    _record(session, viewer, client, whole, "document.split", facts)
    return made


def join(session: Session, viewer: Viewer, client_id: UUID, document_id: UUID) -> Document:
    """Take a split back: the parts are marked as removed, the file says again what it said before, and goes again.

    What was delivered of the parts meanwhile stays on record. Conflict where a part was split itself.
    """
    client, whole = corrections.opened(session, viewer, client_id, document_id)
    if whole.split_version is None:
        raise Conflict(NOT_SPLIT)
    parts = parts_of(session, whole)
    for part in parts:
        if part.split_version is not None:
            raise Conflict(SPLIT_FURTHER, filename=part.filename)
    corrections.remove(session, viewer, client_id, [part.id for part in parts], UNDONE)
    versions.change(session, whole, _before(session, whole), viewer.person_id)
    whole.split_version = None
    _record(session, viewer, client, whole, "document.joined", {"filename": whole.filename, "version": whole.version})
    return whole


def _before(session: Session, whole: Document) -> dict[str, object]:
    """What a split file said before."""
    history = versions.history(session, whole)
    before = next(one.fields for one in history if one.version == (whole.split_version or 1) - 1)
    fields = validated({name: before[name] for name in Fields.model_fields if before.get(name) is not None})
    return {**versions.values_of(fields), "kind": versions.kind_of(str(before.get("kind") or ""))}


def _record(
    session: Session, viewer: Viewer, client: Client, whole: Document, action: str, facts: dict[str, object]
) -> None:
    client.active_at = clock.now()
    audit.record(
        session, client.firm_id, action, by=viewer.by, client_id=client.id, subject_id=whole.id, facts=facts
    )  # fmt: skip
    plan_again(session, whole)
