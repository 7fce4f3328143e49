"""The one rule that says what is to happen with a document at an instance. Pure; run from both sides (P5, P6).

A document (arrival, change) is held against its client's instances, an instance (Finish, resume, an earlier date)
against its client's documents; ``kontor verify`` runs the same rule again to prove what the outbox holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import integrations
from integrations.contract import DocumentKind, Exporter
from portal.delivery.models import Actor, State
from portal.documents.models import Document, Reading
from portal.i18n import N_
from portal.instances.models import Instance, InstanceState

# What the manifest calls a field -> the columns that hold it.
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "party": ("party_name",),
    "net": ("net", "currency"),
    "tax": ("tax", "currency"),
    "gross": ("gross", "currency"),
    "account": ("account_id",),
}
FIELD_NAMES: Mapping[str, str] = {
    "party": N_("counterparty"),
    "number": N_("number"),
    "issued_on": N_("date"),
    "due_on": N_("due date"),
    "net": N_("net amount"),
    "tax": N_("tax"),
    "gross": N_("total"),
    "currency": N_("currency"),
    "account": N_("bank account"),
}


@dataclass(frozen=True)
class Planned:
    """The state a delivery belongs into, and why: message id, facts, and who must act."""

    state: State
    text: str | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
    actor: Actor = Actor.NOBODY


def is_exporting(kind: str) -> bool:
    """Whether instances of a kind take documents (False for imports and for kinds that are no longer known)."""
    return kind in integrations.kinds() and issubclass(integrations.get(kind), Exporter)


def decide(document: Document, instance: Instance, *, asked: bool = False) -> Planned:
    """Where the pair belongs. ``asked``: a person explicitly wanted this one, which may lie before activation (P5)."""
    return (
        _cut(document, instance, asked)
        or _settled(document)
        or _wanted(document, instance, asked)
        or _complete(document, instance)
        or _allowed(instance, asked)
        or Planned(State.QUEUED)
    )


def _cut(document: Document, instance: Instance, asked: bool) -> Planned | None:
    if instance.state is InstanceState.REMOVED:
        return Planned(State.EXCLUDED, N_("The integration was removed."))
    if document.removed_at is not None:
        return Planned(State.EXCLUDED, N_("The document was removed in the portal."))
    if document.split_version is not None:
        return Planned(State.EXCLUDED, N_("It was split: the documents that it holds go instead."))
    if not asked and not arrived_after(document, instance.sync_from):
        return Planned(State.BEFORE_ACTIVATION, N_("It arrived before this integration was activated."))
    return None


def arrived_after(document: Document, sync_from: datetime | None) -> bool:
    """P5: whether the document's arrival in the portal is at or after the cut."""
    return sync_from is not None and document.arrived_at >= sync_from


def _settled(document: Document) -> Planned | None:
    if document.reading is not Reading.SETTLED:
        return Planned(State.READING, N_("The document is still being read."))
    if document.kind is None:
        return Planned(State.ACTION_NEEDED, N_("Say what kind of document this is."), actor=Actor.ACCOUNTANT)
    return None


def _wanted(document: Document, instance: Instance, asked: bool) -> Planned | None:
    taken = integrations.get(instance.kind).manifest.takes
    if document.kind not in taken or (not asked and document.kind not in instance.takes):
        return Planned(State.EXCLUDED, N_("This integration does not take documents of this kind."))
    return None


def _complete(document: Document, instance: Instance) -> Planned | None:
    if document.twin_id is not None and not document.twin_accepted:
        text = N_("It looks like a duplicate. Decide whether it is one.")
        return Planned(State.ACTION_NEEDED, text, actor=Actor.ACCOUNTANT)
    missing = missing_fields(document, instance.kind)
    if missing:
        text = N_("Please fill in: %(fields)s.")
        return Planned(State.ACTION_NEEDED, text, {"fields": [FIELD_NAMES[name] for name in missing]}, Actor.ACCOUNTANT)
    return None


def missing_fields(document: Document, kind: str) -> list[str]:
    """The fields that this kind needs of such a document and that are not known; names as in ``FIELD_NAMES``."""
    needs = integrations.get(kind).manifest.needs.get(DocumentKind(document.kind or DocumentKind.OTHER), ())
    return [name for name in needs if not _known(document, name)]


def _known(document: Document, name: str) -> bool:
    return all(getattr(document, column, None) not in {None, ""} for column in _COLUMNS.get(name, (name,)))


def _allowed(instance: Instance, asked: bool) -> Planned | None:
    if instance.on_click and not asked:
        return Planned(State.WAITING, N_("It goes when somebody clicks Copy."), actor=Actor.ACCOUNTANT)
    if instance.state is InstanceState.PAUSED:
        return Planned(State.HELD, N_("The integration is paused."), actor=Actor.ACCOUNTANT)
    if instance.state is InstanceState.HELD:
        return Planned(State.HELD, instance.text, instance.facts, Actor.CONNECTION_OWNER)
    return None
