"""E-invoices as people read them: as a page, as a PDF, and as the XML that counts; of XML files and of hybrid PDFs."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from flask import Blueprint, Response, render_template

from portal import access, render
from portal.access import Right
from portal.documents import guarded, names
from portal.documents.detect import FILE_LIMIT
from portal.documents.models import Document
from portal.documents.services import document_or_404
from portal.errors import Invalid, NotFound
from portal.i18n import language
from portal.reading.einvoice.readable import Readable, readable
from portal.reading.einvoice.reader import EInvoice, read_einvoice
from portal.reading.reading import PDF, XML
from portal.web import parts, reading, viewer

pages = Blueprint("einvoices", __name__, url_prefix="/clients/<uuid:client_id>/documents")

_STYLE = Path(__file__).parents[1] / "static" / "css" / "einvoice.css"
_INNER = Path(__file__).parents[1] / "documents" / "inner_xml.py"
_LOCKED = "default-src 'none'; sandbox"


@pages.get("/<uuid:document_id>/einvoice")
def page(client_id: UUID, document_id: UUID) -> str:
    """The e-invoice as a piece of the document's page."""
    document, found = _found(client_id, document_id)
    return render_template(
        "einvoice/piece.html", shown=_readable(found), document=document, client_id=client_id,
        hybrid=_is_hybrid(document),
    )  # fmt: skip


@pages.get("/<uuid:document_id>/einvoice.pdf")
def printed(client_id: UUID, document_id: UUID) -> Response:
    """The e-invoice as PDF: what the XML says, not what a hybrid's own pages say."""
    document, found = _found(client_id, document_id)
    html = render_template(
        "einvoice/pdf.html", shown=_readable(found), style=_STYLE.read_text(), language=language()
    )  # fmt: skip
    return _sent(Response(render.pdf(html), mimetype=PDF), document, "pdf")


@pages.get("/<uuid:document_id>/einvoice.xml")
def xml(client_id: UUID, document_id: UUID) -> Response:
    """The XML as it came; browsers are not told that it is one."""
    document, found = _found(client_id, document_id)
    return _sent(Response(found.xml, mimetype="application/octet-stream"), document, "xml")


def _found(client_id: UUID, document_id: UUID) -> tuple[Document, EInvoice]:
    """A document with the e-invoice of its file; NotFound where there is none."""
    with reading() as session:
        firm_id = access.client_or_404(session, viewer(), client_id, Right.SEE).firm_id
        document = document_or_404(session, viewer(), client_id, document_id)
    if document.media_type not in XML | {PDF}:
        raise NotFound
    with parts().files.open(firm_id, document.sha256) as content:
        found = einvoice_of(content, document)
    if found is None:
        raise NotFound
    return document, found


def einvoice_of(content: BinaryIO, document: Document) -> EInvoice | None:
    """The e-invoice of an XML file, or of a PDF, which only a process of its own opens; None without one."""
    try:
        inner = guarded.ask(_INNER, content)[1] if _is_hybrid(document) else content.read(FILE_LIMIT)
        found = read_einvoice(inner, "application/xml") if inner else None
    except Invalid:
        return None
    return found if found is not None and found.invoice is not None else None


def _is_hybrid(document: Document) -> bool:
    return document.media_type == PDF


def _readable(found: EInvoice) -> Readable:
    if found.invoice is None:
        raise NotFound
    return readable(found.invoice, language())


def _sent(answer: Response, document: Document, ending: str) -> Response:
    stem = document.filename.rpartition(".")[0] or document.filename
    name = f"{stem} (XML).pdf" if ending == "pdf" else f"{stem}.xml"
    answer.headers["Content-Disposition"] = names.disposition(names.safe(name))
    answer.headers["Content-Security-Policy"] = _LOCKED
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
