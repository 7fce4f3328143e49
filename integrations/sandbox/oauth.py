"""An OAuth 2.0 authorisation server (RFC 6749, 7009, 7636) that every simulator uses, with its provider's rules.

Codes are single use and short-lived, redirect addresses compared exactly, refresh tokens rotate where the provider's
do. Tokens are kept as they are: nothing here is secret, it is all made up.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from werkzeug.wrappers import Request, Response

from integrations.sandbox.clock import Clock
from integrations.sandbox.state import Store
from integrations.sandbox.wire import json_response

DEMO_CLIENT = "kontor-demo"
_DEMO_APP = {"client_id": DEMO_CLIENT, "client_secret": "kontor-demo-secret", "name": "Kontor"}
_LOOPBACK = {"127.0.0.1", "localhost", "[::1]", "::1"}


@dataclass(frozen=True)
class Account:
    """What a person chooses on the consent page: a company, a drive. ``page`` is below the provider's mount."""

    id: str
    name: str
    detail: str = ""
    page: str = ""


@dataclass(frozen=True)
class Rules:
    """How one provider's server behaves. Lives are seconds."""

    scopes: Mapping[str, tuple[str, str]]  # scope -> what it means, in English and German
    access_life: int = 3600
    refresh_life: int = 8_640_000
    code_life: int = 300
    rotates: bool = False  # each refresh gives a new refresh token
    superseded_works_for: int = 0  # seconds that a superseded refresh token still works
    pkce: str = "optional"  # "none": ignored, "optional": checked when used, "required"
    offline_asked: bool = False  # a refresh token only for access_type=offline (and again only for prompt=consent)
    account_field: str = ""  # name of the callback's query parameter that tells the account
    refresh_life_field: str = ""  # name of the token answer's field with the refresh token's life
    hard_life: int = 0  # seconds after which a consent ends however often it was refreshed; 0: never
    hard_life_header: str = ""  # request header that asks for the rest of it
    hard_life_field: str = ""  # the token answer's field that tells it
    tells_scope: bool = True  # the token answer has "scope"
    token_type: str = "Bearer"  # noqa: S105 - the word, not a token
    revoke_needs_app: bool = False  # only the app itself may revoke
    json_revoke: bool = False  # revoke takes JSON (besides a form)
    brand: str = "#3d5a80"  # colour of its pages
    extra: Mapping[str, str] = field(default_factory=dict)  # fixed fields of the token answer


