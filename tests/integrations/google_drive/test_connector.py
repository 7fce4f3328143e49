from __future__ import annotations

from contextlib import suppress
from datetime import date

import httpx
import pytest

from integrations.conformance.parts import MemoryFacts, revised, worker
from integrations.contract import Step
from integrations.errors import (
    Transient,
)
from integrations.google_drive.connector import Config, GoogleDrive
from integrations.naming import Language
from tests.integrations.google_drive.bench import DriveBench
from tests.integrations.google_drive.documents import delivered, invoice

# --- where things go


def test_a_document_lies_in_the_folder_of_its_client_account_and_month(
    sandbox: DriveBench, connector: GoogleDrive
) -> None:
    receipt = delivered(connector, invoice())
    assert sandbox.files("anna") == ["Kontor/Meyer/Girokonto/2026-03/2026-03-01 Mühle AG R-1.pdf"]
    assert receipt.path == "Meyer/Girokonto/2026-03/2026-03-01 Mühle AG R-1.pdf"
    assert receipt.link.startswith("http")
    assert receipt.checksum.startswith("sha256:")


def test_the_link_of_a_receipt_shows_the_file_to_a_person(sandbox: DriveBench, connector: GoogleDrive) -> None:
    receipt = delivered(connector, invoice())
    page = httpx.get(receipt.link, follow_redirects=True)
    assert page.status_code == 200
    assert "2026-03-01 Mühle AG R-1.pdf" in page.text


def test_settings_of_the_instance_name_root_path_and_language(sandbox: DriveBench) -> None:
    mine = sandbox.signed_in("anna", root="Buchhaltung", path="{kind}/{account}/{number}", language=Language.ENGLISH)
    delivered(mine, invoice(account=None))
    assert sandbox.files("anna") == ["Buchhaltung/Incoming invoices/Without bank account/R-1.pdf"]


def test_a_path_that_cannot_work_is_refused_by_the_settings() -> None:
    with pytest.raises(ValueError, match="supplier"):
        Config(path="{supplier}/{number}")


def test_documents_of_one_name_get_numbers_so_that_a_synchronised_computer_keeps_both(
    sandbox: DriveBench, connector: GoogleDrive
) -> None:
    for _ in range(3):
        delivered(connector, invoice())
    assert [path.rpartition("/")[2] for path in sandbox.files("anna")] == [
        "2026-03-01 Mühle AG R-1 (2).pdf",
        "2026-03-01 Mühle AG R-1 (3).pdf",
        "2026-03-01 Mühle AG R-1.pdf",
    ]


def test_the_following_delivery_costs_two_calls(sandbox: DriveBench, connector: GoogleDrive) -> None:
    delivered(connector, invoice())
    reservation, before = connector.reserve(invoice()), sandbox.calls()
    connector.deliver(invoice(number="R-2"), reservation, None)
    assert sandbox.calls() - before == 2


def test_preparing_makes_the_folder_of_a_new_account_and_links_to_it(
    sandbox: DriveBench, connector: GoogleDrive
) -> None:
    root, folder = connector.prepare(["Meyer/Sparkonto"])
    assert (root.path, folder.path) == ("", "Meyer/Sparkonto")
    assert root.link
    assert sandbox.living("anna") == {
        "Kontor": root.remote_id,
        "Kontor/Meyer": sandbox.living("anna")["Kontor/Meyer"],
        "Kontor/Meyer/Sparkonto": folder.remote_id,
    }
    assert connector.prepare(["Meyer/Sparkonto"]) == [root, folder]


# --- repeats


def test_an_answer_lost_at_every_call_leaves_one_file(sandbox: DriveBench, connector: GoogleDrive) -> None:
    document = invoice()
    reservation = connector.reserve(document)
    for call in range(12):
        sandbox.script([*([f"ok:{call}"] if call else []), "commit-then-drop"])
        with suppress(Transient):
            connector.deliver(document, reservation, None)
        sandbox.clear()
    receipt = connector.deliver(document, reservation, None)
    assert receipt.remote_id == reservation
    assert sandbox.files("anna") == ["Kontor/Meyer/Girokonto/2026-03/2026-03-01 Mühle AG R-1.pdf"]
    assert len(sandbox.folders(connector)) == 4


