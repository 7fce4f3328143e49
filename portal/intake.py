"""The one door every document enters by (D1): upload, API, mail, import, and invoices written in the portal.

Bytes are looked at, stored unchanged by SHA-256, and only then, in one transaction, become a document with its first
version, its audit entry and its deliveries. A crash before that leaves bytes that nothing points to, never a document
without bytes. What is not taken becomes a ``Refusal``, which its sender reads and the client's page lists.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, cast
from uuid import UUID

from sqlmodel import Session, select

from integrations.contract import DocumentKind
from portal import access, audit, clock, ids
from portal.access import Right, Viewer
from portal.accounts.models import Duplicates
from portal.audit import By
from portal.banking.services import account_of
from portal.clients.models import Client
from portal.db import ring
from portal.delivery import outbox
from portal.documents import detect, duplicates, names, versions
from portal.documents.detect import FILE_LIMIT, ZIP_LIMIT, Form, Found, Refused
from portal.documents.fields import Fields, validated
from portal.documents.models import Document, Reading, Refusal, Source, StoredFile
from portal.documents.page_ranges import Range
from portal.errors import NotFound
from portal.i18n import N_
from portal.parts import Parts

__all__ = ["FILE_LIMIT", "ZIP_LIMIT", "receive", "refuse_unsent", "take_pages"]

_PIECE = 1 << 20
HERE_ALREADY = N_("The same file is here already: “%(name)s”, arrived %(day)s.")
_INVOICES = frozenset({DocumentKind.INCOMING_INVOICE, DocumentKind.OUTGOING_INVOICE, DocumentKind.RECEIPT})
_READ = frozenset({Form.PAGES, Form.E_INVOICE})  # whose fields are read from the file


@dataclass(frozen=True, kw_only=True)
class _Arrival:
    """What somebody brings to the door."""

    who: Viewer | By
    client_id: UUID
    filename: str
    source: Source
    kind: DocumentKind | None
    fields: Fields

    @property
    def by(self) -> By:
        return self.who.by if isinstance(self.who, Viewer) else self.who


def receive(
    parts: Parts,
    who: Viewer | By,
    client_id: UUID,
    filename: str,
    content: BinaryIO,
    *,
    source: Source,
    kind: DocumentKind | None = None,
    fields: Fields | Mapping[str, object] | None = None,
    account_id: UUID | None = None,
) -> Document | Refusal:
    """Take a file for a client; a document, or the refusal that says why not.

    ``who`` is a viewer with the right to add documents (else NotFound), or ``By`` for the portal's own work, which has
    been checked before. ``kind`` is the folder it was put into, if any. Raises Invalid when ``fields`` are wrong;
    nothing is stored then. The same bytes again are a twin, not an error (D4).
    """
    given = fields if isinstance(fields, Fields) else validated(fields or {})
    if account_id is not None:
        given = given.model_copy(update={"account_id": account_id})
    arrival = _Arrival(
        who=who, client_id=client_id, filename=names.safe(filename), source=source, kind=kind, fields=given
    )
    with parts.db.read() as session:
        firm_id = _client(session, arrival).firm_id
        _check_account(session, arrival)
    with _rewindable(content) as (file, size, whole):
        found = detect.look(file, size, arrival.filename) if whole else detect.too_large(FILE_LIMIT)
        if isinstance(found, Refused):
            return _refuse(parts, arrival, size, found)
        file.seek(0)
        sha256, _size = parts.files.put(firm_id, file)
    with parts.db.transaction() as session:
        return _enter(session, arrival, found, sha256, size)


def refuse_unsent(parts: Parts, who: Viewer | By, client_id: UUID, filename: str, size: int, source: Source) -> Refusal:
    """List a file that its sender did not even send because it is too large; ``size`` in bytes, as they tell."""
    arrival = _Arrival(
        who=who, client_id=client_id, filename=names.safe(filename), source=source, kind=None, fields=Fields()
    )
    limit = ZIP_LIMIT if names.ending(arrival.filename) == "zip" else FILE_LIMIT
    return _refuse(parts, arrival, min(size, 2**62), detect.too_large(limit))


def take_pages(session: Session, by: By, whole: Document, pages: Range, sha256: str) -> Document:
    """Let pages of a document's file become a document of their own, from their stored bytes (D2).

    They arrived when the file did (P5), by the same door and into the same folder and account; what they say is read
    from them alone. The caller has checked who asks, locked ``whole``, and plans it again.
    """
    client = session.get_one(Client, whole.client_id)
    document_id, size, found = ids.new(), len(pages.content), Found(whole.media_type, Form.PAGES)
    facts: dict[str, object] = {
        "filename": pages.filename(whole.filename), "sha256": sha256, "size": size, "media_type": found.media_type,
        "source": whole.source.value, "kind": whole.kind, "part_of": str(whole.id), "of": whole.filename,
        "first": pages.first, "last": pages.last, "arrived_at": whole.arrived_at.isoformat(),
    }  # fmt: skip
    audit.record(
        session, client.firm_id, "document.received", by=by, client_id=client.id, subject_id=document_id, facts=facts
    )  # fmt: skip
    document = Document(
        id=document_id, client_id=client.id, file_id=_stored(session, client.firm_id, found, sha256, size).id,
        sha256=sha256, filename=pages.filename(whole.filename), media_type=found.media_type, size=size,
        source=whole.source, kind=whole.kind, arrived_at=whole.arrived_at, added_by=by.person_id,
        account_id=whole.account_id, part_of=whole.id, first_page=pages.first, last_page=pages.last,
    )  # fmt: skip
    _begin(session, document, by)
    ring(session, "read", document.id)
    return document


def _begin(session: Session, document: Document, by: By) -> None:
    """Let a document that has just arrived be there: its twin, its first version, its deliveries."""
    session.add(document)
    session.flush()
    duplicates.look_again(session, document)
    versions.begin(session, document, by.person_id)
    outbox.plan_document(session, document)


def _client(session: Session, arrival: _Arrival) -> Client:
    if isinstance(arrival.who, Viewer):
        return access.client_or_404(session, arrival.who, arrival.client_id, Right.ADD)
    client = session.get(Client, arrival.client_id)
    if client is None:
        raise NotFound
    return client


def _check_account(session: Session, arrival: _Arrival) -> None:
    if arrival.fields.account_id is not None:
        account_of(session, arrival.client_id, arrival.fields.account_id)


@contextmanager
def _rewindable(content: BinaryIO) -> Iterator[tuple[BinaryIO, int, bool]]:
    """The content in a form that can be read twice, its size in bytes, and whether it is all there.

    A stream is spooled to disk no further than the largest file of its type may be: a ZIP's beginning gives it away.
    """
    if content.seekable():
        yield content, detect.length(content), True
        return
    with tempfile.SpooledTemporaryFile(max_size=_PIECE) as spool:
        size, limit = 0, FILE_LIMIT
        while size < limit and (piece := content.read(_PIECE)):
            if size == 0 and piece.startswith(b"PK"):
                limit = ZIP_LIMIT
            size += len(piece)
            spool.write(piece)
        yield cast("BinaryIO", spool), size, size < limit


def _refuse(parts: Parts, arrival: _Arrival, size: int, refused: Refused) -> Refusal:
    with parts.db.transaction() as session:
        return _refused(session, arrival, _client(session, arrival), size, refused)


def _refused(session: Session, arrival: _Arrival, client: Client, size: int, refused: Refused) -> Refusal:
    refusal = Refusal(
        client_id=client.id, filename=arrival.filename, size=size, source=arrival.source, text=refused.text,
        facts=dict(refused.facts), by=arrival.by.person_id,
    )  # fmt: skip
    session.add(refusal)
    facts: dict[str, object] = {"filename": arrival.filename, "size": size, "reason": refused.text}
    audit.record(
        session, client.firm_id, "document.refused", by=arrival.by, client_id=client.id, subject_id=refusal.id,
        facts=facts,
    )  # fmt: skip
    return refusal


def _repeats(session: Session, client: Client, sha256: str) -> Refused | None:
    """The refusal of a file that is here already, where the firm wants it so (D4); it names the twin."""
    if duplicates.policy(session, client.id) is not Duplicates.REFUSE:
        return None
    audit.lock(session, client.firm_id)  # two equal files at the same moment see each other
    twin = duplicates.same_bytes(session, client.id, sha256)
    if twin is None:
        return None
    named = {"name": twin.filename, "day": twin.arrived_at.date().isoformat(), "document": str(twin.id)}
    return Refused(HERE_ALREADY, named)


def _enter(session: Session, arrival: _Arrival, found: Found, sha256: str, size: int) -> Document | Refusal:
    client = _client(session, arrival)  # again: rights may have ended while the file came in
    client.active_at = clock.now()
    if repeated := _repeats(session, client, sha256):
        return _refused(session, arrival, client, size, repeated)
    kind = fitting(arrival.kind, found.form)
    document_id = ids.new()
    facts: dict[str, object] = {
        "filename": arrival.filename, "sha256": sha256, "size": size, "media_type": found.media_type,
        "source": arrival.source.value, "kind": kind.value if kind else None,
    }  # fmt: skip
    # First of all, for it locks the firm's chain: two equal files at the same moment see each other (D4), and the
    # arrival is later than any activation that is committed (P5).
    audit.record(
        session, client.firm_id, "document.received", by=arrival.by, client_id=client.id, subject_id=document_id,
        facts=facts,
    )  # fmt: skip
    document = Document(
        id=document_id, client_id=client.id, file_id=_stored(session, client.firm_id, found, sha256, size).id,
        sha256=sha256, filename=arrival.filename, media_type=found.media_type, size=size, source=arrival.source,
        kind=kind, reading=_reading(kind, found.form, arrival.fields), arrived_at=clock.now(),
        added_by=arrival.by.person_id, **versions.values_of(arrival.fields),
    )  # fmt: skip
    _begin(session, document, arrival.by)
    waits = document.reading is Reading.WAITING
    if waits:
        ring(session, "read", document.id)
    if not (waits and found.form in _READ):  # else its text is read with its fields
        ring(session, "text", document.id)
    return document


def fitting(kind: DocumentKind | None, form: Form) -> DocumentKind | None:
    """The kind of a file that was put into a folder (None: into none), by what it is.

    Files that nothing is read from are *other documents*, statement files are statements, wherever they were put. A
    table is a statement when its sender says so. An e-invoice among the statements needs a person to say what it is.
    """
    if form is Form.UNREAD:
        return DocumentKind.OTHER
    if form is Form.STATEMENT:
        return DocumentKind.STATEMENT
    if form is Form.TABLE:
        return DocumentKind.OTHER if kind in _INVOICES else kind
    if form is Form.E_INVOICE and kind is DocumentKind.STATEMENT:
        return None
    return kind


def _reading(kind: DocumentKind | None, form: Form, given: Fields) -> Reading:
    """What is settled only after a look into the file: what it is, its fields, a statement file's transactions.

    Who hands in a document with its facts has read it: it is settled at once, if it is known what it is.
    """
    if form is Form.UNREAD:
        return Reading.SETTLED
    if kind is None or (kind is DocumentKind.STATEMENT and form in {Form.STATEMENT, Form.TABLE}):
        return Reading.WAITING
    return Reading.WAITING if form in _READ and not _is_described(given) else Reading.SETTLED


def _is_described(given: Fields) -> bool:
    """Whether the sender said what the document says; a bank account or a currency alone says nothing of it."""
    return any(value not in {None, ()} for name, value in given if name not in {"account_id", "currency"})


def _stored(session: Session, firm_id: UUID, found: Found, sha256: str, size: int) -> StoredFile:
    kept = select(StoredFile).where(StoredFile.firm_id == firm_id, StoredFile.sha256 == sha256)
    stored = session.exec(kept).one_or_none()
    if stored is None:
        stored = StoredFile(firm_id=firm_id, sha256=sha256, size=size, media_type=found.media_type)
        session.add(stored)
        session.flush()
    return stored
