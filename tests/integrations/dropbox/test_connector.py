from __future__ import annotations

from contextlib import suppress

import httpx
import pytest

from integrations.conformance.parts import MemoryFacts, revised, worker
from integrations.contract import Party, Step
from integrations.dropbox.connector import DropboxExport
from integrations.dropbox.failures import Conflict
from integrations.dropbox.hashing import hash_of
from integrations.dropbox.settings import App, Config
from integrations.errors import Misconfigured, Transient
from integrations.naming import Language
from tests.integrations.dropbox.bench import DropboxBench
from tests.integrations.dropbox.documents import PLACE, delivered, invoice

# --- where things go


def test_a_document_lies_in_the_folder_of_its_client_account_and_month(
    sandbox: DropboxBench, connector: DropboxExport
) -> None:
    receipt = delivered(connector, invoice())
    assert sandbox.files("anna") == [f"{PLACE}/2026-03-01 Mühle AG R-1.pdf"]
    assert receipt.path == "Meyer/Girokonto/2026-03/2026-03-01 Mühle AG R-1.pdf"
    assert receipt.checksum.startswith("content_hash:")
    assert receipt.extras["folder"] == sandbox.living("anna")[PLACE]


def test_an_app_with_full_access_files_at_the_top(sandbox: DropboxBench, connector: DropboxExport) -> None:
    sandbox.full_access()
    delivered(connector, invoice())
    assert sandbox.files("anna") == [f"{PLACE}/2026-03-01 Mühle AG R-1.pdf"]


@pytest.mark.parametrize(("full", "folder"), [(True, ""), (False, "Kontor")])
def test_the_link_of_a_receipt_shows_the_file_to_a_person(
    sandbox: DropboxBench, connector: DropboxExport, full: bool, folder: str
) -> None:
    if full:
        sandbox.full_access()
    app = App(client_id="kontor-demo", client_secret="kontor-demo-secret", app_folder=folder)
    linking = worker(connector, app=app)
    receipt, root = delivered(linking, invoice()), linking.prepare([])[0]
    for link in (receipt.link, root.link):
        page = httpx.get(link, follow_redirects=True)
        assert page.status_code == 200
        assert "2026-03-01 Mühle AG R-1.pdf" in page.text
    assert f'id="{receipt.remote_id}"' in page.text


def test_settings_of_the_instance_name_root_path_and_language(sandbox: DropboxBench) -> None:
    mine = sandbox.signed_in("anna", root="Buchhaltung", path="{kind}/{account}/{number}", language=Language.ENGLISH)
    delivered(mine, invoice(account=None))
    assert sandbox.files("anna") == ["Buchhaltung/Incoming invoices/Without bank account/R-1.pdf"]


def test_a_path_that_cannot_work_is_refused_by_the_settings() -> None:
    with pytest.raises(ValueError, match="supplier"):
        Config(path="{supplier}/{number}")


def test_the_following_delivery_costs_one_call(sandbox: DropboxBench, connector: DropboxExport) -> None:
    delivered(connector, invoice())
    before = sandbox.calls()
    delivered(connector, invoice(number="R-2"))
    assert sandbox.calls() - before == 1


def test_preparing_makes_the_folder_of_a_new_account_and_links_to_it(
    sandbox: DropboxBench, connector: DropboxExport
) -> None:
    root, folder = connector.prepare([connector.account_folder("Meyer", "Sparkonto")])
    assert (root.path, folder.path) == ("", "Meyer/Sparkonto")
    assert sandbox.living("anna") == {
        "Kontor": root.remote_id,
        "Kontor/Meyer": sandbox.living("anna")["Kontor/Meyer"],
        "Kontor/Meyer/Sparkonto": folder.remote_id,
    }
    assert connector.prepare(["Meyer/Sparkonto"]) == [root, folder]


def test_a_file_that_has_the_name_of_a_folder_is_told(sandbox: DropboxBench, connector: DropboxExport) -> None:
    sandbox.put("anna", "Kontor", "a note of mine")
    with pytest.raises(Misconfigured, match="Kontor"):
        connector.prepare([])


def test_a_folder_that_a_person_made_before_is_used(sandbox: DropboxBench, connector: DropboxExport) -> None:
    sandbox.put("anna", "kontor/MEYER/notes.txt", "mine")
    delivered(connector, invoice())
    assert "kontor/MEYER/Girokonto/2026-03/2026-03-01 Mühle AG R-1.pdf" in sandbox.files("anna")


