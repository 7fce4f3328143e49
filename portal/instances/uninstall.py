"""Taking an extension out of the store's installed ones: what would stop is said first, then it is stopped (P3)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session, col, select

from portal import access
from portal.access import Right, Viewer
from portal.clients.models import Client
from portal.connections import services as connections
from portal.extensions import services as extensions
from portal.extensions.models import Installation
from portal.instances.models import Instance, InstanceState
from portal.instances.services import end


@dataclass(frozen=True, kw_only=True)
class Stops:
    """One client whose integrations would stop."""

    client: Client
    instances: list[Instance]


def effects(session: Session, viewer: Viewer, kind: str) -> list[Stops]:
    """What uninstalling a kind would stop, client by client, by name; drafts count too."""
    firm_id = access.firm_or_404(viewer, Right.FIRM)
    statement = (
        select(Client, Instance)
        .join(Instance, col(Instance.client_id) == Client.id)
        .join(Installation, col(Installation.id) == Instance.installation_id)
        .where(Client.firm_id == firm_id, Installation.kind == kind, col(Installation.removed_at).is_(None))
        .where(Instance.state != InstanceState.REMOVED)
        .order_by(col(Client.name), col(Client.id), col(Instance.id))
    )
    by_id: dict[UUID, Stops] = {}
    for client, instance in session.exec(statement):
        by_id.setdefault(client.id, Stops(client=client, instances=[])).instances.append(instance)
    return list(by_id.values())


def uninstall(session: Session, viewer: Viewer, kind: str) -> int:
    """Remove the kind's instances, end its connections and retire the installation; return how many instances.

    What was exported stays where it is.
    """
    stopping = [instance for stops in effects(session, viewer, kind) for instance in stops.instances]
    for instance in stopping:
        end(session, instance, viewer.by)
    installation = extensions.retire(session, viewer, kind)
    connections.end_all(session, viewer, installation.id)
    return len(stopping)
