from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import date

import httpx
import pytest

from integrations.conformance.parts import MemoryFacts, revised, worker
from integrations.contract import Ability, Party, Step
from integrations.errors import Misconfigured, ReauthRequired, Transient
from integrations.naming import Language
from integrations.onedrive.connector import OneDrive
from integrations.onedrive.settings import Config
from tests.integrations.onedrive.bench import OneDriveBench
from tests.integrations.onedrive.documents import MONTH, NAME, delivered, invoice

# --- where things go


def test_a_document_lies_in_the_folder_of_its_client_account_and_month(
    sandbox: OneDriveBench, connector: OneDrive
) -> None:
    receipt = delivered(connector, invoice())
    assert sandbox.files("anna") == [f"{MONTH}/{NAME}"]
    assert receipt.path == f"Meyer/Girokonto/2026-03/{NAME}"
    assert receipt.checksum.startswith("quickxor:")


def test_the_link_of_a_receipt_shows_the_file_to_a_person(connector: OneDrive) -> None:
    receipt = delivered(connector, invoice())
    page = httpx.get(receipt.link, follow_redirects=True)
    assert page.status_code == 200
    assert NAME in page.text


def test_settings_of_the_instance_name_root_path_and_language(sandbox: OneDriveBench) -> None:
    mine = sandbox.signed_in("anna", root="Buchhaltung", path="{kind}/{account}/{number}", language=Language.ENGLISH)
    delivered(mine, invoice(account=None))
    assert sandbox.files("anna") == ["Buchhaltung/Incoming invoices/Without bank account/R-1.pdf"]


def test_a_path_that_cannot_work_is_refused_by_the_settings() -> None:
    with pytest.raises(ValueError, match="supplier"):
        Config(path="{supplier}/{number}")


@pytest.mark.parametrize("account", ["anna", "jonas"])
def test_the_following_delivery_costs_one_call(sandbox: OneDriveBench, account: str) -> None:
    connector = sandbox.signed_in(account)
    delivered(connector, invoice())
    before = sandbox.calls()
    for number in range(5):
        delivered(connector, invoice(number=f"R-1{number}"))
    assert sandbox.calls() - before == 5


def test_documents_of_one_name_get_numbers(sandbox: OneDriveBench, connector: OneDrive) -> None:
    for turn in range(3):
        delivered(connector, invoice(f"%PDF {turn}".encode()))
    assert [path.rpartition("/")[2] for path in sandbox.files("anna")] == [
        "2026-03-01 Mühle AG R-1 (2).pdf",
        "2026-03-01 Mühle AG R-1 (3).pdf",
        NAME,
    ]


def test_names_that_differ_in_case_only_are_the_same_name_at_onedrive(
    sandbox: OneDriveBench, connector: OneDrive
) -> None:
    delivered(connector, invoice(b"one", number="r-1"))
    delivered(connector, invoice(b"two", number="R-1"))
    assert len(sandbox.files("anna")) == 2


def test_preparing_makes_the_folder_of_a_new_account_and_links_to_it(
    sandbox: OneDriveBench, connector: OneDrive
) -> None:
    root, folder = connector.prepare(["Meyer/Sparkonto"])
    assert (root.path, folder.path) == ("", "Meyer/Sparkonto")
    assert httpx.get(folder.link or "").status_code == 200
    assert sandbox.living("anna") == {
        "Kontor": root.remote_id,
        "Kontor/Meyer": sandbox.living("anna")["Kontor/Meyer"],
        "Kontor/Meyer/Sparkonto": folder.remote_id,
    }
    assert connector.prepare(["Meyer/Sparkonto"]) == [root, folder]
    assert connector.account_folder("Meyer", "Sparkonto") == "Meyer/Sparkonto"


def test_a_file_that_has_the_name_of_a_folder_keeps_it(sandbox: OneDriveBench, connector: OneDrive) -> None:
    place = connector.prepare(["Meyer"])[1]
    sandbox.do("anna", "delete", place.remote_id)
    file = delivered(
        sandbox.signed_in("anna", path="{number}"), invoice(number="Meyer", filename="a", media_type="x/y")
    )
    fresh = worker(connector, MemoryFacts())
    delivered(fresh, invoice())
    again = worker(connector, MemoryFacts())
    delivered(again, invoice(number="R-2"))
    assert file.path == "Meyer"
    assert {path.rpartition("/")[0] for path in sandbox.files("anna")} == {
        "Kontor",
        "Kontor/Meyer (2)/Girokonto/2026-03",
    }


