from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from integrations.conformance.parts import worker
from integrations.errors import (
    ConnectorError,
    Misconfigured,
    ReauthRequired,
    Rejected,
    StorageFull,
    Throttled,
    Transient,
)
from integrations.google_drive.connector import GoogleDrive
from integrations.google_drive.upload import CHUNK
from tests.integrations.google_drive.bench import DriveBench
from tests.integrations.google_drive.documents import delivered, invoice, large


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
