from __future__ import annotations

import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from integrations.sandbox.clock import Clock
from integrations.sandbox.oauth import Account, OAuth, OAuthError, Rules
from integrations.sandbox.state import Store
from tests.integrations.sandbox.serving import AMERICAN, GERMAN, Running

BACK = "http://127.0.0.1:9999/connections/callback"
APP = ("kontor-demo", "kontor-demo-secret")
SCOPE = "com.intuit.quickbooks.accounting"


def asked(**fields: str) -> dict[str, str]:
    return {"client_id": APP[0], "response_type": "code", "scope": SCOPE, "redirect_uri": BACK, "state": "s1", **fields}


def authorize(sandbox: Running) -> str:
    return f"{sandbox.url}/quickbooks/oauth2/authorize"


def consent(sandbox: Running, account: str = GERMAN, decision: str = "allow", **fields: str) -> dict[str, str]:
    form = {**asked(**fields), "account": account, "decision": decision}
    response = sandbox.http.post(authorize(sandbox), data=form)
    assert response.status_code == 302, response.text
    assert response.headers["location"].startswith(BACK)
    return {name: values[0] for name, values in parse_qs(urlsplit(response.headers["location"]).query).items()}


def token(sandbox: Running, **form: str) -> httpx.Response:
    return sandbox.http.post(f"{sandbox.url}/quickbooks/oauth2/token", data=form, auth=APP)


def exchange(sandbox: Running, code: str, **form: str) -> httpx.Response:
    return token(sandbox, grant_type="authorization_code", code=code, redirect_uri=BACK, **form)


def error(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]


def test_the_page_says_who_asks_for_what_in_the_readers_language(sandbox: Running) -> None:
    for language, allow, scope in (("en", "Allow", "read and write the books"), ("de-DE", "Erlauben", "die Bücher")):
        page = sandbox.http.get(authorize(sandbox), params=asked(), headers={"accept-language": language})
        assert page.status_code == 200
        for words in ("Kontor", "QuickBooks Online", "Lindenhof Handels GmbH", "Hill Street Bakery LLC", allow, scope):
            assert words in page.text
        assert "<script" not in page.text


def test_allowing_leads_back_with_code_state_and_company(sandbox: Running) -> None:
    back = consent(sandbox, AMERICAN)
    assert (back["state"], back["realmId"]) == ("s1", AMERICAN)
    answer = exchange(sandbox, back["code"]).json()
    assert {"access_token", "refresh_token", "expires_in", "x_refresh_token_expires_in"} <= set(answer)


def test_cancelling_leads_back_with_access_denied(sandbox: Running) -> None:
    assert consent(sandbox, decision="cancel") == {"error": "access_denied", "state": "s1"}


@pytest.mark.parametrize("fields", [{"client_id": "unknown"}, {"redirect_uri": "https://evil.example/callback"}])
def test_nothing_is_sent_to_an_address_that_is_not_the_apps(sandbox: Running, fields: dict[str, str]) -> None:
    response = sandbox.http.get(authorize(sandbox), params=asked(**fields))
    assert response.status_code == 400
    assert "location" not in response.headers


def test_a_registered_address_must_be_exactly_the_same(sandbox: Running) -> None:
    app = sandbox.control("apps", provider="quickbooks", client_id="other", redirect_uris=["https://a.example/cb"])
    assert app["client_secret"]
    for address, status in (("https://a.example/cb", 200), ("https://a.example/cb/", 400), (BACK, 400)):
        page = sandbox.http.get(authorize(sandbox), params=asked(client_id="other", redirect_uri=address))
        assert (address, page.status_code) == (address, status)


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"scope": "everything"}, "invalid_scope"), ({"response_type": "token"}, "unsupported_response_type")],
)
def test_a_wrong_wish_leads_back_with_its_error(sandbox: Running, fields: dict[str, str], code: str) -> None:
    response = sandbox.http.get(authorize(sandbox), params=asked(**fields))
    assert f"error={code}" in response.headers["location"]


def test_a_code_works_once_and_its_second_use_ends_the_grant(sandbox: Running) -> None:
    code = consent(sandbox)["code"]
    first = exchange(sandbox, code).json()
    assert error(exchange(sandbox, code)) == (400, "invalid_grant")
    url = f"{sandbox.url}/quickbooks/v3/company/{GERMAN}/preferences"
    answer = sandbox.http.get(url, headers={"authorization": f"Bearer {first['access_token']}"})
    assert answer.status_code == 401


def test_a_code_is_short_lived_by_the_sandboxs_clock(sandbox: Running) -> None:
    code = consent(sandbox)["code"]
    sandbox.control("clock", advance=301)
    assert error(exchange(sandbox, code)) == (400, "invalid_grant")


def test_a_code_is_bound_to_its_address(sandbox: Running) -> None:
    code = consent(sandbox)["code"]
    answer = token(sandbox, grant_type="authorization_code", code=code, redirect_uri=f"{BACK}2")
    assert error(answer) == (400, "invalid_grant")


def test_a_refresh_token_is_replaced_and_the_old_one_dead(sandbox: Running) -> None:
    first = exchange(sandbox, consent(sandbox)["code"]).json()["refresh_token"]
    second = token(sandbox, grant_type="refresh_token", refresh_token=first).json()["refresh_token"]
    assert second != first
    assert error(token(sandbox, grant_type="refresh_token", refresh_token=first)) == (400, "invalid_grant")
    assert token(sandbox, grant_type="refresh_token", refresh_token=second).status_code == 200


