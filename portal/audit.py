"""The audit trail: who did what, when, from where; each entry is chained to the one before by SHA-256 (D6).

One chain per firm, plus one without a firm for the installation itself. Changing, removing or reordering an entry
breaks every hash after it; ``broken`` finds the first.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from portal import clock, ids
from portal.db import Instant, Json

START = "0" * 64
INSTALLATION = UUID(int=0)


@dataclass(frozen=True)
class By:
    """Who acts: a person (or their API token), or the portal itself; and from which address."""

    person_id: UUID | None = None
    name: str = "Kontor"
    address: str = ""
    token_id: UUID | None = None


SYSTEM = By()


class AuditHead(SQLModel, table=True):
    """Where a firm's chain ends; locked while an entry is added."""

    __tablename__ = "audit_head"

    firm_id: UUID = Field(primary_key=True)
    number: int = 0
    hash: str = START


class AuditEntry(SQLModel, table=True):
    """One thing that somebody did. Never changed, never deleted."""

    __tablename__ = "audit_entry"
    __table_args__ = (UniqueConstraint("firm_id", "number"),)

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    firm_id: UUID
    number: int
    client_id: UUID | None = Field(default=None, index=True)
    action: str  # "document.received"
    subject_id: UUID | None = Field(default=None, index=True)
    facts: dict[str, object] = Field(default_factory=dict, sa_column=Column(Json, nullable=False))
    person_id: UUID | None = None
    by: str
    address: str
    at: datetime = Field(sa_type=Instant)
    previous: str
    hash: str


def record(
    session: Session,
    firm_id: UUID,
    action: str,
    *,
    by: By,
    client_id: UUID | None = None,
    subject_id: UUID | None = None,
    facts: Mapping[str, object] | None = None,
) -> None:
    """Add an entry to the firm's chain within the caller's transaction. ``facts`` must be JSON."""
    head = session.get(AuditHead, firm_id, with_for_update=True, populate_existing=True)
    if head is None:
        head = AuditHead(firm_id=firm_id)
        session.add(head)
    entry = AuditEntry(
        firm_id=firm_id, number=head.number + 1, client_id=client_id, action=action, subject_id=subject_id,
        facts=dict(facts or {}), person_id=by.person_id, by=by.name, address=by.address, at=clock.now(),
        previous=head.hash, hash="",
    )  # fmt: skip
    entry.hash = digest(entry)
    head.number, head.hash = entry.number, entry.hash
    session.add(entry)


def lock(session: Session, firm_id: UUID) -> None:
    """Let nobody else of the firm record anything until this transaction ends, as recording does, but earlier."""
    session.get(AuditHead, firm_id, with_for_update=True, populate_existing=True)


def digest(entry: AuditEntry) -> str:
    """The hash of an entry over everything in it and the hash before."""
    content = [
        str(entry.firm_id), entry.number, str(entry.client_id or ""), entry.action, str(entry.subject_id or ""),
        entry.facts, str(entry.person_id or ""), entry.by, entry.address, entry.at.isoformat(), entry.previous,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def broken(session: Session, firm_id: UUID) -> int | None:
    """The number of the first entry that does not follow from the one before; None when the chain is whole."""
    expected, number = START, 0
    entries = select(AuditEntry).where(AuditEntry.firm_id == firm_id).order_by(col(AuditEntry.number))
    for entry in session.exec(entries).yield_per(1000):
        number += 1
        if entry.number != number or entry.previous != expected or digest(entry) != entry.hash:
            return number
        expected = entry.hash
    head = session.get(AuditHead, firm_id)
    ends_well = head is None or (head.number == number and head.hash == expected)
    return None if ends_well else number + 1
