"""``verify`` is silent when all is well and speaks when a row was deleted, forged or changed by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select

from portal import audit, clock
from portal.access import Viewer
from portal.audit import AuditEntry
from portal.clients.models import Client
from portal.connections.models import Consent
from portal.delivery import completeness as c
from portal.delivery import outbox, services
from portal.delivery import problem as p
from portal.delivery.deliver import drain
from portal.delivery.models import Attempt, Delivery, Outcome, Receipt, State
from portal.documents.models import Document, DocumentText, DocumentVersion
from portal.extensions.models import Installation
from portal.instances import services as instances
from portal.instances import setup
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


def moved(session: Session, before: State, after: State) -> None:
    session.execute(sa.update(Delivery).where(col(Delivery.state) == before).values(state=after))


def renamed(session: Session) -> None:
    """Of a document whose arrival tells its name, as the door does."""
    document = factories.document(session, session.exec(select(Client)).one())
    facts = {"sha256": document.sha256, "filename": document.filename}
    audit.record(
        session, session.exec(select(Client)).one().firm_id, "document.received", by=audit.SYSTEM,
        client_id=document.client_id, subject_id=document.id, facts=facts,
    )  # fmt: skip
    document.filename = "other.pdf"


TAMPERING: dict[str, tuple[Callable[[Session], object], str]] = {
    "a delivery deleted": (lambda s: s.execute(sa.delete(Delivery).where(col(Delivery.id) == one(Delivery))), p.NO_ROW),
    "a receipt deleted": (lambda s: s.execute(sa.delete(Receipt).where(col(Receipt.id) == one(Receipt))), p.NO_RECEIPT),
    "a delivered one given up": (lambda s: moved(s, State.DELIVERED, State.REMOVED), p.NO_WAY),
    "a delivered one to go again": (lambda s: moved(s, State.DELIVERED, State.QUEUED), p.NO_WAY),
    "a failure made up": (lambda s: moved(s, State.ACTION_NEEDED, State.FAILED), p.NO_WAY),
    "one that is never sent": (lambda s: moved(s, State.QUEUED, State.SENDING), p.NO_WAY),
    "attempts forgotten": (
        lambda s: s.execute(sa.update(Delivery).where(col(Delivery.state) == State.DELIVERED).values(attempts=0)),
        p.NO_WAY,
    ),
    "a click made up": (
        lambda s: s.execute(sa.update(Delivery).values(asked_by=factories.person(s).id)),
        p.NOT_ASKED,
    ),
    "a consent slipped in": (
        lambda s: factories.connection(
            s, s.exec(select(Client)).one(), s.exec(select(Installation)).one(), consented_by=factories.person(s)
        ),
        p.CONSENT_CHANGED,
    ),
    "a file renamed": (renamed, p.DOCUMENT_CHANGED),
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


def test_a_click_that_was_recorded_holds(full: Desk, viewer: Callable[..., Viewer]) -> None:
    waiting, who = full.add(), viewer()
    with full.parts.db.transaction() as session:
        services.ask(session, who, waiting.id, full.instance.id)
    assert problems(full) == set()


@pytest.mark.parametrize("changed", [{"state": InstanceState.ACTIVE}, {"connection_id": None}, {"on_click": True}])
def test_what_an_instance_is_by_its_last_entry_shows(
    full: Desk, viewer: Callable[..., Viewer], changed: dict[str, Any]
) -> None:
    who = viewer()
    with full.parts.db.transaction() as session:
        instance = session.get_one(Instance, full.instance.id)
        installed = session.exec(select(Installation)).one()
        setup.attach(session, who, instance, factories.connection(session, full.client, installed))
        setup.set_documents(session, who, instance.id, ["incoming_invoice"])
        instances.pause(session, who, instance.id)
    assert problems(full) == set()
    with full.parts.db.transaction() as session:
        session.execute(sa.update(Instance).values(**changed))
    assert p.INSTANCE_CHANGED in problems(full)


@pytest.mark.parametrize("changed", [{"text": "All of it."}, {"given_at": clock.now() - timedelta(days=9)}])
def test_a_consent_stays_as_it_was_given(full: Desk, changed: dict[str, Any]) -> None:
    with full.parts.db.transaction() as session:
        who, installed = factories.person(session), session.exec(select(Installation)).one()
        connection = factories.connection(session, full.client, installed, consented_by=who)
        digest = session.exec(select(Consent.text_digest)).one()
        audit.record(
            session, full.firm.id, "connection.connected", by=audit.By(who.id, who.name), subject_id=connection.id,
            facts={"consent": digest},
        )  # fmt: skip
    assert problems(full) == set()
    with full.parts.db.transaction() as session:
        session.execute(sa.update(Consent).values(**changed))
    assert problems(full) == {p.CONSENT_CHANGED, p.CONSENT_LOST}


def test_an_integration_that_is_gone_shows(full: Desk) -> None:
    with full.parts.db.transaction() as session:
        installed = session.exec(select(Installation)).one()
        other = factories.instance(session, full.client, installed)
        factories.recorded(session, other)
        outbox.plan_instance(session, other)
    assert problems(full) == set()
    with full.parts.db.transaction() as session:
        session.execute(sa.delete(Delivery).where(col(Delivery.instance_id) == other.id))
        session.execute(sa.delete(Instance).where(col(Instance.id) == other.id))
    assert problems(full) == {p.INSTANCE_LOST}


def test_other_firms_are_not_looked_at(full: Desk) -> None:
    with full.parts.db.transaction() as session:
        other = factories.firm(session)
        session.execute(sa.delete(Receipt))
    with full.parts.db.read() as session:
        assert list(c.verify(session, other.id)) == []
