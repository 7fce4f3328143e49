"""Setting an instance up, step by step; a draft until Finish, and the same steps again later (P4, P5, E1)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session, col, select

import integrations
from integrations.contract import Connector, DocumentKind, Schedule
from integrations.errors import ConnectorError, Transient
from portal import access, clock, upcalls
from portal.access import Viewer
from portal.connections import services as connections
from portal.connections.keep import Asked
from portal.connections.models import Connection, ConnectionState
from portal.errors import Conflict, Error, Invalid, NotFound, Unavailable
from portal.extensions import services as extensions
from portal.extensions import settings
from portal.i18n import N_
from portal.instances import connectors
from portal.instances.models import Instance, InstanceState, Remembered, RunTrigger
from portal.instances.services import (
    add_run,
    changed,
    checked_name,
    expect,
    for_change,
    login_back,
    next_run,
    record,
    release,
    zone_of,
)
from portal.parts import Parts
from portal.secrets import Vault


class Step(StrEnum):
    """The steps of a set-up, in their order; a kind may not have all of them."""

    SIGN_IN = "sign-in"
    SETTINGS = "settings"
    DOCUMENTS = "documents"
    START = "start"
    SUMMARY = "summary"


def steps(kind: str) -> list[Step]:
    """The steps that this kind has."""
    manifest = extensions.manifest_of(kind)
    left_out = {
        Step.SIGN_IN: not extensions.signs_in(kind),
        Step.SETTINGS: not extensions.connector_of(kind).Config.model_fields,
        Step.DOCUMENTS: not manifest.takes,
        Step.START: not manifest.earlier_start,
    }
    return [step for step in Step if not left_out.get(step, False)]


def reached(session: Session, instance: Instance) -> Step:
    """The first step that is still to be done; the summary when none is."""
    done = {
        Step.SIGN_IN: connected(session, instance),
        Step.SETTINGS: _settings_complete(instance),
        Step.DOCUMENTS: bool(instance.takes),
        Step.START: True,
    }
    return next((step for step in steps(instance.kind) if not done.get(step, False)), Step.SUMMARY)


def connected(session: Session, instance: Instance) -> bool:
    """Whether the instance has a login that can be used."""
    connection = session.get(Connection, instance.connection_id) if instance.connection_id else None
    return connection is not None and connection.state is ConnectionState.LIVE


def begin(session: Session, viewer: Viewer, client_id: UUID, kind: str) -> Instance:
    """A draft of an installed kind for a client. Nothing is collected or sent before Finish."""
    client = access.client_or_404(session, viewer, client_id, extensions.right_of(kind))
    installation = extensions.installation_for(session, client, kind)
    instance = Instance(
        client_id=client.id, installation_id=installation.id, kind=kind, name=_free_name(session, client_id, kind),
        created_by=viewer.person_id,
    )  # fmt: skip
    record(session, instance, "instance.begun", viewer.by)
    return instance


def connect(session: Session, viewer: Viewer, instance_id: UUID, connection_id: UUID) -> Instance:
    """Let the instance use an existing connection of its client."""
    instance = for_change(session, viewer, instance_id)
    expect(instance, *_NOT_REMOVED)
    connection = connections.one_or_404(session, viewer, instance.client_id, connection_id)
    if connection.installation_id != instance.installation_id:
        raise NotFound
    if connection.state is not ConnectionState.LIVE:
        raise Conflict(N_("This connection is lost. Please reconnect it."))
    attach(session, viewer, instance, connection)
    return instance


def signed_in(session: Session, viewer: Viewer, connection: Connection, asked: Asked) -> None:
    """What a completed sign-in means here: the draft has its login, and what was held for it goes on."""
    session.flush()
    instance = session.get(Instance, asked.instance_id) if asked.instance_id else None
    if instance is not None and instance.state in _NOT_REMOVED and instance.connection_id != connection.id:
        attach(session, viewer, instance, connection)
    login_back(session, connection, viewer.by)


def attach(session: Session, viewer: Viewer, instance: Instance, connection: Connection) -> None:
    """Let the instance use the connection. Once it has delivered for an account it stays with that account (E5)."""
    former = session.get(Connection, instance.connection_id) if instance.connection_id else None
    if instance.state is not InstanceState.DRAFT and former and former.account_id != connection.account_id:
        raise Conflict(
            N_("This integration belongs to %(old)s. Please add a new integration for %(new)s."),
            old=former.account_name, new=connection.account_name,
        )  # fmt: skip
    if former is not None and former.account_id != connection.account_id:
        session.execute(sa.delete(Remembered).where(col(Remembered.instance_id) == instance.id))
        instance.settings = {}  # they name things of the former account
    instance.connection_id = connection.id
    facts = {"connection": connection.name, "account": connection.account_name}
    record(session, instance, "instance.connected", viewer.by, facts)
    session.flush()
    release(session, instance, viewer.by)


def choices(parts: Parts, instance: Instance) -> dict[str, list[tuple[str, str]]]:
    """What the provider offers for each setting that is chosen there: (value, label). Asks the provider.

    Raises Unavailable when it does not answer and Conflict when the login is lost.
    """
    fields = chosen_fields(extensions.connector_of(instance.kind))
    if not fields:
        return {}
    try:
        with connectors.opened(parts, instance.id, complete=False, watched=True) as connector:
            return {name: [(one.value, one.label) for one in connector.choices(name)] for name in fields}
    except ConnectorError as error:
        raise _said(error) from error


def chosen_fields(connector: type[Connector]) -> list[str]:
    """The settings whose values the provider offers."""
    marked = []
    for name, field in connector.Config.model_fields.items():
        extra = field.json_schema_extra
        if isinstance(extra, dict) and extra.get("choices"):
            marked.append(name)
    return marked


def check_settings(parts: Parts, instance: Instance, values: settings.Values) -> dict[str, str]:
    """Hold settings against what the provider offers now; return the chosen labels by field.

    InvalidSettings names each value that the provider does not know; other errors as with ``choices``.
    """
    offered = {name: dict(options) for name, options in choices(parts, instance).items()}
    chosen = {name: str(values[name]) for name in offered if values.get(name)}
    unknown: dict[str, settings.Sentence] = {
        name: (N_("Please choose one of the list."), {}) for name, value in chosen.items() if value not in offered[name]
    }
    if unknown:
        raise settings.InvalidSettings(unknown)
    return {name: offered[name][value] for name, value in chosen.items()}


def set_settings(
    session: Session,
    viewer: Viewer,
    vault: Vault,
    instance_id: UUID,
    values: settings.Values,
    *,
    labels: Mapping[str, str] | None = None,
) -> Instance:
    """Store the settings as the kind's Config takes them; secrets that are left empty stay as they are.

    ``labels`` are the provider's words for what was chosen, kept for pages (see ``check_settings``).
    """
    instance = for_change(session, viewer, instance_id)
    expect(instance, *_NOT_REMOVED)
    model = extensions.connector_of(instance.kind).Config
    before = settings.unsealed(vault, instance.settings)
    config = settings.validated(model, settings.kept(model, values, before))
    after = settings.plain(config)
    instance.settings = settings.sealed(vault, config)
    for name, label in (labels or {}).items():
        session.merge(Remembered(instance_id=instance.id, key=f"{_LABEL}{name}", value=label))
    names = sorted(name for name in after if after[name] != before.get(name))
    _apply(session, viewer, instance, "instance.settings_changed", {"changed": names})
    return instance


def set_documents(
    session: Session, viewer: Viewer, instance_id: UUID, takes: Collection[str], *, on_click: bool = False
) -> Instance:
    """Which kinds of documents go, and whether by themselves or on a click."""
    instance = for_change(session, viewer, instance_id)
    expect(instance, *_NOT_REMOVED)
    manifest = extensions.manifest_of(instance.kind)
    chosen: list[str] = [str(kind.value) for kind in DocumentKind if kind.value in set(takes)]
    if not chosen:
        raise Invalid(N_("Please choose at least one kind of document."), field="takes")
    if not set(takes) <= {kind.value for kind in manifest.takes}:
        raise Invalid(N_("%(name)s does not take all of these documents."), field="takes", name=manifest.name)
    if on_click and not manifest.on_click:
        raise Invalid(N_("%(name)s always works by itself."), field="on_click", name=manifest.name)
    instance.takes, instance.on_click = chosen, on_click
    _apply(session, viewer, instance, "instance.documents_chosen", {"takes": chosen, "on_click": on_click})
    return instance


def set_start(session: Session, viewer: Viewer, instance_id: UUID, earlier_on: date | None) -> Instance:
    """From when documents are taken: a first day in the firm's zone, or None for the moment of Finish.

    A finished instance keeps its ``sync_from``, unless an earlier day is given (P5).
    """
    instance = for_change(session, viewer, instance_id)
    expect(instance, *_NOT_REMOVED)
    zone = zone_of(session, instance)
    if earlier_on is not None:
        _check_start(instance, earlier_on, zone)
    if instance.state is InstanceState.DRAFT:
        instance.earlier_on = earlier_on
        record(session, instance, "instance.start_chosen", viewer.by, {"earlier_on": _text(earlier_on)})
    elif earlier_on is not None:
        instance.earlier_on, instance.sync_from = earlier_on, start_of(earlier_on, zone)
        facts = {"earlier_on": _text(earlier_on), "sync_from": instance.sync_from.astimezone(UTC).isoformat()}
        changed(session, instance, "instance.start_moved", viewer.by, facts)
    return instance


def _check_start(instance: Instance, earlier_on: date, zone: str) -> None:
    manifest = extensions.manifest_of(instance.kind)
    if not manifest.earlier_start:
        raise Invalid(N_("%(name)s takes only what arrives after activation."), field="start", name=manifest.name)
    if earlier_on > clock.local_date(clock.now(), zone):
        raise Invalid(N_("Please choose today or an earlier day."), field="start")
    if instance.sync_from is not None and start_of(earlier_on, zone) >= instance.sync_from:
        raise Invalid(N_("The start can only be moved to an earlier day."), field="start")


def start_of(day: date, zone: str) -> datetime:
    """The first instant of a day in a zone."""
    return datetime.combine(day, time.min, ZoneInfo(zone))


def missing(session: Session, instance: Instance) -> list[Step]:
    """The steps that keep Finish from being possible."""
    first = reached(session, instance)
    return [] if first is Step.SUMMARY else [first]


def finish(session: Session, viewer: Viewer, instance_id: UUID) -> Instance:
    """Activate a draft: from this moment (or the chosen earlier day) on its documents go (P5).

    Conflict when it is no draft any more or a step is missing.
    """
    instance = for_change(session, viewer, instance_id)
    expect(instance, InstanceState.DRAFT)
    if reached(session, instance) is not Step.SUMMARY:
        raise Conflict(N_("The set-up of this integration is not finished."))
    now = clock.now()
    early = instance.earlier_on
    instance.state, instance.activated_at = InstanceState.ACTIVE, now
    instance.sync_from = min(now, start_of(early, zone_of(session, instance))) if early else now
    instance.next_run_at = next_run(session, instance, now)
    start = instance.sync_from.astimezone(UTC).isoformat()
    facts = {"sync_from": start, "takes": instance.takes, "on_click": instance.on_click}
    changed(session, instance, "instance.finished", viewer.by, facts)
    if extensions.manifest_of(instance.kind).schedule is not Schedule.AT_ONCE:
        add_run(session, instance, RunTrigger.FINISH, now, viewer.person_id)
    return instance


def labels_of(session: Session, instance: Instance) -> dict[str, str]:
    """The provider's words for the settings that were chosen from its lists, by field."""
    kept = select(Remembered).where(
        Remembered.instance_id == instance.id, col(Remembered.key).startswith(_LABEL, autoescape=True)
    )
    return {one.key.removeprefix(_LABEL): one.value for one in session.exec(kept)}


