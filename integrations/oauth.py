"""OAuth 2.0 as all our providers use it: the authorisation code flow (RFC 6749, PKCE by RFC 7636), refresh, revoke.

Pure exchange of values over a given HTTP client: who stores a token, and who may refresh, is decided by the caller.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Generator, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
from pydantic import BaseModel, Field

from integrations.contract import N_, Manifest, Token, TokenSource
from integrations.errors import Misconfigured, ReauthRequired, Transient
from integrations.http import translated

# A token that ends within this is refreshed before use: a streamed body cannot be sent a second time after a 401.
EARLY = timedelta(seconds=90)


class OAuthApp(BaseModel):
    """The firm's own app at the provider: what the provider's developer pages call client id and client secret."""

    client_id: str = Field(title=N_("Client ID"), min_length=1, max_length=300)
    client_secret: str = Field(
        title=N_("Client secret"), min_length=1, max_length=300, repr=False, json_schema_extra={"secret": True}
    )

    def address(self, url: str) -> str:
        """An endpoint's URL for this app; the same for all apps unless a kind's own model says otherwise."""
        return url


def verifier() -> str:
    """A fresh PKCE code verifier (RFC 7636: 43 to 128 characters)."""
    return secrets.token_urlsafe(48)


def challenge(code_verifier: str) -> str:
    """The S256 challenge of a verifier."""
    digest = hashlib.sha256(code_verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


class Flow:
    """The code flow of one kind with one app; ``endpoints`` replaces those of the manifest where it names them."""

    def __init__(self, manifest: Manifest, app: OAuthApp, http: httpx.Client, endpoints: Mapping[str, str]) -> None:
        if manifest.oauth is None:
            raise ValueError(f"{manifest.kind} has no OAuth")
        self.manifest, self.oauth, self.app, self.http = manifest, manifest.oauth, app, http
        self.endpoints = {name: app.address(url) for name, url in {**manifest.endpoints, **endpoints}.items()}

    def consent_url(self, *, redirect_uri: str, state: str, code_challenge: str | None) -> str:
        """Where to send the person."""
        query = {
            "client_id": self.app.client_id,
            "response_type": "code",
            "scope": " ".join(self.oauth.scopes),
            "redirect_uri": redirect_uri,
            "state": state,
            **self.oauth.extra,
        }
        if self.oauth.pkce and code_challenge:
            query |= {"code_challenge": code_challenge, "code_challenge_method": "S256"}
        return f"{self.endpoints['authorize']}?{urlencode(query)}"

    def exchange(
        self, *, code: str, redirect_uri: str, code_verifier: str | None, now: datetime, extras: Mapping[str, str]
    ) -> Token:
        """The first token for a code that the callback brought."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        if self.oauth.pkce and code_verifier:
            form["code_verifier"] = code_verifier
        return self._token(form, now, previous=None, extras=extras)

    def refresh(self, token: Token, now: datetime) -> Token:
        """A new token for an old one; what the provider does not send again is kept."""
        if not token.refresh:
            raise ReauthRequired(
                N_("The login at %(provider)s has ended. Please connect again."), provider=self.manifest.name
            )
        form = {"grant_type": "refresh_token", "refresh_token": token.refresh}
        return self._token(form, now, previous=token, extras=token.extras)

    def missing(self, token: Token) -> frozenset[str]:
        """Permissions that were asked for and not given; none when the provider does not tell what it gave.

        Scopes of the sign-in itself (OpenID Connect) are not told back by all: whether ``offline_access`` was given
        shows in the refresh token. Some tell a scope with the address of what it is for before it.
        """
        if not token.scopes:
            return frozenset()
        given = {*token.scopes, *(scope.rpartition("/")[2] for scope in token.scopes)}
        if token.refresh:
            given.add("offline_access")
        return frozenset(self.oauth.scopes) - given - _SIGN_IN

    def revoke(self, token: Token) -> None:
        """End the grant. A token that is dead already counts as done."""
        value = token.refresh or token.access
        body: dict[str, Any] = (
            {"json": {"token": value}} if self.oauth.revoke_style == "json" else {"data": {"token": value}}
        )
        with translated(self.manifest.name):
            response = self.http.post(self.endpoints["revoke"], auth=self._auth, headers=_JSON, **body)
        if response.status_code >= 500 or response.status_code == 429:
            raise Transient(N_("%(provider)s did not end the login. Please try again."), provider=self.manifest.name)

    def _token(
        self, form: dict[str, str], now: datetime, *, previous: Token | None, extras: Mapping[str, str]
    ) -> Token:
        if not self.oauth.basic_auth:
            form |= {"client_id": self.app.client_id, "client_secret": self.app.client_secret}
        with translated(self.manifest.name):
            headers = {**_JSON, **self.oauth.token_headers}
            response = self.http.post(self.endpoints["token"], data=form, auth=self._auth, headers=headers)
        return _read(self._checked(response), now, previous, extras)

    @property
    def _auth(self) -> httpx.Auth:
        return httpx.BasicAuth(self.app.client_id, self.app.client_secret) if self.oauth.basic_auth else httpx.Auth()

    def _checked(self, response: httpx.Response) -> dict[str, Any]:
        name = self.manifest.name
        if response.status_code >= 500 or response.status_code == 429:
            raise Transient(N_("%(provider)s did not answer the sign-in. It is tried again."), provider=name)
        try:
            body = response.json()
        except ValueError:
            body = {}
        if response.is_success and isinstance(body, dict) and isinstance(body.get("access_token"), str):
            return body
        # what is no refusal in the standard's form came from something before the provider; the login may be alive
        if not isinstance(body, dict) or "error" not in body:
            raise Transient(N_("%(provider)s did not answer the sign-in. It is tried again."), provider=name)
        # invalid_client and friends are the installation's fault, everything else ends the grant (RFC 6749, 5.2)
        if body["error"] in ("invalid_client", "unauthorized_client"):
            raise Misconfigured(
                N_("%(provider)s does not accept the firm's app. Please check client ID and secret."), provider=name
            )
        raise ReauthRequired(N_("The login at %(provider)s has ended. Please connect again."), provider=name)


