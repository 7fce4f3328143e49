"""Read models of drifts: what stands at a client or one of its instances, and what became of earlier ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from portal import access
from portal.access import Right, Viewer
from portal.accounts.models import Person
from portal.delivery.models import Drift
from portal.documents.models import Document
from portal.instances.models import Instance

PAGE = 50


@dataclass(frozen=True)
class Line:
    """One drift with what a list shows of it."""

    drift: Drift
    document: Document
    instance: Instance
    by: str | None  # who settled it


@dataclass(frozen=True)
class Lines:
    """A page of a list; ``after`` asks for the next."""

    lines: Sequence[Line]
    after: UUID | None


def of_client(
    session: Session,
    viewer: Viewer,
    client_id: UUID,
    *,
    instance_id: UUID | None = None,
    settled: bool = False,
    after: UUID | None = None,
    limit: int = PAGE,
) -> Lines:
    """Open drifts of a client, or those that were settled; newest first."""
    access.client_or_404(session, viewer, client_id, Right.SEE)
    statement = (
        sa.select(Drift, Document, Instance, col(Person.name))
        .join(Document, col(Document.id) == col(Drift.document_id))
        .join(Instance, col(Instance.id) == col(Drift.instance_id))
        .outerjoin(Person, col(Person.id) == col(Drift.by))
        .where(col(Drift.client_id) == client_id)
        .where(col(Drift.settled_at).is_not(None) if settled else col(Drift.settled_at).is_(None))
        .order_by(col(Drift.id).desc())
        .limit(limit + 1)
    )
    if instance_id is not None:
        statement = statement.where(col(Drift.instance_id) == instance_id)
    if after is not None:
        statement = statement.where(col(Drift.id) < after)
    found = [Line(*row) for row in session.execute(statement)]
    return Lines(found[:limit], found[limit - 1].drift.id if len(found) > limit else None)


def open_at(session: Session, instance_id: UUID) -> int:
    """How many stand open at an instance."""
    statement = select(sa.func.count()).select_from(Drift)
    return session.exec(statement.where(Drift.instance_id == instance_id, col(Drift.settled_at).is_(None))).one()
