"""Pages of deliveries: a client's list, one of them whole, what stands still over all clients; retry."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal import access
from portal.access import Right
from portal.delivery import drifts, services
from portal.delivery.models import State
from portal.errors import NotFound
from portal.i18n import N_, ngettext
from portal.instances import services as instances
from portal.overview import deliveries
from portal.overview.completeness import period_of
from portal.web import back_to, go_to, notice, reading, viewer, writing, zone

pages = Blueprint("deliveries", __name__)


@pages.get("/clients/<uuid:client_id>/deliveries")
def of_client(client_id: UUID) -> str:
    """A client's deliveries, by state and integration."""
    asked, instance_id = request.args.get("state", ""), _id("instance")
    with reading() as session:
        client = access.client_or_404(session, viewer(), client_id, Right.SEE)
        lines = deliveries.of_client(
            session,
            viewer(),
            client_id,
            states=_states(asked),
            instance_id=instance_id,
            period=period_of(request.args.get("month", ""), zone()),
            after=_id("after"),
        )
        available = instances.of_client(session, viewer(), client_id)
        rights = access.rights_for(viewer(), client)
    return render_template(
        "deliveries/list.html",
        client=client,
        lines=lines,
        instances=available,
        state=asked,
        instance_id=instance_id,
        month=request.args.get("month", ""),
        states=list(State),
        may_retry=Right.CORRECT in rights,
    )


@pages.get("/clients/<uuid:client_id>/deliveries/<uuid:delivery_id>")
def one(client_id: UUID, delivery_id: UUID) -> str:
    """One delivery: why it is where it is, every attempt, the receipt."""
    with reading() as session:
        whole = deliveries.whole(session, viewer(), client_id, delivery_id)
        rights = access.rights_for(viewer(), whole.client)
        drift = drifts.of_delivery(session, whole.line.delivery)
    may_retry = Right.CORRECT in rights and whole.line.delivery.state in services.RETRYABLE
    return render_template(
        "deliveries/one.html",
        client=whole.client,
        whole=whole,
        drift=drift,
        may_decide=Right.CORRECT in rights,
        may_retry=may_retry,
        may_ask=Right.INVOICE in rights and whole.line.delivery.state in {State.WAITING, State.BEFORE_ACTIVATION},
    )


@pages.post("/clients/<uuid:client_id>/deliveries/retry")
def retry(client_id: UUID) -> Response:
    """Try the chosen deliveries again."""
    chosen = [found for text in request.form.getlist("chosen") if (found := _parsed(text)) is not None]
    with writing() as session:
        queued = services.retry(session, viewer(), client_id, chosen)
    _say(queued)
    return go_to(back_to(url_for("deliveries.of_client", client_id=client_id)))


@pages.post("/clients/<uuid:client_id>/documents/<uuid:document_id>/ask/<uuid:instance_id>")
def ask(client_id: UUID, document_id: UUID, instance_id: UUID) -> Response:
    """Let one document go because a person wants it."""
    with writing() as session:
        access.client_or_404(session, viewer(), client_id, Right.INVOICE)
        delivery = services.ask(session, viewer(), document_id, instance_id)
        if delivery.client_id != client_id:
            raise NotFound
    notice(N_("It goes now."))
    return go_to(back_to(url_for("deliveries.one", client_id=client_id, delivery_id=delivery.id)))


@pages.get("/deliveries")
def standing_still() -> str:
    """What stands still over all clients, by reason."""
    with reading() as session:
        reasons = deliveries.reasons(session, viewer())
    return render_template("deliveries/reasons.html", reasons=reasons, may_retry=_may_retry())


@pages.get("/deliveries/like/<uuid:delivery_id>")
def alike(delivery_id: UUID) -> str:
    """Every delivery that stands still for one reason."""
    with reading() as session:
        example = services.delivery_or_404(session, viewer(), delivery_id, Right.SEE)
        lines = deliveries.with_reason(session, viewer(), delivery_id, after=_id("after"))
        names = deliveries.client_names(session, viewer(), [line.delivery.client_id for line in lines.lines])
    return render_template("deliveries/alike.html", example=example, lines=lines, names=names, may_retry=_may_retry())


@pages.post("/deliveries/like/<uuid:delivery_id>/retry")
def retry_alike(delivery_id: UUID) -> Response:
    """Try again everything that failed for one reason."""
    with writing() as session:
        queued = services.retry_same(session, viewer(), delivery_id)
    _say(queued)
    return redirect(url_for("deliveries.standing_still"), code=303)


def _may_retry() -> bool:
    return Right.CORRECT in viewer().firm_rights or any(
        Right.CORRECT in access.CONTACT_RIGHTS[role] for role in viewer().contacts.values()
    )


def _say(queued: int) -> None:
    if queued:
        notice(ngettext("%(num)s delivery is tried again.", "%(num)s deliveries are tried again.", queued))
    else:
        notice(N_("There was nothing to try again."), tone="warn")


def _states(text: str) -> tuple[State, ...]:
    """States of the filter: ``open`` is everything that stands still; anything unknown is no filter."""
    if text == "open":
        return deliveries.STOPPED
    return (State(text),) if text in set(State) else ()


def _id(name: str) -> UUID | None:
    return _parsed(request.args.get(name, ""))


def _parsed(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
