"""The Integrations tab of a client, the page of one integration, and what can be done with it (P4, E1, E5)."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from portal import access
from portal.access import Right
from portal.connections import sign_in
from portal.delivery import drifts
from portal.errors import Error
from portal.extensions import services as extensions
from portal.i18n import N_, say
from portal.instances import places, services, setup
from portal.instances import take_over as taking_over
from portal.instances.models import InstanceState
from portal.overview import integrations as overview
from portal.web import forms, go, notice, parts, reading, sign_in_id, viewer, writing
from portal.web.connections import pages as connection_pages
from portal.web.consent import say_connected
from portal.web.integration_setup import pages as setup_pages
from portal.web.integration_setup import signed_in_for

pages = Blueprint("integrations", __name__)

__all__ = ["connection_pages", "pages", "setup_pages"]


@pages.get("/clients/<uuid:client_id>/integrations")
def of_client(client_id: UUID) -> str:
    """What the client's documents go to, and in which state that is."""
    with reading() as session:
        client = access.client_or_404(session, viewer(), client_id, Right.COUNTS)
        lines = overview.of_client(session, viewer(), client_id)
        rights = access.rights_for(viewer(), client)
    return render_template(
        "integrations/list.html",
        client=client,
        lines=[line for line in lines if line.instance.state is not InstanceState.REMOVED],
        removed=[line for line in lines if line.instance.state is InstanceState.REMOVED],
        may_add=bool(rights & {Right.EXPORTS, Right.IMPORTS, Right.LEDGER}),
        sees=Right.SEE in rights,
        may=lambda kind: extensions.right_of(kind) in rights,
    )


@pages.get("/clients/<uuid:client_id>/integrations/<uuid:instance_id>")
def one(client_id: UUID, instance_id: UUID) -> ResponseReturnValue:
    """One integration whole; a draft goes on with its set-up."""
    with reading() as session:
        whole = overview.whole(session, viewer(), client_id, instance_id)
        reached, labels = setup.reached(session, whole.instance), setup.labels_of(session, whole.instance)
        may = extensions.right_of(whole.instance.kind) in access.rights_for(viewer(), whole.client)
    if whole.instance.state is InstanceState.DRAFT:
        if not may:
            return go("integrations.of_client", client_id=client_id)
        return go("integration_setup.show", client_id=client_id, instance_id=instance_id, step=reached.value)
    return render_template(
        "integrations/one.html", client=whole.client, whole=whole, may=may, settings=_settings(whole, labels),
        steps=setup.steps(whole.instance.kind),
    )  # fmt: skip


@pages.get("/clients/<uuid:client_id>/integrations/<uuid:instance_id>/progress")
def progress(client_id: UUID, instance_id: UUID) -> str:
    """How far the run under way is: asked every two seconds, and a last time when it has ended."""
    with reading() as session:
        whole = overview.whole(session, viewer(), client_id, instance_id)
        may = extensions.right_of(whole.instance.kind) in access.rights_for(viewer(), whole.client)
    return render_template("integrations/progress.html", client=whole.client, whole=whole, may=may)


_VERB = "<any(pause, resume, retry, again, export, stop, look):verb>"


@pages.post(f"/clients/<uuid:client_id>/integrations/<uuid:instance_id>/{_VERB}")
def act(client_id: UUID, instance_id: UUID, verb: str) -> Response:
    """Pause, resume, try again after a hold, run the set-up again, export now, stop the run."""
    doing, said = _VERBS[verb]
    if verb in {"retry", "again"}:
        with reading() as session:
            instance = services.one_or_404(session, viewer(), client_id, instance_id)
            access.client_or_404(session, viewer(), client_id, extensions.right_of(instance.kind))
        places.find_root(parts(), instance)
    with writing() as session:
        services.one_or_404(session, viewer(), client_id, instance_id)
        doing(session, viewer(), instance_id)
    notice(said)
    return go("integrations.one", client_id=client_id, instance_id=instance_id)


_VERBS = {
    "pause": (services.pause, N_("Paused. What arrives is collected and goes when you resume.")),
    "resume": (services.resume, N_("Resumed. What was collected goes now.")),
    "retry": (services.try_again, N_("It is tried again.")),
    "again": (services.set_up_again, N_("The set-up ran again. What was removed at the destination goes once more.")),
    "export": (services.export_now, N_("The export begins.")),
    "look": (drifts.look_now, N_("What was delivered is being looked at. What was found appears here.")),
    "stop": (services.stop_run, N_("Stopped. The rest goes with the next run.")),
}


