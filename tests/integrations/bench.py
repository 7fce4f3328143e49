"""The kit's Bench over the sandbox's control calls: what is the same for every simulated provider."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from pydantic import BaseModel

from integrations.conformance.parts import MemoryFacts, MemoryTokens
from integrations.contract import Connector, Token, Wiring
from integrations.errors import ReauthRequired
from integrations.login import sealed
from integrations.oauth import Flow, OAuthApp

APP = OAuthApp(client_id="kontor-demo", client_secret="kontor-demo-secret")


class SandboxBench:
    """One simulated provider of a running sandbox."""

    app = APP

    def __init__(self, url: str, kind: str, http: httpx.Client) -> None:
        self.url, self.kind, self.http = url, kind, http
        self.advanced = 0.0

    # --- what the kit asks for

    def script(self, steps: Sequence[str]) -> None:
        self.control("faults", provider=self.kind, script=list(steps))

    def clear(self) -> None:
        self.http.delete(f"{self.url}/_control/faults").raise_for_status()

    def advance(self, seconds: float) -> None:
        self.control("clock", advance=max(0.0, seconds))
        self.advanced += max(0.0, seconds)

    def expire(self, connector: Connector) -> None:
        self.control("expire", provider=self.kind, access_token=connector.wiring.tokens.current().access)

    def revoke(self, connector: Connector) -> None:
        self.control("revoke", provider=self.kind, access_token=connector.wiring.tokens.current().access)

    # --- for fixtures and tests

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.advanced)

    def control(self, call: str, **order: Any) -> Any:
        """One control call; fails loudly."""
        response = self.http.post(f"{self.url}/_control/{call}", json=order)
        assert response.is_success, f"{call}: {response.text}"
        return response.json()

    def log(self) -> list[dict[str, Any]]:
        """API calls so far, without those of the sign-in."""
        calls = self.http.get(f"{self.url}/_control/log", params={"provider": self.kind}).json()
        return [call for call in calls if not call["path"].startswith("/oauth2/")]

    def endpoints(self) -> dict[str, str]:
        """What replaces the manifest's endpoints."""
        found: dict[str, dict[str, str]] = self.http.get(self.url).json()
        return found[self.kind]

    def connect(
        self,
        made: type[Connector],
        account: str,
        config: BaseModel,
        extras: Callable[[Mapping[str, Any]], dict[str, str]] = lambda _answer: {},
    ) -> Any:
        """A connector that is signed in to an account of the sandbox."""
        endpoints = self.endpoints()
        answer = self.control("grant", provider=self.kind, account=account, client_id=self.app.client_id)
        token = Token(
            access=answer["access_token"],
            refresh=answer.get("refresh_token"),
            expires_at=self.now() + timedelta(seconds=int(answer["expires_in"])),
            extras=extras(answer),
        )
        flow = Flow(made.manifest, self.app, self.http, endpoints)
        tokens = MemoryTokens(token, lambda stale: flow.refresh(stale, self.now()))
        wiring = Wiring(
            config=config,
            app=self.app,
            http=self.http,
            tokens=tokens,
            memory=MemoryFacts(),
            now=self.now,
            endpoints=endpoints,
        )
        return made(wiring)

    def enter(self, made: type[Connector], login: BaseModel, config: BaseModel, app: BaseModel) -> Any:
        """A connector whose login a person entered."""
        return entered(made, login, config, app, self.http, self.now)


def entered(
    made: type[Connector],
    login: BaseModel,
    config: BaseModel,
    app: BaseModel,
    http: httpx.Client,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Any:
    """A connector at any server, with a login that nobody can refresh."""
    tokens = MemoryTokens(sealed(login), _nobody)
    return made(Wiring(config=config, app=app, http=http, tokens=tokens, memory=MemoryFacts(), now=now))


def _nobody(_stale: Token) -> Token:
    raise ReauthRequired("an entered login cannot be refreshed")
