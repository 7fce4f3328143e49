from __future__ import annotations

import io
import json
from dataclasses import replace

import httpx
import pytest

from integrations.conformance.parts import MemoryFacts, revised, worker
from integrations.errors import Rejected, StorageFull, Transient
from integrations.onedrive.client import child
from integrations.onedrive.connector import OneDrive
from integrations.onedrive.upload import CHUNK, SIMPLE_MOST, UNIT, Upload, send
from tests.integrations.onedrive.bench import OneDriveBench
from tests.integrations.onedrive.documents import MONTH, NAME, delivered, invoice, large

PIECES = 3


@pytest.fixture
def ready(sandbox: OneDriveBench, connector: OneDrive) -> OneDrive:
    """Its folder is there, so that the next calls are those of the upload: session, then pieces."""
    delivered(connector, invoice(number="R-0"))
    sandbox.http.delete(f"{sandbox.url}/_control/log")
    return connector


def test_pieces_are_multiples_of_320_kib() -> None:
    assert CHUNK % UNIT == 0
    assert UNIT == 327_680


@pytest.mark.parametrize(
    "size", [0, 1, SIMPLE_MOST - 1, SIMPLE_MOST, SIMPLE_MOST + 1, CHUNK + UNIT, 2 * CHUNK, 2 * CHUNK + 1]
)
def test_every_size_arrives_whole(sandbox: OneDriveBench, connector: OneDrive, size: int) -> None:
    content = large(size)
    receipt = delivered(connector, invoice(content))
    assert sandbox.content(receipt.remote_id) == content


@pytest.mark.parametrize("trouble", ["reset", "commit-then-drop", "down", "down:500"])
@pytest.mark.parametrize("piece", [1, 2])
def test_an_upload_broken_at_a_piece_goes_on_where_it_was(
    sandbox: OneDriveBench, ready: OneDrive, piece: int, trouble: str
) -> None:
    sandbox.script([f"ok:{piece}", trouble])  # the session, pieces
    receipt = delivered(ready, invoice(large()))
    assert sandbox.content(receipt.remote_id) == large()
    assert sandbox.calls() <= 1 + PIECES + 2  # and one question, one piece again


def test_after_a_crash_another_worker_goes_on_with_the_session(sandbox: OneDriveBench, ready: OneDrive) -> None:
    document = invoice(large())
    sandbox.script(["ok:3", *["down"] * 30])
    with pytest.raises(Transient):
        ready.deliver(document, "r-1", None)
    sandbox.clear()
    before = sandbox.calls()
    receipt = worker(ready).deliver(document, "r-1", None)
    assert sandbox.content(receipt.remote_id) == large()
    assert sandbox.calls() - before == 2  # the question, the last piece
    assert not [key for key in ready.wiring.memory.facts if key.startswith("session:")]  # type: ignore[attr-defined]


def test_a_session_that_expired_is_begun_anew(sandbox: OneDriveBench, ready: OneDrive) -> None:
    document = invoice(large())
    sandbox.script(["ok:3", *["down"] * 30])
    with pytest.raises(Transient):
        ready.deliver(document, "r-1", None)
    sandbox.clear()
    sandbox.advance(49 * 3600)
    receipt = ready.deliver(document, "r-1", None)
    assert sandbox.content(receipt.remote_id) == large()
    assert len(sandbox.files("anna")) == 2


def test_a_session_of_other_content_is_not_continued(sandbox: OneDriveBench, ready: OneDrive) -> None:
    document = invoice(large())
    sandbox.script(["ok:3", *["down"] * 30])
    with pytest.raises(Transient):
        ready.deliver(document, "r-1", None)
    sandbox.clear()
    other = large()[::-1]
    receipt = ready.deliver(revised(document, other), "r-1", None)
    assert sandbox.content(receipt.remote_id) == other


def test_a_lost_answer_to_the_last_piece_leaves_one_file(sandbox: OneDriveBench, ready: OneDrive) -> None:
    document = invoice(large())
    sandbox.script(["ok:3", "commit-then-drop"])
    with pytest.raises(Transient):
        ready.deliver(document, "r-1", None)
    receipt = ready.deliver(document, "r-1", None)
    assert receipt.extras["name"] == NAME
    assert len(sandbox.files("anna")) == 2


