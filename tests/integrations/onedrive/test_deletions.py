from __future__ import annotations

from dataclasses import replace

import pytest

from integrations.conformance.parts import MemoryFacts, worker
from integrations.contract import DriftKind
from integrations.errors import TargetGone
from integrations.onedrive.connector import OneDrive
from tests.integrations.onedrive.bench import OneDriveBench
from tests.integrations.onedrive.documents import MONTH, NAME, delivered, invoice

# --- E4: what people delete


@pytest.mark.parametrize("action", ["trash", "delete"])
def test_a_deleted_file_comes_back_as_a_new_file(sandbox: OneDriveBench, connector: OneDrive, action: str) -> None:
    document = invoice()
    first = delivered(connector, document)
    for _ in range(2):
        sandbox.do("anna", action, first.remote_id)
        assert [drift.kind for drift in connector.inspect([first])] == [DriftKind.GONE]
        again = delivered(connector, document, first)
        assert again.remote_id != first.remote_id
        assert sandbox.files("anna") == [f"{MONTH}/{NAME}"]
        assert connector.inspect([again]) == []
        first = again


@pytest.mark.parametrize("action", ["trash", "delete"])
@pytest.mark.parametrize("folder", [MONTH, "Kontor/Meyer"])
def test_a_deleted_folder_stays_deleted_with_its_documents_but_takes_new_ones(
    sandbox: OneDriveBench, connector: OneDrive, action: str, folder: str
) -> None:
    document = invoice()
    first = delivered(connector, document)
    sandbox.do("anna", action, sandbox.living("anna")[folder])
    assert [drift.kind for drift in connector.inspect([first])] == [DriftKind.FOLDER_GONE]
    with pytest.raises(TargetGone):
        delivered(connector, document, first)
    new = delivered(connector, invoice(number="R-2"))
    assert sandbox.files("anna") == [f"{MONTH}/2026-03-01 Mühle AG R-2.pdf"]
    assert [drift.kind for drift in connector.inspect([first, new])] == [DriftKind.FOLDER_GONE]


@pytest.mark.parametrize("action", ["trash", "delete"])
def test_setting_up_again_brings_the_documents_of_a_deleted_folder_back(
    sandbox: OneDriveBench, connector: OneDrive, action: str
) -> None:
    document = invoice()
    connector.deliver(document, "r-1", None)
    sandbox.do("anna", action, sandbox.living("anna")["Kontor"])
    with pytest.raises(TargetGone):
        connector.deliver(invoice(number="R-2"), "r-2", None)
    connector.prepare([])
    connector.deliver(document, "r-1", None)
    assert sandbox.files("anna") == [f"{MONTH}/{NAME}"]


def test_a_document_that_moves_into_a_deleted_folder_has_it_made_again(
    sandbox: OneDriveBench, connector: OneDrive
) -> None:
    delivered(connector, invoice(number="R-0", account="Sparkonto"))
    document = invoice()
    first = delivered(connector, document)
    sandbox.do("anna", "trash", sandbox.living("anna")["Kontor/Meyer/Sparkonto"])
    moved = delivered(connector, invoice(id=document.id, version=2, account="Sparkonto"), first)
    assert moved.remote_id == first.remote_id
    assert sandbox.files("anna") == [f"Kontor/Meyer/Sparkonto/2026-03/{NAME}"]


def test_folders_that_were_moved_and_renamed_are_followed(sandbox: OneDriveBench, connector: OneDrive) -> None:
    first = delivered(connector, invoice())
    living = sandbox.living("anna")
    elsewhere = sandbox.signed_in("anna", root="Privat").prepare([])[0]
    sandbox.do("anna", "rename", living["Kontor/Meyer"], name="Bäckerei")
    sandbox.do("anna", "move", living["Kontor"], parent=elsewhere.remote_id)
    delivered(worker(connector), invoice(number="R-2"))
    assert {path.rpartition("/")[0] for path in sandbox.files("anna")} == {"Privat/Kontor/Bäckerei/Girokonto/2026-03"}
    assert connector.inspect([first]) == []


# --- reading back