# --- names


def test_other_content_of_one_name_gets_a_number(sandbox: DropboxBench, connector: DropboxExport) -> None:
    documents = [invoice(b"first"), invoice(b"second"), invoice(b"third")]
    receipts = [delivered(connector, document) for document in documents]
    assert [receipt.path.rpartition("/")[2] for receipt in receipts] == [
        "2026-03-01 Mühle AG R-1.pdf",
        "2026-03-01 Mühle AG R-1 (2).pdf",
        "2026-03-01 Mühle AG R-1 (3).pdf",
    ]
    for document, receipt in zip(documents, receipts, strict=True):
        for again in (connector, worker(connector, MemoryFacts())):
            assert delivered(again, document).remote_id == receipt.remote_id
    assert len(sandbox.files("anna")) == 3


def test_two_documents_of_equal_bytes_and_name_have_a_file_each(
    sandbox: DropboxBench, connector: DropboxExport
) -> None:
    first, second = invoice(), invoice()
    receipts = [delivered(connector, document) for document in (first, second, first, second)]
    assert len({receipt.remote_id for receipt in receipts}) == 2
    assert receipts[:2] == receipts[2:]
    assert len(sandbox.files("anna")) == 2


def test_names_that_differ_in_case_only_are_one_name(sandbox: DropboxBench, connector: DropboxExport) -> None:
    for party, content in (("Mühle AG", b"a"), ("MÜHLE AG", b"b"), ("mühle ag", b"c")):
        delivered(connector, invoice(content, party=Party(name=party)))
    assert {path.rpartition("/")[2] for path in sandbox.files("anna")} == {
        "2026-03-01 Mühle AG R-1.pdf",
        "2026-03-01 MÜHLE AG R-1 (2).pdf",
        "2026-03-01 mühle ag R-1 (3).pdf",
    }


def test_folders_that_differ_in_case_only_are_one_folder(sandbox: DropboxBench, connector: DropboxExport) -> None:
    delivered(connector, invoice(client="Meyer"))
    delivered(connector, invoice(client="MEYER", number="R-2"))
    assert len([path for path in sandbox.folders(connector) if path.count("/") == 1]) == 1
    assert len(sandbox.files("anna")) == 2


# --- repeats


def test_an_answer_lost_at_every_call_leaves_one_file(sandbox: DropboxBench, connector: DropboxExport) -> None:
    document = invoice()
    for call in range(14):
        sandbox.script([*([f"ok:{call}"] if call else []), "commit-then-drop"])
        with suppress(Transient):
            delivered(connector, document)
        sandbox.clear()
    delivered(connector, document)
    assert sandbox.files("anna") == [f"{PLACE}/2026-03-01 Mühle AG R-1.pdf"]
    assert len(sandbox.folders(connector)) == 4


def test_a_new_instance_adopts_what_lies_there_instead_of_doubling_it(
    sandbox: DropboxBench, connector: DropboxExport
) -> None:
    document = invoice()
    first = delivered(connector, document)
    fresh = worker(connector, MemoryFacts())
    assert fresh.plan(document, None).step is Step.LINK
    assert delivered(fresh, document).remote_id == first.remote_id
    assert len(sandbox.folders(connector)) == 4


def test_a_plan_tells_what_would_be_made(sandbox: DropboxBench, connector: DropboxExport) -> None:
    document = invoice()
    plan = connector.plan(document, None)
    assert (plan.step, plan.also) == (Step.CREATE, (("folder", "Meyer/Girokonto/2026-03"),))
    receipt = delivered(connector, document)
    assert connector.plan(document, receipt).step is Step.NOTHING
    assert connector.plan(revised(document, b"new"), receipt).step is Step.UPDATE
    assert connector.plan(invoice(b"other"), None).step is Step.CREATE
    assert len(sandbox.files("anna")) == 1


# --- versions and re-filing


def test_a_new_version_changes_content_name_and_folder_of_the_same_file(
    sandbox: DropboxBench, connector: DropboxExport
) -> None:
    document = invoice()
    first = delivered(connector, document)
    again = delivered(connector, revised(document, b"%PDF new", number="R-9", client="Schmidt"), first)
    assert again.remote_id == first.remote_id
    assert sandbox.files("anna") == ["Kontor/Schmidt/Girokonto/2026-03/2026-03-01 Mühle AG R-9.pdf"]
    assert sandbox.content(first.remote_id) == b"%PDF new"
    assert connector.inspect([again]) == []


