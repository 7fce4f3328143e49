from __future__ import annotations

from typing import Any

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
from integrations.onedrive.connector import OneDrive
from integrations.onedrive.failures import Clash, Missing, refused
from integrations.onedrive.upload import CHUNK
from tests.integrations.onedrive.bench import OneDriveBench
from tests.integrations.onedrive.documents import delivered, invoice, large


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("activityLimitReached", Throttled),
        ("bandwidthLimitReached", Throttled),
        ("quotaLimitReached", StorageFull),
        ("InvalidAuthenticationToken", ReauthRequired),
        ("unauthenticated", ReauthRequired),
        ("Authorization_RequestDenied", ReauthRequired),
        ("accessDenied", Misconfigured),
        ("notAllowed", Misconfigured),
        ("invalidRequest", Rejected),
        ("malwareDetected", Rejected),
        ("resourceLocked", Transient),
        ("resourceModified", Transient),
        ("serviceNotAvailable", Transient),
        ("generalException", Transient),
    ],
)
def test_microsofts_codes_are_sorted_by_who_must_act(
    sandbox: OneDriveBench, connector: OneDrive, code: str, expected: type[ConnectorError]
) -> None:
    delivered(connector, invoice(number="R-0"))
    document = invoice()
    sandbox.script([f"fault:{code}"] * 2)  # a 401 is tried once more with a new token
    with pytest.raises(expected) as caught:
        connector.deliver(document, "r-1", None)
    assert type(caught.value) is expected
    if isinstance(caught.value, StorageFull):
        assert caught.value.needed == document.size


@pytest.mark.parametrize("status", [429, 503])
def test_the_wait_that_microsoft_names_is_kept(sandbox: OneDriveBench, connector: OneDrive, status: int) -> None:
    sandbox.set(throttle_status=status)
    sandbox.script(["throttle:7"])
    with pytest.raises(Throttled) as caught:
        connector.check()
    assert caught.value.wait == 7


def test_without_a_named_wait_one_is_assumed() -> None:
    error = refused(429, {}, {"error": {"code": "activityLimitReached"}})
    assert isinstance(error, Throttled)
    assert error.wait >= 10
    assert type(refused(503, {}, {"error": {"code": "serviceNotAvailable"}})) is Transient


def test_a_wait_within_a_batch_counts() -> None:
    error = refused(429, {"Retry-After": "12"}, {"error": {"code": "TooManyRequests"}})
    assert isinstance(error, Throttled)
    assert error.wait == 12


@pytest.mark.parametrize("inner", ["innererror", "innerError"])
def test_the_codes_within_a_code_count_in_either_spelling(inner: str) -> None:
    body: dict[str, Any] = {"error": {"code": "invalidRequest", "message": "m", inner: {"code": "pathIsTooLong"}}}
    error = refused(400, {}, body)
    assert isinstance(error, Rejected)
    assert "too long" in str(error)


@pytest.mark.parametrize("body", [None, [], {}, {"error": "text"}, {"error": {}}, {"error": {"code": 7}}])
def test_an_answer_in_another_form_is_no_crash(body: Any) -> None:
    assert isinstance(refused(404, {}, body), Missing)
    assert isinstance(refused(400, {}, body), Rejected)
    assert not isinstance(refused(409, {}, body), Clash)


def test_a_page_of_a_proxy_is_no_crash(connector: OneDrive) -> None:
    pages = httpx.MockTransport(lambda _request: httpx.Response(403, text="<html>proxy</html>"))
    with httpx.Client(transport=pages) as http, pytest.raises(Misconfigured):
        worker(connector, http=http).check()


def test_a_full_drive_says_how_much_is_needed_and_keeps_nothing(sandbox: OneDriveBench, connector: OneDrive) -> None:
    sandbox.control("onedrive/limit", account="anna", bytes=1_000)
    for size in (2_000, CHUNK + 1):
        with pytest.raises(StorageFull) as caught:
            delivered(connector, invoice(large(size)))
        assert caught.value.needed == size
    assert sandbox.files("anna") == []
    account = connector.check()
    assert (account.space_total, account.space_left) == (1_000, 1_000)


def test_a_trouble_within_a_batch_is_told(sandbox: OneDriveBench, connector: OneDrive) -> None:
    """The envelope says 200, one answer in it says wait."""
    receipts = [delivered(connector, invoice(number=f"R-{turn}")) for turn in range(2)]

    def throttled(request: httpx.Request) -> httpx.Response:
        assert request.url.path.endswith("/$batch")
        one = {"id": "0", "status": 429, "headers": {"Retry-After": "9"}, "body": {"error": {"code": "x"}}}
        return httpx.Response(200, json={"responses": [one]})

    with httpx.Client(transport=httpx.MockTransport(throttled)) as http, pytest.raises(Throttled) as caught:
        worker(connector, http=http).inspect(receipts)
    assert caught.value.wait == 9


def test_a_next_page_at_a_foreign_address_gets_no_token(connector: OneDrive) -> None:
    seen: list[str] = []

    def astray(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.host)
        return httpx.Response(200, json={"value": [], "@odata.nextLink": "https://evil.example/v1.0/me/drive"})

    with httpx.Client(transport=httpx.MockTransport(astray)) as http, pytest.raises(Transient):
        list(worker(connector, http=http).graph.children("x"))
    assert seen == ["127.0.0.1"]