def test_reading_back_tells_changed_moved_and_gone_apart(sandbox: OneDriveBench, connector: OneDrive) -> None:
    kept, altered, renamed, moved, binned, deleted = (
        delivered(connector, invoice(number=f"R-{turn}")) for turn in range(6)
    )
    sandbox.alter(connector, altered)
    sandbox.do("anna", "rename", renamed.remote_id, name="anders.pdf")
    sandbox.do("anna", "move", moved.remote_id, parent=sandbox.living("anna")["Kontor"])
    sandbox.do("anna", "trash", binned.remote_id)
    sandbox.do("anna", "delete", deleted.remote_id)
    drifts = {drift.remote_id: drift for drift in connector.inspect([kept, altered, renamed, moved, binned, deleted])}
    assert {remote_id: drift.kind for remote_id, drift in drifts.items()} == {
        altered.remote_id: DriftKind.CHANGED,
        renamed.remote_id: DriftKind.MOVED,
        moved.remote_id: DriftKind.MOVED,
        binned.remote_id: DriftKind.GONE,
        deleted.remote_id: DriftKind.GONE,
    }
    accepted = [drift.now for drift in drifts.values() if drift.now]
    assert [now.path for now in accepted] == [
        altered.path,
        "Meyer/Girokonto/2026-03/anders.pdf",
        "2026-03-01 Mühle AG R-3.pdf",
    ]
    assert connector.inspect(accepted) == []


def test_what_was_accepted_is_left_alone(sandbox: OneDriveBench, connector: OneDrive) -> None:
    document = invoice()
    first = delivered(connector, document)
    sandbox.alter(connector, first)
    sandbox.do("anna", "rename", first.remote_id, name="anders.pdf")
    accepted = connector.inspect([first])[0].now
    delivered(connector, document, accepted)
    assert sandbox.content(first.remote_id) == b"changed by a person"
    assert sandbox.files("anna") == [f"{MONTH}/anders.pdf"]


def test_a_file_taken_out_of_the_main_folder_says_where_it_is(sandbox: OneDriveBench, connector: OneDrive) -> None:
    first = delivered(connector, invoice())
    elsewhere = sandbox.signed_in("anna", root="Büro & Co").prepare([])[0]
    sandbox.do("anna", "move", first.remote_id, parent=elsewhere.remote_id)
    (drift,) = connector.inspect([first])
    assert drift.kind is DriftKind.MOVED
    assert drift.now is not None
    assert drift.now.path == f"Büro & Co/{NAME}"


def test_a_hash_that_microsoft_no_longer_tells_is_replaced_by_the_version(
    sandbox: OneDriveBench, connector: OneDrive
) -> None:
    first = delivered(connector, invoice())
    old = replace(first, checksum="crc32:1234")
    assert connector.inspect([old]) == []
    sandbox.alter(connector, first)
    assert [drift.kind for drift in connector.inspect([old])] == [DriftKind.CHANGED]


def test_reading_back_many_files_takes_few_calls(sandbox: OneDriveBench, connector: OneDrive) -> None:
    receipts = [delivered(connector, invoice(number=f"R-{turn}")) for turn in range(30)]
    before = sandbox.calls()
    assert connector.inspect(receipts) == []
    assert sandbox.calls() - before == 1


def test_single_files_of_many_folders_are_looked_at_twenty_at_a_time(
    sandbox: OneDriveBench, connector: OneDrive
) -> None:
    receipts = [delivered(connector, invoice(account=f"Konto {turn}")) for turn in range(21)]
    before = sandbox.calls()
    assert connector.inspect(receipts) == []
    assert sandbox.calls() - before == 2


def test_a_folder_of_several_pages_is_read_to_its_end(sandbox: OneDriveBench, connector: OneDrive) -> None:
    receipts = [delivered(connector, invoice(number=f"R-{turn}")) for turn in range(7)]
    sandbox.set(page_most=3)
    sandbox.alter(connector, receipts[-1])
    assert [drift.remote_id for drift in connector.inspect(receipts)] == [receipts[-1].remote_id]
    late = invoice(b"same name as the last", number="R-6")
    assert delivered(worker(connector, MemoryFacts()), late).path.endswith("R-6 (2).pdf")