def test_a_document_re_filed_where_its_name_is_taken_gets_a_number(
    sandbox: DropboxBench, connector: DropboxExport
) -> None:
    delivered(connector, invoice(b"first"))
    document = invoice(b"second", number="R-2")
    receipt = delivered(connector, document)
    again = delivered(connector, revised(document, number="R-1"), receipt)
    assert again.extras["name"] == "2026-03-01 Mühle AG R-1 (2).pdf"
    assert again.remote_id == receipt.remote_id


def test_a_name_that_changes_in_case_only_stays_as_it_is(sandbox: DropboxBench, connector: DropboxExport) -> None:
    document = invoice()
    receipt = delivered(connector, document)
    again = delivered(connector, revised(document, party=Party(name="MÜHLE AG")), receipt)
    assert again.remote_id == receipt.remote_id
    assert sandbox.files("anna") == [f"{PLACE}/2026-03-01 Mühle AG R-1.pdf"]
    assert connector.inspect([again]) == []


def test_nothing_to_do_changes_nothing(sandbox: DropboxBench, connector: DropboxExport) -> None:
    document = invoice()
    first = delivered(connector, document)
    assert delivered(connector, document, first) == first


def test_a_file_that_a_person_moved_stays_there_when_its_content_changes(
    sandbox: DropboxBench, connector: DropboxExport
) -> None:
    document = invoice()
    first = delivered(connector, document)
    place = connector.prepare(["Geprüft"])[1]
    sandbox.do("anna", "move", first.remote_id, parent=place.remote_id)
    again = delivered(connector, revised(document, b"%PDF-1.7 new"), first)
    assert sandbox.files("anna") == ["Kontor/Geprüft/2026-03-01 Mühle AG R-1.pdf"]
    assert again.extras["folder"] == place.remote_id
    assert connector.inspect([again]) == []


def test_a_file_that_somebody_changes_meanwhile_is_not_overwritten_unseen(
    sandbox: DropboxBench, connector: DropboxExport
) -> None:
    document = invoice()
    first = delivered(connector, document)
    sandbox.do("anna", "write", first.remote_id, text="a person's words")
    commit = {"path": first.remote_id, "mode": {".tag": "update", "update": first.remote_version}}
    with pytest.raises(Conflict):
        connector.dropbox.upload(commit, b"%PDF new", hash_of(b"%PDF new"))
    assert sandbox.content(first.remote_id) == b"a person's words"
    delivered(connector, revised(document, b"%PDF new"), first)
    assert sandbox.content(first.remote_id) == b"%PDF new"


# --- the team's space


def test_in_a_team_the_own_folder_is_the_default_and_the_team_space_a_setting(sandbox: DropboxBench) -> None:
    sandbox.full_access()
    delivered(sandbox.signed_in("kanzlei"), invoice())
    team = sandbox.signed_in("kanzlei", team_space=True)
    delivered(team, invoice(number="R-2"))
    assert sandbox.files("kanzlei") == [
        f"Kanzlei Sommer/{PLACE}/2026-03-01 Mühle AG R-1.pdf",
        f"{PLACE}/2026-03-01 Mühle AG R-2.pdf",
    ]


def test_a_team_space_with_a_new_namespace_is_followed(sandbox: DropboxBench) -> None:
    sandbox.full_access()
    team = sandbox.signed_in("kanzlei", team_space=True)
    delivered(team, invoice())
    sandbox.control("dropbox/new_root", account="kanzlei")
    before = sandbox.calls()
    delivered(team, invoice(number="R-2"))
    assert sandbox.calls() - before == 2
    delivered(team, invoice(number="R-3"))
    assert sandbox.calls() - before == 3
    assert len(sandbox.files("kanzlei")) == 3


def test_the_room_of_a_team_member_is_the_smaller_of_both(sandbox: DropboxBench) -> None:
    sandbox.control("dropbox/limit", account="kanzlei", bytes=10_000)
    account = sandbox.signed_in("kanzlei").check()
    assert (account.space_total, account.space_left) == (10_000, 5_000)
