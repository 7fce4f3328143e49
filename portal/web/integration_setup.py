"""Adding an integration at a client, step by step (P4, E1): each step a page of its own, a draft until Finish."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from integrations.naming import TemplateError
from portal import access, clock
from portal.access import Right
from portal.connections import services as connections
from portal.connections import sign_in
from portal.connections.entered import Entry
from portal.connections.models import Connection, ConnectionState
from portal.connections.sign_in import Wish
from portal.delivery import forecast
from portal.errors import Conflict, Error, Invalid, NotFound, Unavailable
from portal.extensions import services as extensions
from portal.extensions.settings import InvalidSettings, secrets_of
from portal.i18n import N_, _, say
from portal.instances import places, setup
from portal.instances import services as instances
from portal.instances.models import Instance, InstanceState
from portal.instances.setup import Step
from portal.web import (
    forms,
    go,
    go_to,
    login_form,
    notice,
    parts,
    reading,
    sign_in_id,
    viewer,
    writing,
    zone,
)
from portal.web.consent import consent_form, consent_text, digest, redirect_uri, sign_in_here

pages = Blueprint("integration_setup", __name__)

NAMES = {
    Step.SIGN_IN: N_("Sign in"),
    Step.SETTINGS: N_("Settings"),
    Step.DOCUMENTS: N_("Documents"),
    Step.START: N_("From when"),
    Step.SUMMARY: N_("Summary"),
}
Wrong = dict[str, str]  # field -> sentence; "" stands above the form


@pages.get("/clients/<uuid:client_id>/integrations/add")
def choose(client_id: UUID) -> str:
    """The installed extensions that can be added here."""
    with reading() as session:
        client = access.client_or_404(session, viewer(), client_id, Right.SEE)
        offers = extensions.installed_for(session, viewer(), client)
        if not offers and not access.rights_for(viewer(), client) & {Right.EXPORTS, Right.IMPORTS, Right.LEDGER}:
            raise NotFound
    may_install = Right.FIRM in viewer().firm_rights
    return render_template("integrations/choose.html", client=client, offers=offers, may_install=may_install)


@pages.post("/clients/<uuid:client_id>/integrations/add")
def begin(client_id: UUID) -> Response:
    """A draft of the chosen kind, and on to its first step."""
    kind = request.form.get("kind", "")
    with writing() as session:
        client = access.client_or_404(session, viewer(), client_id, Right.SEE)
        if not access.rights_for(viewer(), client) & {Right.EXPORTS, Right.IMPORTS, Right.LEDGER}:
            raise NotFound
        if not kind:
            raise Invalid(N_("Please choose an extension."))
        instance = setup.begin(session, viewer(), client_id, kind)
    return _to(instance, setup.steps(kind)[0])


@pages.get("/clients/<uuid:client_id>/integrations/<uuid:instance_id>/set-up/<step>")
def show(client_id: UUID, instance_id: UUID, step: str) -> ResponseReturnValue:
    """One step of the set-up; of a finished instance the same as a page to change it."""
    return _page(client_id, instance_id, _step(step), {})


@pages.post("/clients/<uuid:client_id>/integrations/<uuid:instance_id>/set-up/<step>")
def take(client_id: UUID, instance_id: UUID, step: str) -> ResponseReturnValue:
    """Take what was entered, and on to the next step; what is wrong is shown beside its field."""
    at = _step(step)
    instance = _instance(client_id, instance_id)
    if at not in setup.steps(instance.kind):
        raise NotFound
    if at is Step.SUMMARY and instance.state is not InstanceState.DRAFT:
        return _finished(instance)
    try:
        return _TAKERS[at](instance)
    except InvalidSettings as refused:
        return _page(client_id, instance_id, at, {}, refused), refused.status
    except (Invalid, Conflict, Unavailable) as error:
        page = _page(client_id, instance_id, at, {error.field or "": say(error.text, error.facts)})
        return page if isinstance(page, Response) else (page, error.status)


def _step(text: str) -> Step:
    try:
        return Step(text)
    except ValueError as error:
        raise NotFound from error


def _instance(client_id: UUID, instance_id: UUID) -> Instance:
    """The instance, for somebody who may set it up."""
    with reading() as session:
        instance = instances.one_or_404(session, viewer(), client_id, instance_id)
        access.client_or_404(session, viewer(), client_id, extensions.right_of(instance.kind))
    if instance.state is InstanceState.REMOVED:
        raise NotFound
    return instance


# --- what each step takes


def _take_sign_in(instance: Instance) -> Response:
    chosen = request.form.get("connection", "new")
    if chosen != "new":
        with writing() as session:
            setup.connect(session, viewer(), instance.id, _uuid(chosen))
        return _onward(instance, Step.SIGN_IN)
    text = consent_text(instance.kind)
    if request.form.get("seen") != digest(text):
        raise Invalid(N_("The text of the consent has changed. Please read it again."))
    if "agree" not in request.form:
        raise Invalid(N_("Please agree to the consent first."), field="agree")
    name = request.form.get("name", "")
    if login_form.is_entered(instance.kind):
        sign_in_here(
            instance.client_id,
            Entry(
                kind=instance.kind, name=name, consent=text, values=login_form.values(instance.kind),
                instance_id=instance.id,
            ),
        )  # fmt: skip
        return _onward(instance, Step.SIGN_IN)
    wish = Wish(
        kind=instance.kind,
        name=name,
        consent=text,
        redirect_uri=redirect_uri(instance.kind),
        sign_in_id=sign_in_id(),
        instance_id=instance.id,
    )
    with writing() as session:
        url = sign_in.begin(session, viewer(), parts(), instance.client_id, wish)
    return go_to(url)


def signed_in_for(client_id: UUID, instance_id: UUID) -> Response:
    """On from the sign-in at the provider's page: a draft goes to its next step."""
    instance = _instance(client_id, instance_id)
    if instance.state is not InstanceState.DRAFT:
        return go("integrations.one", client_id=client_id, instance_id=instance_id)
    steps = setup.steps(instance.kind)
    return _to(instance, steps[steps.index(Step.SIGN_IN) + 1])


