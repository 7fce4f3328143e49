"""The completeness page of a client (P7): per instance the documents there are against the states they are in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from portal import access
from portal.access import Right, Viewer
from portal.delivery.completeness import Counts, counts
from portal.delivery.rule import is_exporting
from portal.errors import Invalid
from portal.i18n import N_
from portal.instances.models import Instance, InstanceState


@dataclass(frozen=True)
class Period:
    """A calendar month in the firm's zone, or all time."""

    month: str  # "2026-11"; empty: all time
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Row:
    """One instance with its sums."""

    instance: Instance
    counts: Counts


def period_of(month: str, zone: str) -> Period:
    """The instants between which a month lies in a zone; all time for an empty text, Invalid for nonsense."""
    if not month:
        return Period("")
    try:
        first = datetime.strptime(month, "%Y-%m").replace(tzinfo=ZoneInfo(zone))
        following = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    except ValueError as error:
        raise Invalid(N_("“%(month)s” is not a month."), month=month) from error
    return Period(month, first.astimezone(UTC), following.astimezone(UTC))


def rows(session: Session, viewer: Viewer, client_id: UUID, period: Period) -> list[Row]:
    """Every finished exporting instance of the client with its sums for the documents that arrived in the period."""
    access.client_or_404(session, viewer, client_id, Right.COUNTS)
    statement = (
        select(Instance)
        .where(Instance.client_id == client_id)
        .where(col(Instance.state).not_in([InstanceState.DRAFT, InstanceState.REMOVED]))
        .order_by(col(Instance.id))
    )
    found = [instance for instance in session.exec(statement) if is_exporting(instance.kind)]
    return [Row(instance, counts(session, instance, period.since, period.until)) for instance in found]
