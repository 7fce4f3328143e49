"""The life of an instance after its set-up: pause, hold, release, run, remove. The set-up itself is in ``setup``.

| state | by | leads to |
|---|---|---|
| draft | Add integration | active (Finish), removed |
| active | Finish, Resume, a mended cause | paused, held, removed |
| paused | a person | active, held (its login is lost), removed |
| held | a login, a setting or room is missing | active (mended), paused, removed |
| removed | a person, Uninstall | – |

Every change is audited and plans the instance's deliveries again, in the same transaction; what does not fit is a
Conflict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from integrations.contract import Schedule
from portal import access, audit, clock, schedule, upcalls
from portal.access import Right, Viewer
from portal.accounts.models import Firm
from portal.audit import SYSTEM, By
from portal.clients.models import Client
from portal.connections.models import Connection, ConnectionState
from portal.errors import Conflict, Invalid, NotFound
from portal.extensions import services as extensions
from portal.extensions import settings
from portal.i18n import N_
from portal.instances.models import Instance, InstanceState, Run, RunTrigger

MAX_NAME = 80
_STATES: Mapping[InstanceState, str] = {
    InstanceState.DRAFT: N_("The set-up of this integration is not finished."),
    InstanceState.ACTIVE: N_("This integration is active."),
    InstanceState.PAUSED: N_("This integration is paused."),
    InstanceState.HELD: N_("This integration is held. See to its reason first."),
    InstanceState.REMOVED: N_("This integration was removed."),
}


def one_or_404(session: Session, viewer: Viewer, client_id: UUID, instance_id: UUID) -> Instance:
    """An instance of a client that the viewer may at least count; else NotFound."""
    access.client_or_404(session, viewer, client_id, Right.COUNTS)
    instance = session.get(Instance, instance_id)
    if instance is None or instance.client_id != client_id:
        raise NotFound
    return instance


def for_change(session: Session, viewer: Viewer, instance_id: UUID) -> Instance:
    """An instance that the viewer may set up, locked for this transaction; else NotFound."""
    instance = session.get(Instance, instance_id, with_for_update={"key_share": True}, populate_existing=True)
    if instance is None:
        raise NotFound
    access.client_or_404(session, viewer, instance.client_id, extensions.right_of(instance.kind))
    return instance


def of_client(session: Session, viewer: Viewer, client_id: UUID) -> list[Instance]:
    """The client's instances, oldest first; drafts that were thrown away are gone for good."""
    access.client_or_404(session, viewer, client_id, Right.COUNTS)
    kept = (col(Instance.state) != InstanceState.REMOVED) | col(Instance.activated_at).is_not(None)
    statement = select(Instance).where(Instance.client_id == client_id, kept)
    return list(session.exec(statement.order_by(col(Instance.created_at), col(Instance.id))))


def shown_settings(instance: Instance) -> dict[str, object]:
    """The settings that a person may read: without secrets."""
    return settings.shown(extensions.connector_of(instance.kind).Config, instance.settings)


def rename(session: Session, viewer: Viewer, instance_id: UUID, name: str) -> Instance:
    """Give an instance another name."""
    instance = for_change(session, viewer, instance_id)
    before, instance.name = instance.name, checked_name(name)
    record(session, instance, "instance.renamed", viewer.by, {"before": before, "name": instance.name})
    return instance


def pause(session: Session, viewer: Viewer, instance_id: UUID) -> Instance:
    """Stop sending; what arrives is collected."""
    instance = for_change(session, viewer, instance_id)
    expect(instance, InstanceState.ACTIVE, InstanceState.HELD)
    _move(instance, InstanceState.PAUSED)
    changed(session, instance, "instance.paused", viewer.by)
    return instance


def resume(session: Session, viewer: Viewer, instance_id: UUID) -> Instance:
    """Go on where it was paused; held at once when its login was lost meanwhile."""
    instance = for_change(session, viewer, instance_id)
    expect(instance, InstanceState.PAUSED)
    _go_on(session, instance)
    changed(session, instance, "instance.resumed", viewer.by)
    return instance


def try_again(session: Session, viewer: Viewer, instance_id: UUID) -> Instance:
    """Say that the cause of a hold is mended; Conflict while the login is lost, which only reconnecting mends."""
    instance = for_change(session, viewer, instance_id)
    expect(instance, InstanceState.HELD)
    _go_on(session, instance)
    if instance.state is InstanceState.HELD:
        raise Conflict(N_("Please reconnect first."))
    changed(session, instance, "instance.released", viewer.by)
    return instance


