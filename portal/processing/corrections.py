"""What people change about documents: fields, kind, twins, removal. Each keeps history and plans deliveries again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlmodel import Session, select

from integrations.contract import DocumentKind
from portal import access, audit, clock
from portal.access import Right, Viewer
from portal.banking.services import account_of
from portal.clients.models import Client
from portal.db import ring
from portal.documents import versions
from portal.documents.fields import Fields, validated
from portal.documents.models import Document, Reading
from portal.documents.services import of_client
from portal.errors import Conflict, Invalid
from portal.i18n import N_
from portal.processing import readings
from portal.processing.planning import plan_again

REASON_LIMIT = 500
DUPLICATE = N_("It is a duplicate.")
SPLIT = N_("This file is split. What its documents say is changed at each of them.")
WHOLE = N_("This is a part of a file that is whole again. Split that file instead.")


def correct(
    session: Session,
    viewer: Viewer,
    client_id: UUID,
    document_id: UUID,
    *,
    fields: Mapping[str, object] | None = None,
    kind: DocumentKind | None = None,
    expected: int | None = None,
) -> Document:
    """Set these fields (those not named stay) and this kind (None: as it is); the result is the next version (D6).

    ``expected`` is the version that the person saw: Conflict when somebody changed it since. Invalid says which field
    is wrong. Nothing happens when nothing is different.
    """
    client, document = opened(session, viewer, client_id, document_id, expected)
    if document.split_version is not None:
        raise Conflict(SPLIT)
    values = _values(session, document, fields or {})
    if kind is not None:
        values["kind"] = kind
    different = versions.change(session, document, values, viewer.person_id)
    if document.reading is Reading.WAITING and _settles(session, document, fields or {}, kind):
        document.reading = Reading.SETTLED
        different = different or ["kind"]
    if different:
        facts: dict[str, object] = {"version": document.version, "fields": different}
        _record(session, viewer, client, document, "document.corrected", facts)
        plan_again(session, document)
        if document.kind is DocumentKind.STATEMENT:
            ring(session, "read", document.id)  # its transactions may be read now
    return document


def _settles(session: Session, document: Document, fields: Mapping[str, object], kind: DocumentKind | None) -> bool:
    """Whether a person's word ends the wait for the reader: who only moves a document wants it read all the same."""
    said = any(value is not None for name, value in fields.items() if name not in {"account_id", "currency"})
    if said:
        return document.kind is not None
    return kind is not None and not readings.awaits(session, document)


def set_kind(
    session: Session, viewer: Viewer, client_id: UUID, document_ids: Sequence[UUID], kind: DocumentKind
) -> list[Document]:
    """Move documents to another folder."""
    return [correct(session, viewer, client_id, document_id, kind=kind) for document_id in document_ids]


def decide_twin(session: Session, viewer: Viewer, client_id: UUID, document_id: UUID, *, accept: bool) -> Document:
    """Decide about a document that repeats another: keep it as one of its own, or remove it as a duplicate (D4)."""
    client, document = opened(session, viewer, client_id, document_id)
    if document.twin_id is None:
        raise Conflict(N_("This document is not marked as a duplicate."))
    facts: dict[str, object] = {"twin": str(document.twin_id), "accepted": accept}
    _record(session, viewer, client, document, "document.twin_decided", facts)
    if not accept:
        return _remove(session, viewer, client, document, DUPLICATE)
    document.twin_accepted = True
    plan_again(session, document)
    return document


def remove(
    session: Session, viewer: Viewer, client_id: UUID, document_ids: Sequence[UUID], reason: str
) -> list[Document]:
    """Mark documents as removed, with the reason. Nothing is deleted; ``restore`` takes it back (D6)."""
    reason = " ".join(reason.split())
    if not reason:
        raise Invalid(N_("Please say why."), field="reason")
    if len(reason) > REASON_LIMIT:
        raise Invalid(N_("At most %(limit)s characters."), field="reason", limit=REASON_LIMIT)
    removed = []
    for document_id in document_ids:
        client, document = opened(session, viewer, client_id, document_id)
        removed.append(_remove(session, viewer, client, document, reason))
    return removed


def restore(session: Session, viewer: Viewer, client_id: UUID, document_ids: Sequence[UUID]) -> list[Document]:
    """Take a removal back; harmless for documents that are there."""
    restored = []
    for document_id in document_ids:
        client, document = opened(session, viewer, client_id, document_id)
        if document.removed_at is not None:
            _check_whole(session, document)
            document.removed_at = document.removed_reason = None
            _record(session, viewer, client, document, "document.restored", {})
            plan_again(session, document)
        restored.append(document)
    return restored


def _check_whole(session: Session, part: Document) -> None:
    """A part comes back only while its file is split: else its pages would be there twice."""
    if part.part_of is not None and session.get_one(Document, part.part_of).split_version is None:
        raise Conflict(WHOLE)


def opened(
    session: Session, viewer: Viewer, client_id: UUID, document_id: UUID, expected: int | None = None
) -> tuple[Client, Document]:
    """The document to change, locked, and its client; NotFound or Conflict as for ``correct``.

    The client is locked first, always: twins change each other's rows.
    """
    client = access.client_or_404(session, viewer, client_id, Right.CORRECT)
    session.exec(select(Client.id).where(Client.id == client_id).with_for_update(key_share=True)).one()
    document = of_client(session, client_id, document_id, lock=True)
    if expected is not None and document.version != expected:
        raise Conflict(N_("Somebody changed this document in the meantime. Please look at it again."))
    return client, document


def _values(session: Session, document: Document, given: Mapping[str, object]) -> dict[str, object]:
    """The columns for the fields as they are with those given put over them, checked as a whole."""
    if not given:
        return {}
    present = {name: getattr(document, name) for name in Fields.model_fields}
    fields = validated({**present, **given})
    if fields.account_id is not None and fields.account_id != document.account_id:
        account_of(session, document.client_id, fields.account_id)
    return versions.values_of(fields)


def _remove(session: Session, viewer: Viewer, client: Client, document: Document, reason: str) -> Document:
    if document.removed_at is None:
        document.removed_at, document.removed_reason = clock.now(), reason
        _record(session, viewer, client, document, "document.removed", {"reason": reason})
        plan_again(session, document)
    return document


def _record(
    session: Session, viewer: Viewer, client: Client, document: Document, action: str, facts: Mapping[str, object]
) -> None:
    client.active_at = clock.now()
    named = {"filename": document.filename, **facts}
    audit.record(
        session, client.firm_id, action, by=viewer.by, client_id=client.id, subject_id=document.id, facts=named
    )  # fmt: skip
