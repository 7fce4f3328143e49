"""How a document came to be what it is: every correction is a version, nothing is overwritten (D6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from integrations.contract import DocumentKind
from portal.documents.fields import Fields
from portal.documents.models import Document, DocumentVersion

NAMES = (*(name for name in Fields.model_fields), "kind")


def values_of(fields: Fields) -> dict[str, Any]:
    """What the columns of a document hold for these fields."""
    return {
        **{name: getattr(fields, name) for name in Fields.model_fields},
        "lines": [x.stored() for x in fields.lines],
    }


def snapshot(document: Document) -> dict[str, object]:
    """The fields and the kind as they are now, as JSON."""
    return {name: _plain(getattr(document, name)) for name in NAMES}


def _plain(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def begin(session: Session, document: Document, by: UUID | None) -> None:
    """Keep the first version of a document that has just arrived."""
    session.add(_kept(document, by))


def change(session: Session, document: Document, values: Mapping[str, object], by: UUID | None) -> list[str]:
    """Set these columns and keep the result as the next version.

    Returns the names of what is different now; when that is nothing, there is no new version either.
    """
    different = [name for name, value in values.items() if getattr(document, name) != value]
    if not different:
        return []
    for name in different:
        setattr(document, name, values[name])
    keep(session, document, by)
    return different


def keep(session: Session, document: Document, by: UUID | None) -> None:
    """Keep what a document says now as its next version."""
    document.version += 1
    session.add(_kept(document, by))


def _kept(document: Document, by: UUID | None) -> DocumentVersion:
    return DocumentVersion(document_id=document.id, version=document.version, fields=snapshot(document), by=by)


def history(session: Session, document: Document) -> list[DocumentVersion]:
    """Every version, newest first."""
    kept = select(DocumentVersion).where(DocumentVersion.document_id == document.id)
    return list(session.exec(kept.order_by(col(DocumentVersion.version).desc())))


def said(history: Sequence[DocumentVersion]) -> dict[str, int]:
    """What people (or the sender) said: field or kind -> the version with which they did, from ``history``'s answer.

    A value that was read is not among them; one that a person emptied is.
    """
    found: dict[str, int] = {}
    before: Mapping[str, object] = {}
    for one in reversed(history):
        for name in NAMES:
            if _is_same(one.fields.get(name), before.get(name)):
                continue
            if one.by is not None or one.version == 1:
                found[name] = one.version
            else:
                found.pop(name, None)
        before = one.fields
    return found


def _is_same(one: object, two: object) -> bool:
    nothing: tuple[object, ...] = (None, "", [])
    return one == two or (one in nothing and two in nothing)


def kind_of(value: str | None) -> DocumentKind | None:
    """The kind that a version's fields name."""
    return DocumentKind(value) if value else None
