"""/clients/…/documents/…/split: a file that holds several documents, by page."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field

from portal.api import told
from portal.api.reach import parts, reading, viewer, writing
from portal.api.shapes import DocumentOut, Given, Told
from portal.documents.page_ranges import MOST_PAGES
from portal.i18n import say
from portal.processing import splitting

bp = APIBlueprint("splits", __name__, tag="Splitting")
SPLIT = "/clients/<uuid:client_id>/documents/<uuid:document_id>/split"


class PartOut(Told):
    """Pages that seem to be a document, and what says so."""

    first: int
    last: int
    text: str


class ProposalOut(Told):
    """How a file could be split."""

    pages: int
    starts: Sequence[int] = Field(description="Where its documents seem to begin; [1]: it seems to be one.")
    parts: Sequence[PartOut]


class SplitIn(Given):
    """Where each document begins."""

    starts: Sequence[int] = Field(
        min_length=2, max_length=MOST_PAGES,
        description="Pages, counted from 1 and rising; the first is 1. Each document ends before the next one begins.",
    )  # fmt: skip
    version: int | None = Field(default=None, description="The version that was seen; 409 when it is another by now.")


class SplitOut(Told):
    """What a file was split into, by page."""

    items: Sequence[DocumentOut]


@bp.get(SPLIT)
@bp.output(ProposalOut)
def proposed(client_id: UUID, document_id: UUID) -> ProposalOut:
    """Propose where to split

    What reading found, nothing is done. 409 for a file that cannot be split.
    """
    found = splitting.propose(parts(), viewer(), client_id, document_id)
    shown = [PartOut(first=one.first, last=one.last, text=say(one.text, dict(one.facts))) for one in found.parts]
    return ProposalOut(pages=found.pages, starts=found.starts, parts=shown)


@bp.post(SPLIT)
@bp.input(SplitIn, arg_name="body")
@bp.output(SplitOut, status_code=201)
def split(client_id: UUID, document_id: UUID, body: SplitIn) -> SplitOut:
    """Split a file

    Each range of pages becomes a document that is read and delivered by itself. The file is kept as it came, its bytes
    unchanged, and goes nowhere itself.
    """
    made = splitting.split(parts(), viewer(), client_id, document_id, body.starts, body.version)
    with reading() as session:
        return SplitOut(items=told.documents(session, made))


@bp.delete(SPLIT)
@bp.output(DocumentOut)
def join(client_id: UUID, document_id: UUID) -> DocumentOut:
    """Take a split back

    The parts are marked as removed; the file says again what it said before, and goes again.
    """
    with writing() as session:
        return told.document(session, splitting.join(session, viewer(), client_id, document_id))
