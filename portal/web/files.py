"""The bytes of documents for browsers: download, a ZIP of a selection, and previews. Nothing hostile runs here.

What strangers sent is never shown as a page of ours: PDFs are drawn to pictures elsewhere, JPEG and PNG are the only
files that go out inline, and every answer forbids scripts and guessing of types.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO
from uuid import UUID

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from portal import access, clock
from portal.access import Right
from portal.documents import bundle, names, preview
from portal.documents.lists import chosen
from portal.documents.models import Document
from portal.documents.page_ranges import MOST_PAGES
from portal.documents.services import document_or_404
from portal.errors import Invalid, NotFound
from portal.i18n import language, say
from portal.ids import parse
from portal.processing import readings
from portal.reading.einvoice.readable import Readable, readable
from portal.reading.reading import XML
from portal.web import parts, reading, viewer
from portal.web.einvoices import einvoice_of
from portal.web.readings import sheets

files = Blueprint("files", __name__, url_prefix="/clients/<uuid:client_id>/documents")

# Bytes are addressed by their digest and never change, so a browser may keep them; nobody between may.
_KEEP = "private, max-age=86400"
_LOCKED = "default-src 'none'; sandbox"
_INLINE = frozenset({"image/jpeg", "image/png"})
# Types that a browser might run are offered without saying what they are.
_UNNAMED = frozenset({"text/html", "application/xml", "image/svg+xml"})


@files.get("/<uuid:document_id>/file")
def download(client_id: UUID, document_id: UUID) -> Response:
    """The original bytes, as a download."""
    document, firm_id = _document(client_id, document_id)
    kind = "application/octet-stream" if document.media_type in _UNNAMED else document.media_type
    answer = Response(_pieces(parts().files.open(firm_id, document.sha256)), mimetype=kind)
    answer.headers["Content-Disposition"] = names.disposition(document.filename)
    answer.content_length = document.size
    return _locked(answer, document)


@files.get("/<uuid:document_id>/picture")
def picture(client_id: UUID, document_id: UUID) -> Response:
    """A JPEG or PNG to look at; NotFound for anything else."""
    document, firm_id = _document(client_id, document_id)
    if document.media_type not in _INLINE:
        raise NotFound
    if _is_known(document.sha256):
        return _locked(Response(status=304), document)
    answer = Response(_pieces(parts().files.open(firm_id, document.sha256)), mimetype=document.media_type)
    answer.headers["Content-Disposition"] = names.disposition(document.filename, inline=True)
    return _locked(answer, document)


@files.get("/<uuid:document_id>/page/<int:number>.png")
def page(client_id: UUID, document_id: UUID, number: int) -> Response:
    """One page of a PDF, drawn."""
    document, firm_id = _document(client_id, document_id)
    if document.media_type != "application/pdf" or not 1 <= number <= MOST_PAGES:
        raise NotFound
    if _is_known(document.sha256):
        return _locked(Response(status=304), document)
    with parts().files.open(firm_id, document.sha256) as content:
        drawn = preview.page(content, number, preview.SMALL if "small" in request.args else preview.WIDTH)
    return _locked(Response(drawn.png, mimetype="image/png"), document)


@files.get("/<uuid:document_id>/preview")
def look(client_id: UUID, document_id: UUID) -> str:
    """The preview beside the facts, as a piece of the document's page; what was read is marked on its pages."""
    document, firm_id = _document(client_id, document_id)
    with reading() as session:
        read = readings.kept(session, document_id)
    shown, wrong, invoice = preview.Shown(), "", None
    try:
        with parts().files.open(firm_id, document.sha256) as content:
            invoice = _invoice(content, document)
        with parts().files.open(firm_id, document.sha256) as content:
            shown = preview.show(content, document.media_type)
    except Invalid as error:
        wrong = say(error.text, error.facts)
    return render_template(
        "documents/preview.html", document=document, client_id=client_id, shown=shown, wrong=wrong, invoice=invoice,
        sheets=sheets(document, read), hybrid=bool(read and read.einvoice and not invoice),
    )  # fmt: skip


def _invoice(content: BinaryIO, document: Document) -> Readable | None:
    """An XML e-invoice as a person reads it; None for any other file, whose text or pages are shown as they are."""
    found = einvoice_of(content, document) if document.media_type in XML else None
    return readable(found.invoice, language()) if found is not None and found.invoice is not None else None


@files.post("/chosen/zip")
def selection(client_id: UUID) -> ResponseReturnValue:
    """The chosen documents as one ZIP."""
    ids = [parse(text) for text in dict.fromkeys(request.form.getlist("chosen"))][: bundle.MOST + 1]
    with reading() as session:
        client = access.client_or_404(session, viewer(), client_id, Right.SEE)
        documents = chosen(session, client_id, ids)
    bundle.check(documents)
    answer = Response(bundle.zipped(parts().files, client.firm_id, documents), mimetype="application/zip")
    name = names.safe(f"{client.name} {clock.now():%Y-%m-%d}.zip")
    answer.headers["Content-Disposition"] = names.disposition(name)
    answer.headers["Content-Security-Policy"] = _LOCKED
    return answer


def _document(client_id: UUID, document_id: UUID) -> tuple[Document, UUID]:
    with reading() as session:
        client = access.client_or_404(session, viewer(), client_id, Right.SEE)
        return document_or_404(session, viewer(), client_id, document_id), client.firm_id


def _is_known(digest: str) -> bool:
    return request.if_none_match.contains_weak(digest)


def _locked(answer: Response, document: Document) -> Response:
    answer.headers["Content-Security-Policy"] = _LOCKED
    answer.headers["Cache-Control"] = _KEEP
    answer.set_etag(document.sha256)
    return answer


def _pieces(content: BinaryIO) -> Iterator[bytes]:
    with content:
        while piece := content.read(1 << 16):
            yield piece
