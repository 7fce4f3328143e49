"""What the kit does not ask: few calls, deleted folders, clashes, other people's files, finding the folder."""

from __future__ import annotations

import hashlib
import unicodedata
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from integrations.conformance.parts import MemoryFacts, revised, sample, worker
from integrations.contract import DocumentKind, DriftKind, OutgoingDocument, Receipt, Step
from integrations.errors import (
    Misconfigured,
    ReauthRequired,
    Rejected,
    StorageFull,
    TargetGone,
    Throttled,
    Transient,
)
from integrations.webdav.connector import WebDav
from tests.integrations.webdav.bench import DavBench, at
from tests.integrations.wire import provider

MONTH = "Kontor/Bäckerei Sonnenschein GmbH/Girokonto/2026-03"


def invoice(content: bytes = b"%PDF-1.7 sample", **facts: Any) -> OutgoingDocument:
    return sample(DocumentKind.INCOMING_INVOICE, content, **facts)


def deliver(connector: WebDav, document: OutgoingDocument, previous: Receipt | None = None) -> Receipt:
    return connector.deliver(document, connector.reserve(document), previous)


def calls(sandbox: DavBench) -> list[str]:
    return [call["method"] for call in sandbox.log()]


# --- few calls


def test_a_document_costs_one_call_when_its_folder_is_known(sandbox: DavBench, connector: WebDav) -> None:
    deliver(connector, invoice())
    before = len(calls(sandbox))
    receipts = [deliver(connector, invoice()) for _ in range(5)]
    assert calls(sandbox)[before:] == ["PUT"] * 5
    connector.inspect(receipts)
    assert calls(sandbox)[before + 5 :] == ["PROPFIND"]


def test_folders_are_made_once_and_the_home_is_found_once(sandbox: DavBench, connector: WebDav) -> None:
    deliver(connector, invoice())
    # The first document goes the long way, and once more to find out whether conditions are kept.
    assert calls(sandbox) == ["PROPFIND", "MKCOL", "MKCOL", "MKCOL", "MKCOL", "PUT", "MOVE", "PUT"]
    deliver(worker(connector), invoice())
    assert calls(sandbox)[8:] == ["PUT"]


@pytest.mark.parametrize("between", ["the server is trusted", "the document is corrected"])
def test_nothing_is_left_of_an_upload_that_was_not_moved(sandbox: DavBench, connector: WebDav, between: str) -> None:
    document = invoice()
    sandbox.script(["ok:6", "throttle:1"])  # home, four folders, PUT
    with pytest.raises(Throttled):
        deliver(connector, document)
    sandbox.clear()
    sandbox.advance(2)
    if between == "the server is trusted":
        deliver(connector, invoice())
    else:
        document = revised(document, b"corrected", number="R-77")
    receipt = deliver(connector, document)
    assert not [path for path in sandbox.paths("anna") if path.endswith(".part")]
    assert receipt.remote_id in sandbox.paths("anna")


@pytest.mark.parametrize("move", ["is refused", "fails"])
def test_nothing_is_left_by_a_worker_who_uploads_what_another_one_just_moved(
    sandbox: DavBench, connector: WebDav, move: str
) -> None:
    document = invoice()
    seen: list[str] = []

    def meanwhile(request: httpx.Request) -> None:
        seen.append(request.method)
        if seen.count("PUT") == 1 and request.method == "PUT":
            deliver(connector, document)
        if request.method == "MOVE" and move == "fails":
            raise httpx.ConnectError("gone")

    with httpx.Client(event_hooks={"request": [meanwhile]}) as http:
        slow = worker(connector, http=http)
        if move == "fails":
            with pytest.raises(Transient):
                deliver(slow, document)
        receipt = deliver(slow, document)
    assert "MOVE" in seen
    assert sandbox.paths("anna") == [receipt.remote_id]


def test_a_nextcloud_that_keeps_no_conditions_is_found_out(sandbox: DavBench, connector: WebDav) -> None:
    sandbox.control("settings", provider="webdav", conditions=False)
    receipt = deliver(connector, invoice())
    assert connector.inspect([receipt]) == []
    first, second = (invoice(content, number="R-1", party=None) for content in (b"first", b"second"))
    receipts = [deliver(connector, document) for document in (first, second)]
    assert [sandbox.content("anna", one.remote_id) for one in receipts] == [b"first", b"second"]
    deliver(connector, revised(first, b"corrected"), receipts[0])
    assert sorted(sandbox.content("anna", path) for path in sandbox.paths("anna")) == [
        b"%PDF-1.7 sample", b"corrected", b"second",
    ]  # fmt: skip


