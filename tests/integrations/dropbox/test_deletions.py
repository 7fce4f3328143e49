from __future__ import annotations

from datetime import date

import pytest

from integrations.conformance.parts import MemoryFacts, revised, worker
from integrations.contract import DriftKind
from integrations.dropbox.connector import DropboxExport
from integrations.errors import TargetGone
from tests.integrations.dropbox.bench import DropboxBench
from tests.integrations.dropbox.documents import PLACE, delivered, invoice

FILE = f"{PLACE}/2026-03-01 Mühle AG R-1.pdf"

# --- E4: what people delete


def test_a_deleted_file_comes_back(sandbox: DropboxBench, connector: DropboxExport) -> None:
    document = invoice()
    first = delivered(connector, document)
    sandbox.do("anna", "trash", first.remote_id)
    assert [drift.kind for drift in connector.inspect([first])] == [DriftKind.GONE]
    again = delivered(connector, document, first)
    assert sandbox.files("anna") == [FILE]
    assert connector.inspect([again]) == []
    assert delivered(connector, document, first).remote_id == again.remote_id


@pytest.mark.parametrize("unknown_id", ["malformed_path", "not_found", "a_tag_of_tomorrow"])
@pytest.mark.parametrize("folder", [PLACE, "Kontor/Meyer"])
def test_a_deleted_folder_stays_deleted_with_its_documents_but_takes_new_ones(
    sandbox: DropboxBench, connector: DropboxExport, folder: str, unknown_id: str
) -> None:
    sandbox.control("settings", provider="dropbox", unknown_id=unknown_id)
    document = invoice()
    first = delivered(connector, document)
    sandbox.do("anna", "trash", sandbox.living("anna")[folder])
    assert [drift.kind for drift in connector.inspect([first])] == [DriftKind.FOLDER_GONE]
    with pytest.raises(TargetGone):
        delivered(connector, document, first)
    assert sandbox.files("anna") == []
    new = delivered(connector, invoice(number="R-2"))
    assert sandbox.files("anna") == [f"{PLACE}/2026-03-01 Mühle AG R-2.pdf"]
    assert [drift.kind for drift in connector.inspect([first, new])] == [DriftKind.FOLDER_GONE]


def test_a_new_month_in_a_deleted_folder_makes_the_folder_anew(sandbox: DropboxBench, connector: DropboxExport) -> None:
    delivered(connector, invoice())
    sandbox.do("anna", "trash", sandbox.living("anna")["Kontor/Meyer"])
    delivered(connector, invoice(issued_on=date(2026, 4, 1)))
    assert sandbox.files("anna") == ["Kontor/Meyer/Girokonto/2026-04/2026-04-01 Mühle AG R-1.pdf"]


def test_a_deleted_root_takes_nothing_until_the_set_up_runs_again(
    sandbox: DropboxBench, connector: DropboxExport
) -> None:
    document = invoice()
    delivered(connector, document)
    sandbox.do("anna", "trash", sandbox.living("anna")["Kontor"])
    for other in (document, invoice(number="R-2"), invoice(number="R-3", client="Schmidt")):
        with pytest.raises(TargetGone):
            delivered(connector, other)
    assert sandbox.living("anna") == {}
    connector.prepare([])
    delivered(connector, document)
    assert sandbox.files("anna") == [FILE]


def test_what_is_moved_out_of_the_app_folder_counts_as_deleted(sandbox: DropboxBench, connector: DropboxExport) -> None:
    first = delivered(connector, invoice())
    sandbox.do("anna", "move", sandbox.living("anna")["Kontor"], parent="top")
    assert [drift.kind for drift in connector.inspect([first])] == [DriftKind.FOLDER_GONE]
    with pytest.raises(TargetGone):
        delivered(connector, invoice(number="R-2"))
    assert sandbox.files("anna") == [f"../{FILE}"]


# --- what people move and rename


def test_folders_that_were_moved_and_renamed_are_followed(sandbox: DropboxBench, connector: DropboxExport) -> None:
    first = delivered(connector, invoice())
    living = sandbox.living("anna")
    elsewhere = sandbox.signed_in("anna", root="Privat").prepare([])[0]
    sandbox.do("anna", "rename", living["Kontor/Meyer"], name="Bäckerei")
    sandbox.do("anna", "rename", living["Kontor"], name="Buchhaltung")
    sandbox.do("anna", "move", living["Kontor"], parent=elsewhere.remote_id)
    before = sandbox.calls()
    delivered(connector, invoice(number="R-2"))
    assert sandbox.calls() - before == 1
    delivered(connector, invoice(number="R-3", account="Sparkonto"))
    assert {path.rpartition("/")[0] for path in sandbox.files("anna")} == {
        "Privat/Buchhaltung/Bäckerei/Girokonto/2026-03",
        "Privat/Buchhaltung/Bäckerei/Sparkonto/2026-03",
    }
    assert connector.inspect([first]) == []
    assert connector.prepare([])[0].remote_id == living["Kontor"]


