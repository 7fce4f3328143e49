"""A provider that takes every refresh token exactly once, and the same as a running server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import httpx
from werkzeug.wrappers import Request, Response

from integrations.sandbox.app import Sandbox
from integrations.sandbox.faults import Step
from integrations.sandbox.oauth import Account, Rules
from integrations.sandbox.provider import Provider
from integrations.sandbox.server import Server
from integrations.sandbox.wire import json_response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class Strict(Provider):
    """Rotating refresh tokens without a grace period; each refresh takes a while, so that workers meet."""

    kind: ClassVar[str] = "google_drive"
    title: ClassVar[str] = "Strict"
    rules: ClassVar[Rules] = Rules(scopes={"files": ("files", "Dateien")}, rotates=True, tells_scope=False)

    def __init__(self, core: Any) -> None:
        super().__init__(core)
        self.asked = 0
        self.meanwhile: Callable[[], None] = lambda: None
        self.down = False
        plain = self.oauth.token

        def slow(request: Request) -> Response:
            self.asked += 1
            if self.down:
                return json_response({"error": "later"}, 503)
            self.meanwhile()
            return plain(request)

        self.oauth.token = slow  # type: ignore[method-assign]

    @property
    def wsgi(self) -> WSGIApplication:
        return Response("nothing here", 404)

    def endpoints(self, base: str) -> dict[str, str]:
        return {name: f"{base}/oauth2/{name}" for name in ("authorize", "token", "revoke")}

    def accounts(self) -> Sequence[Account]:
        return [Account("anna", "Anna")]

    def is_api(self, path: str) -> bool:
        return False

    def refusal(self, step: Step, request: Request) -> Response | None:
        return None


@dataclass(frozen=True)
class Running:
    """The server, and the simulator behind it to look at and to steer."""

    url: str
    provider: Strict

    @property
    def endpoints(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = httpx.get(self.url).json()
        return found

    def grant(self) -> dict[str, object]:
        """A first token, as it is stored with a connection."""
        answer = self.provider.oauth.grant("anna")
        return {
            "access": answer["access_token"], "refresh": answer["refresh_token"], "expires_at": None,
            "refresh_expires_at": None, "scopes": [], "extras": {},
        }  # fmt: skip


@contextmanager
def running() -> Iterator[Running]:
    """The provider on a free port, in this process."""
    sandbox = Sandbox(None, {"google_drive": f"{__name__}:Strict"})
    with Server(sandbox) as server:
        provider = sandbox.providers["google_drive"]
        assert isinstance(provider, Strict)
        yield Running(server.url, provider)
    sandbox.close()
