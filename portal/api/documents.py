"""/clients/…/documents: upload, list, change, remove; and what was refused."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, BinaryIO, cast
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response, request

from portal import access
from portal.access import Right
from portal.api import repeats, told
from portal.api.problems import Refused, answer
from portal.api.reach import parts, reading, viewer, writing
from portal.api.shapes import (
    Asked,
    Counted,
    DocumentChange,
    DocumentOut,
    DocumentPage,
    DocumentQuery,
    PutAside,
    RefusalPage,
    RefusalQuery,
    Removal,
    TwinDecision,
    Upload,
)
from portal.api.work import DeliveryOut
from portal.delivery import services as deliveries
from portal.documents import lists, names, services
from portal.documents.models import Document, Refusal, Source
from portal.i18n import N_, say
from portal.intake import receive
from portal.overview import deliveries as overview
from portal.processing import corrections

bp = APIBlueprint("documents", __name__, tag="Documents")
ONE = "/clients/<uuid:client_id>/documents/<uuid:document_id>"
KEY_LIMIT = 200


@bp.get("/clients/<uuid:client_id>/documents")
@bp.input(DocumentQuery, location="query", arg_name="query")
@bp.output(DocumentPage)
def listed(client_id: UUID, query: DocumentQuery) -> DocumentPage:
    """List documents

    Newest arrival first, each with how it stands at every integration.
    """
    narrowed = lists.Filter(
        text=query.search or "", since=query.since, until=query.until, removed=query.removed, twins=query.twins
    )
    with reading() as session:
        access.client_or_404(session, viewer(), client_id, Right.SEE)
        found = lists.page(
            session, client_id, query.folder, narrowed, lists.Order(), Document, after=query.after, limit=query.limit
        )
        return DocumentPage(items=told.documents(session, found.documents), after=found.after)


@bp.post("/clients/<uuid:client_id>/documents")
@bp.input(Upload, location="files", arg_name="body")
@bp.output(DocumentOut, status_code=201)
def upload(client_id: UUID, body: Upload) -> Any:
    """Upload a document

    One file, below 15,000,000 bytes. With the header Idempotency-Key a repeat of the same upload gives the same
    document (200 instead of 201), however often it is sent. A file that is not taken is answered with 422, its reason,
    and listed among the refusals.
    """
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > KEY_LIMIT or not key.isprintable():
        raise Refused(422, N_("An Idempotency-Key has at most 200 printable characters."))

    def take() -> Document | Refusal:
        content = cast("BinaryIO", body.file.stream)
        content.seek(0)
        fields = body.fields.given() if body.fields else {}
        name = body.file.filename or "document"
        return receive(parts(), viewer(), client_id, name, content, source=Source.API, kind=body.kind, fields=fields)

    if not key:
        return _taken(take(), repeated=False)
    sha256 = _sha256(body)
    said = f"{sha256} {body.kind} {body.fields.model_dump_json() if body.fields else ''}"
    digest = hashlib.sha256(said.encode()).hexdigest()
    taken, repeated = repeats.once(parts(), viewer(), client_id, key, digest, sha256, take)
    return _taken(taken, repeated=repeated)


def _sha256(body: Upload) -> str:
    body.file.stream.seek(0)
    return hashlib.file_digest(cast("Any", body.file.stream), "sha256").hexdigest()


def _taken(taken: Document | Refusal, *, repeated: bool) -> Any:
    if isinstance(taken, Refusal):
        sentence = say(taken.text, taken.facts)
        return answer(422, sentence, errors=[{"field": "file", "detail": sentence}])
    with reading() as session:
        shape = told.document(session, taken)
    place = f"{request.script_root}/clients/{taken.client_id}/documents/{taken.id}"
    return shape, 200 if repeated else 201, {"Location": place, "ETag": _tag(taken)}


@bp.get(ONE)
@bp.output(DocumentOut)
def show(client_id: UUID, document_id: UUID) -> Any:
    """Show a document"""
    with reading() as session:
        found = services.document_or_404(session, viewer(), client_id, document_id)
        return told.document(session, found), 200, {"ETag": _tag(found)}


@bp.patch(ONE)
@bp.input(DocumentChange, arg_name="body")
@bp.output(DocumentOut)
def change(client_id: UUID, document_id: UUID, body: DocumentChange) -> Any:
    """Change fields or kind

    Fields that are not named stay. The version that was seen is needed, in If-Match or as «version»; 412 when somebody
    changed the document since. What the document was before is kept.
    """
    expected = body.version if body.version is not None else _version_of(request.headers.get("If-Match", ""))
    if expected is None:
        raise Refused(428)
    with writing() as session:
        seen = services.document_or_404(session, viewer(), client_id, document_id, Right.CORRECT)
        if seen.version != expected:
            raise Refused(412)
        changed = corrections.correct(
            session, viewer(), client_id, document_id, fields=body.given(), kind=body.kind, expected=expected
        )
        return told.document(session, changed), 200, {"ETag": _tag(changed)}


@bp.get(f"{ONE}/file")
@bp.doc(responses=cast("Any", {200: {"description": "The bytes.", "content": {"*/*": {"schema": {}}}}}))
def file(client_id: UUID, document_id: UUID) -> Response:
    """Download the file

    The bytes as they came, unchanged.
    """
    with reading() as session:
        found = services.document_or_404(session, viewer(), client_id, document_id)
        firm_id = access.client_or_404(session, viewer(), client_id, Right.SEE).firm_id
    response = Response(_pieces(parts().files.open(firm_id, found.sha256)), mimetype=found.media_type)
    response.content_length = found.size
    response.headers["Content-Disposition"] = names.disposition(found.filename)
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _pieces(content: BinaryIO) -> Iterator[bytes]:
    with content:
        while piece := content.read(1 << 16):
            yield piece


@bp.post(f"{ONE}/removal")
@bp.input(Removal, arg_name="body")
@bp.output(DocumentOut)
def remove(client_id: UUID, document_id: UUID, body: Removal) -> DocumentOut:
    """Remove a document

    It is marked, not deleted, and can be restored.
    """
    with writing() as session:
        removed = corrections.remove(session, viewer(), client_id, [document_id], body.reason)
        return told.document(session, removed[0])


@bp.delete(f"{ONE}/removal")
@bp.output(DocumentOut)
def restore(client_id: UUID, document_id: UUID) -> DocumentOut:
    """Restore a document

    Harmless when it is there.
    """
    with writing() as session:
        return told.document(session, corrections.restore(session, viewer(), client_id, [document_id])[0])


@bp.post(f"{ONE}/twin")
@bp.input(TwinDecision, arg_name="body")
@bp.output(DocumentOut)
def decide_twin(client_id: UUID, document_id: UUID, body: TwinDecision) -> DocumentOut:
    """Decide about a duplicate

    Keep it as a document of its own, or remove it.
    """
    with writing() as session:
        decided = corrections.decide_twin(session, viewer(), client_id, document_id, accept=body.keep)
        return told.document(session, decided)


@bp.post(f"{ONE}/deliveries")
@bp.input(Asked, arg_name="body")
@bp.output(DeliveryOut, status_code=202)
def ask(client_id: UUID, document_id: UUID, body: Asked) -> DeliveryOut:
    """Let this document go

    To one integration, because somebody wants it: also where it waits for a click, and also when it arrived before
    activation. That is recorded.
    """
    with writing() as session:
        services.document_or_404(session, viewer(), client_id, document_id, Right.INVOICE)
        asked = deliveries.ask(session, viewer(), document_id, body.instance_id)
        session.flush()
        return told.delivery(overview.whole(session, viewer(), client_id, asked.id).line)


@bp.get("/clients/<uuid:client_id>/refusals")
@bp.input(RefusalQuery, location="query", arg_name="query")
@bp.output(RefusalPage)
def refusals(client_id: UUID, query: RefusalQuery) -> RefusalPage:
    """List refused files

    What was not taken, and why; newest first.
    """
    with reading() as session:
        found = services.refusals(session, viewer(), client_id, seen=query.seen, after=query.after, limit=query.limit)
        return RefusalPage(items=[told.refusal(one) for one in found.refusals], after=found.after)


@bp.post("/clients/<uuid:client_id>/refusals/put-aside")
@bp.input(PutAside, arg_name="body")
@bp.output(Counted)
def put_aside(client_id: UUID, body: PutAside) -> Counted:
    """Put refused files aside

    Somebody has looked at them; they stay listed, with «seen».
    """
    with writing() as session:
        return Counted(count=services.put_aside(session, viewer(), client_id, body.refusal_ids))


def _tag(document: Document) -> str:
    return f'"{document.version}"'


def _version_of(tag: str) -> int | None:
    bare = tag.strip().removeprefix("W/").strip('"')
    return int(bare) if bare.isdecimal() and len(bare) < 10 else None
