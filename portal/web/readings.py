"""What was read, on a document's page: proposals beside the fields, boxes on the preview, what to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from integrations.contract import DocumentKind
from portal import access
from portal.access import Right
from portal.documents.fields import TITLES
from portal.documents.models import Document
from portal.documents.models import Reading as Progress
from portal.documents.services import document_or_404
from portal.i18n import N_, _
from portal.processing import readings, splitting
from portal.processing.settling import SURE, direction_of
from portal.reading.direction import Reason
from portal.reading.findings import Direction, Finding, Flag, Source, as_fields, kind_of
from portal.reading.reading import Reading
from portal.reading.split import Part
from portal.web import go_to, notice, reading, viewer, writing
from portal.web.fact_form import FactForm, kind_options, written
from portal.web.folder_query import folder_of

pages = Blueprint("readings", __name__, url_prefix="/clients/<uuid:client_id>/documents")

SOURCES: Mapping[Source, str] = {
    Source.XML: N_("from the e-invoice"),
    Source.TEXT: N_("from the text"),
    Source.OCR: N_("from the picture"),
}
_SAME = ("number", "issued_on", "due_on", "currency", "net", "tax", "gross")


@dataclass(frozen=True)
class Seen:
    """One field as it was read. ``value`` is what the form would hold, ``shown`` what a person reads."""

    value: str
    shown: str
    percent: int
    source: str
    offered: bool = False  # the field is empty: one key takes it over
    differs: bool = False  # somebody said otherwise
    sure: bool = False


@dataclass(frozen=True)
class Mark:
    """A value's box on a page, in the page's own units; ``field`` is the id of its input."""

    field: str
    title: str
    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Sheet:
    """A page's size in its own units, and the boxes on it."""

    width: float
    height: float
    marks: Sequence[Mark] = ()


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Everything that a page says about a reading; nothing when there is none."""

    waiting: bool = False
    done: bool = False
    may_repeat: bool = False
    fields: Mapping[str, Seen] = field(default_factory=dict)
    flags: Sequence[Flag] = ()
    parts: Sequence[Part] = ()
    reasons: Sequence[Reason] = ()
    iban: Seen | None = None


def shown(document: Document, read: Reading | None) -> Shown:
    """What to show of a document's reading."""
    waiting, may_repeat = document.reading is Progress.WAITING, readings.is_readable(document)
    if read is None:
        return Shown(waiting=waiting, may_repeat=may_repeat)
    flags = ((read.unread,) if read.unread else ()) + read.findings.flags
    iban = read.findings.iban
    return Shown(
        waiting=waiting, done=True, may_repeat=may_repeat, fields=_fields(document, read), flags=flags,
        parts=read.parts, reasons=read.decision.reasons if read.decision else (),
        iban=_seen(iban, iban.value, iban.value, "") if iban else None,
    )  # fmt: skip


def _fields(document: Document, read: Reading) -> dict[str, Seen]:
    present = FactForm.of(document).values
    found = {name: _seen(one, value, value, present[name]) for name, (one, value) in _read(document, read).items()}
    if document.kind is None and (kind := _kind(read)):
        paper, choice = read.findings.paper, kind.value
        if paper is not None:
            found["kind"] = _seen(paper, choice, dict(kind_options())[choice], "")
    return found


def _read(document: Document, read: Reading) -> dict[str, tuple[Finding[Any], str]]:
    """Form field -> what was found and its value as the form writes it."""
    direction = _direction(document, read)
    values = as_fields(read.findings, direction)
    currency = str(values.get("currency", ""))
    found = read.findings.found()
    return {
        name: (found[source], written(name, values[name], currency))
        for name, source in _sources(direction).items()
        if name in values and source in found
    }


def _sources(direction: Direction | None) -> dict[str, str]:
    """Form field -> name of the finding; the counterparty of a sale is the buyer."""
    party = "buyer" if direction is Direction.SALE else "seller"
    return {"party_name": party, "party_vat_id": f"{party}_vat_id", **{name: name for name in _SAME}}


def _direction(document: Document, read: Reading) -> Direction | None:
    known = direction_of(document.kind, read.decision)
    return known or (read.decision.direction if read.decision else None)


def _kind(read: Reading) -> DocumentKind | None:
    paper = read.findings.paper
    return kind_of(paper.value if paper else None, read.decision.direction if read.decision else None)


def _seen(one: Finding[Any], value: str, text: str, present: str) -> Seen:
    return Seen(
        value, text, int(one.confidence * 100), _(SOURCES[one.source]), offered=not present,
        differs=bool(present) and present != value, sure=one.confidence >= SURE,
    )  # fmt: skip


def sheets(document: Document, read: Reading | None) -> dict[int, Sheet]:
    """The pages that were read, by number, with the boxes of what was found on each."""
    if read is None:
        return {}
    found = {name: one for name, (one, _value) in _read(document, read).items()}
    if read.findings.iban:
        found["iban"] = read.findings.iban
    return {
        page.number: Sheet(page.width, page.height, [*_marks(page.number, found)])
        for page in read.pages
    }  # fmt: skip


def _marks(page: int, found: Mapping[str, Finding[Any]]) -> list[Mark]:
    titles = {**TITLES, "iban": N_("IBAN")}
    return [
        Mark(
            f"f-{name}", f"{_(titles[name])}: {int(one.confidence * 100)} %", one.box.left, one.box.top,
            one.box.right - one.box.left, one.box.bottom - one.box.top,
        )
        for name, one in found.items()
        if one.page == page and one.box is not None
    ]  # fmt: skip


@pages.post("/<uuid:document_id>/read")
def again(client_id: UUID, document_id: UUID) -> ResponseReturnValue:
    """Let the file be read once more."""
    with writing() as session:
        document = readings.read_again(session, viewer(), client_id, document_id)
    notice(N_("The document is being read again."))
    place = folder_of(document.kind)
    return go_to(url_for("documents.one", client_id=client_id, folder=place, document_id=document_id))


@pages.get("/<uuid:document_id>/reading")
def standing(client_id: UUID, document_id: UUID) -> str:
    """How far reading is: the piece of a document's page that looks again by itself."""
    with reading() as session:
        client = access.client_or_404(session, viewer(), client_id, Right.SEE)
        document = document_or_404(session, viewer(), client_id, document_id)
        read = readings.kept(session, document_id)
    return render_template(
        "documents/reading.html", client=client, document=document, read=shown(document, read), fresh=True,
        rights=access.rights_for(viewer(), client), may_split=splitting.is_splittable(document),
    )  # fmt: skip
