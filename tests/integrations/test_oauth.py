from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from integrations import oauth
from integrations.conformance.parts import MemoryTokens
from integrations.contract import DocumentKind, Manifest, OAuth, Token
from integrations.errors import Misconfigured, ReauthRequired, Transient
from integrations.oauth import Bearer, Flow, OAuthApp
from tests.integrations.wire import Provider, provider

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
APP = OAuthApp(client_id="kontor", client_secret="s3cret-of-the-app")
TOKEN = Token(
    access="at-1", refresh="rt-1", expires_at=NOW + timedelta(hours=1), scopes=("a",), extras={"realmId": "9"}
)


def manifest(**facts: Any) -> Manifest:
    names = ("authorize", "token", "revoke")
    return Manifest(
        kind="some",
        name="Somebody",
        summary="s",
        consent="c",
        takes=frozenset(DocumentKind),
        oauth=OAuth(**{"scopes": ("a", "b"), "pkce": True, **facts}),
        endpoints={name: f"https://somebody.example/{name}" for name in names},
    )


@pytest.fixture
def wire() -> Iterator[Provider]:
    with provider() as made:
        yield made


@pytest.fixture
def flow(wire: Provider) -> Iterator[Callable[..., Flow]]:
    with httpx.Client(timeout=5) as http:
        endpoints = {name: f"{wire.url}/{name}" for name in ("authorize", "token", "revoke")}
        yield lambda **facts: Flow(manifest(**facts), APP, http, endpoints)


def exchanged(flow: Flow, **extras: str) -> Token:
    return flow.exchange(
        code="c-1", redirect_uri="https://kontor.example/back", code_verifier="v" * 43, now=NOW, extras=extras
    )


# --- what was given


@pytest.mark.parametrize(
    ("told", "refresh", "missing"),
    [
        (("a", "b"), None, {"offline_access"}),
        (("a", "b"), "rt", set()),
        (("https://api.example/a", "b", "more"), "rt", set()),
        (("b",), "rt", {"a"}),
        ((), None, set()),
    ],
)
def test_permissions_that_were_not_given_are_found(
    flow: Callable[..., Flow], told: tuple[str, ...], refresh: str | None, missing: set[str]
) -> None:
    asked = flow(scopes=("a", "b", "openid", "offline_access"))
    assert asked.missing(Token(access="at", refresh=refresh, scopes=told)) == missing


# --- the consent page


class OfATenant(OAuthApp):
    def address(self, url: str) -> str:
        return url.replace("{tenant}", "brandt")


def test_an_app_may_fill_its_own_place_in_the_addresses(wire: Provider) -> None:
    app = OfATenant(client_id="kontor", client_secret="s3cret")
    wire.answer(200, {"access_token": "at-2"})
    with httpx.Client(timeout=5) as http:
        endpoints = {name: f"{wire.url}/{{tenant}}/{name}" for name in ("authorize", "token")}
        made = Flow(manifest(), app, http, endpoints)
        url = made.consent_url(redirect_uri="https://kontor.example/back", state="s", code_challenge=None)
        made.refresh(TOKEN, NOW)
    assert urlsplit(url).path == "/brandt/authorize"
    assert wire.asked[0].path == "/brandt/token"


def test_the_challenge_is_the_hash_of_the_verifier() -> None:
    verifier = oauth.verifier()
    assert 43 <= len(verifier) <= 128
    digest = hashlib.sha256(verifier.encode()).digest()
    assert oauth.challenge(verifier) == base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert oauth.verifier() != verifier


def test_the_consent_address_tells_everything_once(flow: Callable[..., Flow]) -> None:
    url = flow(extra={"access_type": "offline"}).consent_url(
        redirect_uri="https://kontor.example/back?x=1", state="st&te", code_challenge="ch"
    )
    assert parse_qs(urlsplit(url).query) == {
        "client_id": ["kontor"],
        "response_type": ["code"],
        "scope": ["a b"],
        "redirect_uri": ["https://kontor.example/back?x=1"],
        "state": ["st&te"],
        "access_type": ["offline"],
        "code_challenge": ["ch"],
        "code_challenge_method": ["S256"],
    }


def test_no_challenge_goes_where_there_is_no_pkce(flow: Callable[..., Flow]) -> None:
    url = flow(pkce=False).consent_url(redirect_uri="https://k.example", state="s", code_challenge="ch")
    assert "challenge" not in url


