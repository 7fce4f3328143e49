"""What providers said they have: kept once per document, instance, operation and version, and proven by the chain.

Two things go by the name: what a connector returns (``integrations.contract.Receipt``), and the row that keeps it.
"""

from __future__ import annotations

import hashlib
import json
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from integrations.contract import DriftKind, Receipt
from portal import audit, clock
from portal.delivery.models import Attempt, Delivery, Drift, Outcome
from portal.delivery.models import Receipt as StoredReceipt


def store(session: Session, delivery: Delivery, receipt: Receipt, sha256: str) -> StoredReceipt:
    """Keep what this delivery left at the provider; ``sha256`` (hex) is that of the bytes that went."""
    # only a repeat can find one
    stored = (session.exec(own(delivery)).one_or_none() if delivery.attempts > 1 else None) or StoredReceipt(
        delivery_id=delivery.id,
        document_id=delivery.document_id,
        instance_id=delivery.instance_id,
        operation=delivery.operation,
        version=delivery.version,
        sha256=sha256,
        remote_id=receipt.remote_id,
    )
    stored.received_at = clock.now()
    write(session, stored, receipt)
    return stored


def write(session: Session, stored: StoredReceipt, now: Receipt) -> None:
    """Let a kept receipt say what the provider says now."""
    stored.remote_id, stored.remote_version, stored.link = now.remote_id, now.remote_version, now.link
    stored.checksum, stored.path, stored.extras = now.checksum, now.path, dict(now.extras)
    session.add(stored)


def from_stored(stored: StoredReceipt) -> Receipt:
    """A stored receipt as the connector gave it."""
    return Receipt(
        remote_id=stored.remote_id,
        remote_version=stored.remote_version,
        link=stored.link,
        checksum=stored.checksum,
        path=stored.path,
        extras=stored.extras,
    )


def own(delivery: Delivery) -> SelectOfScalar[StoredReceipt]:
    """The receipt of this very delivery."""
    return select(StoredReceipt).where(*_pair(delivery), StoredReceipt.version == delivery.version)


def previous(session: Session, delivery: Delivery) -> Receipt | None:
    """What the newest version of the same pair so far left at the provider, if one did.

    Nothing, once a try or a look found its folder deleted: whoever lets it go again after that wants it anew (E4).
    """
    if delivery.version == 1 and delivery.attempts == 1:
        return None
    newest = select(StoredReceipt).where(*_pair(delivery)).order_by(col(StoredReceipt.version).desc())
    stored = session.exec(newest).first()
    if stored is None or _found_gone(session, delivery, stored):
        return None
    return from_stored(stored)


def are_there(session: Session, delivery: Delivery) -> bool:
    """Whether the document of this delivery was ever at its destination."""
    pair = (StoredReceipt.document_id == delivery.document_id, StoredReceipt.instance_id == delivery.instance_id)
    return session.exec(select(StoredReceipt.id).where(*pair).limit(1)).first() is not None


def are_of(session: Session, instance_id: UUID) -> bool:
    """Whether an instance ever delivered anything."""
    return (
        session.exec(select(StoredReceipt.id).where(StoredReceipt.instance_id == instance_id).limit(1)).first()
        is not None
    )


def proof(stored: StoredReceipt) -> str:
    """SHA-256 over what a receipt says; the audit chain keeps it, so that a forged or altered receipt shows."""
    content = [
        str(stored.document_id), str(stored.instance_id), stored.operation, stored.version, stored.sha256,
        stored.remote_id, stored.checksum or "",
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def prove(
    session: Session,
    firm_id: UUID,
    delivery: Delivery,
    stored: StoredReceipt,
    action: str = "delivery.delivered",
    by: audit.By = audit.SYSTEM,
) -> None:
    """Chain how a receipt is from now on; ``action`` is one of ``trail.RECEIPTS``."""
    facts = {
        "document": str(delivery.document_id),
        "instance": str(delivery.instance_id),
        "version": delivery.version,
        "operation": delivery.operation.value,
        "remote_id": stored.remote_id,
        "proof": proof(stored),
    }
    audit.record(
        session, firm_id, action, by=by, client_id=delivery.client_id, subject_id=delivery.id, facts=facts
    )  # fmt: skip


def _pair(delivery: Delivery) -> tuple[ColumnElement[bool], ...]:
    return (
        col(StoredReceipt.document_id) == delivery.document_id,
        col(StoredReceipt.instance_id) == delivery.instance_id,
        col(StoredReceipt.operation) == delivery.operation,
    )


def _found_gone(session: Session, delivery: Delivery, stored: StoredReceipt) -> bool:
    tried = select(Attempt.id).where(
        Attempt.delivery_id == delivery.id,
        Attempt.outcome == Outcome.TARGET_GONE,
        col(Attempt.ended_at) >= stored.received_at,
    )
    seen = select(Drift.id).where(
        Drift.document_id == stored.document_id,
        Drift.instance_id == stored.instance_id,
        Drift.kind == DriftKind.FOLDER_GONE,
        col(Drift.found_at) >= stored.received_at,
    )
    return any(session.exec(one.limit(1)).first() is not None for one in (tried, seen))
