"""Full-text search as pages show it: documents of one client, or of all that somebody may see, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from integrations.contract import DocumentKind
from portal import access
from portal.access import Right, Viewer
from portal.clients.models import Client
from portal.documents import cursors, excerpts, queries, search
from portal.documents.excerpts import Piece
from portal.documents.models import Document
from portal.documents.queries import Query
from portal.documents.search import FEW, Where
from portal.errors import NotFound

PAGE = 25
MOST = 100


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What somebody looks for. Dates are the document's own, else its arrival's."""

    text: str
    client_id: UUID | None = None  # None: all that the viewer may see
    folder: DocumentKind | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class Hit:
    """One document that fits: name, number and excerpt are in pieces, of which some are what was sought."""

    client: Client
    document: Document
    name: Sequence[Piece]
    number: Sequence[Piece]
    filename: Sequence[Piece]
    excerpt: Sequence[Piece]


@dataclass(frozen=True)
class Found:
    """Some hits, the cursor behind the last one, and the client that was looked into, if it was one."""

    hits: Sequence[Hit]
    after: str | None
    client: Client | None
    understood: bool  # whether there was anything to look for


def find(session: Session, viewer: Viewer, wanted: Wanted, *, after: str | None = None, limit: int = PAGE) -> Found:
    """A page of what fits. NotFound for who may not see documents; Invalid for a cursor that is none of ours."""
    where, client = _where(session, viewer, wanted)
    query = queries.parse(wanted.text)
    if not query:
        return Found((), None, client, understood=False)
    limit = max(1, min(limit, MOST))
    found = search.page(session, query, where, before=_place(after), limit=limit + 1)
    shown = found[:limit]
    more = cursors.encode(*shown[-1]) if len(found) > limit else None
    return Found(_hits(session, query, [document_id for _place, document_id in shown]), more, client, understood=True)


def clients(session: Session, viewer: Viewer, limit: int = FEW) -> Sequence[tuple[UUID, str]]:
    """The first of the clients that may be searched, by name, for narrowing a search."""
    may_see = access.clients_of(viewer, Right.SEE).order_by(col(Client.sort_name), col(Client.id)).limit(limit)
    return [(client.id, client.name) for client in session.exec(may_see)]


def _where(session: Session, viewer: Viewer, wanted: Wanted) -> tuple[Where, Client | None]:
    may_see = access.clients_of(viewer, Right.SEE)
    client = None
    if wanted.client_id is not None:
        client = access.client_or_404(session, viewer, wanted.client_id, Right.SEE)
        may_see = may_see.where(Client.id == client.id)
        scope = [[search.client_term(client.id)]]
    else:
        scope = _scope(session, viewer)
    ids = sa.select(may_see.with_only_columns(col(Client.id)).subquery().c.id)
    narrowed = Where(clients=ids, scope=scope, folder=wanted.folder, since=wanted.since, until=wanted.until)
    return narrowed, client


def _scope(session: Session, viewer: Viewer) -> list[list[str]]:
    """Terms that all of the viewer's documents have: the clients one by one while they are few, else the firm."""
    may_see = access.clients_of(viewer, Right.SEE).with_only_columns(col(Client.id))
    limited = may_see if viewer.firm_id is None else may_see.limit(FEW + 1)
    ids = session.connection().execute(limited).scalars().all()
    if not ids and Right.SEE not in viewer.firm_rights:
        raise NotFound
    if viewer.firm_id is not None and len(ids) > FEW:
        return [[search.firm_term(viewer.firm_id)]]
    return [[search.client_term(client_id) for client_id in ids] or ["none"]]


def _place(after: str | None) -> int | None:
    if after is None:
        return None
    key, _last = cursors.decode(after)
    if not isinstance(key, int):
        raise cursors.unknown()
    return key


def _hits(session: Session, query: Query, document_ids: Sequence[UUID]) -> list[Hit]:
    """The documents with their clients and texts, in the order of ``document_ids``; three queries however many."""
    rows = session.exec(
        select(Document, Client)
        .join(Client, col(Client.id) == Document.client_id)
        .where(col(Document.id).in_(document_ids))
    )
    known = {document.id: (document, client) for document, client in rows}
    texts = search.texts(session, document_ids)
    return [_hit(*known[one], texts.get(one, ""), query) for one in document_ids]


def _hit(document: Document, client: Client, text: str, query: Query) -> Hit:
    about = "\n".join(filter(None, (document.note, *(line.get("description") for line in document.lines), text)))
    return Hit(
        client,
        document,
        name=excerpts.marked(document.party_name or document.filename, query),
        number=excerpts.marked(document.number or "", query),
        filename=excerpts.marked(document.filename, query),
        excerpt=excerpts.excerpt(about, query),
    )