# --- tokens


def test_a_code_becomes_a_token_with_its_lives_and_extras(wire: Provider, flow: Callable[..., Flow]) -> None:
    wire.answer(
        body={
            "access_token": "at",
            "refresh_token": "rt",
            "expires_in": 3600,
            "x_refresh_token_expires_in": 8726400,
            "scope": "a b",
        }
    )
    token = exchanged(flow(), realmId="42")
    assert (token.access, token.refresh, token.scopes, token.extras) == ("at", "rt", ("a", "b"), {"realmId": "42"})
    assert token.expires_at == NOW + timedelta(hours=1)
    assert token.refresh_expires_at == NOW + timedelta(days=101)
    form = wire.asked[0].form
    assert form["grant_type"] == "authorization_code"
    assert form["code_verifier"] == "v" * 43
    assert form["client_secret"] == APP.client_secret


def test_the_earlier_end_of_a_refresh_token_counts(wire: Provider, flow: Callable[..., Flow]) -> None:
    lives = {"x_refresh_token_expires_in": 8726400, "x_refresh_token_hard_expires_in": 60}
    wire.answer(body={"access_token": "at", "refresh_token": "rt", **lives})
    token = exchanged(flow(token_headers={"x-include-refresh-token-hard-expires-in": "true"}))
    assert token.refresh_expires_at == NOW + timedelta(seconds=60)
    assert wire.asked[0].headers["x-include-refresh-token-hard-expires-in"] == "true"


def test_basic_auth_keeps_the_secret_out_of_the_form(wire: Provider, flow: Callable[..., Flow]) -> None:
    wire.answer(body={"access_token": "at"})
    exchanged(flow(basic_auth=True, pkce=False))
    request = wire.asked[0]
    assert request.authorization is not None
    assert (request.authorization.username, request.authorization.password) == (APP.client_id, APP.client_secret)
    assert not {"client_secret", "client_id", "code_verifier"} & set(request.form)


def test_a_refresh_keeps_what_is_not_sent_again(wire: Provider, flow: Callable[..., Flow]) -> None:
    wire.answer(body={"access_token": "at-2", "expires_in": 60})
    token = flow().refresh(TOKEN, NOW)
    assert (token.access, token.refresh, token.scopes, token.extras) == ("at-2", "rt-1", ("a",), {"realmId": "9"})


def test_a_rotated_refresh_token_replaces_the_old_one(wire: Provider, flow: Callable[..., Flow]) -> None:
    wire.answer(body={"access_token": "at-2", "refresh_token": "rt-2"})
    assert flow().refresh(TOKEN, NOW).refresh == "rt-2"
    assert wire.asked[0].form["refresh_token"] == "rt-1"


def test_without_a_refresh_token_a_person_must_sign_in(flow: Callable[..., Flow]) -> None:
    with pytest.raises(ReauthRequired):
        flow().refresh(Token(access="at"), NOW)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, {"error": "invalid_grant"}, ReauthRequired),
        (401, {"error": "invalid_client"}, Misconfigured),
        (400, {"error": "unauthorized_client"}, Misconfigured),
        (403, "<html>", Transient),
        (200, {"no": "token"}, Transient),
        (200, [], Transient),
        (503, "<html>", Transient),
        (429, {}, Transient),
    ],
)
def test_a_refusal_tells_who_must_act(
    wire: Provider, flow: Callable[..., Flow], status: int, body: Any, error: type[Exception]
) -> None:
    wire.answer(status, body)
    with pytest.raises(error) as caught:
        flow().refresh(TOKEN, NOW)
    assert type(caught.value) is error
    assert "rt-1" not in f"{caught.value} {caught.value!r}"
    assert APP.client_secret not in f"{caught.value} {caught.value!r}"


def test_a_sign_in_that_breaks_off_is_transient(wire: Provider, flow: Callable[..., Flow]) -> None:
    wire.drop()
    with pytest.raises(Transient):
        flow().refresh(TOKEN, NOW)


def test_secrets_are_in_no_repr() -> None:
    assert "at-1" not in repr(TOKEN)
    assert "rt-1" not in repr(TOKEN)
    assert APP.client_secret not in repr(APP)


# --- revoke


