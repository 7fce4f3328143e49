from __future__ import annotations

import hashlib
import io
import json
from dataclasses import replace

import httpx
import pytest
from dropbox.content_hash import content_hash

from integrations.conformance.parts import MemoryFacts, filler, revised, worker
from integrations.dropbox.client import header_json
from integrations.dropbox.connector import DropboxExport
from integrations.dropbox.hashing import BLOCK, hash_of, hash_of_stream
from integrations.dropbox.upload import CHUNK
from integrations.errors import Rejected, StorageFull, Transient
from tests.integrations.dropbox.bench import DropboxBench
from tests.integrations.dropbox.documents import delivered, invoice, large


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7])
def test_the_content_hash_is_that_of_dropboxs_own_library(size: int) -> None:
    content = filler(size)
    assert hash_of(content) == hash_of_stream(io.BytesIO(content)) == content_hash(content)


def test_the_content_hash_of_nothing_is_published() -> None:
    assert hash_of(b"") == hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 1])
def test_every_size_arrives_whole(sandbox: DropboxBench, connector: DropboxExport, size: int) -> None:
    content = large(size)
    receipt = delivered(connector, invoice(content))
    assert sandbox.content(receipt.remote_id) == content


def routes(sandbox: DropboxBench, since: int) -> list[str]:
    return [call["path"].rpartition("/")[2] for call in sandbox.log()[since:]]


@pytest.mark.parametrize("trouble", ["reset", "commit-then-drop", "down"])
@pytest.mark.parametrize("piece", [0, 1, 2])
def test_an_upload_broken_at_any_piece_goes_on_in_another_process(
    sandbox: DropboxBench, connector: DropboxExport, piece: int, trouble: str
) -> None:
    delivered(connector, invoice(number="R-0"))  # its folder is there
    document = invoice(large())
    sandbox.script([*([f"ok:{piece}"] if piece else []), trouble])
    with pytest.raises(Transient):
        delivered(connector, document)
    before = sandbox.calls()
    receipt = delivered(worker(connector), document)
    assert sandbox.content(receipt.remote_id) == large()
    assert len(sandbox.files("anna")) == 2
    expected = {
        ("reset", 0): ["start", "append_v2", "finish"],
        ("reset", 1): ["append_v2", "finish"],
        ("reset", 2): ["finish"],
        # what had arrived is told by the offset that Dropbox corrects, or by the file that is there
        ("commit-then-drop", 0): ["start", "append_v2", "finish"],
        ("commit-then-drop", 1): ["append_v2", "finish"],
        ("commit-then-drop", 2): ["finish", "get_metadata"],
    }
    assert routes(sandbox, before) == expected["reset" if trouble == "down" else trouble, piece]


def test_an_offset_that_dropbox_corrects_is_taken(sandbox: DropboxBench, connector: DropboxExport) -> None:
    delivered(connector, invoice(number="R-0"))
    document = invoice(large(3 * CHUNK))
    sandbox.script(["ok:1", "commit-then-drop"])
    with pytest.raises(Transient):
        delivered(connector, document)
    before = sandbox.calls()
    receipt = delivered(connector, document)
    assert sandbox.content(receipt.remote_id) == large(3 * CHUNK)
    assert routes(sandbox, before) == ["append_v2", "finish"]
    assert [call["status"] for call in sandbox.log()[before:]] == [409, 200]


def test_two_workers_share_one_session(sandbox: DropboxBench, connector: DropboxExport) -> None:
    delivered(connector, invoice(number="R-0"))
    document = invoice(large(4 * CHUNK))
    sandbox.script(["ok:1", "reset"])
    with pytest.raises(Transient):
        delivered(connector, document)
    ahead = worker(connector, _copied(connector))
    sandbox.script(["ok:1", "reset"])
    with pytest.raises(Transient):
        delivered(ahead, document)  # one piece further than the first worker knows
    receipt = delivered(connector, document)
    assert sandbox.content(receipt.remote_id) == large(4 * CHUNK)


def _copied(connector: DropboxExport) -> MemoryFacts:
    copy, memory = MemoryFacts(), connector.wiring.memory
    assert isinstance(memory, MemoryFacts)
    copy.facts = dict(memory.facts)
    return copy


@pytest.mark.parametrize("fault", ["lookup_failed/not_found", "lookup_failed/closed"])
def test_a_session_that_dropbox_forgot_is_started_anew(
    sandbox: DropboxBench, connector: DropboxExport, fault: str
) -> None:
    delivered(connector, invoice(number="R-0"))
    sandbox.script(["ok:2", f"fault:{fault}"])
    receipt = delivered(connector, invoice(large()))
    assert sandbox.content(receipt.remote_id) == large()
    assert len(sandbox.files("anna")) == 2


