"""Uploads that may be repeated: the same Idempotency-Key with the same bytes leads to the same answer.

The key is written down before the file is taken. Should the process die in between, the repeat finds the document by
its bytes, sender and time, and completes the note instead of taking the file twice.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from portal import access, clock
from portal.access import Right, Viewer
from portal.api.models import ApiUpload
from portal.api.problems import Refused
from portal.documents.models import Document, Refusal, Source
from portal.errors import Conflict
from portal.i18n import N_
from portal.parts import Parts

# An upload that takes longer than this is lost: a repeat goes on in its place.
UNDER_WAY = timedelta(minutes=2)
Taken = Document | Refusal


def once(
    parts: Parts, viewer: Viewer, client_id: UUID, key: str, digest: str, sha256: str, take: Callable[[], Taken]
) -> tuple[Taken, bool]:
    """What ``take`` gives, or gave when this key was used before; the second value says that it is a repeat.

    Raises 422 when the key was used for something else, and Conflict while the first upload is under way.
    """
    note = _begun(parts, viewer, client_id, key, digest)
    if note is None:
        known, taken = _known(parts, viewer, client_id, key, digest, sha256)
        if taken is not None:
            return taken, True
        note = known
    taken = take()
    _complete(parts, note.id, taken)
    return taken, False


def _begun(parts: Parts, viewer: Viewer, client_id: UUID, key: str, digest: str) -> ApiUpload | None:
    """The note of a key that is new; None when it is known."""
    note = ApiUpload(client_id=client_id, person_id=viewer.person_id, key=key, digest=digest)
    try:
        with parts.db.transaction() as session:
            access.client_or_404(session, viewer, client_id, Right.ADD)
            session.add(note)
    except IntegrityError:
        return None
    return note


def _known(
    parts: Parts, viewer: Viewer, client_id: UUID, key: str, digest: str, sha256: str
) -> tuple[ApiUpload, Taken | None]:
    """A known key's note and what came of it; nothing came of it when the process died before the file was taken."""
    with parts.db.transaction() as session:
        access.client_or_404(session, viewer, client_id, Right.ADD)
        same = select(ApiUpload).where(
            ApiUpload.client_id == client_id, ApiUpload.person_id == viewer.person_id, ApiUpload.key == key
        )
        note = session.exec(same.with_for_update()).one()
        if note.digest != digest:
            raise Refused(422, N_("This Idempotency-Key was used for another file or other fields."))
        taken = _outcome(session, note, sha256)
        if taken is None and clock.now() - note.begun_at < UNDER_WAY:
            raise Conflict(N_("The first upload with this Idempotency-Key is still under way. Please try again."))
        if taken is None:
            note.begun_at = clock.now()  # whoever repeats it now waits for this one
        return note, taken


def _outcome(session: Session, note: ApiUpload, sha256: str) -> Taken | None:
    if note.document_id is not None:
        return session.get_one(Document, note.document_id)
    if note.refusal_id is not None:
        return session.get_one(Refusal, note.refusal_id)
    arrived = select(Document).where(
        Document.client_id == note.client_id,
        Document.sha256 == sha256,
        Document.added_by == note.person_id,
        Document.source == Source.API,
        col(Document.arrived_at) >= note.begun_at,
    )
    return session.exec(arrived.order_by(col(Document.arrived_at), col(Document.id))).first()


def _complete(parts: Parts, note_id: UUID, taken: Taken) -> None:
    with parts.db.transaction() as session:
        note = session.get_one(ApiUpload, note_id)
        note.document_id = taken.id if isinstance(taken, Document) else None
        note.refusal_id = taken.id if isinstance(taken, Refusal) else None