def set_up_again(session: Session, viewer: Viewer, instance_id: UUID) -> Instance:
    """Run the set-up again as it is: what was removed at the destination goes once more (E4), a hold is tried again.

    ``sync_from`` stays (P5). Conflict for a draft, a removed instance, and while the login is lost.
    """
    instance = for_change(session, viewer, instance_id)
    expect(instance, InstanceState.ACTIVE, InstanceState.PAUSED, InstanceState.HELD)
    if instance.state is InstanceState.HELD:
        _go_on(session, instance)
    if instance.state is InstanceState.HELD:
        raise Conflict(N_("Please reconnect first."))
    changed(session, instance, "instance.set_up_again", viewer.by)
    upcalls.call(upcalls.SET_UP_AGAIN, session, instance)
    return instance


def hold(session: Session, instance: Instance, text: str, facts: Mapping[str, object]) -> None:
    """Stop an instance because a login, a setting or room is missing; the sentence says which."""
    if instance.state is InstanceState.HELD and (instance.text, instance.facts) == (text, dict(facts)):
        return
    if instance.state not in {InstanceState.ACTIVE, InstanceState.HELD}:
        return
    _move(instance, InstanceState.HELD, text, facts)
    changed(session, instance, "instance.held", SYSTEM, {"reason": text % facts if facts else text})


def release(session: Session, instance: Instance, by: By = SYSTEM) -> None:
    """Let a held instance go on because the cause is mended; any other is left as it is."""
    if instance.state is InstanceState.HELD:
        _go_on(session, instance)
        changed(session, instance, "instance.released", by)


def login_lost(session: Session, connection: Connection) -> None:
    """Hold every active instance that uses a connection which is dead or was ended."""
    for instance in _using(session, connection):
        hold(session, instance, connection.text or N_("This login has ended. Please connect again."), connection.facts)


def login_back(session: Session, connection: Connection, by: By) -> None:
    """Release every held instance that uses a connection which can be used again."""
    for instance in _using(session, connection):
        release(session, instance, by)


def export_now(session: Session, viewer: Viewer, instance_id: UUID) -> Run:
    """Begin a run now; one that is under way takes in what came since. Conflict unless the instance is active."""
    instance = for_change(session, viewer, instance_id)
    expect(instance, InstanceState.ACTIVE)
    found = session.exec(select(Run).where(Run.instance_id == instance.id, col(Run.ended_at).is_(None))).first()
    if found is not None:
        upcalls.call(upcalls.RUN_ASKED, session, found, clock.now())
        return found
    run = add_run(session, instance, RunTrigger.PERSON, clock.now(), viewer.person_id)
    record(session, instance, "instance.run_asked", viewer.by)
    return run


def stop_run(session: Session, viewer: Viewer, instance_id: UUID) -> Instance:
    """Stop the run that is under way; what it did not reach goes with the next one."""
    instance = for_change(session, viewer, instance_id)
    upcalls.call(upcalls.RUN_STOPPED, session, instance)
    record(session, instance, "instance.run_stopped", viewer.by)
    return instance


def runs(session: Session, instance: Instance, *, before: UUID | None = None, limit: int = 10) -> list[Run]:
    """The runs of an instance, newest first; ``before`` is the last id of the page above."""
    statement = select(Run).where(Run.instance_id == instance.id).order_by(col(Run.id).desc()).limit(limit)
    return list(session.exec(statement.where(Run.id < before) if before else statement))


def last_runs(session: Session, instances: Sequence[Instance]) -> dict[UUID, Run]:
    """The newest run of each instance that has one."""
    last = (
        select(col(Run.instance_id), sa.func.max(col(Run.due_at)).label("due_at"))
        .where(col(Run.instance_id).in_([one.id for one in instances]))
        .group_by(col(Run.instance_id))
        .subquery()
    )
    newest = select(Run).join(last, (col(Run.instance_id) == last.c.instance_id) & (col(Run.due_at) == last.c.due_at))
    return {run.instance_id: run for run in session.exec(newest.order_by(col(Run.id)))}


def remove(session: Session, viewer: Viewer, instance_id: UUID) -> Instance:
    """End an instance for good. What it exported stays where it is; a new instance starts anew."""
    instance = for_change(session, viewer, instance_id)
    end(session, instance, viewer.by)
    return instance


