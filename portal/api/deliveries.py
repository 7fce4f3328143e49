"""/clients/…/deliveries and /clients/…/completeness."""

from __future__ import annotations

from uuid import UUID

from apiflask import APIBlueprint

from portal import access
from portal.access import Right
from portal.accounts.models import Firm
from portal.api import told
from portal.api.reach import reading, viewer, writing
from portal.api.work import (
    Completeness,
    CompletenessQuery,
    CompletenessRow,
    DeliveryPage,
    DeliveryQuery,
    DeliveryWhole,
    Queued,
    RetryIn,
)
from portal.delivery import services
from portal.overview import completeness, deliveries

bp = APIBlueprint("deliveries", __name__, tag="Deliveries")
ONE = "/clients/<uuid:client_id>/deliveries/<uuid:delivery_id>"


@bp.get("/clients/<uuid:client_id>/deliveries")
@bp.input(DeliveryQuery, location="query", arg_name="query")
@bp.output(DeliveryPage)
def listed(client_id: UUID, query: DeliveryQuery) -> DeliveryPage:
    """List deliveries

    The present ones, newest first.
    """
    with reading() as session:
        found = deliveries.of_client(
            session,
            viewer(),
            client_id,
            states=[query.state] if query.state else [],
            instance_id=query.instance_id,
            after=query.after,
            limit=query.limit,
        )
        items = [told.delivery(line) for line in found.lines]
        return DeliveryPage(items=items, after=str(found.after) if found.after else None)


@bp.get(ONE)
@bp.output(DeliveryWhole)
def show(client_id: UUID, delivery_id: UUID) -> DeliveryWhole:
    """Show a delivery

    With every try and the receipt.
    """
    with reading() as session:
        return told.whole(deliveries.whole(session, viewer(), client_id, delivery_id))


@bp.post("/clients/<uuid:client_id>/deliveries/retry")
@bp.input(RetryIn, arg_name="body")
@bp.output(Queued, status_code=202)
def retry(client_id: UUID, body: RetryIn) -> Queued:
    """Try again

    One or many; those that did not fail are left as they are.
    """
    with writing() as session:
        return Queued(queued=services.retry(session, viewer(), client_id, body.delivery_ids))


@bp.post(f"{ONE}/retry-same")
@bp.output(Queued, status_code=202)
def retry_same(client_id: UUID, delivery_id: UUID) -> Queued:
    """Try everything with this error again

    Over all clients that one may correct.
    """
    with writing() as session:
        deliveries.whole(session, viewer(), client_id, delivery_id)
        return Queued(queued=services.retry_same(session, viewer(), delivery_id))


@bp.get("/clients/<uuid:client_id>/completeness")
@bp.input(CompletenessQuery, location="query", arg_name="query")
@bp.output(Completeness)
def sums(client_id: UUID, query: CompletenessQuery) -> Completeness:
    """Count

    Per integration the documents there are, against the states they are in.
    """
    with reading() as session:
        client = access.client_or_404(session, viewer(), client_id, Right.COUNTS)
        period = completeness.period_of(query.month or "", session.get_one(Firm, client.firm_id).zone)
        rows = completeness.rows(session, viewer(), client_id, period)
        return Completeness(items=[_row(one) for one in rows])


def _row(row: completeness.Row) -> CompletenessRow:
    counts = row.counts
    return CompletenessRow(
        instance_id=row.instance.id,
        instance_name=row.instance.name,
        documents=counts.documents,
        states={state.value: number for state, number in counts.states.items()},
        difference=counts.difference,
        unproven=counts.unproven,
    )