_JSON = {"accept": "application/json"}
_SIGN_IN = frozenset({"openid", "profile", "email"})


def _read(body: Mapping[str, Any], now: datetime, previous: Token | None, extras: Mapping[str, str]) -> Token:
    lives = body.get("expires_in")
    # Intuit's two ends: 100 days without use, and five years in any case
    ends = [body.get(name) for name in ("x_refresh_token_expires_in", "x_refresh_token_hard_expires_in")]
    refresh_lives = min((int(end) for end in ends if end), default=None)
    scope = body.get("scope")
    return Token(
        access=body["access_token"],
        refresh=body.get("refresh_token") or (previous.refresh if previous else None),
        expires_at=now + timedelta(seconds=int(lives)) if lives else None,
        refresh_expires_at=now + timedelta(seconds=refresh_lives)
        if refresh_lives
        else (previous.refresh_expires_at if previous else None),
        scopes=tuple(scope.split()) if isinstance(scope, str) else (previous.scopes if previous else ()),
        extras=dict(extras),
    )


class Bearer(httpx.Auth):
    """Signs requests with the connection's token: early refresh before use, one refresh after a 401.

    What cannot be sent twice (a streamed body) is not: its 401 goes back to the connector as it is.
    """

    def __init__(self, tokens: TokenSource, now: Callable[[], datetime]) -> None:
        self.tokens, self.now = tokens, now

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """One request, at most one repeat."""
        token = self.tokens.current()
        if token.expires_at is not None and token.expires_at - self.now() < EARLY:
            token = self.tokens.refreshed(token)
        request.headers["authorization"] = f"Bearer {token.access}"
        response = yield request
        if response.status_code == 401 and hasattr(request, "_content"):
            token = self.tokens.refreshed(token)
            request.headers["authorization"] = f"Bearer {token.access}"
            yield request
