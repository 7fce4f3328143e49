from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from integrations.conformance.parts import worker
from integrations.dropbox.connector import DropboxExport
from integrations.errors import (
    ConnectorError,
    Misconfigured,
    ReauthRequired,
    Rejected,
    StorageFull,
    Throttled,
    Transient,
)
from tests.integrations.dropbox.bench import DropboxBench
from tests.integrations.dropbox.documents import delivered, invoice


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("path/insufficient_space", StorageFull),
        ("path/no_write_permission", Misconfigured),
        ("path/access_restricted", Misconfigured),
        ("path/team_folder", Misconfigured),
        ("path/operation_suppressed", Misconfigured),
        ("path/too_many_write_operations", Throttled),
        ("too_many_write_operations", Throttled),
        ("path/disallowed_name", Rejected),
        ("path/a_tag_of_tomorrow", Rejected),
        ("payload_too_large", Rejected),
        ("encryption_not_supported", Rejected),
        ("content_hash_mismatch", Transient),
        ("path/locked", Transient),
        ("reset", Transient),
        ("expired_access_token", ReauthRequired),  # still, with a fresh token
        ("invalid_access_token", ReauthRequired),
        ("user_suspended", ReauthRequired),
        ("missing_scope", ReauthRequired),
        ("route_access_denied", Misconfigured),
        ("invalid_account_type/endpoint", Misconfigured),
        ("no_permission", Misconfigured),
        ("400", Rejected),
    ],
)
def test_dropboxs_tags_are_sorted_by_who_must_act(
    sandbox: DropboxBench, connector: DropboxExport, tags: str, expected: type[ConnectorError]
) -> None:
    delivered(connector, invoice(number="R-0"))  # its folder is there: the next call is the upload
    document = invoice()
    sandbox.script([f"fault:{tags}"] * 2)
    with pytest.raises(expected) as caught:
        delivered(connector, document)
    assert type(caught.value) is expected
    if isinstance(caught.value, StorageFull):
        assert caught.value.needed == document.size


def test_a_malformed_path_in_a_folder_that_lives_is_refused(sandbox: DropboxBench, connector: DropboxExport) -> None:
    delivered(connector, invoice(number="R-0"))
    before = sandbox.calls()
    sandbox.script(["fault:path/malformed_path"])
    with pytest.raises(Rejected):
        delivered(connector, invoice())
    assert sandbox.calls() - before == 2  # the upload, and the look whether its folder lives


def test_content_that_may_not_be_moved_is_refused(sandbox: DropboxBench, connector: DropboxExport) -> None:
    sandbox.script(["fault:path/restricted_content"])
    with pytest.raises(Rejected, match="restricted_content"):
        connector.dropbox.metadata("/x")


def test_a_missing_permission_is_named(sandbox: DropboxBench, connector: DropboxExport) -> None:
    sandbox.script(["fault:missing_scope"] * 2)
    with pytest.raises(ReauthRequired, match=r"files\.content\.write"):
        connector.check()


@pytest.mark.parametrize("as_text", [False, True])
def test_the_wait_that_dropbox_names_is_kept(sandbox: DropboxBench, connector: DropboxExport, as_text: bool) -> None:
    sandbox.control("settings", provider="dropbox", throttle_text=as_text)
    sandbox.script(["throttle:7"])
    assert caught_wait(connector.check) == 7


@pytest.mark.parametrize(
    ("headers", "body", "least"),
    [
        ({}, {"error": {"reason": {".tag": "too_many_requests"}, "retry_after": 300}}, 300),
        ({"retry-after": "20"}, {"error": {"reason": {".tag": "too_many_requests"}, "retry_after": 1}}, 20),
        ({}, {"error": {"reason": {".tag": "too_many_requests"}}}, 10),
        ({}, {}, 10),
    ],
)
def test_a_wait_is_found_in_header_or_body_and_else_assumed(
    connector: DropboxExport, headers: dict[str, str], body: object, least: float
) -> None:
    answers = httpx.MockTransport(lambda _request: httpx.Response(429, json=body, headers=headers))
    with httpx.Client(transport=answers) as http:
        assert caught_wait(worker(connector, http=http).check) >= least


def caught_wait(call: Callable[[], object]) -> float:
    with pytest.raises(Throttled) as caught:
        call()
    return caught.value.wait


def test_contention_waits_a_little(sandbox: DropboxBench, connector: DropboxExport) -> None:
    delivered(connector, invoice(number="R-0"))
    sandbox.script(["fault:path/too_many_write_operations"])
    assert 1 <= caught_wait(lambda: delivered(connector, invoice())) <= 10


def test_a_full_dropbox_says_how_much_is_needed_and_keeps_nothing(
    sandbox: DropboxBench, connector: DropboxExport
) -> None:
    sandbox.control("dropbox/limit", account="anna", bytes=1_000)
    with pytest.raises(StorageFull) as caught:
        delivered(connector, invoice(b"x" * 2_000))
    assert caught.value.needed == 2_000
    assert sandbox.files("anna") == []
    account = connector.check()
    assert (account.space_total, account.space_left) == (1_000, 1_000)


def test_an_account_of_tomorrow_without_a_limit_is_no_crash(connector: DropboxExport) -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("get_space_usage"):
            return httpx.Response(200, json={"used": 1, "allocation": {".tag": "other"}})
        return httpx.Response(200, json={"account_id": "dbid:1", "name": {"display_name": "A"}})

    with httpx.Client(transport=httpx.MockTransport(reply)) as http:
        account = worker(connector, http=http).check()
    assert (account.name, account.space_left, account.space_total) == ("A", None, None)


@pytest.mark.parametrize(("status", "expected"), [(403, Misconfigured), (400, Rejected), (200, Transient)])
def test_an_answer_that_is_not_dropboxs_is_no_crash(
    connector: DropboxExport, status: int, expected: type[ConnectorError]
) -> None:
    pages = httpx.MockTransport(lambda _request: httpx.Response(status, text="<html>proxy</html>"))
    with httpx.Client(transport=pages) as http, pytest.raises(expected):
        worker(connector, http=http).check()