@pages.post("/clients/<uuid:client_id>/integrations/<uuid:instance_id>/rename")
def rename(client_id: UUID, instance_id: UUID) -> Response:
    """Another name."""
    with writing() as session:
        services.one_or_404(session, viewer(), client_id, instance_id)
        services.rename(session, viewer(), instance_id, request.form.get("name", ""))
    notice(N_("The name is saved."))
    return go("integrations.one", client_id=client_id, instance_id=instance_id)


@pages.get("/clients/<uuid:client_id>/integrations/<uuid:instance_id>/remove")
def ask_remove(client_id: UUID, instance_id: UUID) -> str:
    """What removing means, before it is done."""
    with reading() as session:
        whole = overview.whole(session, viewer(), client_id, instance_id)
        access.client_or_404(session, viewer(), client_id, extensions.right_of(whole.instance.kind))
    return render_template("integrations/remove.html", client=whole.client, whole=whole)


@pages.post("/clients/<uuid:client_id>/integrations/<uuid:instance_id>/remove")
def remove(client_id: UUID, instance_id: UUID) -> Response:
    """End it; what was exported stays. A draft is thrown away."""
    with writing() as session:
        services.one_or_404(session, viewer(), client_id, instance_id)
        removed = services.remove(session, viewer(), instance_id)
    if removed.activated_at is None:
        notice(N_("The set-up was thrown away."))
    else:
        notice(N_("%(name)s is removed. What it exported stays where it is."), name=removed.name)
    return go("integrations.of_client", client_id=client_id)


@pages.get("/clients/<uuid:client_id>/integrations/<uuid:instance_id>/take-over")
def ask_take_over(client_id: UUID, instance_id: UUID) -> str:
    """What using another account means, before it is done."""
    with reading() as session:
        whole = overview.whole(session, viewer(), client_id, instance_id)
        access.client_or_404(session, viewer(), client_id, extensions.right_of(whole.instance.kind))
    return render_template("integrations/take_over.html", client=whole.client, whole=whole)


@pages.post("/clients/<uuid:client_id>/integrations/<uuid:instance_id>/take-over")
def take_over(client_id: UUID, instance_id: UUID) -> Response:
    """End the export to the first account and begin the set-up with another. Asked a second time by a box."""
    with writing() as session:
        instance = services.one_or_404(session, viewer(), client_id, instance_id)
        access.client_or_404(session, viewer(), client_id, extensions.right_of(instance.kind))
        if "sure" not in request.form:
            return go("integrations.ask_take_over", client_id=client_id, instance_id=instance_id)
        draft = taking_over.begin(session, viewer(), instance_id)
    notice(N_("The export to the first account has stopped. Now sign in with the other one."))
    return go("integrations.one", client_id=client_id, instance_id=draft.id)


@pages.get("/connect/callback/<kind>")
def callback(kind: str) -> ResponseReturnValue:
    """Back from the provider's consent page, with a code or a refusal."""
    query = request.args.to_dict()
    with reading() as session:
        pending = sign_in.waiting(session, parts(), viewer(), query.get("state", ""))
    try:
        signed = sign_in.complete(parts(), viewer(), sign_in_id(), kind, query, setup.signed_in)
    except Error as error:
        if pending is None:
            raise
        notice(say(error.text, error.facts), tone="bad")
        return _back_from(pending.client_id, pending.instance_id, pending.connection_id)
    connection = signed.connection
    say_connected(signed)
    if signed.instance_id is not None:
        return signed_in_for(connection.client_id, signed.instance_id)
    return _back_from(connection.client_id, None, connection.id)


def _back_from(client_id: UUID, instance_id: UUID | None, connection_id: UUID | None) -> Response:
    """To the page that the sign-in was begun on: a draft goes on with its next step."""
    if instance_id is not None:
        return go("integrations.one", client_id=client_id, instance_id=instance_id)
    if connection_id is not None:
        return go("connections.one", client_id=client_id, connection_id=connection_id)
    return go("integrations.of_client", client_id=client_id)


def _settings(whole: overview.Whole, labels: dict[str, str]) -> list[tuple[str, object]]:
    """The settings as titles and values; what was chosen from a list is shown by its name there."""
    shown = services.shown_settings(whole.instance)
    rows: list[tuple[str, object]] = []
    for field in forms.fields(extensions.connector_of(whole.instance.kind).Config, shown):
        if field.name in shown and field.widget != "secret":
            value = shown[field.name]
            named = labels.get(field.name) if value else None
            rows.append((field.title, named or dict(field.options).get(str(value), value)))
    return rows
