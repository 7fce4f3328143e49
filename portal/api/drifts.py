"""/clients/…/drifts: what a look back found changed at providers, and what is decided of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apiflask import APIBlueprint

from portal.api import told
from portal.api.reach import reading, viewer, writing
from portal.api.work import DriftOut, DriftPage, DriftQuery
from portal.delivery import drifts
from portal.delivery.models import Drift
from portal.overview import drifts as overview

bp = APIBlueprint("drifts", __name__, tag="Drifts")
ONE = "/clients/<uuid:client_id>/drifts/<uuid:drift_id>"


@bp.get("/clients/<uuid:client_id>/drifts")
@bp.input(DriftQuery, location="query", arg_name="query")
@bp.output(DriftPage)
def listed(client_id: UUID, query: DriftQuery) -> DriftPage:
    """List drifts

    Those to be decided, or those that were settled; newest first.
    """
    with reading() as session:
        found = overview.of_client(
            session, viewer(), client_id, instance_id=query.instance_id, settled=query.settled, after=query.after,
            limit=query.limit,
        )  # fmt: skip
        after = str(found.after) if found.after else None
        return DriftPage(items=[_told(one.drift) for one in found.lines], after=after)


@bp.post(f"{ONE}/restore")
@bp.output(DriftOut)
def restore(client_id: UUID, drift_id: UUID) -> DriftOut:
    """Restore

    What we delivered goes once more.
    """
    return _decided(client_id, drift_id, drifts.restore)


@bp.post(f"{ONE}/accept")
@bp.output(DriftOut)
def accept(client_id: UUID, drift_id: UUID) -> DriftOut:
    """Accept

    The receipt says what is there now; what is gone counts as removed at the destination.
    """
    return _decided(client_id, drift_id, drifts.accept)


@bp.post(f"{ONE}/undo")
@bp.output(DriftOut)
def undo(client_id: UUID, drift_id: UUID) -> DriftOut:
    """Take an acceptance back"""
    return _decided(client_id, drift_id, drifts.undo)


def _decided(client_id: UUID, drift_id: UUID, how: Any) -> DriftOut:
    with writing() as session:
        return _told(how(session, viewer(), client_id, drift_id))


def _told(row: Drift) -> DriftOut:
    return told.filled(DriftOut, row, can_accept=drifts.can_accept(row))