def test_the_receipt_links_to_nextclouds_own_page(sandbox: DavBench, connector: WebDav) -> None:
    receipt = deliver(connector, invoice())
    assert receipt.link is not None
    assert f"{sandbox.url}/webdav/index.php/f/" in receipt.link
    page = sandbox.http.get(receipt.link, follow_redirects=True)
    assert page.status_code == 200
    assert receipt.remote_id.rpartition("/")[2] in page.text


def test_an_update_of_the_content_is_a_conditional_put(sandbox: DavBench, connector: WebDav) -> None:
    document = invoice()
    receipt = deliver(connector, document)
    before = len(calls(sandbox))
    deliver(connector, revised(document, b"%PDF-1.7 corrected"), receipt)
    assert calls(sandbox)[before:] == ["PROPFIND", "PUT"]


# --- re-filing


def test_a_correction_moves_the_file(sandbox: DavBench, connector: WebDav) -> None:
    document = invoice()
    receipt = deliver(connector, document)
    moved = deliver(connector, revised(document, account="Tagesgeld"), receipt)
    assert sandbox.paths("anna") == [moved.remote_id]
    assert "/Tagesgeld/" in moved.remote_id
    assert sandbox.content("anna", moved.remote_id) == b"%PDF-1.7 sample"
    assert connector.inspect([moved]) == []


@pytest.mark.parametrize("call", range(6))
def test_a_move_whose_answer_is_lost_is_done_once(sandbox: DavBench, connector: WebDav, call: int) -> None:
    document = invoice()
    receipt = deliver(connector, document)
    new = revised(document, b"%PDF-1.7 corrected", number="R-2")
    sandbox.script([*["ok"] * call, "commit-then-drop"])
    try:
        moved = deliver(connector, new, receipt)
    except Transient:
        sandbox.clear()
        moved = deliver(connector, new, receipt)
    sandbox.clear()
    assert sandbox.paths("anna") == [moved.remote_id]
    assert sandbox.content("anna", moved.remote_id) == b"%PDF-1.7 corrected"


def test_a_move_to_a_taken_name_gets_a_number(sandbox: DavBench, connector: WebDav) -> None:
    first, second = invoice(number="R-1", party=None), invoice(b"other", number="R-2", party=None)
    receipts = [deliver(connector, first), deliver(connector, second)]
    moved = deliver(connector, revised(second, number="R-1"), receipts[1])
    assert moved.remote_id.endswith("2026-03-01 R-1 (2).pdf")
    assert deliver(connector, revised(second, number="R-1"), moved).remote_id == moved.remote_id


# --- what people do there (E4)


def test_a_deleted_file_comes_back(sandbox: DavBench, connector: WebDav) -> None:
    document = invoice()
    receipt = deliver(connector, document)
    sandbox.remove(connector, receipt)
    assert connector.plan(document, receipt).step is Step.CREATE
    assert deliver(connector, document, receipt).remote_id == receipt.remote_id
    assert sandbox.paths("anna") == [receipt.remote_id]


def test_a_deleted_folder_stays_deleted_for_old_documents_and_is_made_for_new_ones(
    sandbox: DavBench, connector: WebDav
) -> None:
    document = invoice()
    receipt = deliver(connector, document)
    sandbox.do("anna", "delete", MONTH)
    assert [drift.kind for drift in connector.inspect([receipt])] == [DriftKind.FOLDER_GONE]
    with pytest.raises(TargetGone):
        deliver(connector, document, receipt)
    new = deliver(connector, invoice())
    assert sandbox.paths("anna") == [new.remote_id]