class OAuthError(Exception):
    """A refusal of RFC 6749 section 5.2."""

    def __init__(self, code: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.code, self.description, self.status = code, description, status

    def response(self) -> Response:
        """As the token endpoint tells it."""
        body = {"error": self.code, "error_description": self.description}
        headers = {"WWW-Authenticate": 'Basic realm="token"'} if self.status == 401 else {}
        return json_response(body, self.status, {"Cache-Control": "no-store", **headers})


@dataclass(frozen=True)
class Grant:
    """What a live access token allows. ``id`` names the consent: all tokens of it die together."""

    id: str
    account: str
    scopes: tuple[str, ...]
    client_id: str


class Refused(Exception):
    """An API call's token is no good: ``reason`` is missing, unknown, expired or revoked."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class OAuth:
    """The server of one provider. Pages are in ``consent.py``; this is what they and the token endpoint rest on."""

    def __init__(
        self, kind: str, title: str, rules: Rules, store: Store, clock: Clock, accounts: Callable[[], Sequence[Account]]
    ) -> None:
        self.kind, self.title, self.rules, self.accounts = kind, title, rules, accounts
        self._store, self._clock = store, clock
        self._apps = store.bucket(f"{kind}:oauth:apps")
        self._codes = store.bucket(f"{kind}:oauth:codes")
        self._access = store.bucket(f"{kind}:oauth:access")
        self._refresh = store.bucket(f"{kind}:oauth:refresh")
        self._grants = store.bucket(f"{kind}:oauth:grants")
        if DEMO_CLIENT not in self._apps:
            self.register(_DEMO_APP)

    # --- registered apps

    def register(self, app: Mapping[str, Any]) -> dict[str, Any]:
        """Register or replace an app; without redirect addresses any loopback address is accepted."""
        kept = {
            "client_id": str(app.get("client_id") or secrets.token_hex(12)),
            "client_secret": str(app.get("client_secret") or secrets.token_hex(16)),
            "name": str(app.get("name") or "An app"),
            "redirect_uris": [str(uri) for uri in app.get("redirect_uris") or []],
        }
        self._apps.put(str(kept["client_id"]), kept)
        return kept

    def app(self, client_id: str) -> dict[str, Any] | None:
        """A registered app."""
        found = self._apps.get(client_id)
        return dict(found) if found else None

    @staticmethod
    def accepts(app: Mapping[str, Any], redirect_uri: str) -> bool:
        """Exactly one of the registered addresses; any loopback one when none is registered."""
        if app["redirect_uris"]:
            return redirect_uri in app["redirect_uris"]
        parts = urlsplit(redirect_uri)
        return parts.scheme in {"http", "https"} and parts.hostname in _LOOPBACK and not parts.fragment

    # --- codes and tokens

    def code(
        self,
        *,
        client_id: str,
        redirect_uri: str,
        account: str,
        scopes: Sequence[str],
        challenge: str,
        method: str,
        offline: bool,
    ) -> str:
        """A fresh code for a consent just given."""
        code = secrets.token_urlsafe(30)
        kept = {
            "client_id": client_id,
            "redirect_uri": redirect_uri,
            "account": account,
            "scopes": list(scopes),
            "challenge": challenge,
            "method": method,
            "offline": offline,
            "dies": self._clock.after(self.rules.code_life),
        }
        self._codes.put(code, kept)
        return code

    def offline(self, client_id: str, account: str, asked: Mapping[str, str]) -> bool:
        """Whether this consent brings a refresh token: always, or as ``access_type`` and ``prompt`` ask."""
        if not self.rules.offline_asked:
            return True
        before = any(
            grant["alive"] and grant["client_id"] == client_id and grant["account"] == account
            for grant in self._grants.values()
        )
        return asked.get("access_type") == "offline" and (not before or "consent" in asked.get("prompt", ""))

    def grant(self, account: str, scopes: Sequence[str] = (), client_id: str = DEMO_CLIENT) -> dict[str, Any]:
        """A token answer without any page, for tests. LookupError for an unknown account."""
        if account not in {known.id for known in self.accounts()}:
            raise LookupError(f"{self.kind} has no account {account!r}")
        with self._store.transaction():
            grant = self._new_grant(client_id, account, scopes or list(self.rules.scopes))
            answer = self._issue(grant, refresh=True)
        return {**answer, **({self.rules.account_field: account} if self.rules.account_field else {})}

    def token(self, request: Request) -> Response:
        """The token endpoint."""
        try:
            answer = self._token(request)
            if self.rules.hard_life_header and request.headers.get(self.rules.hard_life_header) == "true":
                answer[self.rules.hard_life_field] = self._hard_rest(answer["access_token"])
            return json_response(answer, 200, {"Cache-Control": "no-store", "Pragma": "no-cache"})
        except OAuthError as error:
            return error.response()

    def _hard_rest(self, access: str) -> int:
        grant = self._grants.get(self._access.get(access)["grant"])
        return int(grant["born"] + self.rules.hard_life - self._clock.timestamp())

    def _token(self, request: Request) -> dict[str, Any]:
        if request.method != "POST":
            raise OAuthError("invalid_request", "POST only", 405)
        form = request.form
        app = self._client(request)
        kind = form.get("grant_type", "")
        if kind == "authorization_code":
            return self.exchange(app["client_id"], form)
        if kind == "refresh_token":
            return self.refresh(app["client_id"], form.get("refresh_token", ""))
        raise OAuthError("unsupported_grant_type" if kind else "invalid_request", "grant_type")

    def _client(self, request: Request) -> dict[str, Any]:
        """The app, authenticated by Basic or in the body (RFC 6749 section 2.3.1)."""
        basic = request.authorization
        if basic is not None and basic.type == "basic":
            client_id, secret = basic.username or "", basic.password or ""
        else:
            client_id, secret = request.form.get("client_id", ""), request.form.get("client_secret", "")
        app = self.app(client_id)
        if app is None or not secrets.compare_digest(app["client_secret"].encode(), secret.encode()):
            raise OAuthError("invalid_client", "Unknown client or wrong secret.", 401)
        return app

    def exchange(self, client_id: str, form: Mapping[str, str]) -> dict[str, Any]:
        """The first token answer for a code; OAuthError invalid_grant when it is used, old or somebody else's."""
        code = form.get("code", "")
        self._end_if_stolen(code)
        with self._store.transaction():
            kept = self._codes.get(code)
            if kept is None or kept["client_id"] != client_id or kept["dies"] <= self._clock.timestamp():
                raise OAuthError("invalid_grant", "Invalid authorization code")
            if kept.get("used"):
                raise OAuthError("invalid_grant", "Authorization code was already used")
            if form.get("redirect_uri") != kept["redirect_uri"]:
                raise OAuthError("invalid_grant", "redirect_uri does not match")
            self._verify(kept, form.get("code_verifier", ""))
            grant = self._new_grant(client_id, kept["account"], kept["scopes"])
            self._codes.put(code, {**kept, "used": grant})
            return self._issue(grant, refresh=kept["offline"])

    def _end_if_stolen(self, code: str) -> None:
        """A code seen twice may be stolen: what the first use gave dies too (RFC 6749 section 4.1.2)."""
        kept = self._codes.get(code)
        if kept and kept.get("used"):
            self._end(kept["used"])

    def _verify(self, kept: Mapping[str, Any], verifier: str) -> None:
        if self.rules.pkce == "none" or not kept["challenge"]:
            return
        digest = hashlib.sha256(verifier.encode()).digest()
        answer = base64.urlsafe_b64encode(digest).rstrip(b"=").decode() if kept["method"] == "S256" else verifier
        if not verifier or not secrets.compare_digest(answer, kept["challenge"]):
            raise OAuthError("invalid_grant", "Invalid code verifier.")

    def _new_grant(self, client_id: str, account: str, scopes: Sequence[str]) -> str:
        grant = secrets.token_hex(8)
        born = self._clock.timestamp()
        kept = {"client_id": client_id, "account": account, "scopes": list(scopes), "alive": True, "born": born}
        self._grants.put(grant, kept)
        return grant

    def _issue(self, grant: str, *, refresh: bool) -> dict[str, Any]:
        kept = self._grants.get(grant)
        access = f"at-{secrets.token_urlsafe(32)}"
        self._access.put(access, {"grant": grant, "dies": self._clock.after(self.rules.access_life)})
        answer: dict[str, Any] = {
            "access_token": access,
            "token_type": self.rules.token_type,
            "expires_in": self.rules.access_life,
            **self.rules.extra,
        }
        if refresh:
            answer["refresh_token"] = self._new_refresh(grant)
            if self.rules.refresh_life_field:
                answer[self.rules.refresh_life_field] = self.rules.refresh_life
        if self.rules.tells_scope:
            answer["scope"] = " ".join(kept["scopes"])
        return answer

    def _new_refresh(self, grant: str) -> str:
        value = f"rt-{secrets.token_urlsafe(32)}"
        self._refresh.put(value, {"grant": grant, "dies": self._clock.after(self.rules.refresh_life)})
        return value

    def refresh(self, client_id: str, value: str) -> dict[str, Any]:
        """A token answer for a refresh token, which is superseded where tokens rotate; OAuthError when it is dead."""
        with self._store.transaction():
            kept = self._refresh.get(value)
            grant = self._grants.get(kept["grant"]) if kept else None
            if kept is None or grant is None or not grant["alive"] or grant["client_id"] != client_id:
                raise OAuthError("invalid_grant", "Token is not valid")
            ended = self.rules.hard_life and grant["born"] + self.rules.hard_life <= self._clock.timestamp()
            if ended or kept["dies"] <= self._clock.timestamp():
                raise OAuthError("invalid_grant", "Token has expired")
            answer = self._issue(kept["grant"], refresh=False)
            if self.rules.rotates:
                answer["refresh_token"] = self._new_refresh(kept["grant"])
                self._refresh.put(value, {**kept, "dies": self._clock.after(self.rules.superseded_works_for)})
            if self.rules.refresh_life_field:
                answer.setdefault("refresh_token", value)
                answer[self.rules.refresh_life_field] = self.rules.refresh_life
            return answer

    # --- use and end

    def check(self, request: Request) -> Grant:
        """The grant of an API call's bearer token; Refused when it is no good."""
        access = bearer(request)
        if not access:
            raise Refused("missing")
        kept = self._access.get(access)
        if kept is None:
            raise Refused("unknown")
        grant = self._grants.get(kept["grant"])
        if not grant["alive"]:
            raise Refused("revoked")
        if kept["dies"] <= self._clock.timestamp():
            raise Refused("expired")
        return Grant(kept["grant"], grant["account"], tuple(grant["scopes"]), grant["client_id"])

    def revoke(self, request: Request) -> Response:
        """The revocation endpoint: ends the whole grant of a refresh or access token."""
        if self.rules.revoke_needs_app:
            try:
                self._client(request)
            except OAuthError as error:
                return error.response()
        body: Any = request.get_json(silent=True) if self.rules.json_revoke and request.is_json else None
        value = str((body or {}).get("token") or request.form.get("token") or request.args.get("token") or "")
        kept = self._refresh.get(value) or self._access.get(value)
        if kept is None or not self._grants.get(kept["grant"])["alive"]:
            return OAuthError("invalid_token" if value else "invalid_request", "Token expired or revoked").response()
        self._end(kept["grant"])
        return Response(status=200, content_type="application/json")

    def expire(self, access: str) -> None:
        """This access token is too old from now on."""
        kept = self._access.get(access)
        if kept:
            self._access.put(access, {**kept, "dies": self._clock.timestamp()})

    def end(self, *, access: str = "", account: str = "") -> int:
        """End the grant of an access token, or all of an account, as a person does in the provider's settings."""
        kept = self._access.get(access) if access else None
        named = [kept["grant"]] if kept else []
        if account:
            named += [key for key, grant in self._grants.items() if grant["account"] == account and grant["alive"]]
        for grant in named:
            self._end(grant)
        return len(named)

    def _end(self, grant: str) -> None:
        self._grants.put(grant, {**self._grants.get(grant), "alive": False})


def bearer(request: Request) -> str:
    """The bearer token of a request, or an empty text."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""