# --- repeats


def test_an_answer_lost_at_every_call_leaves_one_file(sandbox: OneDriveBench, connector: OneDrive) -> None:
    document = invoice()
    reservation = connector.reserve(document)
    for call in range(12):
        sandbox.script([*([f"ok:{call}"] if call else []), "commit-then-drop"])
        with suppress(Transient):
            connector.deliver(document, reservation, None)
        sandbox.clear()
    connector.deliver(document, reservation, None)
    assert sandbox.files("anna") == [f"{MONTH}/{NAME}"]
    assert len(sandbox.folders(connector)) == 4


def test_a_numbered_file_whose_answer_was_lost_is_found_again(sandbox: OneDriveBench, connector: OneDrive) -> None:
    first = delivered(connector, invoice(b"first"))
    delivered(connector, invoice(b"second"))
    third = invoice(b"third")
    sandbox.script(["ok:2", "commit-then-drop"])  # taken, listed, stored
    with pytest.raises(Transient):
        connector.deliver(third, "r-3", None)
    sandbox.do("anna", "trash", sandbox.living("anna")[f"{MONTH}/2026-03-01 Mühle AG R-1 (2).pdf"])
    receipt = connector.deliver(third, "r-3", None)
    assert receipt.extras["name"].endswith("(3).pdf")
    assert receipt.remote_id != first.remote_id
    assert len(sandbox.files("anna")) == 2


def test_a_new_instance_adopts_what_lies_there_instead_of_doubling_it(
    sandbox: OneDriveBench, connector: OneDrive
) -> None:
    document = invoice()
    first = delivered(connector, document)
    fresh = worker(connector, MemoryFacts())
    assert fresh.plan(document, None).step is Step.LINK
    assert fresh.plan(invoice(b"another"), None).step is Step.CREATE
    assert delivered(fresh, document).remote_id == first.remote_id
    assert len(sandbox.folders(connector)) == 4


def test_two_documents_with_equal_bytes_and_name_have_a_file_each(sandbox: OneDriveBench, connector: OneDrive) -> None:
    first, second = invoice(), invoice()
    receipts = [delivered(connector, one) for one in (first, second)]
    assert [delivered(worker(connector), one).remote_id for one in (first, second)] == [
        one.remote_id for one in receipts
    ]
    new = revised(first, account="Tagesgeld")
    moved = connector.deliver(new, connector.reserve(new), receipts[0])
    assert connector.inspect([moved, receipts[1]]) == []


def test_an_instance_with_another_root_does_not_adopt(sandbox: OneDriveBench, connector: OneDrive) -> None:
    document = invoice()
    delivered(connector, document)
    delivered(worker(connector, MemoryFacts(), config=Config(root="Archiv")), document)
    assert [path.partition("/")[0] for path in sandbox.files("anna")] == ["Archiv", "Kontor"]


# --- versions and re-filing


def test_a_new_version_changes_content_name_and_folder_by_id(sandbox: OneDriveBench, connector: OneDrive) -> None:
    document = invoice()
    first = delivered(connector, document)
    delivered(connector, invoice(issued_on=date(2026, 4, 2), number="R-9"))
    newer = revised(document, b"%PDF-1.7 corrected", issued_on=date(2026, 4, 5), number="R-1a")
    before = sandbox.calls()
    second = delivered(connector, newer, first)
    assert second.remote_id == first.remote_id
    assert second.remote_version != first.remote_version
    assert "Kontor/Meyer/Girokonto/2026-04/2026-04-05 Mühle AG R-1a.pdf" in sandbox.files("anna")
    assert sandbox.content(second.remote_id) == b"%PDF-1.7 corrected"
    assert sandbox.calls() - before == 3  # the look, the content, the new place


def test_a_document_that_moves_to_a_taken_name_gets_a_number(sandbox: OneDriveBench, connector: OneDrive) -> None:
    delivered(connector, invoice(b"one"))
    document = invoice(b"two", number="R-2")
    moved = delivered(connector, revised(document, number="R-1"), delivered(connector, document))
    assert moved.path.endswith("R-1 (2).pdf")
    assert len(sandbox.files("anna")) == 2