def test_a_folder_made_again_for_new_documents_is_not_the_one_of_the_old(sandbox: DavBench, connector: WebDav) -> None:
    documents = [invoice(), invoice()]
    old = [deliver(connector, one) for one in documents]
    sandbox.do("anna", "delete", MONTH)
    new = deliver(connector, third := invoice())
    assert {drift.kind for drift in connector.inspect([*old, new])} == {DriftKind.FOLDER_GONE}
    with pytest.raises(TargetGone):
        deliver(connector, documents[0], old[0])
    sandbox.remove(connector, new)
    assert [drift.kind for drift in connector.inspect([new])] == [DriftKind.GONE]
    assert deliver(connector, third, new).remote_id == new.remote_id


def test_a_deleted_folder_in_between_is_made_again_for_new_documents(sandbox: DavBench, connector: WebDav) -> None:
    deliver(connector, invoice())
    sandbox.do("anna", "delete", "Kontor/Bäckerei Sonnenschein GmbH")
    deliver(connector, invoice(account="Tagesgeld"))
    deliver(connector, invoice())
    assert len(sandbox.paths("anna")) == 2


def test_a_deleted_main_folder_takes_nothing_until_set_up_again(sandbox: DavBench, connector: WebDav) -> None:
    deliver(connector, invoice())
    sandbox.do("anna", "delete", "Kontor")
    for document in (invoice(), invoice(account="Tagesgeld")):
        with pytest.raises(TargetGone, match="Kontor"):
            deliver(connector, document)
    places = connector.prepare([connector.account_folder("Bäckerei Sonnenschein GmbH", "Girokonto")])
    assert [place.path for place in places] == ["", "Bäckerei Sonnenschein GmbH/Girokonto"]
    assert all(sandbox.http.get(str(place.link), follow_redirects=True).is_success for place in places)
    deliver(connector, invoice())
    assert len(sandbox.paths("anna")) == 1


def test_a_moved_folder_counts_as_deleted(sandbox: DavBench, connector: WebDav) -> None:
    document = invoice()
    receipt = deliver(connector, document)
    sandbox.do("anna", "move", MONTH, to="Kontor/March")
    assert [drift.kind for drift in connector.inspect([receipt])] == [DriftKind.FOLDER_GONE]


def test_another_version_of_equal_content_is_no_change(sandbox: DavBench, connector: WebDav) -> None:
    receipt = deliver(connector, invoice(b"the same"))
    sandbox.do("anna", "write", receipt.remote_id, text="the same")
    assert connector.inspect([receipt]) == []
    sandbox.do("anna", "write", receipt.remote_id, text="not same")
    assert [drift.kind for drift in connector.inspect([receipt])] == [DriftKind.CHANGED]


def test_what_somebody_changed_can_be_accepted_or_written_over(sandbox: DavBench, connector: WebDav) -> None:
    document = invoice()
    receipt = deliver(connector, document)
    sandbox.alter(connector, receipt)
    (drift,) = connector.inspect([receipt])
    assert drift.now is not None
    assert drift.now.checksum == f"sha256:{hashlib.sha256(b'changed by a person').hexdigest()}"
    assert connector.inspect([drift.now]) == []
    restored = deliver(connector, document, receipt)
    assert restored.remote_id == receipt.remote_id
    assert connector.inspect([restored]) == []
    assert [drift.kind for drift in connector.inspect([drift.now])] == [DriftKind.CHANGED]


# --- what lies there already


def test_an_equal_file_is_adopted(sandbox: DavBench, connector: WebDav) -> None:
    document = invoice()
    receipt = deliver(connector, document)
    stranger = worker(connector, MemoryFacts())
    assert stranger.plan(document, None).step is Step.LINK
    assert deliver(stranger, document).remote_id == receipt.remote_id
    assert sandbox.paths("anna") == [receipt.remote_id]


def test_other_peoples_files_are_never_written_over(sandbox: DavBench, connector: WebDav) -> None:
    document = invoice(b"ours, and as long")
    wanted = deliver(connector, document).remote_id
    sandbox.do("anna", "write", wanted, text="theirs")
    sandbox.do("anna", "write", f"{wanted[:-4]} (2).pdf", text="theirs as well!!!")
    again = deliver(worker(connector, MemoryFacts()), document)
    assert again.remote_id == f"{wanted[:-4]} (3).pdf"
    assert deliver(worker(connector, MemoryFacts()), document).remote_id == again.remote_id
    assert sandbox.content("anna", wanted) == b"theirs"