def _take_settings(instance: Instance) -> Response:
    model = extensions.connector_of(instance.kind).Config
    values = forms.parsed(model, request.form)
    labels = setup.check_settings(parts(), instance, values)
    with writing() as session:
        setup.set_settings(session, viewer(), parts().vault, instance.id, values, labels=labels)
    return _onward(instance, Step.SETTINGS)


def _take_documents(instance: Instance) -> Response:
    on_click = request.form.get("when") == "click"
    with writing() as session:
        setup.set_documents(session, viewer(), instance.id, request.form.getlist("takes"), on_click=on_click)
    return _onward(instance, Step.DOCUMENTS)


def _take_start(instance: Instance) -> Response:
    earlier_on = None
    if request.form.get("start") == "earlier":
        try:
            earlier_on = date.fromisoformat(request.form.get("earlier_on", ""))
        except ValueError as error:
            raise Invalid(N_("Please choose a day."), field="start") from error
    with writing() as session:
        setup.set_start(session, viewer(), instance.id, earlier_on)
    return _onward(instance, Step.START)


def _take_summary(instance: Instance) -> Response:
    name = request.form.get("name", "")
    with writing() as session:
        if name and name != instance.name:
            instances.rename(session, viewer(), instance.id, name)
        finished = setup.finish(session, viewer(), instance.id)
    places.find_root(parts(), finished)
    if finished.on_click:
        notice(N_("%(name)s is active. Documents go when somebody clicks."), name=finished.name)
    else:
        notice(N_("%(name)s is active. From now on its documents go by themselves."), name=finished.name)
    return go("integrations.one", client_id=instance.client_id, instance_id=instance.id)


_TAKERS = {
    Step.SIGN_IN: _take_sign_in,
    Step.SETTINGS: _take_settings,
    Step.DOCUMENTS: _take_documents,
    Step.START: _take_start,
    Step.SUMMARY: _take_summary,
}


def _onward(instance: Instance, done: Step) -> Response:
    """To the next step of a draft; a finished instance was only changed."""
    if instance.state is not InstanceState.DRAFT:
        notice(N_("The change is saved."))
        return go("integrations.one", client_id=instance.client_id, instance_id=instance.id)
    steps = setup.steps(instance.kind)
    return _to(instance, steps[steps.index(done) + 1])


def _finished(instance: Instance) -> Response:
    """Finish was pressed already: in another tab, twice, or before going back."""
    notice(N_("The set-up of %(name)s is finished."), name=instance.name)
    return go("integrations.one", client_id=instance.client_id, instance_id=instance.id)


def _to(instance: Instance, step: Step) -> Response:
    return go("integration_setup.show", client_id=instance.client_id, instance_id=instance.id, step=step.value)


# --- what each step shows