def test_of_two_who_refresh_the_same_token_at_once_one_wins(sandbox: Running) -> None:
    first = exchange(sandbox, consent(sandbox)["code"]).json()["refresh_token"]
    with ThreadPoolExecutor(4) as pool:
        form = {"grant_type": "refresh_token", "refresh_token": first}
        answers = list(pool.map(lambda _: token(sandbox, **form).status_code, range(4)))
    assert sorted(answers) == [200, 400, 400, 400]


def test_an_unused_refresh_token_ends_after_its_life(sandbox: Running) -> None:
    answer = exchange(sandbox, consent(sandbox)["code"]).json()
    sandbox.control("clock", advance=answer["x_refresh_token_expires_in"] + 1)
    assert error(token(sandbox, grant_type="refresh_token", refresh_token=answer["refresh_token"])) == (
        400,
        "invalid_grant",
    )


def test_the_app_signs_in_by_header_or_body_and_not_with_a_wrong_secret(sandbox: Running) -> None:
    url = f"{sandbox.url}/quickbooks/oauth2/token"
    form = {"grant_type": "authorization_code", "code": consent(sandbox)["code"], "redirect_uri": BACK}
    wrong = sandbox.http.post(url, data=form, auth=(APP[0], "guess"))
    assert error(wrong) == (401, "invalid_client")
    assert "www-authenticate" in wrong.headers
    right = sandbox.http.post(url, data={**form, "client_id": APP[0], "client_secret": APP[1]})
    assert right.status_code == 200
    assert error(token(sandbox, grant_type="password")) == (400, "unsupported_grant_type")


@pytest.mark.parametrize("style", ["json", "form"])
def test_revoking_ends_access_and_refresh(sandbox: Running, style: str) -> None:
    answer = exchange(sandbox, consent(sandbox)["code"]).json()
    body: dict[str, Any] = {"json" if style == "json" else "data": {"token": answer["refresh_token"]}}
    url = f"{sandbox.url}/quickbooks/oauth2/revoke"
    assert sandbox.http.post(url, auth=APP, **body).status_code == 200
    assert error(token(sandbox, grant_type="refresh_token", refresh_token=answer["refresh_token"])) == (
        400,
        "invalid_grant",
    )
    assert sandbox.http.post(url, auth=APP, **body).status_code == 400


def test_a_person_can_end_the_grant_in_the_providers_settings(sandbox: Running) -> None:
    answer = exchange(sandbox, consent(sandbox)["code"]).json()
    assert sandbox.control("revoke", provider="quickbooks", account=GERMAN) == {"ended": 1}
    assert error(token(sandbox, grant_type="refresh_token", refresh_token=answer["refresh_token"])) == (
        400,
        "invalid_grant",
    )


def test_a_consent_ends_for_good_after_five_years_however_often_it_is_refreshed(sandbox: Running) -> None:
    refresh = exchange(sandbox, consent(sandbox)["code"]).json()["refresh_token"]
    url, header = f"{sandbox.url}/quickbooks/oauth2/token", {"x-include-refresh-token-hard-expires-in": "true"}
    for _ in range(19):
        sandbox.control("clock", advance=99 * 86400)
        form = {"grant_type": "refresh_token", "refresh_token": refresh}
        answer = sandbox.http.post(url, data=form, auth=APP, headers=header)
        if answer.status_code != 200:
            break
        refresh, rest = answer.json()["refresh_token"], answer.json()["x_refresh_token_hard_expires_in"]
    assert error(answer) == (400, "invalid_grant")
    assert 0 < rest < 99 * 86400


def test_only_the_app_itself_may_revoke(sandbox: Running) -> None:
    answer = exchange(sandbox, consent(sandbox)["code"]).json()
    url = f"{sandbox.url}/quickbooks/oauth2/revoke"
    assert error(sandbox.http.post(url, json={"token": answer["refresh_token"]})) == (401, "invalid_client")


# --- rules that QuickBooks does not use, on a server of their own


def server(**rules: Any) -> OAuth:
    store = Store()
    wanted = Rules(scopes={"files": ("see files", "Dateien sehen")}, **rules)
    return OAuth("toy", "Toy", wanted, store, Clock(store), lambda: [Account("a", "A")])


def spend(oauth: OAuth, challenge: str, verifier: str, method: str = "S256") -> dict[str, Any]:
    code = oauth.code(
        client_id=APP[0],
        redirect_uri=BACK,
        account="a",
        scopes=["files"],
        challenge=challenge,
        method=method,
        offline=True,
    )
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": verifier}
    return oauth.exchange(APP[0], form)


def test_a_pkce_verifier_must_fit_its_challenge() -> None:
    oauth, verifier = server(), "v" * 43
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    assert spend(oauth, challenge, verifier)["access_token"]
    for wrong in ("w" * 43, ""):
        with pytest.raises(OAuthError):
            spend(oauth, challenge, wrong)


def test_where_refresh_tokens_do_not_rotate_the_old_one_stays() -> None:
    oauth = server(rotates=False)
    first = oauth.grant("a")
    again = oauth.refresh(APP[0], first["refresh_token"])
    assert "refresh_token" not in again
    assert oauth.refresh(APP[0], first["refresh_token"])["access_token"]


def test_offline_access_must_be_asked_for_and_comes_once_without_prompt() -> None:
    oauth = server(offline_asked=True)
    assert not oauth.offline(APP[0], "a", {})
    assert oauth.offline(APP[0], "a", {"access_type": "offline"})
    oauth.grant("a")
    assert not oauth.offline(APP[0], "a", {"access_type": "offline"})
    assert oauth.offline(APP[0], "a", {"access_type": "offline", "prompt": "consent"})
