"""What a reading changes about a document: its kind (D3), and the fields that are sure and that nobody gave (D2).

Whatever a person or the sender said wins, also an emptied field. The one exception is the folder that a document was
put into: an invoice that the client issued is never a purchase, so among the purchases it becomes an outgoing invoice,
or, where that is not sure, a document whose kind a person must say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session

from integrations.contract import DocumentKind
from portal import audit
from portal.audit import SYSTEM
from portal.clients.models import Client
from portal.documents import keys, versions
from portal.documents.fields import Fields, validated
from portal.documents.models import Document
from portal.errors import Invalid
from portal.i18n import N_
from portal.reading.direction import Decision
from portal.reading.findings import Direction, Paper, as_fields, kind_of
from portal.reading.reading import Reading

SURE = 0.95  # a value that sure is taken over without a person
_CERTAIN = 0.9  # of a direction
_LIKELY = 0.7
_PURCHASES = frozenset({DocumentKind.INCOMING_INVOICE, DocumentKind.RECEIPT})
_AMOUNTS = frozenset({"net", "tax", "gross", "lines"})
_READ = tuple(name for name in Fields.model_fields if name not in {"account_id", "party_email"})

ISSUED = N_("The client issued it, so it is an outgoing invoice.")
PERHAPS_ISSUED = N_("The client may have issued it. Say what kind of document it is.")


def take_over(session: Session, document: Document, reading: Reading) -> None:
    """Set kind and fields by what was read, as the document's next version, and tell it in its history."""
    history = versions.history(session, document)
    said = versions.said(history)
    folder = versions.kind_of(str(history[-1].fields.get("kind") or "")) if history else document.kind
    kind, why = (document.kind, "") if said.get("kind", 0) > 1 else _kind(folder, reading)
    values = _values(document, said, reading, direction_of(kind, reading.decision))
    different = versions.change(session, document, {**values, "kind": kind}, None)
    facts: dict[str, object] = {"filename": document.filename, "fields": different}
    if different:
        facts["version"] = document.version
    if why or reading.unread:
        facts["why"] = why or (reading.unread.text if reading.unread else "")
    firm_id = session.get_one(Client, document.client_id).firm_id
    audit.record(
        session, firm_id, "document.read", by=SYSTEM, client_id=document.client_id, subject_id=document.id, facts=facts
    )  # fmt: skip


def direction_of(kind: DocumentKind | None, decision: Decision | None) -> Direction | None:
    """Whose invoice a document is: by its kind, else by a decision that is certain."""
    if kind in _PURCHASES:
        return Direction.PURCHASE
    if kind is DocumentKind.OUTGOING_INVOICE:
        return Direction.SALE
    return decision.direction if decision is not None and decision.confidence >= _CERTAIN else None


def _kind(folder: DocumentKind | None, reading: Reading) -> tuple[DocumentKind | None, str]:
    """The kind, unless a person said it after the arrival; and why it is another than that of the folder."""
    present = folder or _found(reading)
    if present in _PURCHASES and _sale(reading.decision) >= _CERTAIN:
        return DocumentKind.OUTGOING_INVOICE, ISSUED
    if present in _PURCHASES and _sale(reading.decision) >= _LIKELY:
        return None, PERHAPS_ISSUED
    return present, ""


def _found(reading: Reading) -> DocumentKind | None:
    """What the file itself says that it is, if that is sure."""
    paper = reading.findings.paper
    if paper is None or paper.confidence < SURE:
        return None
    if paper.value is Paper.RECEIPT and _sale(reading.decision) >= _CERTAIN:
        return DocumentKind.OUTGOING_INVOICE
    return kind_of(paper.value, direction_of(None, reading.decision))


def _sale(decision: Decision | None) -> float:
    """How surely the client issued it; of signs that contradict each other, how strong those are that say so."""
    if decision is None or decision.direction is Direction.PURCHASE:
        return 0.0
    if decision.direction is Direction.SALE:
        return decision.confidence
    sale = [reason.strength for reason in decision.reasons if reason.speaks_for is Direction.SALE]
    return min(max(sale, default=0.0), _CERTAIN - 0.01)


def _values(
    document: Document, said: Mapping[str, int], reading: Reading, direction: Direction | None
) -> dict[str, object]:
    """The columns that nobody spoke about, as they were read."""
    given = {name: getattr(document, name) for name in Fields.model_fields if name in said}
    sure = _fitting(given, as_fields(reading.findings, direction, SURE))
    values = versions.values_of(_agreed(given, sure))
    return {name: values[name] for name in _READ if name not in said}


def _fitting(given: Mapping[str, Any], read: Mapping[str, object]) -> dict[str, object]:
    """What was read without what somebody gave, and without what belongs to another value than the one given.

    Amounts belong to their currency, a VAT id to its holder.
    """
    dropped = set(given)
    if given.get("currency") and given["currency"] != read.get("currency"):
        dropped |= _AMOUNTS
    if "party_name" in given and keys.party_key(given["party_name"]) != keys.party_key(str(read.get("party_name", ""))):
        dropped.add("party_vat_id")
    return {name: value for name, value in read.items() if name not in dropped}


def _agreed(given: Mapping[str, object], sure: Mapping[str, object]) -> Fields:
    """The fields with as much of what was read as passes the checks that a person's values pass."""
    while sure:
        try:
            return validated({**given, **sure})
        except Invalid as error:
            refused = {error.field} & set(sure) or _AMOUNTS & set(sure) or set(sure)
            sure = {name: value for name, value in sure.items() if name not in refused}
    return validated(given)