def _page(
    client_id: UUID, instance_id: UUID, step: Step, wrong: Wrong, refused: InvalidSettings | None = None
) -> str | Response:
    instance = _instance(client_id, instance_id)
    steps = setup.steps(instance.kind)
    if step not in steps:
        raise NotFound
    if step is Step.SUMMARY and instance.state is not InstanceState.DRAFT:
        return _finished(instance)
    with reading() as session:
        client = access.client_or_404(session, viewer(), client_id, Right.COUNTS)
        reached = setup.reached(session, instance)
        if instance.state is InstanceState.DRAFT and steps.index(step) > steps.index(reached):
            return _to(instance, reached)  # a step cannot be left out by its address
        connection = session.get(Connection, instance.connection_id) if instance.connection_id else None
        known = connections.of_client(session, client, instance.kind)
    shown = _SHOWN.get(step)
    return render_template(
        f"integrations/set_up_{step.value.replace('-', '_')}.html",
        client=client,
        instance=instance,
        manifest=extensions.manifest_of(instance.kind),
        connection=connection,
        known=[one for one in known if one.state is ConnectionState.LIVE],
        steps=steps,
        names=[_(NAMES[one]) for one in steps],
        step=step,
        at=steps.index(step),
        back=_back(instance, steps, step),
        draft=instance.state is InstanceState.DRAFT,
        wrong=wrong,
        **(shown(instance, wrong, refused) if shown else {}),
    )


def _back(instance: Instance, steps: list[Step], step: Step) -> str:
    if instance.state is not InstanceState.DRAFT:
        return url_for("integrations.one", client_id=instance.client_id, instance_id=instance.id)
    at = steps.index(step)
    if at == 0:
        return url_for("integration_setup.choose", client_id=instance.client_id)
    return url_for(
        "integration_setup.show", client_id=instance.client_id, instance_id=instance.id, step=steps[at - 1].value
    )


def _show_sign_in(instance: Instance, _wrong: Wrong, refused: InvalidSettings | None) -> dict[str, object]:
    name = request.form.get("name") or instance.name
    return {
        **consent_form(instance.kind, {}, refused), "name": name, "chosen": request.form.get("connection", ""),
        "agreed": "agree" in request.form,
    }  # fmt: skip


def _show_settings(instance: Instance, wrong: Wrong, refused: InvalidSettings | None) -> dict[str, object]:
    model = extensions.connector_of(instance.kind).Config
    try:
        offered = setup.choices(parts(), instance)
    except Error as error:
        wrong.setdefault("", say(error.text, error.facts))
        return {"fields": None}
    posted = request.method == "POST"
    values = forms.parsed(model, request.form) if posted else instances.shown_settings(instance)
    stored = secrets_of(model) & instance.settings.keys()
    paths, _wrong_path = _paths(instance, values)
    return {
        "paths": paths,
        "fields": forms.fields(model, values, offered=offered, refused=refused, stored=frozenset(stored)),
    }


def _show_start(instance: Instance, _wrong: Wrong, _refused: InvalidSettings | None) -> dict[str, object]:
    chosen = request.form.get("earlier_on") or instance.earlier_on
    return {"today": clock.local_date(clock.now(), zone()), "earlier_on": chosen}


def _show_summary(instance: Instance, _wrong: Wrong, _refused: InvalidSettings | None) -> dict[str, object]:
    with reading() as session:
        connection = session.get(Connection, instance.connection_id) if instance.connection_id else None
        return {"plan": forecast.forecast(session, instance, connection.space_left if connection else None)}


_SHOWN = {
    Step.SIGN_IN: _show_sign_in,
    Step.SETTINGS: _show_settings,
    Step.START: _show_start,
    Step.SUMMARY: _show_summary,
}


@pages.get("/clients/<uuid:client_id>/integrations/<uuid:instance_id>/set-up/preview")
def preview(client_id: UUID, instance_id: UUID) -> str:
    """Where documents would go by the settings as they stand in the form; asked with every key (E2)."""
    instance = _instance(client_id, instance_id)
    paths, wrong = _paths(instance, {name: request.args[name] for name in LAYOUT if name in request.args})
    return render_template("integrations/preview.html", paths=paths, wrong=wrong)


LAYOUT = ("root", "path", "language")


def _paths(instance: Instance, values: Mapping[str, object]) -> tuple[list[str], str]:
    """The paths, or what is wrong with the template."""
    try:
        with reading() as session:
            return forecast.preview(session, instance, values), ""
    except TemplateError as error:
        return [], say(error.text, error.facts)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Invalid(N_("Please choose a connection.")) from error