def test_an_account_learned_later_files_the_document_anew_by_id(sandbox: OneDriveBench, connector: OneDrive) -> None:
    document = invoice(account=None)
    first = delivered(connector, document)
    again = delivered(connector, revised(document, account="Girokonto"), first)
    assert again.remote_id == first.remote_id
    assert sandbox.files("anna") == [f"{MONTH}/{NAME}"]


def test_nothing_to_do_changes_nothing(sandbox: OneDriveBench, connector: OneDrive) -> None:
    document = invoice()
    first = delivered(connector, document)
    assert connector.plan(document, first).step is Step.NOTHING
    before = sandbox.calls()
    assert delivered(connector, document, first) == first
    assert sandbox.calls() - before == 1


def test_content_that_a_person_changed_is_replaced_when_it_is_delivered_again(
    sandbox: OneDriveBench, connector: OneDrive
) -> None:
    document = invoice()
    first = delivered(connector, document)
    sandbox.alter(connector, first)
    assert connector.plan(document, first).step is Step.UPDATE
    delivered(connector, document, first)
    assert sandbox.content(first.remote_id) == b"%PDF-1.7 invoice"


def test_a_file_that_a_person_moved_stays_there_when_its_content_changes(
    sandbox: OneDriveBench, connector: OneDrive
) -> None:
    document = invoice()
    first = delivered(connector, document)
    place = connector.prepare(["Geprüft"])[1]
    sandbox.do("anna", "move", first.remote_id, parent=place.remote_id)
    delivered(connector, revised(document, b"%PDF-1.7 new"), first)
    assert sandbox.files("anna") == [f"Kontor/Geprüft/{NAME}"]


# --- whose login it is


def test_the_account_is_told_with_address_and_room(sandbox: OneDriveBench) -> None:
    for account, address in (
        ("anna", "anna.meyer@baeckerei-meyer.example"),
        ("jonas", "jonas@berg-tischlerei.example"),
    ):
        sandbox.control("onedrive/limit", account=account, bytes=1_000)
        connector = sandbox.signed_in(account, path="{number}")
        delivered(connector, invoice(b"x" * 400))
        told = connector.check()
        assert (told.email, told.space_total, told.space_left) == (address, 1_000, 600)


def test_a_company_login_is_checked_by_one_call(sandbox: OneDriveBench, company: OneDrive) -> None:
    company.check()
    assert sandbox.calls() == 1


def test_a_consent_without_access_to_files_counts_as_no_login(connector: OneDrive) -> None:
    tokens = connector.wiring.tokens
    tokens.token = replace(tokens.current(), scopes=("User.Read",))  # type: ignore[attr-defined]
    with pytest.raises(ReauthRequired):
        connector.check()


def test_scopes_may_be_told_as_whole_addresses(connector: OneDrive) -> None:
    tokens = connector.wiring.tokens
    tokens.token = replace(  # type: ignore[attr-defined]
        tokens.current(), scopes=("https://graph.microsoft.com/Files.ReadWrite",)
    )
    assert connector.check().name == "Anna Meyer"


@pytest.mark.parametrize("code", ["itemNotFound", "BadRequest"])
def test_an_account_without_a_onedrive_says_what_to_do(sandbox: OneDriveBench, connector: OneDrive, code: str) -> None:
    sandbox.script([f"fault:{code}"])
    with pytest.raises(Misconfigured, match="no OneDrive yet"):
        connector.check()


def test_there_is_no_call_to_revoke_and_none_is_claimed(connector: OneDrive) -> None:
    assert Ability.REVOKE not in connector.manifest.abilities
    with pytest.raises(NotImplementedError):
        connector.revoke()


# --- names and paths


def test_the_longest_names_stay_within_a_path_of_400_characters(sandbox: OneDriveBench) -> None:
    connector = sandbox.signed_in("jonas", root="K" * 80, path="/".join(["{client}"] * 8 + ["{party}"]))
    receipt = delivered(connector, invoice(client="ü" * 200, party=Party(name="ß" * 300)))
    assert len(f"{'K' * 80}/{receipt.path}") <= 310


@pytest.mark.parametrize("account", ["anna", "jonas"])
def test_a_main_folder_called_forms_is_made_under_a_name_that_sharepoint_takes(
    sandbox: OneDriveBench, account: str
) -> None:
    connector = sandbox.signed_in(account, root="Forms")
    assert connector.prepare([])[0].remote_id == sandbox.living(account)["Forms_"]
