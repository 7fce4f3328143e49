"""What people and workers do about things that changed at the provider, for tests of the look back."""

from __future__ import annotations

from collections.abc import Callable

from sqlmodel import col, select

from portal import clock
from portal.access import Viewer
from portal.delivery import check, completeness, drifts, lookback, runs
from portal.delivery.deliver import drain
from portal.delivery.models import Drift, Receipt, Settlement
from portal.documents.models import Document
from portal.instances import services as instances
from portal.instances.models import Instance, Run
from tests.flows.world import World


def look(at: World) -> None:
    """Somebody presses «Look now», and a worker does."""
    with at.parts.db.transaction() as session:
        drifts.ask_look(session, session.get_one(Instance, at.instance.id), clock.now())
    lookback.look(at.parts, at.instance.id)


def run(at: World, owner: Viewer) -> Run:
    """Export now, worked off: the look back belongs to it."""
    with at.parts.db.transaction() as session:
        begun = instances.export_now(session, owner, at.instance.id)
        runs.begin(session, begun, clock.now())
    lookback.look(at.parts, at.instance.id)
    drain(at.parts, at.instance.id)
    runs.end_finished(at.parts.db)
    with at.parts.db.read() as session:
        return session.get_one(Run, begun.id)


def delivered(at: World, count: int = 1) -> list[Document]:
    documents = at.add(count)
    drain(at.parts, at.instance.id)
    return documents


def receipt(at: World, document: Document) -> Receipt:
    with at.parts.db.read() as session:
        return session.exec(select(Receipt).where(Receipt.document_id == document.id)).one()


def found(at: World) -> list[Drift]:
    with at.parts.db.read() as session:
        return list(session.exec(select(Drift).order_by(col(Drift.id))))


def settled(at: World) -> list[Settlement | None]:
    return [one.settlement for one in found(at)]


def proven(at: World, *, remote: bool = True) -> bool:
    """What ``kontor verify --remote`` says."""
    with at.parts.db.read() as session:
        ours = list(completeness.verify(session, at.client.firm_id))
    theirs = list(check.verify_remote(at.parts, at.client.firm_id)) if remote else []
    return not ours and not theirs


def decide(at: World, owner: Viewer, how: Callable[..., Drift]) -> None:
    (drift,) = found(at)
    with at.parts.db.transaction() as session:
        how(session, owner, at.client.id, drift.id)