def end(session: Session, instance: Instance, by: By) -> None:
    """The same without asking for rights: for an extension that is uninstalled as a whole."""
    if instance.state is InstanceState.REMOVED:
        raise Conflict(_STATES[InstanceState.REMOVED])
    now = clock.now()
    _move(instance, InstanceState.REMOVED)
    instance.removed_at, instance.next_run_at = now, None
    open_runs = sa.update(Run).where(col(Run.instance_id) == instance.id, col(Run.ended_at).is_(None))
    session.execute(open_runs.values(stopped_at=now, ended_at=now))
    changed(session, instance, "instance.removed", by)


def next_run(session: Session, instance: Instance, after: datetime) -> datetime | None:
    """When the instance's kind becomes due by itself next; None for kinds that send at once."""
    match extensions.manifest_of(instance.kind).schedule:
        case Schedule.NIGHTLY:
            return schedule.next_nightly(after, zone_of(session, instance))
        case Schedule.THREE_HOURLY:
            return schedule.next_every(after)
        case _:
            return None


def zone_of(session: Session, instance: Instance) -> str:
    """The IANA zone of the firm that the instance belongs to."""
    client = session.get_one(Client, instance.client_id)
    return session.get_one(Firm, client.firm_id).zone


def expect(instance: Instance, *states: InstanceState) -> None:
    """Conflict unless the instance is in one of ``states``."""
    if instance.state not in states:
        raise Conflict(_STATES[instance.state])


def checked_name(text: str) -> str:
    """A name as it is stored; Invalid when it is empty or too long."""
    name = " ".join(text.split())
    if not name:
        raise Invalid(N_("Please give the integration a name."), field="name")
    if len(name) > MAX_NAME:
        raise Invalid(N_("At most %(max_length)s characters, please."), field="name", max_length=MAX_NAME)
    return name


def add_run(session: Session, instance: Instance, trigger: RunTrigger, now: datetime, by: UUID | None = None) -> Run:
    """A run that begins now."""
    run = Run(instance_id=instance.id, trigger=trigger, due_at=now, by=by)
    session.add(run)
    session.flush()
    upcalls.call(upcalls.RUN_ASKED, session, run, now)
    return run


def record(
    session: Session, instance: Instance, action: str, by: By, facts: Mapping[str, object] | None = None
) -> None:
    """Store the instance and its audit entry, which tells its state and its login too (``delivery.trail``)."""
    session.add(instance)
    firm_id = session.get_one(Client, instance.client_id).firm_id
    uses = str(instance.connection_id) if instance.connection_id else None
    always: dict[str, object] = {"kind": instance.kind, "name": instance.name, "state": instance.state.value}
    audit.record(
        session, firm_id, action, by=by, client_id=instance.client_id, subject_id=instance.id,
        facts={**always, "connection_id": uses, **(facts or {})},
    )  # fmt: skip


def changed(
    session: Session, instance: Instance, action: str, by: By, facts: Mapping[str, object] | None = None
) -> None:
    """Store a change, its audit entry, and plan the instance's deliveries again."""
    record(session, instance, action, by, facts)
    session.flush()
    upcalls.call(upcalls.INSTANCE_CHANGED, session, instance)


def _move(
    instance: Instance, state: InstanceState, text: str | None = None, facts: Mapping[str, object] | None = None
) -> None:
    instance.state, instance.text, instance.facts = state, text, dict(facts or {})


def _go_on(session: Session, instance: Instance) -> None:
    """Active again, or held when its login is lost."""
    connection = session.get(Connection, instance.connection_id) if instance.connection_id else None
    if connection is not None and connection.state is not ConnectionState.LIVE:
        _move(instance, InstanceState.HELD, connection.text, connection.facts)
        return
    _move(instance, InstanceState.ACTIVE)
    instance.failures, instance.rest_until = 0, None
    instance.next_run_at = next_run(session, instance, clock.now())


def _using(session: Session, connection: Connection) -> list[Instance]:
    statement = select(Instance).where(Instance.connection_id == connection.id).order_by(col(Instance.id))
    return list(session.exec(statement.with_for_update(key_share=True)))


def using(session: Session, connection: Connection, *, without: Instance | None = None) -> list[Instance]:
    """The instances that would stop with a connection, oldest first; the caller has resolved the connection."""
    statement = select(Instance).where(Instance.connection_id == connection.id, Instance.state != InstanceState.REMOVED)
    found = session.exec(statement.order_by(col(Instance.id)))
    return [one for one in found if without is None or one.id != without.id]
