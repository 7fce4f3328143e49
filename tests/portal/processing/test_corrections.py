"""Corrections are versions, removals can be taken back, twins wait for a decision, and every change is planned."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlmodel import col, select

from integrations.contract import DocumentKind
from portal import audit
from portal.access import Viewer
from portal.accounts.models import Firm, Role
from portal.audit import AuditEntry, By
from portal.clients.models import Client
from portal.delivery.models import Delivery, State
from portal.documents import versions
from portal.documents.models import Document, Reading, Source
from portal.errors import Conflict, Invalid, NotFound
from portal.instances.models import InstanceState
from portal.intake import receive
from portal.parts import Parts
from portal.processing import corrections
from portal.processing.services import settle
from tests import factories

MakeViewer = Callable[..., Viewer]
INVOICE = DocumentKind.INCOMING_INVOICE
FIELDS = {"party_name": "Meyer GmbH", "number": "17", "issued_on": "2026-03-01", "currency": "EUR", "gross": 11900}


@pytest.fixture
def client(parts: Parts, firm: Firm) -> Client:
    """A client whose documents go to a storage."""
    with parts.db.transaction() as session:
        made = factories.client(session, firm)
        factories.instance(
            session, made, factories.installation(session, firm), state=InstanceState.ACTIVE,
            takes=[kind.value for kind in DocumentKind], sync_from=datetime(2020, 1, 1, tzinfo=UTC),
        )  # fmt: skip
        return made


def bring(parts: Parts, client: Client, content: bytes, **more: object) -> Document:
    given = {"source": Source.UPLOAD, "kind": INVOICE, "fields": FIELDS, **more}
    answer = receive(parts, By(), client.id, "a.pdf", io.BytesIO(factories.PDF + content), **given)  # type: ignore[arg-type]
    assert isinstance(answer, Document)
    return answer


def now(parts: Parts, document: Document) -> Document:
    with parts.db.read() as session:
        return session.get_one(Document, document.id)


def state(parts: Parts, document: Document) -> State:
    with parts.db.read() as session:
        found = select(Delivery).where(Delivery.document_id == document.id, col(Delivery.current))
        return session.exec(found).one().state


def actions(parts: Parts, document_id: UUID) -> list[str]:
    with parts.db.read() as session:
        entries = select(AuditEntry).where(AuditEntry.subject_id == document_id).order_by(col(AuditEntry.number))
        return [entry.action for entry in session.exec(entries)]


def test_a_correction_is_a_version_beside_what_was(parts: Parts, client: Client, viewer: MakeViewer) -> None:
    who, document = viewer(), bring(parts, client, b"1")
    with parts.db.transaction() as session:
        corrections.correct(session, who, client.id, document.id, fields={"number": "18"}, expected=1)

    with parts.db.read() as session:
        kept = versions.history(session, session.get_one(Document, document.id))
        assert audit.broken(session, client.firm_id) is None
    assert [(one.version, one.fields["number"], one.by) for one in kept] == [(2, "18", who.person_id), (1, "17", None)]
    assert kept[0].fields["party_name"] == "Meyer GmbH"
    assert now(parts, document).version == 2
    assert actions(parts, document.id) == ["document.received", "document.corrected"]


def test_a_correction_that_changes_nothing_is_none(parts: Parts, client: Client, viewer: MakeViewer) -> None:
    who, document = viewer(), bring(parts, client, b"1")
    with parts.db.transaction() as session:
        corrections.correct(session, who, client.id, document.id, fields=FIELDS, kind=INVOICE)
    assert now(parts, document).version == 1
    assert actions(parts, document.id) == ["document.received"]


def test_a_correction_of_what_somebody_else_changed_meanwhile_is_refused(
    parts: Parts, client: Client, viewer: MakeViewer
) -> None:
    who, document = viewer(), bring(parts, client, b"1")
    with parts.db.transaction() as session:
        corrections.correct(session, who, client.id, document.id, fields={"number": "18"}, expected=1)
    with pytest.raises(Conflict), parts.db.transaction() as session:
        corrections.correct(session, who, client.id, document.id, fields={"number": "19"}, expected=1)
    assert now(parts, document).number == "18"


def test_amounts_are_checked_as_a_whole_with_what_is_known(parts: Parts, client: Client, viewer: MakeViewer) -> None:
    who, document = viewer(), bring(parts, client, b"1", fields={**FIELDS, "net": 10000})
    with pytest.raises(Invalid), parts.db.transaction() as session:
        corrections.correct(session, who, client.id, document.id, fields={"tax": 1})
    assert now(parts, document).tax == 1900


def test_what_waits_to_be_read_is_moved_without_ending_the_wait(
    parts: Parts, client: Client, viewer: MakeViewer
) -> None:
    who, document = viewer(), bring(parts, client, b"1", kind=None, fields={})
    assert state(parts, document) is State.READING
    with parts.db.transaction() as session:
        corrections.set_kind(session, who, client.id, [document.id], DocumentKind.RECEIPT)
    moved = now(parts, document)
    assert (moved.kind, moved.folder, moved.reading) == (DocumentKind.RECEIPT, DocumentKind.RECEIPT, Reading.WAITING)

    settle(parts, document.id)
    after = now(parts, document)
    assert (after.kind, after.reading) == (DocumentKind.RECEIPT, Reading.SETTLED)
    assert state(parts, document) is State.QUEUED


def test_who_says_what_a_document_says_need_not_wait_for_its_reading(
    parts: Parts, client: Client, viewer: MakeViewer
) -> None:
    who, document = viewer(), bring(parts, client, b"1", fields={})
    with parts.db.transaction() as session:
        corrections.correct(session, who, client.id, document.id, fields=FIELDS)
    assert now(parts, document).reading is Reading.SETTLED
    assert state(parts, document) is State.QUEUED


def test_reading_settles_once_and_leaves_the_kind_to_a_person(parts: Parts, client: Client) -> None:
    document = bring(parts, client, b"1", kind=None)
    settle(parts, document.id)
    settle(parts, document.id)

    assert (now(parts, document).kind, now(parts, document).version) == (None, 1)
    assert now(parts, document).reading is Reading.SETTLED
    assert state(parts, document) is State.ACTION_NEEDED


def test_a_twin_is_held_until_somebody_accepts_it(parts: Parts, client: Client, viewer: MakeViewer) -> None:
    who = viewer()
    first, second = bring(parts, client, b"1"), bring(parts, client, b"1")
    assert (state(parts, first), state(parts, second)) == (State.QUEUED, State.ACTION_NEEDED)
    with parts.db.transaction() as session:
        corrections.decide_twin(session, who, client.id, second.id, accept=True)

    assert state(parts, second) is State.QUEUED
    assert now(parts, second).twin_id == first.id


def test_a_twin_that_is_a_duplicate_is_removed_with_that_reason(
    parts: Parts, client: Client, viewer: MakeViewer
) -> None:
    who = viewer()
    bring(parts, client, b"1")
    second = bring(parts, client, b"1")
    with parts.db.transaction() as session:
        corrections.decide_twin(session, who, client.id, second.id, accept=False)

    gone = now(parts, second)
    assert gone.removed_at is not None
    assert gone.removed_reason == corrections.DUPLICATE
    assert state(parts, second) is State.EXCLUDED


def test_a_document_that_is_no_twin_needs_no_decision(parts: Parts, client: Client, viewer: MakeViewer) -> None:
    who, document = viewer(), bring(parts, client, b"1")
    with pytest.raises(Conflict), parts.db.transaction() as session:
        corrections.decide_twin(session, who, client.id, document.id, accept=True)


def test_a_correction_can_end_or_begin_a_likeness(parts: Parts, client: Client, viewer: MakeViewer) -> None:
    who = viewer()
    first, second = bring(parts, client, b"1"), bring(parts, client, b"2")
    assert second.twin_id == first.id
    with parts.db.transaction() as session:
        corrections.correct(session, who, client.id, first.id, fields={"number": "99"})
    assert (now(parts, first).twin_id, now(parts, second).twin_id) == (None, None)
    assert state(parts, second) is State.QUEUED

    with parts.db.transaction() as session:
        corrections.correct(session, who, client.id, first.id, fields={"number": "17"})
    assert (now(parts, first).twin_id, now(parts, second).twin_id) == (second.id, None)


def test_removing_the_first_frees_one_of_its_twins(parts: Parts, client: Client, viewer: MakeViewer) -> None:
    who = viewer()
    first, second, third = (bring(parts, client, b"1") for _ in range(3))
    with parts.db.transaction() as session:
        corrections.remove(session, who, client.id, [first.id], "sent by mistake")

    assert (now(parts, second).twin_id, now(parts, third).twin_id) == (None, second.id)
    assert (state(parts, second), state(parts, third)) == (State.QUEUED, State.ACTION_NEEDED)


def test_removal_needs_a_reason_and_can_be_taken_back(parts: Parts, client: Client, viewer: MakeViewer) -> None:
    who, document = viewer(), bring(parts, client, b"1")
    with pytest.raises(Invalid), parts.db.transaction() as session:
        corrections.remove(session, who, client.id, [document.id], "  ")
    with parts.db.transaction() as session:
        corrections.remove(session, who, client.id, [document.id], "Private")
    assert state(parts, document) is State.EXCLUDED
    with parts.db.transaction() as session:
        corrections.restore(session, who, client.id, [document.id])

    assert now(parts, document).removed_at is None
    assert state(parts, document) is State.QUEUED
    assert actions(parts, document.id) == ["document.received", "document.removed", "document.restored"]


def test_an_account_of_another_client_cannot_be_set(
    parts: Parts, client: Client, viewer: MakeViewer, firm: Firm
) -> None:
    who, document = viewer(), bring(parts, client, b"1")
    with parts.db.transaction() as session:
        account = factories.account(session, factories.client(session, firm))
    with pytest.raises(Invalid), parts.db.transaction() as session:
        corrections.correct(session, who, client.id, document.id, fields={"account_id": account.id})


def test_who_may_not_correct_finds_nothing(parts: Parts, client: Client, viewer: MakeViewer) -> None:
    document = bring(parts, client, b"1")
    for role in (Role.ASSISTANT, Role.CLIENT_MANAGER):
        who = viewer(role, assigned=(client.id,))
        with pytest.raises(NotFound), parts.db.transaction() as session:
            corrections.remove(session, who, client.id, [document.id], "no")


def test_a_document_of_another_client_is_not_found(
    parts: Parts, client: Client, viewer: MakeViewer, firm: Firm
) -> None:
    who, document = viewer(), bring(parts, client, b"1")
    with parts.db.transaction() as session:
        other = factories.client(session, firm)
    with pytest.raises(NotFound), parts.db.transaction() as session:
        corrections.correct(session, who, other.id, document.id, fields={"number": "1"})