def test_a_session_older_than_seven_days_is_started_anew(sandbox: DropboxBench, connector: DropboxExport) -> None:
    delivered(connector, invoice(number="R-0"))
    document = invoice(large())
    sandbox.script(["ok:1", "reset"])
    with pytest.raises(Transient):
        delivered(connector, document)
    sandbox.advance(8 * 86400)
    receipt = delivered(connector, document)
    assert sandbox.content(receipt.remote_id) == large()


def test_other_bytes_under_the_same_reservation_do_not_go_on_where_the_first_stopped(
    sandbox: DropboxBench, connector: DropboxExport
) -> None:
    document = invoice(large())
    sandbox.script(["ok:12", "reset"])
    with pytest.raises(Transient):
        connector.deliver(document, "reserved", None)
    sandbox.clear()
    other = filler(CHUNK + 5, period=241)
    receipt = connector.deliver(revised(document, other), "reserved", None)
    assert sandbox.content(receipt.remote_id) == other


def test_a_full_dropbox_keeps_the_session_until_there_is_room(sandbox: DropboxBench, connector: DropboxExport) -> None:
    delivered(connector, invoice(number="R-0"))
    sandbox.control("dropbox/limit", account="anna", bytes=5_000_000)
    document = invoice(large())
    with pytest.raises(StorageFull) as caught:
        delivered(connector, document)
    assert caught.value.needed == document.size
    assert len(sandbox.files("anna")) == 1
    sandbox.control("dropbox/limit", account="anna", bytes=50_000_000)
    before = sandbox.calls()
    receipt = delivered(connector, document)
    assert sandbox.content(receipt.remote_id) == large()
    assert routes(sandbox, before) == ["finish", "finish"]  # corrected once: all bytes were there


def test_a_large_document_of_a_taken_name_is_not_sent_twice(sandbox: DropboxBench, connector: DropboxExport) -> None:
    delivered(connector, invoice(b"first"))
    before = sandbox.calls()
    receipt = delivered(connector, invoice(large()))
    assert receipt.extras["name"] == "2026-03-01 Mühle AG R-1 (2).pdf"
    assert sandbox.content(receipt.remote_id) == large()
    assert routes(sandbox, before) == ["start", "append_v2", "finish", "list_folder", "finish", "finish"]


def test_a_large_new_version_replaces_the_content(sandbox: DropboxBench, connector: DropboxExport) -> None:
    document = invoice()
    first = delivered(connector, document)
    new = revised(document, large())
    sandbox.script(["ok:2", "reset"])
    with pytest.raises(Transient):
        delivered(connector, new, first)
    again = delivered(connector, new, first)
    assert again.remote_id == first.remote_id
    assert sandbox.content(first.remote_id) == large()


def test_a_folder_deleted_during_a_large_upload_is_noticed(sandbox: DropboxBench, connector: DropboxExport) -> None:
    delivered(connector, invoice(number="R-0"))
    document = invoice(large())
    sandbox.script(["ok:1", "reset"])
    with pytest.raises(Transient):
        delivered(connector, document)
    sandbox.do("anna", "trash", sandbox.living("anna")["Kontor/Meyer"])
    receipt = delivered(connector, document)
    assert sandbox.content(receipt.remote_id) == large()
    assert sandbox.files("anna") == [f"Kontor/{receipt.path}"]


def test_a_token_that_dies_within_an_upload_is_renewed(sandbox: DropboxBench, connector: DropboxExport) -> None:
    delivered(connector, invoice(number="R-0"))
    sandbox.script(["ok:1", "expired"])
    receipt = delivered(connector, invoice(large()))
    assert sandbox.content(receipt.remote_id) == large()


@pytest.mark.parametrize("size", [20, CHUNK + 20])
def test_a_file_that_is_not_as_long_as_told_is_not_sent(
    sandbox: DropboxBench, connector: DropboxExport, size: int
) -> None:
    document = invoice(large(size))
    short = replace(document, open=lambda: io.BytesIO(b"%PDF"))
    with pytest.raises(Rejected):
        delivered(connector, short)
    assert sandbox.files("anna") == []


def test_bytes_damaged_on_the_way_are_sent_again(sandbox: DropboxBench, connector: DropboxExport) -> None:
    delivered(connector, invoice(number="R-0"))

    def damage(request: httpx.Request) -> httpx.Response:
        content = request.content.replace(b"invoice", b"INVOICE")
        return httpx.post(request.url, headers=dict(request.headers) | {"host": request.url.host}, content=content)

    with httpx.Client(transport=httpx.MockTransport(damage)) as http, pytest.raises(Transient, match="differs"):
        delivered(worker(connector, http=http), invoice())
    assert len(sandbox.files("anna")) == 1


def test_an_argument_in_a_header_is_plain_ascii() -> None:
    text = header_json({"path": "/Mühle\x7f 🧾.pdf"})
    assert text.isascii()
    assert text.isprintable()
    assert json.loads(text) == {"path": "/Mühle\x7f 🧾.pdf"}
