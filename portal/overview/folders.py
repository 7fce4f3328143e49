"""A client's folders as pages show them: documents with how each stands at each integration, and one document whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from uuid import UUID

from sqlalchemy import ColumnElement, exists
from sqlmodel import Session, col, select

from integrations.contract import DocumentKind
from portal import access
from portal.access import Right, Viewer
from portal.accounts.models import Person
from portal.audit import AuditEntry
from portal.banking.models import BankAccount
from portal.banking.services import of_client as accounts_of
from portal.clients.models import Client
from portal.delivery import services as delivery
from portal.delivery.models import Delivery, State
from portal.delivery.outbox import exporting
from portal.delivery.services import Mark, Status
from portal.documents import duplicates, excerpts, lists, queries, search, versions
from portal.documents.excerpts import Piece
from portal.documents.lists import Filter, Line, Order
from portal.documents.models import Document, DocumentVersion
from portal.documents.services import document_or_404
from portal.instances.models import Instance

STANDING_STILL = (State.ACTION_NEEDED, State.FAILED, State.HELD, State.REMOVED)
# States that most documents of an archive are in: looked up per document shown, the others from their own index.
_COMMON = frozenset({State.DELIVERED, State.EXCLUDED, State.BEFORE_ACTIVATION})


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Only documents that stand so at an instance (None: at any)."""

    states: tuple[State, ...] = ()
    instance_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One document of a list. Equal rows look the same."""

    document: Line
    marks: tuple[Mark, ...]
    excerpt: tuple[Piece, ...] = ()  # of its content, where a search found something there


@dataclass(frozen=True)
class FolderPage:
    """Rows of a folder, the cursors around them, and the client's exporting instances (for filter and columns)."""

    client: Client
    rows: Sequence[Row]
    after: str | None
    before: str | None
    instances: Sequence[Instance]

    @property
    def columns(self) -> tuple[tuple[UUID, str], ...]:
        """The instances whose states are shown: id and name."""
        return tuple((instance.id, instance.name) for instance in self.instances)

    @property
    def moves(self) -> bool:
        """Whether a row will change by itself."""
        return any(mark.moves for row in self.rows for mark in row.marks)


@dataclass(frozen=True)
class Change:
    """What one version made different: field -> (before, after), as stored."""

    version: DocumentVersion
    differences: Mapping[str, tuple[object, object]]


@dataclass(frozen=True, kw_only=True)
class Whole:
    """Everything a document's page shows."""

    client: Client
    document: Document
    statuses: Sequence[Status]
    twin: Document | None
    twin_of: Sequence[Document]
    changes: Mapping[int, Change]  # by version
    history: Sequence[AuditEntry]  # newest first
    added_by: str | None
    accounts: Sequence[BankAccount]


def page(
    session: Session,
    viewer: Viewer,
    client_id: UUID,
    folder: DocumentKind | None,
    narrowed: Filter,
    order: Order,
    *,
    standing: Standing | None = None,
    after: str | None = None,
    before: str | None = None,
    limit: int = lists.LIMIT,
) -> FolderPage:
    """A page of a folder, for who may see it; the same number of queries whatever it holds."""
    client = access.client_or_404(session, viewer, client_id, Right.SEE)
    also = _standing(client_id, standing)
    found = lists.page(
        session, client_id, folder, narrowed, order, Line, after=after, before=before, limit=limit, also=also
    )  # fmt: skip
    marks = delivery.marks(session, [document.id for document in found.documents])
    said = _excerpts(session, narrowed.text, [document.id for document in found.documents])
    rows = [Row(one, marks.get(one.id, ()), tuple(said.get(one.id, ()))) for one in found.documents]
    return FolderPage(client, rows, found.after, found.before, exporting(session, client_id))


def _excerpts(session: Session, text: str, document_ids: Sequence[UUID]) -> dict[UUID, list[Piece]]:
    query = queries.parse(text, typing=True)
    if not query:
        return {}
    return {key: excerpts.excerpt(kept, query) for key, kept in search.texts(session, document_ids).items()}


def neighbours(
    session: Session,
    document: Document,
    folder: DocumentKind | None,
    narrowed: Filter,
    order: Order,
    standing: Standing | None = None,
) -> tuple[UUID | None, UUID | None]:
    """The documents before and behind this one in the list it was opened from."""
    also = _standing(document.client_id, standing)
    return lists.neighbours(session, folder, narrowed, order, document, also)


def _standing(client_id: UUID, standing: Standing | None) -> list[ColumnElement[bool]]:
    if standing is None or not (standing.states or standing.instance_id):
        return []
    conditions = [col(Delivery.client_id) == client_id, col(Delivery.current).is_(True)]
    if standing.states:
        conditions.append(col(Delivery.state).in_(standing.states))
    if standing.instance_id is not None:
        conditions.append(col(Delivery.instance_id) == standing.instance_id)
    if not standing.states or _COMMON & set(standing.states):
        return [exists().where(col(Delivery.document_id) == col(Document.id), *conditions)]
    return [col(Document.id).in_(select(Delivery.document_id).where(*conditions))]


def whole(session: Session, viewer: Viewer, client_id: UUID, document_id: UUID) -> Whole:
    """One document with its statuses, twins and history; NotFound when it is not the viewer's to see."""
    client = access.client_or_404(session, viewer, client_id, Right.SEE)
    document = document_or_404(session, viewer, client_id, document_id)
    adder = session.get(Person, document.added_by) if document.added_by else None
    entries = select(AuditEntry).where(AuditEntry.subject_id == document_id, AuditEntry.client_id == client_id)
    return Whole(
        client=client,
        document=document,
        statuses=delivery.statuses(session, [document_id]).get(document_id, ()),
        twin=session.get(Document, document.twin_id) if document.twin_id else None,
        twin_of=duplicates.repeated_by(session, document),
        changes=_changes(versions.history(session, document)),
        history=session.exec(entries.order_by(col(AuditEntry.number).desc()).limit(200)).all(),
        added_by=adder.name if adder else None,
        accounts=accounts_of(session, client_id),
    )


def _changes(history: Sequence[DocumentVersion]) -> dict[int, Change]:
    """What each version but the first made different, from the whole history, newest first."""
    return {
        later.version: Change(later, _differences(earlier.fields, later.fields)) for later, earlier in pairwise(history)
    }


def _differences(before: Mapping[str, object], after: Mapping[str, object]) -> dict[str, tuple[object, object]]:
    return {name: (before.get(name), after.get(name)) for name in versions.NAMES if before.get(name) != after.get(name)}
