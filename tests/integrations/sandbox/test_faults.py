from __future__ import annotations

import time

import httpx
import pytest

from integrations.sandbox.faults import BadScript, Dice, Faults
from tests.integrations.sandbox.serving import Books, Running

PROVIDERS = ["quickbooks"]


def test_each_matching_call_takes_one_step_in_order() -> None:
    faults = Faults()
    faults.add({"provider": "quickbooks", "script": ["ok:2", "throttle:7", "down"]}, PROVIDERS)
    taken = [faults.take("quickbooks", "GET", "/v3/company/1/bill", api=True) for _ in range(5)]
    assert [str(step) if step else "ok" for step in taken] == ["ok", "ok", "throttle:7", "down", "ok"]
    assert faults.pending()["scripts"] == []


def test_a_match_means_whole_path_segments_and_the_method() -> None:
    faults = Faults()
    faults.add({"provider": "quickbooks", "script": ["down"], "match": "POST /bill"}, PROVIDERS)
    for method, path in (("GET", "/v3/company/1/bill"), ("POST", "/v3/company/1/billpayment")):
        assert faults.take("quickbooks", method, path, api=True) is None
    assert faults.take("quickbooks", "POST", "/v3/company/1/bill", api=True) is not None


def test_without_a_match_only_api_calls_are_meant() -> None:
    faults = Faults()
    faults.add({"provider": "quickbooks", "script": ["down"]}, PROVIDERS)
    assert faults.take("quickbooks", "POST", "/oauth2/token", api=False) is None
    assert faults.pending()["scripts"][0]["script"] == ["down"]


@pytest.mark.parametrize(
    "order",
    [
        {"provider": "nobody", "script": ["down"]},
        {"provider": "quickbooks", "script": ["explode"]},
        {"provider": "quickbooks", "script": ["slow"]},
        {"provider": "quickbooks", "script": ["throttle:soon"]},
        {"provider": "quickbooks", "script": "down"},
        {"provider": "quickbooks", "script": ["down"], "match": "POST ("},
        {"provider": "quickbooks", "random": {"down": 0.7, "reset": 0.7}},
        {"provider": "quickbooks", "scripts": ["down"]},
    ],
)
def test_a_script_that_makes_no_sense_is_refused(order: dict[str, object]) -> None:
    with pytest.raises(BadScript):
        Faults().add(order, PROVIDERS)


def test_random_faults_are_the_same_for_the_same_seed() -> None:
    rolls = [
        [str(dice.roll()) for _ in range(200)] for dice in (Dice(7, {"throttle": 0.2}), Dice(7, {"throttle": 0.2}))
    ]
    assert rolls[0] == rolls[1]
    assert 10 < rolls[0].count("throttle") < 90


def test_commit_then_drop_has_its_effect_and_no_answer(books: Books) -> None:
    vendor = books.vendor()["Id"]
    body = books.bill_body(vendor, DocNumber="R-77")
    books.sandbox.faults("commit-then-drop", match="POST /bill")
    with pytest.raises(httpx.RemoteProtocolError):
        books.post("bill", body, requestid="one")
    assert books.query("select count(*) from Bill")["totalCount"] == 1
    assert books.write("Bill", body, requestid="one")["DocNumber"] == "R-77"
    assert books.query("select count(*) from Bill")["totalCount"] == 1


def test_reset_comes_before_any_effect(books: Books) -> None:
    vendor = books.vendor()["Id"]
    body = books.bill_body(vendor)
    books.sandbox.faults("reset", match="POST /bill")
    with pytest.raises(httpx.ReadError):
        books.post("bill", body)
    assert books.query("select count(*) from Bill")["totalCount"] == 0


def test_expired_means_the_token_stays_expired_until_refreshed(books: Books) -> None:
    books.sandbox.faults("expired")
    assert [books.request("GET", "preferences").status_code for _ in range(2)] == [401, 401]
    token = books.sandbox.http.post(
        f"{books.sandbox.url}/quickbooks/oauth2/token",
        data={"grant_type": "refresh_token", "refresh_token": books.token["refresh_token"]},
        auth=("kontor-demo", "kontor-demo-secret"),
    )
    books.token = token.json()
    assert books.request("GET", "preferences").status_code == 200


def test_revoked_ends_the_refresh_token_too(books: Books) -> None:
    books.sandbox.faults("revoked")
    assert books.request("GET", "preferences").status_code == 401
    token = books.sandbox.http.post(
        f"{books.sandbox.url}/quickbooks/oauth2/token",
        data={"grant_type": "refresh_token", "refresh_token": books.token["refresh_token"]},
        auth=("kontor-demo", "kontor-demo-secret"),
    )
    assert (token.status_code, token.json()["error"]) == (400, "invalid_grant")


def test_slow_and_latency_take_their_time(books: Books) -> None:
    books.sandbox.faults("slow:0.2")
    started = time.perf_counter()
    books.get("preferences")
    assert time.perf_counter() - started >= 0.2
    books.sandbox.control("faults", provider="quickbooks", latency=0.1)
    started = time.perf_counter()
    books.get("preferences")
    assert time.perf_counter() - started >= 0.1


def test_a_call_before_the_told_wait_is_over_is_marked_early(books: Books) -> None:
    books.sandbox.faults("throttle:7")
    assert books.request("GET", "preferences").headers["retry-after"] == "7"
    books.get("preferences")
    books.sandbox.control("clock", advance=8)
    books.get("preferences")
    assert [call["early"] for call in books.sandbox.calls("/preferences")] == [False, True, False]


def test_the_list_of_calls_has_no_secrets_and_can_be_cleared(books: Books) -> None:
    books.get("preferences")
    url = f"{books.sandbox.url}/quickbooks/oauth2/authorize"
    books.sandbox.http.get(url, params={"client_id": "kontor-demo", "state": "hush", "redirect_uri": "http://x"})
    listed = books.sandbox.control("log", "GET", provider="quickbooks")
    assert [call["method"] for call in listed] == ["GET", "GET"]
    assert "hush" not in str(listed)
    assert books.token["access_token"] not in str(listed)
    books.sandbox.control("log", "DELETE")
    assert books.sandbox.calls() == []


def test_faults_can_be_seen_and_cleared(sandbox: Running) -> None:
    sandbox.faults("down", "reset", match="POST /bill")
    assert sandbox.control("faults", "GET")["scripts"] == [
        {"provider": "quickbooks", "match": "POST /bill", "script": ["down", "reset"]}
    ]
    assert sandbox.control("faults", "DELETE") == {"scripts": [], "random": {}, "latency": {}}


def test_a_control_call_that_is_wrong_says_so(sandbox: Running) -> None:
    for path, body, status in (
        ("faults", {"provider": "quickbooks", "script": ["boom"]}, 400),
        ("clock", {"advance": -1}, 400),
        ("grant", {"provider": "quickbooks", "account": "nobody"}, 404),
        ("settings", {"provider": "quickbooks", "no_such": 1}, 404),
        ("settings", {"provider": "quickbooks", "batch_limit": "many"}, 400),
        ("quickbooks/dance", {}, 404),
        ("nothing", {}, 404),
    ):
        response = sandbox.http.post(f"{sandbox.url}/_control/{path}", json=body)
        assert (path, response.status_code) == (path, status)
        assert response.json()["error"]
