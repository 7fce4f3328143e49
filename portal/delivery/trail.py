"""The audit chain against the tables: what it recorded must still be there, and as it was recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from portal.audit import AuditEntry
from portal.clients.models import Client
from portal.delivery.models import Receipt
from portal.delivery.problem import (
    DOCUMENT_CHANGED,
    DOCUMENT_LOST,
    FACTS_CHANGED,
    INSTANCE_CHANGED,
    NOT_IN_AUDIT,
    RECEIPT_LOST,
    Problem,
)
from portal.delivery.receipts import proof
from portal.documents import versions
from portal.documents.models import Document, DocumentVersion
from portal.instances.models import Instance, InstanceState

PAGE = 1000
# What says how a receipt is from then on.
RECEIPTS = ("delivery.delivered", "delivery.followed", "delivery.accepted", "delivery.acceptance_undone")
# Between the entry of an arrival and the document's own time lies part of one transaction.
_ARRIVAL = timedelta(minutes=1)
_Delivered = tuple[str, str, str, int]  # document, instance, operation, version


@dataclass
class _Recorded:
    """What the entries of one firm say, the newest where it can be said again."""

    deliveries: dict[_Delivered, object] = field(default_factory=dict)  # the receipt's proof
    arrivals: dict[UUID, tuple[UUID | None, object, datetime]] = field(default_factory=dict)  # client, SHA-256, when
    removed: set[UUID] = field(default_factory=set)  # instances
    starts: dict[UUID, datetime] = field(default_factory=dict)  # sync_from
    takes: dict[UUID, object] = field(default_factory=dict)

    def add(self, entry: AuditEntry) -> None:
        """Take one entry in."""
        facts, subject = entry.facts, entry.subject_id
        if entry.action in RECEIPTS:
            self.deliveries[_key(facts)] = facts.get("proof")
        elif subject is None:
            return
        elif entry.action == "document.received":
            # pages of a file arrived with it, however late somebody split it
            at = datetime.fromisoformat(str(facts["arrived_at"])) if "arrived_at" in facts else entry.at
            self.arrivals[subject] = (entry.client_id, facts.get("sha256"), at)
        elif entry.action == "instance.removed":
            self.removed.add(subject)
        if subject is not None and entry.action.startswith("instance."):
            if "sync_from" in facts:
                self.starts[subject] = datetime.fromisoformat(str(facts["sync_from"]))
            if "takes" in facts:
                self.takes[subject] = facts["takes"]


def verify(session: Session, firm_id: UUID) -> Iterator[Problem]:
    """Every document, receipt and integration of a firm that is not as its chain recorded it, and what is gone."""
    recorded = _Recorded()
    wanted = col(AuditEntry.action).in_([*RECEIPTS, "document.received"])
    entries = select(AuditEntry).where(
        AuditEntry.firm_id == firm_id, wanted | col(AuditEntry.action).startswith("instance.")
    )
    for entry in session.exec(entries.order_by(col(AuditEntry.number))).yield_per(PAGE):
        recorded.add(entry)
    yield from _receipts(session, firm_id, recorded)
    yield from _documents(session, firm_id, recorded)
    yield from _instances(session, firm_id, recorded)


def _receipts(session: Session, firm_id: UUID, recorded: _Recorded) -> Iterator[Problem]:
    of_firm = (
        select(Receipt)
        .join(Document, col(Document.id) == col(Receipt.document_id))
        .join(Client, col(Client.id) == col(Document.client_id))
        .where(Client.firm_id == firm_id)
    )
    for receipt in session.exec(of_firm).yield_per(PAGE):
        key = (str(receipt.document_id), str(receipt.instance_id), receipt.operation.value, receipt.version)
        if recorded.deliveries.pop(key, None) != proof(receipt):
            yield Problem(None, receipt.instance_id, receipt.document_id, NOT_IN_AUDIT, {})
    for document, instance, _operation, _version in recorded.deliveries:
        yield Problem(None, UUID(instance), UUID(document), RECEIPT_LOST, {})


def _key(facts: Mapping[str, object]) -> _Delivered:
    return (str(facts["document"]), str(facts["instance"]), str(facts["operation"]), int(str(facts["version"])))


def _documents(session: Session, firm_id: UUID, recorded: _Recorded) -> Iterator[Problem]:
    statement = (
        select(Document, DocumentVersion.fields)
        .join(Client, col(Client.id) == col(Document.client_id))
        .outerjoin(
            DocumentVersion,
            (col(DocumentVersion.document_id) == col(Document.id))
            & (col(DocumentVersion.version) == col(Document.version)),
        )
        .where(Client.firm_id == firm_id)
    )
    for document, fields in session.exec(statement).yield_per(PAGE):
        where = (document.client_id, None, document.id)
        arrival = recorded.arrivals.pop(document.id, None)
        if arrival is None or not _as_it_came(document, *arrival):
            yield Problem(*where, DOCUMENT_CHANGED, {})
        if fields != versions.snapshot(document):
            yield Problem(*where, FACTS_CHANGED, {})
    for document_id, (client_id, _sha256, _at) in recorded.arrivals.items():
        yield Problem(client_id, None, document_id, DOCUMENT_LOST, {})


def _as_it_came(document: Document, client_id: UUID | None, sha256: object, at: datetime) -> bool:
    same = (document.client_id, document.sha256) == (client_id, sha256)
    return same and abs(document.arrived_at - at) < _ARRIVAL


def _instances(session: Session, firm_id: UUID, recorded: _Recorded) -> Iterator[Problem]:
    statement = (
        select(Instance).join(Client, col(Client.id) == col(Instance.client_id)).where(Client.firm_id == firm_id)
    )
    for instance in session.exec(statement):
        where = (instance.client_id, instance.id, None)
        start = recorded.starts.get(instance.id)
        if (instance.state is InstanceState.REMOVED) != (instance.id in recorded.removed):
            yield Problem(*where, INSTANCE_CHANGED, {"what": "state"})
        if instance.sync_from != start:
            yield Problem(*where, INSTANCE_CHANGED, {"what": "sync_from"})
        elif instance.state is InstanceState.DRAFT and start is not None:
            yield Problem(*where, INSTANCE_CHANGED, {"what": "state"})
        if recorded.takes.get(instance.id, []) != instance.takes:
            yield Problem(*where, INSTANCE_CHANGED, {"what": "takes"})