def test_a_folder_renamed_while_documents_are_re_filed_is_followed(
    sandbox: DropboxBench, connector: DropboxExport
) -> None:
    document = invoice()
    first = delivered(connector, document)
    sandbox.do("anna", "rename", sandbox.living("anna")["Kontor"], name="Anders")
    delivered(connector, revised(document, number="R-9"), first)
    assert sandbox.files("anna") == ["Anders/Meyer/Girokonto/2026-03/2026-03-01 Mühle AG R-9.pdf"]


def test_a_restored_folder_is_used_again(sandbox: DropboxBench, connector: DropboxExport) -> None:
    document = invoice()
    first = delivered(connector, document)
    folder = sandbox.living("anna")["Kontor/Meyer"]
    sandbox.do("anna", "trash", folder)
    sandbox.do("anna", "restore", folder)
    assert connector.inspect([first]) == []
    delivered(connector, invoice(number="R-2"))
    assert len(sandbox.files("anna")) == 2
    assert len(sandbox.folders(connector)) == 4


# --- reading back


def test_reading_back_tells_changed_moved_and_gone_apart_and_what_it_is_now(
    sandbox: DropboxBench, connector: DropboxExport
) -> None:
    kept, altered, renamed, moved, deleted = (delivered(connector, invoice(number=f"R-{turn}")) for turn in range(5))
    sandbox.alter(connector, altered)
    sandbox.do("anna", "rename", renamed.remote_id, name="anders.pdf")
    sandbox.do("anna", "move", moved.remote_id, parent=sandbox.living("anna")["Kontor"])
    sandbox.do("anna", "trash", deleted.remote_id)
    drifts = connector.inspect([kept, altered, renamed, moved, deleted])
    assert {drift.remote_id: drift.kind for drift in drifts} == {
        altered.remote_id: DriftKind.CHANGED,
        renamed.remote_id: DriftKind.MOVED,
        moved.remote_id: DriftKind.MOVED,
        deleted.remote_id: DriftKind.GONE,
    }
    now = {drift.remote_id: drift.now for drift in drifts if drift.now}
    assert now[altered.remote_id].path == altered.path
    assert now[renamed.remote_id].path == "Meyer/Girokonto/2026-03/anders.pdf"
    assert now[moved.remote_id].path == moved.extras["name"]
    accepted = [now[receipt.remote_id] for receipt in (altered, renamed, moved)]
    assert connector.inspect([kept, *accepted]) == []
    assert [connector.inspect([one]) for one in accepted] == [[], [], []]


def test_a_moved_file_that_was_accepted_stays_where_it_is(sandbox: DropboxBench, connector: DropboxExport) -> None:
    document = invoice()
    first = delivered(connector, document)
    sandbox.do("anna", "move", first.remote_id, parent=sandbox.living("anna")["Kontor"])
    (drift,) = connector.inspect([first])
    assert drift.now
    delivered(connector, revised(document, b"%PDF new"), drift.now)
    assert sandbox.files("anna") == ["Kontor/2026-03-01 Mühle AG R-1.pdf"]


def test_a_file_moved_to_the_very_top_is_told(sandbox: DropboxBench, connector: DropboxExport) -> None:
    sandbox.full_access()
    first = delivered(connector, invoice())
    sandbox.do("anna", "move", first.remote_id, parent="top")
    (drift,) = connector.inspect([first])
    assert (drift.kind, drift.now and drift.now.path) == (DriftKind.MOVED, "2026-03-01 Mühle AG R-1.pdf")


@pytest.mark.parametrize("lists_itself", [True, False])
def test_reading_back_many_files_takes_few_calls(
    sandbox: DropboxBench, connector: DropboxExport, lists_itself: bool
) -> None:
    sandbox.control("settings", provider="dropbox", lists_itself=lists_itself)
    receipts = [delivered(connector, invoice(number=f"R-{turn}")) for turn in range(10)]
    before = sandbox.calls()
    assert connector.inspect(receipts) == []
    assert sandbox.calls() - before == 1
    receipts += [delivered(connector, invoice(account=f"Konto {turn}")) for turn in range(6)]
    before = sandbox.calls()
    assert connector.inspect(receipts) == []
    assert sandbox.calls() - before == 1


def test_reading_back_without_a_memory_asks_folder_by_folder(sandbox: DropboxBench, connector: DropboxExport) -> None:
    receipts = [delivered(connector, invoice(account=f"Konto {turn}")) for turn in range(6)]
    before = sandbox.calls()
    assert worker(connector, MemoryFacts()).inspect(receipts) == []
    assert sandbox.calls() - before == 6