@pytest.mark.parametrize("at_start", [True, False])
def test_a_name_that_is_taken_is_kept_by_its_file(sandbox: OneDriveBench, ready: OneDrive, at_start: bool) -> None:
    """Whether Microsoft says so when the session begins or with its last piece."""
    sandbox.set(conflict_at_start=at_start)
    delivered(ready, invoice(b"first"))
    document = invoice(large())
    for _repeat in range(2):
        receipt = ready.deliver(document, "r-2", None)
        assert receipt.extras["name"] == "2026-03-01 Mühle AG R-1 (2).pdf"
    assert sandbox.content(sandbox.living("anna")[f"{MONTH}/{NAME}"]) == b"first"
    assert not [key for key in ready.wiring.memory.facts if key.startswith("session:")]  # type: ignore[attr-defined]


def test_two_workers_with_one_session_make_one_file(sandbox: OneDriveBench, ready: OneDrive) -> None:
    """The second finds the pieces of the first already there."""
    document = invoice(large())
    sandbox.script(["ok:2", *["down"] * 30])
    with pytest.raises(Transient):
        ready.deliver(document, "r-1", None)
    sandbox.clear()
    (kept,) = (value for key, value in ready.wiring.memory.facts.items() if key == "session:r-1")  # type: ignore[attr-defined]
    first = worker(ready).deliver(document, "r-1", None)
    ready.wiring.memory.put("session:r-1", kept)
    second = worker(ready).deliver(document, "r-1", None)
    assert first.remote_id == second.remote_id
    assert json.loads(kept)["url"]


def test_a_large_new_version_replaces_the_content_by_id(sandbox: OneDriveBench, ready: OneDrive) -> None:
    document = invoice()
    first = delivered(ready, document)
    second = delivered(ready, revised(document, large()), first)
    assert second.remote_id == first.remote_id
    assert sandbox.content(first.remote_id) == large()


def test_an_upload_that_never_gets_on_ends_as_transient_and_leaves_nothing(
    sandbox: OneDriveBench, ready: OneDrive
) -> None:
    document = invoice(large())
    sandbox.script(["ok:1", *["down"] * 40])
    with pytest.raises(Transient):
        ready.deliver(document, "r-1", None)
    sandbox.clear()
    assert len(sandbox.files("anna")) == 1
    ready.deliver(document, "r-1", None)
    assert len(sandbox.files("anna")) == 2


def test_a_drive_that_fills_up_during_an_upload_says_so_and_keeps_nothing(
    sandbox: OneDriveBench, ready: OneDrive
) -> None:
    sandbox.control("faults", provider="onedrive", script=["ok:2", "full"], match="PUT /up/.*")
    with pytest.raises(StorageFull) as caught:
        ready.deliver(invoice(large()), "r-1", None)
    assert caught.value.needed == len(large())
    assert sandbox.log()[-1]["method"] == "DELETE"
    assert ready.deliver(invoice(large()), "r-1", None).extras["name"] == NAME


def test_a_token_that_dies_before_an_upload_is_renewed(sandbox: OneDriveBench, ready: OneDrive) -> None:
    sandbox.script(["expired"])
    receipt = delivered(ready, invoice())
    assert sandbox.content(receipt.remote_id) == b"%PDF-1.7 invoice"


def test_no_token_is_sent_to_a_session(sandbox: OneDriveBench, ready: OneDrive) -> None:
    """The simulator refuses one there, as Microsoft may."""
    sandbox.set(session_refuses_token=True)
    assert delivered(ready, invoice(large())).extras["name"] == NAME


@pytest.mark.parametrize("content", [b"%PDF", large()])
def test_a_file_that_is_not_as_long_as_told_is_not_sent(
    sandbox: OneDriveBench, connector: OneDrive, content: bytes
) -> None:
    short = replace(invoice(content), open=lambda: io.BytesIO(content[:-1]))
    with pytest.raises(Rejected):
        delivered(connector, short)
    assert sandbox.files("anna") == []


@pytest.mark.parametrize("url", ["", "ftp://127.0.0.1/up/x", "https://elsewhere.example/up"])
def test_a_session_of_another_scheme_gets_nothing(connector: OneDrive, url: str) -> None:
    """With https there it is https here; the tests' provider speaks http."""
    seen: list[str] = []

    def astray(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.host)
        return httpx.Response(200, json={"uploadUrl": url})

    with httpx.Client(transport=httpx.MockTransport(astray)) as http:
        graph = worker(connector, http=http).graph
        upload = Upload(document=invoice(large()), reservation="r", address=child(None, "a.pdf"))
        with pytest.raises(Transient):
            send(graph, MemoryFacts(), upload)
    assert seen == ["127.0.0.1"]