def test_a_new_instance_adopts_what_lies_there_instead_of_doubling_it(
    sandbox: DriveBench, connector: GoogleDrive
) -> None:
    document = invoice()
    first = delivered(connector, document)
    fresh = worker(connector, MemoryFacts())
    assert fresh.plan(document, None).step is Step.LINK
    second = delivered(fresh, document)
    assert second.remote_id == first.remote_id
    assert len(sandbox.folders(connector)) == 4


def test_an_instance_with_another_root_does_not_adopt(sandbox: DriveBench, connector: GoogleDrive) -> None:
    document = invoice()
    delivered(connector, document)
    other = worker(connector, MemoryFacts(), config=Config(root="Archiv"))
    delivered(other, document)
    assert [path.partition("/")[0] for path in sandbox.files("anna")] == ["Archiv", "Kontor"]


def test_an_id_reserved_before_another_login_took_over_is_replaced_once(
    sandbox: DriveBench, connector: GoogleDrive, other_account: GoogleDrive
) -> None:
    document = invoice()
    reservation = connector.reserve(document)
    receipts = [other_account.deliver(document, reservation, None) for _ in range(2)]
    assert receipts[0].remote_id == receipts[1].remote_id != reservation
    assert len(sandbox.files("jonas")) == 1


# --- versions and re-filing


def test_a_new_version_changes_content_name_and_folder_in_one_call(sandbox: DriveBench, connector: GoogleDrive) -> None:
    document = invoice()
    first = delivered(connector, document)
    delivered(connector, invoice(issued_on=date(2026, 4, 2), number="R-9"))
    newer = revised(document, b"%PDF-1.7 corrected", issued_on=date(2026, 4, 5), number="R-1a")
    reservation, before = connector.reserve(newer), sandbox.calls()
    second = connector.deliver(newer, reservation, first)
    assert second.remote_id == first.remote_id
    assert second.remote_version != first.remote_version
    assert "Kontor/Meyer/Girokonto/2026-04/2026-04-05 Mühle AG R-1a.pdf" in sandbox.files("anna")
    assert sandbox.content(second.remote_id) == b"%PDF-1.7 corrected"
    assert sandbox.calls() - before == 3  # the file, the folder, the change


def test_the_name_that_a_corrected_document_had_is_free_again(sandbox: DriveBench, connector: GoogleDrive) -> None:
    document = invoice()
    receipt = delivered(connector, document)
    changed = revised(document, number="R-2")
    connector.deliver(changed, connector.reserve(changed), receipt)
    assert delivered(connector, invoice()).path == receipt.path


def test_an_account_learned_later_files_the_document_anew_by_id(sandbox: DriveBench, connector: GoogleDrive) -> None:
    document = invoice(account=None)
    first = delivered(connector, document)
    again = delivered(connector, revised(document, account="Girokonto"), first)
    assert again.remote_id == first.remote_id
    assert sandbox.files("anna") == ["Kontor/Meyer/Girokonto/2026-03/2026-03-01 Mühle AG R-1.pdf"]


def test_nothing_to_do_changes_nothing(sandbox: DriveBench, connector: GoogleDrive) -> None:
    document = invoice()
    first = delivered(connector, document)
    assert connector.plan(document, first).step is Step.NOTHING
    assert delivered(connector, document, first) == first


def test_a_file_that_a_person_moved_stays_there_when_its_content_changes(
    sandbox: DriveBench, connector: GoogleDrive
) -> None:
    document = invoice()
    first = delivered(connector, document)
    place = connector.prepare(["Geprüft"])[1]
    sandbox.do("anna", "move", first.remote_id, parent=place.remote_id)
    delivered(connector, revised(document, b"%PDF-1.7 new"), first)
    assert sandbox.files("anna") == ["Kontor/Geprüft/2026-03-01 Mühle AG R-1.pdf"]
