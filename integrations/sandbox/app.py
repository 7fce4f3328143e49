"""All simulators under one port: each below its kind, faults and the list of calls around them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

from werkzeug.wrappers import Request, Response

from integrations.sandbox.calls import Calls
from integrations.sandbox.clock import Clock
from integrations.sandbox.consent import consent
from integrations.sandbox.control import Control
from integrations.sandbox.faults import Faults, Step
from integrations.sandbox.oauth import bearer
from integrations.sandbox.provider import Core, Provider
from integrations.sandbox.server import ConnectionDropped
from integrations.sandbox.state import Store
from integrations.sandbox.wire import json_response, page, wants_html

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# The one line that a new simulator adds: kind -> module:class.
SIMULATORS = {
    "quickbooks": "integrations.sandbox.quickbooks:QuickBooks",
    "google_drive": "integrations.sandbox.google_drive:GoogleDrive",
    "dropbox": "integrations.sandbox.dropbox:Dropbox",
    "onedrive": "integrations.sandbox.onedrive:OneDrive",
    "webdav": "integrations.sandbox.webdav:WebDav",
    "s3": "integrations.sandbox.s3:S3",
}


@dataclass
class _Call:
    """One call while it is answered."""

    provider: Provider
    request: Request
    path: str
    step: Step | None
    early: bool = False

    @property
    def api(self) -> bool:
        return self.provider.is_api(self.path)


class Sandbox:
    """The WSGI application. ``state`` is a folder that outlives it; without one everything is in memory."""

    def __init__(self, state: Path | None = None, simulators: Mapping[str, str] = SIMULATORS) -> None:
        store = Store(state)
        self.core = Core(store, Clock(store), Faults())
        self.calls = Calls()
        self.providers: dict[str, Provider] = {kind: _made(path, self.core) for kind, path in simulators.items()}
        self._control = Control(self)
        self._ending = threading.Event()

    def hurry(self) -> None:
        """Let calls that are slow on purpose go on, now and from now on; before a stop that would wait for them."""
        self._ending.set()

    def close(self) -> None:
        """Close the state."""
        self.core.store.close()

    def base_urls(self, base: str) -> dict[str, dict[str, str]]:
        """For each kind the endpoints of its connector's manifest, as served below ``base``."""
        return {kind: provider.endpoints(f"{base}/{kind}") for kind, provider in self.providers.items()}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """WSGI."""
        request = Request(environ)
        return self._answer(request)(environ, start_response)

    def _answer(self, request: Request) -> Response:
        kind, _, rest = request.path.lstrip("/").partition("/")
        if kind == "_control":
            return self._control.answer(request, rest)
        if kind in self.providers:
            return self._provided(self.providers[kind], request, f"/{rest}")
        if request.path == "/":
            return self._index(request)
        return json_response({"error": f"nothing at {request.path}"}, 404)

    def _index(self, request: Request) -> Response:
        urls = self.base_urls(request.host_url.rstrip("/"))
        if not wants_html(request):
            return json_response(urls)
        return page("index.html", urls=urls, providers=self.providers.values())

    def _provided(self, provider: Provider, request: Request, path: str) -> Response:
        started, faults = time.perf_counter(), self.core.faults
        step = faults.take(provider.kind, request.method, path, api=provider.is_api(path))
        now = self.core.clock
        call = _Call(
            provider, request, path, step, self.calls.is_early(provider.kind, bearer(request), now.timestamp())
        )
        status: int | None = None
        try:
            if latency := faults.latency(provider.kind):
                self._ending.wait(latency)
            answer = self._with_fault(call)
            status = answer.status_code
            return answer
        finally:
            self.calls.add(
                provider=provider.kind,
                method=request.method,
                path=path,
                query=request.query_string.decode("latin-1"),
                status=status,
                fault=str(step or ""),
                at=now.now(),
                early=call.early,
                took=time.perf_counter() - started,
            )

    def _with_fault(self, call: _Call) -> Response:
        step = call.step
        match step.name if step else "":
            case "reset":
                raise ConnectionDropped(reset=True)
            case "commit-then-drop":
                self._plain(call)
                raise ConnectionDropped(reset=False)
            case "commit-then-slow" if step:
                answer = self._plain(call)
                self._ending.wait(step.number(1))
                return answer
            case "slow" if step:
                self._ending.wait(step.number(1))
            case "expired":
                call.provider.oauth.expire(bearer(call.request))
            case "revoked":
                call.provider.oauth.end(access=bearer(call.request))
            case "throttle" | "down" | "full" | "fault" if step:
                return self._refused(call, step)
        return self._plain(call)

    def _refused(self, call: _Call, step: Step) -> Response:
        if step.name == "throttle":
            until = self.core.clock.after(step.number(60))
            self.calls.wait(call.provider.kind, bearer(call.request), until)
        answer = call.provider.refusal(step, call.request)
        if answer is None:
            return json_response({"error": f"{call.provider.kind} has no fault {step}"}, 501)
        return answer

    def _plain(self, call: _Call) -> Response:
        oauth, request = call.provider.oauth, call.request
        match call.path:
            case "/oauth2/authorize":
                return consent(oauth, request)
            case "/oauth2/token":
                return oauth.token(request)
            case "/oauth2/revoke" if request.method == "POST":
                return oauth.revoke(request)
        environ = dict(request.environ)
        environ["SCRIPT_NAME"] = f"/{call.provider.kind}"
        environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix(f"/{call.provider.kind}") or "/"
        environ.pop("werkzeug.request", None)
        return Response.from_app(call.provider.wsgi, environ, buffered=True)


def _made(path: str, core: Core) -> Provider:
    module, _, name = path.partition(":")
    return cast("type[Provider]", getattr(import_module(module), name))(core)
