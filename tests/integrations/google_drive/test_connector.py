from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any

import httpx
import pytest

from integrations.conformance.parts import MemoryFacts, revised, sample, worker
from integrations.contract import DocumentKind, DriftKind, OutgoingDocument, Party, Step
from integrations.errors import (
    ConnectorError,
    Misconfigured,
    ReauthRequired,
    Rejected,
    StorageFull,
    TargetGone,
    Throttled,
    Transient,
)
from integrations.google_drive.connector import Config, GoogleDrive
from integrations.google_drive.upload import CHUNK, MULTIPART_MOST, Upload, send
from integrations.naming import Language
from tests.integrations.google_drive.bench import DriveBench

KIND = DocumentKind.INCOMING_INVOICE


def invoice(content: bytes = b"%PDF-1.7 invoice", **facts: Any) -> OutgoingDocument:
    known: dict[str, Any] = {"party": Party(name="Mühle AG"), "number": "R-1", "client": "Meyer"}
    return sample(KIND, content, **(known | facts))


def large(size: int = CHUNK * 2 + 12_345) -> bytes:
    return bytes(251) * (size // 251) + b"\1" * (size % 251)


def delivered(connector: GoogleDrive, document: OutgoingDocument, previous: Any = None) -> Any:
    return connector.deliver(document, connector.reserve(document), previous)


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


# --- sizes


@pytest.mark.parametrize(
    "size", [0, 1, MULTIPART_MOST, MULTIPART_MOST + 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 1]
)
def test_every_size_arrives_whole(sandbox: DriveBench, connector: GoogleDrive, size: int) -> None:
    content = large(size)
    receipt = delivered(connector, invoice(content))
    assert sandbox.content(receipt.remote_id) == content


@pytest.mark.parametrize("trouble", ["reset", "commit-then-drop", "down", "down:500"])
@pytest.mark.parametrize("piece", [1, 2, 3])
def test_an_upload_broken_at_any_piece_goes_on_where_it_was(
    sandbox: DriveBench, connector: GoogleDrive, piece: int, trouble: str
) -> None:
    delivered(connector, invoice(number="R-0"))  # its folder is there
    document = invoice(large())
    reservation, before = connector.reserve(document), sandbox.calls()
    sandbox.script([f"ok:{piece + 1}", trouble])  # look, session, pieces
    receipt = connector.deliver(document, reservation, None)
    assert sandbox.content(receipt.remote_id) == large()
    assert sandbox.calls() - before <= 7  # look, session, three pieces, one question, one piece again


def test_a_session_that_google_forgot_is_started_anew(sandbox: DriveBench, connector: GoogleDrive) -> None:
    delivered(connector, invoice(number="R-0"))
    document = invoice(large())
    sandbox.script(["ok:4", "fault:notFound"])
    receipt = delivered(connector, document)
    assert sandbox.content(receipt.remote_id) == large()
    assert len(sandbox.files("anna")) == 2


def test_an_upload_that_never_gets_on_ends_as_transient_and_leaves_nothing(
    sandbox: DriveBench, connector: GoogleDrive
) -> None:
    delivered(connector, invoice(number="R-0"))
    document = invoice(large())
    reservation = connector.reserve(document)
    sandbox.script(["ok:2", *["down"] * 20])
    with pytest.raises(Transient):
        connector.deliver(document, reservation, None)
    sandbox.clear()
    assert len(sandbox.files("anna")) == 1
    connector.deliver(document, reservation, None)
    assert len(sandbox.files("anna")) == 2


def test_a_token_that_dies_within_an_upload_is_renewed(sandbox: DriveBench, connector: GoogleDrive) -> None:
    sandbox.script(["ok:8", "expired"])
    receipt = delivered(connector, invoice(large()))
    assert sandbox.content(receipt.remote_id) == large()


def test_a_file_that_is_not_as_long_as_told_is_not_sent(sandbox: DriveBench, connector: GoogleDrive) -> None:
    short = replace(invoice(), open=lambda: io.BytesIO(b"%PDF"))
    with pytest.raises(Rejected):
        delivered(connector, short)
    assert sandbox.files("anna") == []


def test_a_session_at_a_foreign_address_gets_no_token(connector: GoogleDrive) -> None:
    seen: list[httpx.Request] = []

    def lead_astray(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"files": []}, headers={"location": "http://evil.example/upload"})

    with httpx.Client(transport=httpx.MockTransport(lead_astray)) as http:
        astray = worker(connector, http=http)
        document = invoice(large())
        with pytest.raises(Transient):
            send(astray.drive, Upload(document=document, metadata={"name": "x"}))
    assert {request.url.host for request in seen} == {"127.0.0.1"}


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


# --- refusals


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("userRateLimitExceeded", Throttled),
        ("rateLimitExceeded", Throttled),
        ("storageQuotaExceeded", StorageFull),
        ("insufficientPermissions", ReauthRequired),
        ("appNotAuthorizedToFile", ReauthRequired),
        ("accessNotConfigured", Misconfigured),
        ("domainPolicy", Misconfigured),
        ("insufficientFilePermissions", Rejected),
        ("badRequest", Rejected),
        ("backendError", Transient),
        ("internalError", Transient),
    ],
)
def test_googles_reasons_are_sorted_by_who_must_act(
    sandbox: DriveBench, connector: GoogleDrive, reason: str, expected: type[ConnectorError]
) -> None:
    document = invoice()
    sandbox.script([f"fault:{reason}"])
    with pytest.raises(expected) as caught:
        connector.deliver(document, "not asked for", None)
    assert type(caught.value) is expected
    if isinstance(caught.value, StorageFull):
        assert caught.value.needed == document.size


@pytest.mark.parametrize("status", [403, 429])
def test_a_wait_that_google_names_is_kept_and_otherwise_assumed(
    sandbox: DriveBench, connector: GoogleDrive, status: int
) -> None:
    sandbox.control("settings", provider="google_drive", throttle_status=status)
    sandbox.script(["throttle:7", "fault:userRateLimitExceeded"])
    waits = [caught_wait(connector.check) for _ in range(2)]
    assert waits[0] == 7
    assert waits[1] >= 10


def caught_wait(call: Callable[[], object]) -> float:
    with pytest.raises(Throttled) as caught:
        call()
    return caught.value.wait


def test_a_full_drive_says_how_much_is_needed_and_keeps_nothing(sandbox: DriveBench, connector: GoogleDrive) -> None:
    sandbox.control("google_drive/limit", account="anna", bytes=1_000)
    for size in (2_000, CHUNK + 1):
        with pytest.raises(StorageFull) as caught:
            delivered(connector, invoice(large(size)))
        assert caught.value.needed == size
    assert sandbox.files("anna") == []
    account = connector.check()
    assert (account.space_total, account.space_left) == (1_000, 1_000)


def test_a_consent_without_access_to_files_counts_as_no_login(sandbox: DriveBench, connector: GoogleDrive) -> None:
    tokens = connector.wiring.tokens
    tokens.token = replace(tokens.current(), scopes=("openid",))  # type: ignore[attr-defined]
    with pytest.raises(ReauthRequired):
        connector.check()


def test_an_answer_that_is_not_googles_is_no_crash(connector: GoogleDrive) -> None:
    pages = httpx.MockTransport(lambda _request: httpx.Response(403, text="<html>proxy</html>"))
    with httpx.Client(transport=pages) as http, pytest.raises(Rejected):
        worker(connector, http=http).check()
