"""Signing in at the simulated Microsoft identity platform, as the connector's flow and bare HTTP do it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from integrations.errors import Misconfigured, ReauthRequired
from integrations.oauth import Flow, challenge, verifier
from integrations.onedrive.connector import OneDrive
from integrations.onedrive.settings import App
from tests.integrations.onedrive.bench import OneDriveBench

BACK = "http://127.0.0.1:9999/back"


def flow(bench: OneDriveBench, authority: str = "common", secret: str = "kontor-demo-secret") -> Flow:
    app = App(client_id="kontor-demo", client_secret=secret, authority=authority)
    return Flow(OneDrive.manifest, app, bench.http, bench.endpoints())


def allowed(bench: OneDriveBench, url: str, account: str, decision: str = "allow") -> dict[str, str]:
    """What the callback is told when a person decides."""
    parts = urlsplit(url)
    form = {name: values[0] for name, values in parse_qs(parts.query).items()}
    answer = bench.http.post(url.partition("?")[0], data={**form, "account": account, "decision": decision})
    assert answer.status_code == 302, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def signed_in(bench: OneDriveBench, made: Flow, account: str) -> Any:
    proof = verifier()
    url = made.consent_url(redirect_uri=BACK, state="s-1", code_challenge=challenge(proof))
    told = allowed(bench, url, account)
    assert set(told) == {"code", "state"}
    return made.exchange(code=told["code"], redirect_uri=BACK, code_verifier=proof, now=bench.now(), extras={})


@pytest.mark.parametrize("account", ["anna", "jonas"])
def test_a_person_with_either_kind_of_account_signs_in_and_the_token_rotates(
    bench: OneDriveBench, account: str
) -> None:
    made = flow(bench)
    token = signed_in(bench, made, account)
    assert token.refresh
    assert set(token.scopes) == {"Files.ReadWrite", "User.Read"}  # offline_access is not told
    newer = made.refresh(token, bench.now())
    assert newer.refresh != token.refresh
    assert made.refresh(token, bench.now()).access  # the old one still lives
    bench.advance(91 * 86400)
    with pytest.raises(ReauthRequired):
        made.refresh(newer, bench.now())


@pytest.mark.parametrize(
    ("authority", "offered"),
    [
        ("common", {"anna", "praxis", "jonas", "kanzlei"}),
        ("consumers", {"anna", "praxis"}),
        ("organizations", {"jonas", "kanzlei"}),
        ("berg-tischlerei.example", {"jonas"}),
    ],
)
def test_the_authority_decides_who_may_sign_in(bench: OneDriveBench, authority: str, offered: set[str]) -> None:
    url = flow(bench, authority).consent_url(redirect_uri=BACK, state="s", code_challenge="c" * 43)
    page = bench.http.get(url)
    assert {name for name in ("anna", "praxis", "jonas", "kanzlei") if f'value="{name}"' in page.text} == offered
    for stranger in {"anna", "jonas"} - offered:
        assert allowed(bench, url, stranger) == {"error": "invalid_request", "state": "s"}


def test_an_unknown_tenant_is_told(bench: OneDriveBench) -> None:
    url = flow(bench, "nobody.example").consent_url(redirect_uri=BACK, state="s", code_challenge="c")
    answer = bench.http.get(url)
    assert (answer.status_code, answer.json()["error_codes"]) == (400, [90002])


def test_a_wrong_secret_is_the_installations_fault(bench: OneDriveBench) -> None:
    token = signed_in(bench, flow(bench), "anna")
    with pytest.raises(Misconfigured):
        flow(bench, secret="wrong").refresh(token, bench.now())


def test_without_offline_access_there_is_no_refresh_token(bench: OneDriveBench) -> None:
    base = f"{bench.url}/onedrive/common/oauth2/v2.0"
    query = {"client_id": "kontor-demo", "redirect_uri": BACK, "response_type": "code", "scope": "Files.ReadWrite"}
    told = allowed(bench, str(httpx.URL(f"{base}/authorize", params=query)), "anna")
    form = {
        "grant_type": "authorization_code", "code": told["code"], "redirect_uri": BACK,
        "client_id": "kontor-demo", "client_secret": "kontor-demo-secret",
    }  # fmt: skip
    answer = bench.http.post(f"{base}/token", data=form).json()
    assert "refresh_token" not in answer
    assert answer["scope"] == "Files.ReadWrite"
    again = bench.http.post(f"{base}/token", data=form)
    assert again.status_code == 400
    assert again.json()["error"] == "invalid_grant"
    assert again.json()["error_description"].startswith("AADSTS70000")


@pytest.mark.parametrize("authority", ["", "a/b", "common?x", "../consumers", "häuser"])
def test_an_authority_is_one_plain_word(authority: str) -> None:
    with pytest.raises(ValueError, match="authority"):
        App(client_id="a", client_secret="b", authority=authority)


def test_the_real_addresses_are_microsofts() -> None:
    with httpx.Client() as http:
        made = Flow(OneDrive.manifest, App(client_id="a", client_secret="b"), http, {})
    url = made.consent_url(redirect_uri=BACK, state="s", code_challenge="c")
    assert url.startswith("https://login.microsoftonline.com/common/oauth2/v2.0/authorize?")
    assert made.endpoints["token"] == "https://login.microsoftonline.com/common/oauth2/v2.0/token"
