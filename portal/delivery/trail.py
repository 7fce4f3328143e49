"""The audit chain against the tables: what it recorded must still be there, and as it was recorded."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlmodel import Session, col, select

from portal.audit import AuditEntry
from portal.clients.models import Client
from portal.connections.models import Connection, Consent
from portal.delivery.models import Delivery, Receipt
from portal.delivery.problem import (
    CONSENT_CHANGED,
    CONSENT_LOST,
    DOCUMENT_CHANGED,
    DOCUMENT_LOST,
    FACTS_CHANGED,
    INSTANCE_CHANGED,
    INSTANCE_LOST,
    NOT_ASKED,
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
ASKED = "delivery.asked"
LATEST = ("takes", "on_click", "state", "connection_id")  # of an instance
CONSENTS = ("connection.connected", "connection.reconnected")
# Between the entry of an arrival (a consent) and the row's own time lies part of one transaction.
_MARGIN = timedelta(minutes=1)
_Delivered = tuple[str, str, str, int]  # document, instance, operation, version


class _Arrival(NamedTuple):
    client_id: UUID | None
    sha256: object
    at: datetime
    filename: object


class _Agreed(NamedTuple):
    connection_id: UUID
    person_id: UUID | None
    digest: str  # of the text


@dataclass
class _Recorded:
    """What the entries of one firm say, the newest where it can be said again."""

    deliveries: dict[_Delivered, object] = field(default_factory=dict)  # the receipt's proof
    arrivals: dict[UUID, _Arrival] = field(default_factory=dict)
    removed: set[UUID] = field(default_factory=set)  # instances
    starts: dict[UUID, datetime] = field(default_factory=dict)  # sync_from
    latest: dict[UUID, dict[str, object]] = field(default_factory=dict)  # what else was said of an instance last
    instances: set[UUID] = field(default_factory=set)
    asked: set[tuple[object, object]] = field(default_factory=set)  # document, instance
    consents: dict[_Agreed, list[datetime]] = field(default_factory=dict)

    def add(self, entry: AuditEntry) -> None:
        """Take one entry in."""
        facts, subject = entry.facts, entry.subject_id
        if entry.action in RECEIPTS:
            self.deliveries[_key(facts)] = facts.get("proof")
        elif entry.action == ASKED:
            self.asked.add((facts.get("document"), facts.get("instance")))
        elif subject is None:
            return
        elif entry.action == "document.received":
            # pages of a file arrived with it, however late somebody split it
            at = datetime.fromisoformat(str(facts["arrived_at"])) if "arrived_at" in facts else entry.at
            self.arrivals[subject] = _Arrival(entry.client_id, facts.get("sha256"), at, facts.get("filename"))
        elif entry.action in CONSENTS:
            agreed = _Agreed(subject, entry.person_id, str(facts.get("consent")))
            self.consents.setdefault(agreed, []).append(entry.at)
        elif entry.action == "instance.removed":
            self.removed.add(subject)
        if subject is not None and entry.action.startswith("instance."):
            self.instances.add(subject)
            if "sync_from" in facts:
                self.starts[subject] = datetime.fromisoformat(str(facts["sync_from"]))
            self.latest.setdefault(subject, {}).update({name: facts[name] for name in LATEST if name in facts})


def verify(session: Session, firm_id: UUID) -> Iterator[Problem]:
    """Every document, receipt and integration of a firm that is not as its chain recorded it, and what is gone."""
    recorded = _Recorded()
    wanted = col(AuditEntry.action).in_([*RECEIPTS, *CONSENTS, ASKED, "document.received"])
    entries = select(AuditEntry).where(
        AuditEntry.firm_id == firm_id, wanted | col(AuditEntry.action).startswith("instance.")
    )
    for entry in session.exec(entries.order_by(col(AuditEntry.number))).yield_per(PAGE):
        recorded.add(entry)
    yield from _receipts(session, firm_id, recorded)
    yield from _documents(session, firm_id, recorded)
    yield from _instances(session, firm_id, recorded)
    yield from _asked(session, firm_id, recorded)
    yield from _consents(session, firm_id, recorded)


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
        if arrival is None or not _as_it_came(document, arrival):
            yield Problem(*where, DOCUMENT_CHANGED, {})
        if fields != versions.snapshot(document):
            yield Problem(*where, FACTS_CHANGED, {})
    for document_id, gone in recorded.arrivals.items():
        yield Problem(gone.client_id, None, document_id, DOCUMENT_LOST, {})


def _as_it_came(document: Document, arrival: _Arrival) -> bool:
    same = (document.client_id, document.sha256) == (arrival.client_id, arrival.sha256)
    same = same and arrival.filename in {None, document.filename}
    return same and abs(document.arrived_at - arrival.at) < _MARGIN


def _instances(session: Session, firm_id: UUID, recorded: _Recorded) -> Iterator[Problem]:
    statement = (
        select(Instance).join(Client, col(Client.id) == col(Instance.client_id)).where(Client.firm_id == firm_id)
    )
    for instance in session.exec(statement):
        where = (instance.client_id, instance.id, None)
        recorded.instances.discard(instance.id)
        start = recorded.starts.get(instance.id)
        if (instance.state is InstanceState.REMOVED) != (instance.id in recorded.removed):
            yield Problem(*where, INSTANCE_CHANGED, {"what": "state"})
        if instance.sync_from != start:
            yield Problem(*where, INSTANCE_CHANGED, {"what": "sync_from"})
        elif instance.state is InstanceState.DRAFT and start is not None:
            yield Problem(*where, INSTANCE_CHANGED, {"what": "state"})
        for what, told in {"takes": [], **recorded.latest.get(instance.id, {})}.items():
            if told != _plain(getattr(instance, what)):
                yield Problem(*where, INSTANCE_CHANGED, {"what": what})
    for instance_id in recorded.instances:
        yield Problem(None, instance_id, None, INSTANCE_LOST, {})


def _plain(value: object) -> object:
    """As the chain holds it."""
    return str(value) if isinstance(value, UUID | str) else value


def _asked(session: Session, firm_id: UUID, recorded: _Recorded) -> Iterator[Problem]:
    """What goes only because somebody clicked (P5's exception) names a click that was recorded."""
    clicked = (
        select(Delivery.client_id, Delivery.instance_id, Delivery.document_id)
        .join(Client, col(Client.id) == col(Delivery.client_id))
        .where(Client.firm_id == firm_id, col(Delivery.asked_by).is_not(None))
    )
    for client_id, instance_id, document_id in session.exec(clicked).yield_per(PAGE):
        if (str(document_id), str(instance_id)) not in recorded.asked:
            yield Problem(client_id, instance_id, document_id, NOT_ASKED, {})


def _consents(session: Session, firm_id: UUID, recorded: _Recorded) -> Iterator[Problem]:
    """Each consent says what was agreed to, by whom and when, as the chain recorded it (E5)."""
    statement = (
        select(Consent, Connection.client_id)
        .join(Connection, col(Connection.id) == col(Consent.connection_id))
        .join(Client, col(Client.id) == col(Connection.client_id))
        .where(Client.firm_id == firm_id)
    )
    for consent, client_id in session.exec(statement):
        digest = hashlib.sha256(consent.text.encode()).hexdigest()
        times = recorded.consents.get(_Agreed(consent.connection_id, consent.person_id, digest), [])
        at = next((one for one in times if abs(one - consent.given_at) < _MARGIN), None)
        if at is None or digest != consent.text_digest:
            yield Problem(client_id, None, None, CONSENT_CHANGED, {})
        else:
            times.remove(at)
    if any(recorded.consents.values()):
        yield Problem(None, None, None, CONSENT_LOST, {})
