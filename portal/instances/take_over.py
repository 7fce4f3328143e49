"""Another account takes over (E5): the first login's export stops, what it exported stays, a new set-up begins."""

from __future__ import annotations

from uuid import UUID

from sqlmodel import Session

from portal.access import Viewer
from portal.connections import services as connections
from portal.connections.models import Connection, ConnectionState
from portal.extensions import services as extensions
from portal.instances import setup
from portal.instances.models import Instance
from portal.instances.services import end, expect, for_change, record, using


def begin(session: Session, viewer: Viewer, instance_id: UUID) -> Instance:
    """End an instance and return a draft with its name, settings and documents, at its sign-in.

    Its login is ended here too, unless another instance uses it. Conflict for a draft and a removed instance.
    """
    instance = for_change(session, viewer, instance_id)
    expect(instance, *setup.FINISHED)
    connection = session.get(Connection, instance.connection_id) if instance.connection_id else None
    end(session, instance, viewer.by)
    if connection is not None and connection.state is not ConnectionState.ENDED and not using(session, connection):
        connections.end(session, viewer, connection)
    draft = setup.begin(session, viewer, instance.client_id, instance.kind)
    theirs = setup.chosen_fields(extensions.connector_of(instance.kind))  # name things of the first account
    draft.settings = {name: value for name, value in instance.settings.items() if name not in theirs}
    draft.name, draft.takes, draft.on_click = instance.name, list(instance.takes), instance.on_click
    facts = {"from": str(instance.id), "takes": draft.takes, "on_click": draft.on_click}
    record(session, draft, "instance.takes_over", viewer.by, facts)
    return draft
