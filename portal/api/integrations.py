"""/clients/…/instances: set up, steer, look at."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from flask import request
from sqlmodel import Session

from portal import access
from portal.access import Right
from portal.api import told
from portal.api.reach import parts, reading, viewer, writing
from portal.api.work import (
    ChoiceOut,
    ChoicesOut,
    ConnectionChoice,
    DocumentsIn,
    InstanceChange,
    InstanceIn,
    InstanceList,
    InstanceOut,
    PlannedFolder,
    PlanOut,
    RunOut,
    RunPage,
    RunQuery,
    SettingsIn,
    StartIn,
)
from portal.clients.models import Client
from portal.connections.models import Connection
from portal.delivery import drifts, forecast
from portal.extensions import services as extensions
from portal.i18n import say
from portal.instances import places, setup
from portal.instances import services as instances
from portal.instances import take_over as taking_over
from portal.instances.models import Instance, InstanceState

bp = APIBlueprint("instances", __name__, tag="Integrations")
ALL = "/clients/<uuid:client_id>/instances"
ONE = "/clients/<uuid:client_id>/instances/<uuid:instance_id>"


@bp.get(ALL)
@bp.output(InstanceList)
def listed(client_id: UUID) -> InstanceList:
    """List integrations"""
    with reading() as session:
        found = instances.of_client(session, viewer(), client_id)
        return InstanceList(items=[_instance(session, one) for one in found])


@bp.post(ALL)
@bp.input(InstanceIn, arg_name="body")
@bp.output(InstanceOut, status_code=201)
def begin(client_id: UUID, body: InstanceIn) -> InstanceOut:
    """Add an integration

    A draft: nothing is collected and nothing is sent until it is finished. Then, as the kind needs it: a connection
    (an existing one, or a person signs in on «page»), settings, documents, start, finish.
    """
    with writing() as session:
        made = setup.begin(session, viewer(), client_id, body.kind)
        session.flush()
        return _instance(session, made)


@bp.get(ONE)
@bp.output(InstanceOut)
def show(client_id: UUID, instance_id: UUID) -> InstanceOut:
    """Show an integration"""
    with reading() as session:
        return _instance(session, instances.one_or_404(session, viewer(), client_id, instance_id))


@bp.patch(ONE)
@bp.input(InstanceChange, arg_name="body")
@bp.output(InstanceOut)
def rename(client_id: UUID, instance_id: UUID, body: InstanceChange) -> InstanceOut:
    """Rename an integration"""
    with writing() as session:
        instances.one_or_404(session, viewer(), client_id, instance_id)
        return _instance(session, instances.rename(session, viewer(), instance_id, body.name))


@bp.delete(ONE)
@bp.output(InstanceOut)
def remove(client_id: UUID, instance_id: UUID) -> InstanceOut:
    """Remove an integration

    For good. What it delivered stays where it is.
    """
    with writing() as session:
        instances.one_or_404(session, viewer(), client_id, instance_id)
        return _instance(session, instances.remove(session, viewer(), instance_id))


@bp.put(f"{ONE}/connection")
@bp.input(ConnectionChoice, arg_name="body")
@bp.output(InstanceOut)
def connect(client_id: UUID, instance_id: UUID, body: ConnectionChoice) -> InstanceOut:
    """Use an existing connection"""
    with writing() as session:
        instances.one_or_404(session, viewer(), client_id, instance_id)
        return _instance(session, setup.connect(session, viewer(), instance_id, body.connection_id))


@bp.get(f"{ONE}/choices")
@bp.output(ChoicesOut)
def choices(client_id: UUID, instance_id: UUID) -> ChoicesOut:
    """List what the provider offers

    For every setting whose value is chosen there, such as accounts. Asks the provider.
    """
    with reading() as session:
        instance = instances.one_or_404(session, viewer(), client_id, instance_id)
        access.client_or_404(session, viewer(), client_id, extensions.right_of(instance.kind))
    offered = setup.choices(parts(), instance)
    return ChoicesOut(
        choices={
            name: [ChoiceOut(value=value, label=label) for value, label in values] for name, values in offered.items()
        }
    )


@bp.put(f"{ONE}/settings")
@bp.input(SettingsIn, arg_name="body")
@bp.output(InstanceOut)
def set_settings(client_id: UUID, instance_id: UUID, body: SettingsIn) -> InstanceOut:
    """Set the settings

    All of them, as «settings_schema» of the extension says; held against what the provider offers.
    """
    with reading() as session:
        instance = instances.one_or_404(session, viewer(), client_id, instance_id)
        access.client_or_404(session, viewer(), client_id, extensions.right_of(instance.kind))
    labels = setup.check_settings(parts(), instance, body.settings)
    with writing() as session:
        changed = setup.set_settings(session, viewer(), parts().vault, instance_id, body.settings, labels=labels)
        return _instance(session, changed)


@bp.put(f"{ONE}/documents")
@bp.input(DocumentsIn, arg_name="body")
@bp.output(InstanceOut)
def set_documents(client_id: UUID, instance_id: UUID, body: DocumentsIn) -> InstanceOut:
    """Choose the documents

    Which kinds go, and whether by themselves or on a click.
    """
    with writing() as session:
        instances.one_or_404(session, viewer(), client_id, instance_id)
        takes = [kind.value for kind in body.takes]
        return _instance(session, setup.set_documents(session, viewer(), instance_id, takes, on_click=body.on_click))


@bp.put(f"{ONE}/start")
@bp.input(StartIn, arg_name="body")
@bp.output(InstanceOut)
def set_start(client_id: UUID, instance_id: UUID, body: StartIn) -> InstanceOut:
    """Choose the start

    A first day in the firm's zone, where the kind allows it; null: the moment of Finish. An instance that is finished
    can only be moved to an earlier day.
    """
    with writing() as session:
        instances.one_or_404(session, viewer(), client_id, instance_id)
        return _instance(session, setup.set_start(session, viewer(), instance_id, body.earlier_on))


@bp.get(f"{ONE}/plan")
@bp.output(PlanOut)
def plan(client_id: UUID, instance_id: UUID) -> PlanOut:
    """Tell what would go

    What Finish would begin, or what a finished one takes: counted here, without asking the provider.
    """
    with reading() as session:
        instance = instances.one_or_404(session, viewer(), client_id, instance_id)
        access.client_or_404(session, viewer(), client_id, Right.SEE)
        connection = session.get(Connection, instance.connection_id) if instance.connection_id else None
        found = forecast.forecast(session, instance, connection.space_left if connection else None)
    folders = [PlannedFolder(path=path, documents=number) for path, number in found.folders]
    return told.filled(PlanOut, found, folders=folders)


def _moved(client_id: UUID, instance_id: UUID, move: Any) -> InstanceOut:
    with writing() as session:
        instances.one_or_404(session, viewer(), client_id, instance_id)
        return _instance(session, move(session, viewer(), instance_id))


@bp.post(f"{ONE}/finish")
@bp.output(InstanceOut)
def finish(client_id: UUID, instance_id: UUID) -> InstanceOut:
    """Finish the set-up

    From this moment on documents go.
    """
    finished = _moved(client_id, instance_id, setup.finish)
    _find_root(client_id, instance_id)
    return finished


@bp.post(f"{ONE}/pause")
@bp.output(InstanceOut)
def pause(client_id: UUID, instance_id: UUID) -> InstanceOut:
    """Pause

    Nothing is sent; what arrives is collected.
    """
    return _moved(client_id, instance_id, instances.pause)


@bp.post(f"{ONE}/resume")
@bp.output(InstanceOut)
def resume(client_id: UUID, instance_id: UUID) -> InstanceOut:
    """Resume"""
    return _moved(client_id, instance_id, instances.resume)


@bp.post(f"{ONE}/release")
@bp.output(InstanceOut)
def release(client_id: UUID, instance_id: UUID) -> InstanceOut:
    """Go on after a hold

    Says that its cause is mended.
    """
    _find_root(client_id, instance_id)
    return _moved(client_id, instance_id, instances.try_again)


@bp.post(f"{ONE}/set-up-again")
@bp.output(InstanceOut)
def set_up_again(client_id: UUID, instance_id: UUID) -> InstanceOut:
    """Run the set-up again

    As it is: what was removed at the destination goes once more. From when documents are taken stays as it was.
    """
    _find_root(client_id, instance_id)
    return _moved(client_id, instance_id, instances.set_up_again)


@bp.post(f"{ONE}/take-over")
@bp.output(InstanceOut, status_code=201)
def take_over(client_id: UUID, instance_id: UUID) -> InstanceOut:
    """Use another account

    Ends the integration, and its login if nothing else uses it; what it exported stays. The answer is a draft with
    the same settings, which needs a login.
    """
    return _moved(client_id, instance_id, taking_over.begin)


@bp.post(f"{ONE}/look")
@bp.output(InstanceOut, status_code=202)
def look(client_id: UUID, instance_id: UUID) -> InstanceOut:
    """Look back now

    Asks the provider whether what was delivered is as its receipts say; what differs is listed under «drifts».
    """
    return _moved(client_id, instance_id, drifts.look_now)


@bp.get(f"{ONE}/runs")
@bp.input(RunQuery, location="query", arg_name="query")
@bp.output(RunPage)
def runs(client_id: UUID, instance_id: UUID, query: RunQuery) -> RunPage:
    """List runs

    Newest first. One under way tells how far it is: «delivered» and «failed» of «total».
    """
    with reading() as session:
        instance = instances.one_or_404(session, viewer(), client_id, instance_id)
        found = instances.runs(session, instance, before=query.after, limit=query.limit + 1)
        items = [told.filled(RunOut, one) for one in found[: query.limit]]
        return RunPage(items=items, after=str(items[-1].id) if len(found) > query.limit else None)


@bp.post(f"{ONE}/runs")
@bp.output(RunOut, status_code=202)
def export_now(client_id: UUID, instance_id: UUID) -> RunOut:
    """Export now

    Begins a run; one that is under way is given back.
    """
    with writing() as session:
        instances.one_or_404(session, viewer(), client_id, instance_id)
        return told.filled(RunOut, instances.export_now(session, viewer(), instance_id))


@bp.delete(f"{ONE}/runs")
@bp.output(InstanceOut)
def stop_run(client_id: UUID, instance_id: UUID) -> InstanceOut:
    """Stop the run

    What it did not reach goes with the next one.
    """
    return _moved(client_id, instance_id, instances.stop_run)


def _find_root(client_id: UUID, instance_id: UUID) -> None:
    """Have the main folder made, for whoever may set the instance up; a provider that is down is no error."""
    with reading() as session:
        instance = instances.one_or_404(session, viewer(), client_id, instance_id)
        access.client_or_404(session, viewer(), client_id, extensions.right_of(instance.kind))
    places.find_root(parts(), instance)


def _instance(session: Session, row: Instance) -> InstanceOut:
    step = setup.reached(session, row) if row.state is InstanceState.DRAFT else setup.Step.SUMMARY
    sees = Right.SEE in access.rights_for(viewer(), session.get_one(Client, row.client_id))  # else states alone
    place = f"{request.host_url}clients/{row.client_id}/integrations/{row.id}"
    return told.filled(
        InstanceOut,
        row,
        text=say(row.text, row.facts) if sees else "",
        settings=instances.shown_settings(row) if sees else {},
        next_step=None if step is setup.Step.SUMMARY else step.value,
        page=f"{place}/set-up/{step.value}" if row.state is InstanceState.DRAFT else place,
    )