@pytest.mark.parametrize("style", ["form", "json"])
def test_revoking_ends_the_refresh_token_in_the_providers_style(
    wire: Provider, flow: Callable[..., Flow], style: str
) -> None:
    wire.answer()
    flow(revoke_style=style).revoke(TOKEN)
    sent = json.loads(wire.asked[0].get_data()) if style == "json" else wire.asked[0].form.to_dict()
    assert sent == {"token": "rt-1"}


def test_revoking_a_dead_token_is_done(wire: Provider, flow: Callable[..., Flow]) -> None:
    wire.answer(400, {"error": "invalid_token"})
    flow().revoke(TOKEN)


def test_revoking_while_the_provider_is_down_is_tried_again(wire: Provider, flow: Callable[..., Flow]) -> None:
    wire.answer(503)
    with pytest.raises(Transient):
        flow().revoke(TOKEN)


# --- signing calls


def bearer(token: Token, refresh: Callable[[Token], Token] | None = None) -> tuple[MemoryTokens, Bearer]:
    tokens = MemoryTokens(token, refresh or (lambda _stale: Token(access="at-2", expires_at=NOW + timedelta(hours=2))))
    return tokens, Bearer(tokens, lambda: NOW)


def used(wire: Provider) -> list[str | None]:
    return [request.headers.get("Authorization") for request in wire.asked]


def test_a_call_carries_the_current_token(wire: Provider) -> None:
    tokens, auth = bearer(TOKEN)
    wire.answer()
    assert httpx.get(wire.url, auth=auth).status_code == 200
    assert used(wire) == ["Bearer at-1"]
    assert tokens.refreshes == 0


def test_an_answer_401_refreshes_once_and_sends_the_same_again(wire: Provider) -> None:
    tokens, auth = bearer(TOKEN)
    wire.answer(401)
    wire.answer(200)
    assert httpx.post(wire.url, auth=auth, content=b"the same body").status_code == 200
    assert used(wire) == ["Bearer at-1", "Bearer at-2"]
    assert [request.get_data() for request in wire.asked] == [b"the same body"] * 2
    assert tokens.refreshes == 1


def test_a_second_401_goes_back_to_the_connector(wire: Provider) -> None:
    _tokens, auth = bearer(TOKEN)
    wire.answer(401)
    wire.answer(401)
    assert httpx.get(wire.url, auth=auth).status_code == 401
    assert len(wire.asked) == 2


def test_a_token_about_to_end_is_replaced_before_use(wire: Provider) -> None:
    _tokens, auth = bearer(Token(access="at-1", expires_at=NOW + timedelta(seconds=30)))
    wire.answer()
    httpx.get(wire.url, auth=auth)
    assert used(wire) == ["Bearer at-2"]


def test_a_fresh_token_that_lives_shortly_is_used_all_the_same(wire: Provider) -> None:
    ending = Token(access="at-1", expires_at=NOW + timedelta(seconds=30))
    tokens, auth = bearer(ending, lambda _stale: Token(access="at-2", expires_at=NOW + timedelta(seconds=30)))
    wire.answer()
    httpx.get(wire.url, auth=auth)
    assert used(wire) == ["Bearer at-2"]
    assert tokens.refreshes == 1


def test_a_streamed_body_is_not_sent_twice(wire: Provider) -> None:
    tokens, auth = bearer(TOKEN)
    wire.answer(401)
    assert httpx.put(wire.url, auth=auth, content=iter([b"piece"])).status_code == 401
    assert tokens.refreshes == 0


def test_a_dead_login_stops_the_call(wire: Provider) -> None:
    def refuse(_stale: Token) -> Token:
        raise ReauthRequired("gone")

    _tokens, auth = bearer(TOKEN, refuse)
    wire.answer(401)
    with pytest.raises(ReauthRequired):
        httpx.get(wire.url, auth=auth)


def test_many_calls_at_once_refresh_once(wire: Provider) -> None:
    tokens, auth = bearer(Token(access="at-1", expires_at=NOW))
    for _call in range(8):
        wire.answer()
    with ThreadPoolExecutor(8) as workers:
        list(workers.map(lambda _turn: httpx.get(wire.url, auth=auth), range(8)))
    assert tokens.refreshes == 1
    assert set(used(wire)) == {"Bearer at-2"}
