from __future__ import annotations

import importlib
from collections.abc import Iterator

import httpx
import pytest

from integrations import http
from integrations.errors import Rejected, Throttled, Transient
from tests.integrations.wire import Provider, provider


@pytest.fixture
def wire() -> Iterator[Provider]:
    with provider() as made:
        yield made


@pytest.mark.parametrize("reset", [True, False])
def test_a_connection_that_breaks_is_transient(wire: Provider, reset: bool) -> None:
    wire.drop(reset=reset)
    with http.client() as client, pytest.raises(Transient, match="be reached") as caught, http.translated("Somebody"):
        client.get(wire.url)
    assert isinstance(caught.value.__cause__, httpx.RequestError)


def test_somebody_who_waits_for_a_page_waits_seconds_not_minutes() -> None:
    with http.client(watched=True) as watched, http.client() as client:
        assert watched.timeout.read is not None
        assert client.timeout.read is not None
        assert watched.timeout.read * 5 < client.timeout.read


def test_nobody_listening_is_transient() -> None:
    with provider() as gone:
        url = gone.url
    with http.client() as client, pytest.raises(Transient), http.translated("Somebody"):
        client.get(url)


def test_a_time_out_is_transient_and_says_so() -> None:
    def slow(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow", request=request)

    with (
        httpx.Client(transport=httpx.MockTransport(slow)) as client,
        pytest.raises(Transient, match="did not answer in time"),
        http.translated("Somebody"),
    ):
        client.get("http://127.0.0.1/")


def test_our_own_errors_pass_unchanged() -> None:
    refused = Rejected("no")
    with pytest.raises(Rejected) as caught, http.translated("Somebody"):
        raise refused
    assert caught.value is refused


def test_an_answer_that_cannot_be_decoded_is_transient(wire: Provider) -> None:
    wire.answer(200, "not gzip", content_encoding="gzip")
    with http.client() as client, pytest.raises(Transient), http.translated("Somebody"):
        client.get(wire.url)


def test_redirects_are_not_followed(wire: Provider) -> None:
    wire.answer(302, location="http://127.0.0.1:1/elsewhere")
    with http.client() as client:
        assert client.get(wire.url).status_code == 302


def test_no_wait_is_unlimited() -> None:
    with http.client() as client:
        assert None not in client.timeout.as_dict().values()


@pytest.mark.parametrize(
    ("told", "wait"),
    [
        ("7", 7.0), ("0", 0.0), (" 7 ", 7.0), ("1.5", 1.5), ("", 60.0), ("soon", 60.0), ("-3", 60.0), ("²", 60.0),
        ("Wed, 21 Oct 2026 07:30:00 GMT", 120.0), ("Wed, 21 Oct 2026 07:00:00 GMT", 0.0),
        ("Wed, 21 Oct 2026 07:30:00", 60.0), ("9" * 400, 86_400.0), ("Sat, 01 Jan 2028 00:00:00 GMT", 86_400.0),
    ],
)  # fmt: skip
def test_the_wait_is_what_is_told_else_the_default(told: str, wait: float) -> None:
    headers = [(b"date", b"Wed, 21 Oct 2026 07:28:00 GMT"), (b"retry-after", told.encode())]
    assert http.wait_of(httpx.Response(429, headers=headers), 60.0) == wait


def test_a_time_to_wait_for_says_nothing_where_the_server_tells_no_time_of_its_own() -> None:
    headers = {"retry-after": "Wed, 21 Oct 2026 07:30:00 GMT"}
    assert http.wait_of(httpx.Response(429, headers=headers), 60.0) == 60.0
    assert http.wait_of(httpx.Response(429), 60.0) == 60.0


@pytest.mark.parametrize("kind", ["google_drive", "onedrive", "dropbox", "webdav", "s3"])
def test_every_storage_waits_as_long_as_a_busy_server_says(kind: str) -> None:
    failures = importlib.import_module(f"integrations.{kind}.failures")
    headers = {"date": "Wed, 21 Oct 2026 07:28:00 GMT", "retry-after": "Wed, 21 Oct 2026 07:30:00 GMT"}
    for status in (429, 503):
        request = httpx.Request("PUT", "https://storage.example/")
        error = failures.failure(httpx.Response(status, headers=headers, request=request))
        assert isinstance(error, Throttled)
        assert error.wait == 120
