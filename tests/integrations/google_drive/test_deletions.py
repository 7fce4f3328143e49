from __future__ import annotations

import pytest

from integrations.conformance.parts import MemoryFacts, worker
from integrations.contract import DriftKind
from integrations.errors import (
    TargetGone,
)
from integrations.google_drive.connector import GoogleDrive
from tests.integrations.google_drive.bench import DriveBench
from tests.integrations.google_drive.documents import delivered, invoice

# --- E4: what people delete


def test_a_file_in_the_bin_comes_back_as_the_same_file(sandbox: DriveBench, connector: GoogleDrive) -> None:
    document = invoice()
    first = delivered(connector, document)
    sandbox.do("anna", "trash", first.remote_id)
    assert [drift.kind for drift in connector.inspect([first])] == [DriftKind.GONE]
    again = delivered(connector, document, first)
    assert again.remote_id == first.remote_id
    assert len(sandbox.files("anna")) == 1
    assert connector.inspect([again]) == []


@pytest.mark.parametrize("knowing", [True, False])
def test_a_file_deleted_for_good_comes_back_as_a_new_file(
    sandbox: DriveBench, connector: GoogleDrive, knowing: bool
) -> None:
    document = invoice()
    reservation = connector.reserve(document)
    first = connector.deliver(document, reservation, None)
    for _ in range(2):
        sandbox.do("anna", "delete", first.remote_id)
        previous = first if knowing else None
        again = connector.deliver(document, reservation, previous)
        assert again.remote_id != first.remote_id
        assert connector.deliver(document, reservation, previous).remote_id == again.remote_id
        assert len(sandbox.files("anna")) == 1
        first = again


@pytest.mark.parametrize("action", ["trash", "delete"])
@pytest.mark.parametrize("folder", ["Kontor/Meyer/Girokonto/2026-03", "Kontor/Meyer"])
def test_a_deleted_folder_stays_deleted_with_its_documents_but_takes_new_ones(
    sandbox: DriveBench, connector: GoogleDrive, action: str, folder: str
) -> None:
    document = invoice()
    first = delivered(connector, document)
    sandbox.do("anna", action, sandbox.living("anna")[folder])
    assert [drift.kind for drift in connector.inspect([first])] == [DriftKind.FOLDER_GONE]
    with pytest.raises(TargetGone):
        delivered(connector, document, first)
    new = delivered(connector, invoice(number="R-2"))
    assert sandbox.files("anna") == ["Kontor/Meyer/Girokonto/2026-03/2026-03-01 Mühle AG R-2.pdf"]
    assert connector.inspect([first, new])[0].kind is DriftKind.FOLDER_GONE


@pytest.mark.parametrize("action", ["trash", "delete"])
def test_setting_up_again_brings_the_documents_of_a_deleted_folder_back(
    sandbox: DriveBench, connector: GoogleDrive, action: str
) -> None:
    document = invoice()
    reservation = connector.reserve(document)
    connector.deliver(document, reservation, None)
    sandbox.do("anna", action, sandbox.living("anna")["Kontor"])
    with pytest.raises(TargetGone):
        connector.deliver(invoice(number="R-2"), reservation, None)
    connector.prepare([])
    connector.deliver(document, reservation, None)
    assert sandbox.files("anna") == ["Kontor/Meyer/Girokonto/2026-03/2026-03-01 Mühle AG R-1.pdf"]


def test_folders_that_were_moved_and_renamed_are_followed(sandbox: DriveBench, connector: GoogleDrive) -> None:
    first = delivered(connector, invoice())
    living = sandbox.living("anna")
    elsewhere = sandbox.signed_in("anna", root="Privat").prepare([])[0]
    sandbox.do("anna", "rename", living["Kontor/Meyer"], name="Bäckerei")
    sandbox.do("anna", "move", living["Kontor"], parent=elsewhere.remote_id)
    for instance in (connector, worker(connector, MemoryFacts())):
        delivered(instance, invoice(number=f"R-{instance is connector}"))
    assert {path.rpartition("/")[0] for path in sandbox.files("anna")} == {"Privat/Kontor/Bäckerei/Girokonto/2026-03"}
    assert connector.inspect([first]) == []


# --- reading back


def test_reading_back_tells_changed_moved_and_gone_apart(sandbox: DriveBench, connector: GoogleDrive) -> None:
    kept, altered, renamed, moved, binned, deleted = (
        delivered(connector, invoice(number=f"R-{turn}")) for turn in range(6)
    )
    sandbox.alter(connector, altered)
    sandbox.do("anna", "rename", renamed.remote_id, name="anders.pdf")
    sandbox.do("anna", "move", moved.remote_id, parent=sandbox.living("anna")["Kontor"])
    sandbox.do("anna", "trash", binned.remote_id)
    sandbox.do("anna", "delete", deleted.remote_id)
    drifts = connector.inspect([kept, altered, renamed, moved, binned, deleted])
    assert {drift.remote_id: drift.kind for drift in drifts} == {
        altered.remote_id: DriftKind.CHANGED,
        renamed.remote_id: DriftKind.MOVED,
        moved.remote_id: DriftKind.MOVED,
        binned.remote_id: DriftKind.GONE,
        deleted.remote_id: DriftKind.GONE,
    }


def test_reading_back_many_files_takes_few_calls(sandbox: DriveBench, connector: GoogleDrive) -> None:
    receipts = [delivered(connector, invoice(number=f"R-{turn}")) for turn in range(30)]
    before = sandbox.calls()
    assert connector.inspect(receipts) == []
    assert sandbox.calls() - before == 1
