"""What was found changed at providers: the list of a client, and what a person decides (E4)."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response

from portal import access
from portal.access import Right
from portal.delivery import drifts
from portal.i18n import N_, ngettext
from portal.instances import services as instances
from portal.overview import drifts as overview
from portal.web import back_to, go_to, notice, reading, viewer, writing

pages = Blueprint("drifts", __name__, url_prefix="/clients/<uuid:client_id>/drifts")
_DECIDING = "<any(restore, accept):verb>"


@pages.get("")
def of_client(client_id: UUID) -> str:
    """What stands open, or what was settled; of all integrations or one."""
    settled, instance_id = request.args.get("state") == "settled", _id(request.args.get("instance", ""))
    with reading() as session:
        client = access.client_or_404(session, viewer(), client_id, Right.SEE)
        lines = overview.of_client(
            session, viewer(), client_id, instance_id=instance_id, settled=settled,
            after=_id(request.args.get("after", "")),
        )  # fmt: skip
        known = instances.of_client(session, viewer(), client_id)
        may = Right.CORRECT in access.rights_for(viewer(), client)
    return render_template(
        "integrations/drifts.html", client=client, lines=lines, settled=settled, instance_id=instance_id,
        instances=known, may=may,
    )  # fmt: skip


@pages.post(f"/{_DECIDING}")
def decide(client_id: UUID, verb: str) -> Response:
    """Restore or accept the chosen ones."""
    chosen = [found for text in request.form.getlist("chosen") if (found := _id(text)) is not None]
    with writing() as session:
        done = drifts.decide(session, viewer(), client_id, chosen, restore=verb == "restore")
    _say(client_id, verb, done)
    return go_to(back_to(url_for("drifts.of_client", client_id=client_id)))


@pages.post("/<uuid:drift_id>/undo")
def undo(client_id: UUID, drift_id: UUID) -> Response:
    """Take an acceptance back."""
    with writing() as session:
        drifts.undo(session, viewer(), client_id, drift_id)
    notice(N_("It counts as changed again."))
    return go_to(back_to(url_for("drifts.of_client", client_id=client_id)))


def _say(client_id: UUID, verb: str, done: list[UUID]) -> None:
    if not done:
        notice(N_("There was nothing to decide any more."), tone="warn")
    elif verb == "restore":
        notice(ngettext("%(num)s document goes again.", "%(num)s documents go again.", len(done)))
    else:
        takes_back = url_for("drifts.undo", client_id=client_id, drift_id=done[0]) if len(done) == 1 else None
        notice(ngettext("%(num)s change is accepted.", "%(num)s changes are accepted.", len(done)), undo=takes_back)


def _id(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
