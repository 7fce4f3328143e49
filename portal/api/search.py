"""/search: documents by what they say, of one client or of all that the caller may see."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import BeforeValidator, Field

from integrations.contract import DocumentKind
from portal.api import told
from portal.api.reach import reading, viewer
from portal.api.shapes import DocumentOut, Paging, Short, Told, nothing
from portal.overview import search

bp = APIBlueprint("search", __name__, tag="Search")


class SearchQuery(Paging):
    """What is looked for."""

    q: Short = Field(default="", description="Words, “phrases”, beginnings*, numbers, amounts; nothing finds nothing.")
    client_id: Annotated[UUID | None, BeforeValidator(nothing)] = None
    folder: Annotated[DocumentKind | None, BeforeValidator(nothing)] = None
    since: Annotated[date | None, BeforeValidator(nothing)] = Field(
        default=None, description="By the document's own date, else its arrival."
    )
    until: Annotated[date | None, BeforeValidator(nothing)] = None
    limit: int = Field(default=search.PAGE, ge=1, le=search.MOST)


class PieceOut(Told):
    """A piece of text, and whether it is what was looked for."""

    text: str
    hit: bool


class HitOut(Told):
    """A document that fits."""

    document: DocumentOut
    excerpt: Sequence[PieceOut]


class HitPage(Told):
    """Some documents that fit, newest first."""

    items: Sequence[HitOut]
    after: str | None = Field(description="The cursor of the next page; null at the end.")


@bp.get("/search")
@bp.input(SearchQuery, location="query", arg_name="query")
@bp.output(HitPage)
def find(query: SearchQuery) -> HitPage:
    """Search documents

    All words must be there; German word forms and other ways to write numbers and amounts are found, too.
    """
    wanted = search.Wanted(
        text=query.q, client_id=query.client_id, folder=query.folder, since=query.since, until=query.until
    )
    with reading() as session:
        found = search.find(session, viewer(), wanted, after=query.after, limit=query.limit)
        documents = told.documents(session, [hit.document for hit in found.hits])
    items = [
        HitOut(document=one, excerpt=[PieceOut(text=piece.text, hit=piece.hit) for piece in hit.excerpt])
        for one, hit in zip(documents, found.hits, strict=True)
    ]
    return HitPage(items=items, after=found.after)