_LABEL = "portal:label-"
FINISHED = (InstanceState.ACTIVE, InstanceState.PAUSED, InstanceState.HELD)
_NOT_REMOVED = (InstanceState.DRAFT, *FINISHED)


def _apply(session: Session, viewer: Viewer, instance: Instance, action: str, facts: dict[str, object]) -> None:
    """Store a step. A finished instance's deliveries are planned again; a hold for a wrong setting is lifted (E4)."""
    if instance.state is InstanceState.DRAFT:
        record(session, instance, action, viewer.by, facts)
    else:
        changed(session, instance, action, viewer.by, facts)
        release(session, instance, viewer.by)
        upcalls.call(upcalls.SET_UP_AGAIN, session, instance)


def _settings_complete(instance: Instance) -> bool:
    model = extensions.connector_of(instance.kind).Config
    needed = {name for name, field in model.model_fields.items() if field.is_required()}
    return bool(instance.settings) and needed <= instance.settings.keys()


def _free_name(session: Session, client_id: UUID, kind: str) -> str:
    """The kind's name, numbered when the client has one of that name already."""
    statement = select(Instance.name).where(
        Instance.client_id == client_id, Instance.state != InstanceState.REMOVED, Instance.kind == kind
    )
    taken = set(session.exec(statement))
    name = checked_name(integrations.get(kind).manifest.name)
    numbered = (f"{name} {number}" for number in range(2, len(taken) + 3))
    return name if name not in taken else next(one for one in numbered if one not in taken)


def _said(error: ConnectorError) -> Error:
    kind = Unavailable if isinstance(error, Transient) else Conflict
    return kind(error.text, field=None, **error.facts)


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None
