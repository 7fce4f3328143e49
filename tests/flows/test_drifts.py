"""E4: what people delete, move or change at the provider is found by the look back, and settled as the rule says."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

import pytest

from integrations.contract import Receipt as RemoteReceipt
from portal import clock
from portal.access import Viewer
from portal.delivery import drifts, lookback, outbox
from portal.delivery.deliver import drain
from portal.delivery.models import Settlement, State
from portal.delivery.receipts import from_stored
from portal.documents import versions
from portal.documents.models import Document
from portal.errors import Conflict
from portal.instances import services as instances
from portal.instances.models import Instance, InstanceState
from tests import factories
from tests.flows.lookback import decide, delivered, found, look, proven, receipt, run, settled
from tests.flows.world import World
from tests.integrations.google_drive.bench import DriveBench
from tests.servers import until


@pytest.fixture
def drive(at: World) -> DriveBench:
    return cast("DriveBench", at.bench)


def test_what_is_as_delivered_is_not_mentioned(at: World) -> None:
    delivered(at, 3)
    look(at)
    assert found(at) == []
    with at.parts.db.read() as session:
        instance = session.get_one(Instance, at.instance.id)
    assert instance.looked_at is not None
    assert (instance.look_due_at, instance.looking_until, instance.look_after) == (None, None, None)


def test_a_deleted_file_comes_back_with_the_next_run(at: World, owner: Viewer, drive: DriveBench) -> None:
    kept, gone = documents = delivered(at, 2)
    drive.do("anna", "trash", receipt(at, gone).remote_id)
    passed = run(at, owner)
    assert (passed.total, passed.delivered) == (1, 1)
    assert passed.ended_at is not None
    assert settled(at) == [Settlement.COMES_BACK]
    at.holds(documents)
    assert receipt(at, kept).remote_id != receipt(at, gone).remote_id
    assert proven(at)


def test_a_file_deleted_for_good_comes_back_too(at: World, owner: Viewer, drive: DriveBench) -> None:
    (gone,) = documents = delivered(at)
    drive.do("anna", "delete", receipt(at, gone).remote_id)
    run(at, owner)
    at.holds(documents)
    assert proven(at)


def test_looking_without_a_run_leaves_it_queued_for_its_hour(at: World, drive: DriveBench) -> None:
    (gone,) = delivered(at)
    tonight = clock.now() + timedelta(hours=5)
    with at.parts.db.transaction() as session:
        session.get_one(Instance, at.instance.id).next_run_at = tonight
    drive.do("anna", "trash", receipt(at, gone).remote_id)
    look(at)
    (row,) = at.rows()
    assert (row.state, row.due_at) == (State.QUEUED, tonight)
    assert proven(at, remote=False)
    assert drain(at.parts, at.instance.id) == 0


def test_a_deleted_folder_stays_deleted_new_ones_go_and_the_set_up_brings_all_back(
    at: World, owner: Viewer, drive: DriveBench
) -> None:
    documents = delivered(at, 2)
    folder = receipt(at, documents[0]).extras["folder"]
    drive.do("anna", "trash", folder)
    run(at, owner)
    assert at.states() == {State.REMOVED: 2}
    assert proven(at)
    new = delivered(at)
    assert at.states() == {State.REMOVED: 2, State.DELIVERED: 1}
    run(at, owner)
    assert at.states() == {State.REMOVED: 2, State.DELIVERED: 1}
    with at.parts.db.transaction() as session:
        instances.set_up_again(session, owner, at.instance.id)
    drain(at.parts, at.instance.id)
    at.holds([*documents, *new])
    assert proven(at)


def test_a_moved_or_renamed_file_is_followed(at: World, owner: Viewer, drive: DriveBench) -> None:
    moved, renamed = documents = delivered(at, 2)
    before = receipt(at, moved)
    other = drive.living("anna")["Kontor"]
    drive.do("anna", "move", before.remote_id, parent=other)
    drive.do("anna", "rename", receipt(at, renamed).remote_id, name="By hand.pdf")
    run(at, owner)
    assert settled(at) == [Settlement.FOLLOWED, Settlement.FOLLOWED]
    after = receipt(at, moved)
    assert (after.remote_id, after.extras["folder"]) == (before.remote_id, other)
    assert after.path == f"Kontor/{before.extras['name']}"
    assert (receipt(at, renamed).path or "").endswith("/By hand.pdf")
    at.holds(documents)
    assert proven(at)
    look(at)
    assert len(found(at)) == 2  # nothing new
    # where it is now is where it is missed
    drive.do("anna", "trash", after.remote_id)
    run(at, owner)
    assert at.states() == {State.DELIVERED: 2}


def test_changed_content_is_shown_until_somebody_restores_it(at: World, owner: Viewer, drive: DriveBench) -> None:
    (document,) = documents = delivered(at)
    drive.alter(at.remote, from_receipt(at, document))
    look(at)
    assert settled(at) == [None]
    assert at.states() == {State.DELIVERED: 1}
    assert not proven(at)
    look(at)
    assert len(found(at)) == 1
    decide(at, owner, drifts.restore)
    assert at.states() == {State.QUEUED: 1}
    drain(at.parts, at.instance.id)
    assert settled(at) == [Settlement.RESTORED]
    at.holds(documents)
    assert proven(at)


def test_accepted_content_is_the_receipt_and_can_be_taken_back(at: World, owner: Viewer, drive: DriveBench) -> None:
    (document,) = delivered(at)
    before = receipt(at, document)
    drive.alter(at.remote, from_receipt(at, document))
    look(at)
    decide(at, owner, drifts.accept)
    after = receipt(at, document)
    assert (after.remote_id, after.sha256) == (before.remote_id, before.sha256)
    assert after.checksum != before.checksum
    assert proven(at)
    look(at)
    assert settled(at) == [Settlement.ACCEPTED]
    decide(at, owner, drifts.undo)
    assert receipt(at, document).checksum == before.checksum
    assert settled(at) == [None]
    assert proven(at, remote=False)
    assert not proven(at)


def test_what_was_changed_back_is_no_drift_any_more(at: World, drive: DriveBench) -> None:
    (document,) = delivered(at)
    content = drive.content(receipt(at, document).remote_id)
    drive.alter(at.remote, from_receipt(at, document))
    look(at)
    drive.do("anna", "write", receipt(at, document).remote_id, text=content.decode())
    look(at)
    assert settled(at) == [Settlement.VANISHED]


def test_what_was_settled_is_settled_once(at: World, owner: Viewer, drive: DriveBench) -> None:
    (document,) = delivered(at)
    drive.alter(at.remote, from_receipt(at, document))
    look(at)
    decide(at, owner, drifts.restore)
    for how in (drifts.restore, drifts.accept, drifts.undo):
        with pytest.raises(Conflict):
            decide(at, owner, how)


def test_a_correction_meanwhile_makes_the_finding_of_no_account(at: World, owner: Viewer, drive: DriveBench) -> None:
    """The page was open, the document was corrected: what was found belonged to a receipt that is history."""
    (document,) = delivered(at)
    drive.alter(at.remote, from_receipt(at, document))
    look(at)
    with at.parts.db.transaction() as session:
        present = session.get_one(Document, document.id)
        versions.change(session, present, {"number": "RE-corrected"}, None)
        outbox.plan_document(session, present)
    with pytest.raises(Conflict):
        decide(at, owner, drifts.accept)
    drain(at.parts, at.instance.id)
    look(at)
    assert settled(at) == [Settlement.VANISHED]


def test_a_provider_that_does_not_answer_is_said_and_the_run_ends(at: World, owner: Viewer, drive: DriveBench) -> None:
    delivered(at)
    drive.script(["down"] * 5)
    assert run(at, owner).ended_at is not None
    with at.parts.db.read() as session:
        instance = session.get_one(Instance, at.instance.id)
    assert instance.look_text
    assert (instance.looked_at, instance.look_due_at) == (None, None)
    drive.clear()
    look(at)
    with at.parts.db.read() as session:
        assert session.get_one(Instance, at.instance.id).look_text is None


def test_a_look_that_is_asked_to_wait_goes_on_where_it_was(at: World, drive: DriveBench) -> None:
    delivered(at)
    drive.script(["throttle:1"])
    look(at)
    with at.parts.db.read() as session:
        instance = session.get_one(Instance, at.instance.id)
    assert instance.look_due_at is not None
    assert instance.rest_until is not None
    with clock.travel() as traveller:
        traveller.advance(timedelta(seconds=5))
        lookback.look(at.parts, at.instance.id)
    with at.parts.db.read() as session:
        assert session.get_one(Instance, at.instance.id).looked_at is not None


def test_a_login_that_died_is_found_by_looking(at: World) -> None:
    delivered(at)
    at.bench.revoke(at.remote)
    look(at)
    with at.parts.db.read() as session:
        assert session.get_one(Instance, at.instance.id).state is InstanceState.HELD


def test_two_workers_do_not_look_at_once(at: World) -> None:
    delivered(at)
    with at.parts.db.transaction() as session:
        instance = session.get_one(Instance, at.instance.id)
        drifts.ask_look(session, instance, clock.now())
        instance.looking_until = clock.now() + lookback.LEASE
    lookback.look(at.parts, at.instance.id)
    with at.parts.db.read() as session:
        assert session.get_one(Instance, at.instance.id).looked_at is None
    with clock.travel() as traveller:  # the other one died: its lease ends
        traveller.advance(lookback.LEASE + timedelta(seconds=1))
        lookback.look(at.parts, at.instance.id)
    with at.parts.db.read() as session:
        assert session.get_one(Instance, at.instance.id).looked_at is not None


def test_a_real_worker_looks_when_the_bell_rings(at: World) -> None:
    delivered(at)
    at.start_worker()
    with at.parts.db.transaction() as session:
        drifts.ask_look(session, session.get_one(Instance, at.instance.id), clock.now())

    def looked() -> bool:
        with at.parts.db.read() as session:
            return session.get_one(Instance, at.instance.id).looked_at is not None

    until(looked, 40, "the look of a worker")


def test_a_long_look_goes_on_by_slices(at: World, drive: DriveBench) -> None:
    documents = delivered(at, 3)
    drive.alter(at.remote, from_receipt(at, documents[2]))
    with at.parts.db.transaction() as session:
        drifts.ask_look(session, session.get_one(Instance, at.instance.id), clock.now())
    for _slice in range(3):
        assert found(at) == []
        lookback.look(at.parts, at.instance.id, seconds=0, page=1)
    assert [one.document_id for one in found(at)] == [documents[2].id]


def from_receipt(at: World, document: Document) -> RemoteReceipt:
    return from_stored(receipt(at, document))


def test_a_later_correction_refiles_by_id_with_the_next_run(at: World, owner: Viewer, drive: DriveBench) -> None:
    (document,) = documents = delivered(at)
    before = receipt(at, document)
    tonight = clock.now() + timedelta(hours=5)
    with at.parts.db.transaction() as session:
        session.get_one(Instance, at.instance.id).next_run_at = tonight
        account = factories.account(session, at.client, name="Tagesgeld")
        present = session.get_one(Document, document.id)
        versions.change(session, present, {"number": "RE-corrected", "account_id": account.id}, None)
        outbox.plan_document(session, present)
    waiting = next(row for row in at.rows() if row.state is State.QUEUED)
    assert waiting.due_at == tonight
    run(at, owner)
    (path,) = drive.files("anna")
    assert "/Tagesgeld/" in path
    assert path.endswith("RE-corrected.pdf")
    assert drive.living("anna")[path] == before.remote_id
    at.holds(documents)
    assert proven(at)
