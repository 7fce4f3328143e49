"""The completeness page of a client."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, render_template, request

from portal import access
from portal.access import Right
from portal.delivery.models import State
from portal.overview import completeness
from portal.web import reading, viewer, zone

pages = Blueprint("completeness", __name__)


@pages.get("/clients/<uuid:client_id>/completeness")
def of_client(client_id: UUID) -> str:
    """Documents there are = the sum over the states, per integration and period; every number a link."""
    period = completeness.period_of(request.args.get("month", ""), zone())
    with reading() as session:
        client = access.client_or_404(session, viewer(), client_id, Right.COUNTS)
        rows = completeness.rows(session, viewer(), client_id, period)
        rights = access.rights_for(viewer(), client)
    states = [state for state in State if any(row.counts.states.get(state) for row in rows)]
    return render_template(
        "completeness/page.html", client=client, rows=rows, period=period, states=states, may_see=Right.SEE in rights
    )
