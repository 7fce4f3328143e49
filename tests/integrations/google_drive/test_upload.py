from __future__ import annotations

import io
from dataclasses import replace

import httpx
import pytest

from integrations.conformance.parts import worker
from integrations.errors import (
    Rejected,
    Transient,
)
from integrations.google_drive.connector import GoogleDrive
from integrations.google_drive.upload import CHUNK, MULTIPART_MOST, Upload, send
from tests.integrations.google_drive.bench import DriveBench
from tests.integrations.google_drive.documents import delivered, invoice, large


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
