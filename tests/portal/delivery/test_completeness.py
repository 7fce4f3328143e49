"""``verify`` is silent when all is well and speaks when a row was deleted, forged or changed by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select

from portal import clock
from portal.access import Viewer
from portal.audit import AuditEntry
from portal.clients.models import Client
from portal.delivery import completeness as c
from portal.delivery import problem as p
from portal.delivery.deliver import drain
from portal.delivery.models import Attempt, Delivery, Outcome, Receipt, State
from portal.documents.models import Document, DocumentText, DocumentVersion
from portal.instances import services as instances
from portal.instances.models import Instance, InstanceState
from tests import factories
from tests.portal.delivery.conftest import Desk


def problems(desk: Desk) -> set[str]:
    with desk.parts.db.read() as session:
        return {problem.text for problem in c.verify(session, desk.firm.id)}


@pytest.fixture
def full(desk: Desk) -> Desk:
    """Three delivered documents, one queued, one that needs action."""
    for _ in range(3):
        desk.add()
    drain(desk.parts, desk.instance.id)
    desk.add()
    desk.add(gross=None)
    return desk


def test_an_untouched_installation_holds(full: Desk) -> None:
    assert problems(full) == set()


def test_counts_add_up(full: Desk) -> None:
    with full.parts.db.read() as session:
        counts = c.counts(session, full.instance)
    assert counts.documents == 5
    assert counts.states == {State.DELIVERED: 3, State.QUEUED: 1, State.ACTION_NEEDED: 1}
    assert (counts.difference, counts.unproven) == (0, 0)


def one(model: type[Delivery] | type[Receipt]) -> Any:
    states = [col(Delivery.state) == State.DELIVERED] if model is Delivery else []
    return sa.select(col(model.id)).where(*states).limit(1).scalar_subquery()


TAMPERING: dict[str, tuple[Callable[[Session], object], str]] = {
    "a delivery deleted": (lambda s: s.execute(sa.delete(Delivery).where(col(Delivery.id) == one(Delivery))), p.NO_ROW),
    "a receipt deleted": (lambda s: s.execute(sa.delete(Receipt).where(col(Receipt.id) == one(Receipt))), p.NO_RECEIPT),
    "a receipt changed": (
        lambda s: s.execute(sa.update(Receipt).where(col(Receipt.id) == one(Receipt)).values(remote_id="other")),
        p.NOT_IN_AUDIT,
    ),
    "a delivery forged": (
        lambda s: s.execute(
            sa.update(Delivery).where(col(Delivery.state) == State.QUEUED).values(state=State.DELIVERED, attempts=1)
        ),
        p.NO_RECEIPT,
    ),
    "a queued one hidden": (
        lambda s: s.execute(
            sa.update(Delivery).where(col(Delivery.state) == State.QUEUED).values(state=State.EXCLUDED)
        ),
        p.WRONG_STATE,
    ),
    "attempts deleted": (
        lambda s: s.execute(sa.delete(Attempt).where(col(Attempt.outcome) == Outcome.DELIVERED)),
        p.NO_ATTEMPT,
    ),
    "receipt and delivery deleted": (
        lambda s: [s.execute(sa.delete(model)) for model in (Receipt, Delivery)],
        p.RECEIPT_LOST,
    ),
    "a document backdated": (
        lambda s: s.execute(
            sa.update(Delivery).where(col(Delivery.state) == State.QUEUED).values(state=State.BEFORE_ACTIVATION)
        ),
        p.WRONG_STATE,
    ),
    "sent before activation": (
        lambda s: s.execute(sa.update(Instance).values(sync_from=clock.now() + timedelta(days=1))),
        p.TOO_EARLY,
    ),
    "a failed one hidden": (
        lambda s: s.execute(
            sa.update(Delivery).where(col(Delivery.state) == State.QUEUED).values(state=State.EXCLUDED, attempts=1)
        ),
        p.WRONG_STATE,
    ),
    "a document deleted": (
        lambda s: [
            s.execute(sa.delete(model)) for model in (Receipt, Delivery, DocumentText, DocumentVersion, Document)
        ],
        p.DOCUMENT_LOST,
    ),
    "a document slipped in": (lambda s: factories.document(s, s.exec(select(Client)).one()), p.DOCUMENT_CHANGED),
    "an amount changed": (lambda s: s.execute(sa.update(Document).values(gross=1)), p.FACTS_CHANGED),
    "other bytes": (lambda s: s.execute(sa.update(Document).values(sha256="0" * 64)), p.DOCUMENT_CHANGED),
    "an arrival moved": (
        lambda s: s.execute(sa.update(Document).values(arrived_at=clock.now() - timedelta(hours=1))),
        p.DOCUMENT_CHANGED,
    ),
    "a start moved": (
        lambda s: s.execute(sa.update(Instance).values(sync_from=clock.now() - timedelta(days=9))),
        p.INSTANCE_CHANGED,
    ),
    "an integration hidden": (
        lambda s: s.execute(sa.update(Instance).values(state=InstanceState.REMOVED)),
        p.INSTANCE_CHANGED,
    ),
    "kinds left out": (lambda s: s.execute(sa.update(Instance).values(takes=["other"])), p.INSTANCE_CHANGED),
    "audit changed": (lambda s: s.execute(sa.update(AuditEntry).values(by="nobody")), p.CHAIN_BROKEN),
    "audit cut": (
        lambda s: s.execute(sa.delete(AuditEntry).where(col(AuditEntry.number) == 3)),
        p.CHAIN_BROKEN,
    ),
}


@pytest.mark.parametrize("name", list(TAMPERING))
def test_tampering_shows(full: Desk, name: str) -> None:
    act, expected = TAMPERING[name]
    with full.parts.db.transaction() as session:
        act(session)
    assert expected in problems(full)


def test_the_sweep_does_not_cover_up_a_deleted_delivery(full: Desk) -> None:
    from portal.delivery.sweep import sweep

    with full.parts.db.transaction() as session:
        session.execute(sa.delete(Delivery).where(col(Delivery.id) == one(Delivery)))
    sweep(full.parts.db, whole=True)
    assert problems(full)


def test_a_deleted_row_leaves_a_trace_that_no_sweep_covers_up(full: Desk) -> None:
    from portal.delivery.sweep import sweep

    waiting = sa.delete(Delivery).where(col(Delivery.state) == State.ACTION_NEEDED).returning(col(Delivery.id))
    with full.parts.db.transaction() as session:
        gone = session.execute(waiting).scalar_one()
    sweep(full.parts.db, whole=True)
    assert problems(full) == set()
    with full.parts.db.read() as session:
        (found,) = c.deleted(session)
    assert (found.text, found.facts) == (p.ROW_DELETED, {"table": "delivery", "row": str(gone)})


def test_a_removed_instance_keeps_its_proof(full: Desk, viewer: Callable[..., Viewer]) -> None:
    with full.parts.db.transaction() as session:
        instances.remove(session, viewer(), full.instance.id)
    full.add()
    assert problems(full) == set()


def test_other_firms_are_not_looked_at(full: Desk) -> None:
    with full.parts.db.transaction() as session:
        other = factories.firm(session)
        session.execute(sa.delete(Receipt))
    with full.parts.db.read() as session:
        assert list(c.verify(session, other.id)) == []
