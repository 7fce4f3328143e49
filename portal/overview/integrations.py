"""What a client's Integrations tab and the page of one integration show, over instances, connections and deliveries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from integrations.contract import Manifest, Operation
from portal import access, clock
from portal.access import Right, Viewer
from portal.accounts.models import Person
from portal.clients.models import Client
from portal.connections import services as connections
from portal.connections.models import Connection, Consent
from portal.delivery import runs as passes
from portal.delivery.models import Delivery, State
from portal.extensions import services as extensions
from portal.instances import places
from portal.instances import services as instances
from portal.instances.models import Instance, Run
from portal.notices import services as notices
from portal.notices.services import Told
from portal.overview import drifts

Counts = Mapping[State, int]
SHOWN = 10  # drifts on the page of an instance


@dataclass(frozen=True, kw_only=True)
class Line:
    """One instance with what the tab says of it."""

    instance: Instance
    manifest: Manifest
    connection: Connection | None
    counts: Counts
    last_run: Run | None
    told: Sequence[Told] = ()  # whom its login's death or coming end was told

    @property
    def ends_soon(self) -> bool:
        """Whether the login is about to end."""
        return self.connection is not None and connections.ends_soon(self.connection)


@dataclass(frozen=True, kw_only=True)
class Whole(Line):
    """One instance with all there is to know of it."""

    client: Client
    runs: Sequence[Run]
    under_way: Run | None
    sending: str | None  # the file that is on its way now
    consents: Sequence[tuple[Consent, str]]  # with the person's name, newest first
    names: Mapping[UUID, str]  # of people: who set it up, who asked for runs
    root_link: str | None
    account_links: Sequence[tuple[str, str]]  # bank accounts and their folders
    changed: drifts.Lines  # what stands open after a look back
    changed_total: int
    late: Mapping[UUID, timedelta]  # run -> by how much it came after its time
    shares: Sequence[Instance]  # other instances on the same connection

    @property
    def per_minute(self) -> int:
        """How many documents a minute the run under way gets through; 0 while that cannot be told."""
        run = self.under_way
        if run is None or run.started_at is None:
            return 0
        seconds = (clock.now() - run.started_at).total_seconds()
        return round((run.delivered + run.failed) * 60 / seconds) if seconds >= 2 else 0


def of_client(session: Session, viewer: Viewer, client_id: UUID) -> list[Line]:
    """Every instance of a client the viewer may see, oldest first."""
    found = instances.of_client(session, viewer, client_id)
    counts, last = _counts(session, found), instances.last_runs(session, found)
    logins = _connections(session, found)
    told = notices.told(session, list(logins.values()))
    return [
        Line(
            instance=one,
            manifest=extensions.manifest_of(one.kind),
            connection=logins.get(one.connection_id) if one.connection_id else None,
            counts=counts.get(one.id, {}),
            last_run=last.get(one.id),
            told=told.get(one.connection_id, ()) if one.connection_id else (),
        )
        for one in found
    ]


def whole(session: Session, viewer: Viewer, client_id: UUID, instance_id: UUID) -> Whole:
    """One instance of a client."""
    client = access.client_or_404(session, viewer, client_id, Right.SEE)
    instance = instances.one_or_404(session, viewer, client_id, instance_id)
    connection = session.get(Connection, instance.connection_id) if instance.connection_id else None
    runs = instances.runs(session, instance)
    consents = connections.consents(session, connection) if connection else []
    names = _names(session, [instance.created_by, *(run.by for run in runs), *(one.person_id for one in consents)])
    return Whole(
        client=client,
        instance=instance,
        manifest=extensions.manifest_of(instance.kind),
        connection=connection,
        counts=_counts(session, [instance]).get(instance.id, {}),
        last_run=runs[0] if runs else None,
        told=notices.told(session, [connection]).get(connection.id, ()) if connection else (),
        runs=runs,
        under_way=passes.under_way(session, instance.id),
        sending=passes.sending(session, instance.id),
        consents=[(one, names.get(one.person_id, "–")) for one in consents],
        names=names,
        root_link=places.root_link(session, instance.id),
        account_links=places.account_links(session, instance.id),
        changed=drifts.of_client(session, viewer, client_id, instance_id=instance.id, limit=SHOWN),
        changed_total=drifts.open_at(session, instance.id),
        late={run.id: by for run in runs if (by := passes.late_by(run))},
        shares=instances.using(session, connection, without=instance) if connection else [],
    )


def _counts(session: Session, found: Sequence[Instance]) -> dict[UUID, dict[State, int]]:
    statement = (
        select(Delivery.instance_id, Delivery.state, sa.func.count())
        .where(col(Delivery.instance_id).in_([one.id for one in found]))
        .where(col(Delivery.current), Delivery.operation == Operation.COPY)
        .group_by(col(Delivery.instance_id), col(Delivery.state))
    )
    counted: dict[UUID, dict[State, int]] = {}
    for instance_id, state, number in session.exec(statement):
        counted.setdefault(instance_id, {})[State(state)] = number
    # in the order of P6, not of the database
    return {key: {state: states[state] for state in State if state in states} for key, states in counted.items()}


def _connections(session: Session, found: Sequence[Instance]) -> dict[UUID, Connection]:
    ids = {one.connection_id for one in found if one.connection_id}
    return {one.id: one for one in session.exec(select(Connection).where(col(Connection.id).in_(ids)))}


def _names(session: Session, ids: Sequence[UUID | None]) -> dict[UUID, str]:
    known = {one for one in ids if one is not None}
    return {one.id: one.name for one in session.exec(select(Person).where(col(Person.id).in_(known)))}