def test_a_file_that_is_changed_at_the_same_moment_is_tried_again(sandbox: DavBench, connector: WebDav) -> None:
    document = invoice()
    receipt = deliver(connector, document)
    sandbox.script(["ok", "fault:412"])  # between the look and the update somebody saved it
    with pytest.raises(Transient, match="just changing"):
        deliver(connector, revised(document, b"new"), receipt)


# --- refusals


def test_a_locked_file_is_tried_again(sandbox: DavBench, connector: WebDav) -> None:
    document = invoice()
    receipt = deliver(connector, document)
    sandbox.control("webdav/lock", account="anna", path=receipt.remote_id)
    with pytest.raises(Transient, match="open"):
        deliver(connector, revised(document, b"new"), receipt)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Rejected), (401, ReauthRequired), (403, Rejected), (408, Transient), (413, Rejected), (415, Rejected),
        (423, Transient), (500, Transient), (501, Misconfigured), (502, Transient), (504, Transient),
        (507, StorageFull), (302, Misconfigured), (405, Misconfigured),
    ],
)  # fmt: skip
def test_each_status_says_who_must_act(sandbox: DavBench, connector: WebDav, status: int, error: type) -> None:
    deliver(connector, invoice())
    sandbox.script([f"fault:{status}"])
    with pytest.raises(error) as caught:
        deliver(connector, invoice(b"12345"))
    assert f"HTTP {status} to PUT" in str(caught.value.__cause__)
    if isinstance(caught.value, StorageFull):
        assert caught.value.needed == 5


def test_a_folder_that_may_not_be_written_is_a_wrong_setting(sandbox: DavBench, connector: WebDav) -> None:
    connector.check()
    sandbox.script(["fault:403"])
    with pytest.raises(Misconfigured):
        deliver(connector, invoice())


def test_a_busy_server_without_a_number_is_left_alone_for_a_minute() -> None:
    with provider() as wire, httpx.Client() as http:
        wire.answer(429)
        with pytest.raises(Throttled) as caught:
            at(wire.url, http).check()
    assert caught.value.wait == 60


# --- equal bytes


def test_two_documents_with_equal_bytes_and_name_have_a_file_each(sandbox: DavBench, connector: WebDav) -> None:
    first, second = (invoice(number="R-1", party=None) for _ in range(2))
    receipts = [deliver(connector, one) for one in (first, second)]
    assert [deliver(worker(connector), one).remote_id for one in (first, second)] == [one.remote_id for one in receipts]
    moved = deliver(connector, revised(first, account="Tagesgeld"), receipts[0])
    assert connector.inspect([moved, receipts[1]]) == []
    back = deliver(connector, revised(revised(first)), moved)
    assert sorted(sandbox.paths("anna")) == sorted([back.remote_id, receipts[1].remote_id])
    stranger = worker(connector, MemoryFacts())  # a new instance adopts both, in whichever order
    adopted = {deliver(stranger, one).remote_id for one in (second, first)}
    assert adopted == {back.remote_id, receipts[1].remote_id}


def test_a_server_that_spells_accents_apart_still_has_the_file() -> None:
    with provider() as wire, httpx.Client() as http:
        folder, name = "Kontor", unicodedata.normalize("NFD", "Bäckerei.pdf")
        for _call in ("is it a Nextcloud", "is it a folder", "what lies in it"):
            wire.answer(207, _multistatus(f"/{folder}/", f"/{folder}/{quote(name)}"))
        connector = at(wire.url, http)
        receipt = Receipt(remote_id=f"{folder}/Bäckerei.pdf", remote_version='"1"', checksum="sha256:x")
        assert connector.inspect([receipt]) == []


def _multistatus(folder: str, file: str) -> str:
    ok = "<d:status>HTTP/1.1 200 OK</d:status>"
    return (
        '<d:multistatus xmlns:d="DAV:">'
        f"<d:response><d:href>{folder}</d:href><d:propstat><d:prop><d:resourcetype><d:collection/></d:resourcetype>"
        f"</d:prop>{ok}</d:propstat></d:response><d:response><d:href>{file}</d:href><d:propstat><d:prop>"
        f'<d:resourcetype/><d:getetag>"1"</d:getetag></d:prop>{ok}</d:propstat></d:response></d:multistatus>'
    )
