"""The API as a WSGI application: token, address, query, body, method; upload sessions and batches around it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from integrations.sandbox.oauth import Refused
from integrations.sandbox.onedrive import addresses, view
from integrations.sandbox.onedrive.addresses import Address
from integrations.sandbox.onedrive.methods import Call, Methods
from integrations.sandbox.onedrive.problems import JSON, Problem, invalid
from integrations.sandbox.onedrive.published import selected
from integrations.sandbox.onedrive.uploads import Sessions
from integrations.sandbox.onedrive.view import Caller
from integrations.sandbox.wire import json_response

if TYPE_CHECKING:
    from integrations.sandbox.onedrive.provider import OneDrive

_READ = {"Files.Read", "Files.ReadWrite", "Files.Read.All", "Files.ReadWrite.All"}
_WRITE = {"Files.ReadWrite", "Files.ReadWrite.All"}
_BATCH_MOST = 20
_OPTIONS = {"$select", "$top", "$skiptoken", "$expand", "$orderby", "$filter", "$count", "$format", "$search", "$skip"}
# Published methods of items that are not simulated.
_OTHERS = {"restore", "copy", "delta", "createLink", "invite", "permissions", "thumbnails", "versions", "preview",
           "checkin", "checkout", "permanentDelete", "listItem", "workbook", "analytics", "subscriptions"}  # fmt: skip


class Api:
    """Everything below /v1.0 and /up."""

    def __init__(self, provider: OneDrive) -> None:
        self.provider, self.store = provider, provider.store
        hours = lambda: float(provider.settings.get("session_hours")) * 3600  # noqa: E731 - read at each use
        self.sessions = Sessions(provider.store, provider.clock, hours)
        self.methods = Methods(self.sessions, provider.settings)

    def answer(self, request: Request) -> Response:
        """The answer to one request; every refusal in Graph's shape, and nothing half done after one."""
        try:
            with self.store.transaction():
                return self._routed(request)
        except Problem as problem:
            return problem.response(self.provider.clock.now())

    def _routed(self, request: Request) -> Response:
        if request.path.startswith("/up/"):
            return self._uploaded(request, request.path.removeprefix("/up/"))
        path = request.path.removeprefix("/v1.0")
        if path == "/$batch":
            return self._batch(request)
        if path == "/me" and request.method == "GET":
            caller = self.caller(request, {"User.Read", "User.ReadWrite"}, "Authorization_RequestDenied")
            return _told(view.me(caller), "user", request, "users")
        address = addresses.read(path)
        if address is None:
            raise Problem("BadRequest", "Resource not found for the segment.", status=404)
        return self._addressed(request, address)

    def _addressed(self, request: Request, address: Address) -> Response:
        self._check_query(request)
        caller = self.caller(request, _READ if request.method == "GET" else _WRITE, "accessDenied")
        if address.drive not in {"", "me", caller.disk.person.drive_id, caller.disk.person.key}:
            raise Problem("accessDenied")
        if not address.item:
            if request.method != "GET":
                raise Problem("notAllowed", status=405)
            return _told(view.drive(caller), "drive", request, "drives")
        method = self.methods.of(request.method, address.action)
        if method is None:
            if address.action.partition("(")[0].partition("/")[0] in _OTHERS:
                raise Problem("notSupported", "This method is not simulated.")
            raise Problem("BadRequest", "Resource not found for the segment.", status=404 if address.action else 405)
        return self._done(method, Call(caller, address, request))

    @staticmethod
    def _done(method: Callable[[Call], Response | tuple[Mapping[str, Any], int]], call: Call) -> Response:
        answer = method(call)
        if isinstance(answer, Response):
            return answer
        body, status = answer
        return _told(body, "driveItem", call.request, "drives", status)

    @staticmethod
    def _check_query(request: Request) -> None:
        for name in request.args:
            if name.startswith("$") and name not in _OPTIONS:
                raise invalid(f"Invalid query option '{name}'.", "invalidQueryOption")
            if name in {"$filter", "$search", "$skip", "$count", "$expand", "$format"}:
                raise Problem("notSupported", f"{name} is not simulated.")

    def caller(self, request: Request, scopes: set[str], refusal: str) -> Caller:
        """Who calls, if the token lives and one of ``scopes`` was granted."""
        try:
            grant = self.provider.oauth.check(request)
        except Refused as refused:
            text = "Access token is empty." if refused.reason == "missing" else "Lifetime validation failed."
            raise Problem("InvalidAuthenticationToken", text) from None
        granted = frozenset(scope.rpartition("/")[2] for scope in grant.scopes)
        if not granted & scopes:
            raise Problem(refusal)
        app = self.provider.oauth.app(grant.client_id) or {}
        base = f"{request.host_url.rstrip('/')}/{self.provider.kind}"
        disk, sha = self.provider.disk(grant.account), bool(self.provider.settings.get("tells_sha"))
        return Caller(disk, grant.client_id, str(app.get("name", "")), granted, base, sha)

    # --- upload sessions

    def _uploaded(self, request: Request, name: str) -> Response:
        """The address itself is the permission; a token beside it may be refused."""
        if request.headers.get("Authorization") and self.provider.settings.get("session_refuses_token"):
            raise Problem("unauthenticated", "No token is needed here.")
        session = self.sessions.session(name)
        if request.method == "DELETE":
            self.sessions.end(name)
            return Response(status=204)
        if request.method == "GET":
            return json_response(self.sessions.status(name), content_type=JSON)
        if request.method != "PUT":
            raise Problem("notAllowed", status=405)
        content = self.sessions.receive(name, request.headers.get("Content-Range", ""), request.get_data())
        if content is None:
            return json_response(self.sessions.status(name), 202, content_type=JSON)
        return self._finished(request, name, session, content)

    def _finished(self, request: Request, name: str, session: Mapping[str, Any], content: bytes) -> Response:
        base = f"{request.host_url.rstrip('/')}/{self.provider.kind}"
        sha = bool(self.provider.settings.get("tells_sha"))
        caller = Caller(
            self.provider.disk(session["account"]), session["client_id"], session["app_name"], frozenset(), base, sha
        )
        row, is_new = self.methods.finish(caller, session, content)
        self.sessions.end(name)
        return json_response(view.item(row, caller), 201 if is_new else 200, content_type=JSON)

    # --- batches

    def _batch(self, request: Request) -> Response:
        """Several calls in one (learn.microsoft.com/graph/json-batching): each answered for itself."""
        self.caller(request, _READ | {"User.Read"}, "accessDenied")
        body = request.get_json(force=True, silent=True)
        calls = body.get("requests") if isinstance(body, dict) else None
        if request.method != "POST" or not isinstance(calls, list) or not 0 < len(calls) <= _BATCH_MOST:
            raise Problem("BadRequest", f"A batch has 1 to {_BATCH_MOST} requests.")
        if len({str(call.get("id", "")).lower() for call in calls}) < len(calls):
            raise Problem("BadRequest", "Every request of a batch has an id of its own.")
        return json_response({"responses": [self._batched(request, call) for call in calls]}, content_type=JSON)

    def _batched(self, outer: Request, call: Mapping[str, Any]) -> dict[str, Any]:
        if not {"id", "method", "url"} <= set(call) or set(call) - {"id", "method", "url", "headers", "body"}:
            raise Problem("BadRequest", "A request of a batch has id, method and url; dependsOn is not simulated.")
        answer = self.answer(_inner(outer, call))
        told = {name: value for name, value in answer.headers.items() if name.lower() != "content-length"}
        body = answer.get_data()
        return {
            "id": call["id"],
            "status": answer.status_code,
            "headers": told,
            **({"body": json.loads(body)} if body else {}),
        }


def _inner(outer: Request, call: Mapping[str, Any]) -> Request:
    path, _, query = str(call["url"]).partition("?")
    headers = {**(call.get("headers") or {}), "Authorization": outer.headers.get("Authorization", "")}
    body = json.dumps(call["body"]).encode() if "body" in call else None
    builder = EnvironBuilder(
        f"/v1.0/{path.lstrip('/')}",
        outer.host_url,
        query_string=query,
        method=call["method"],
        headers=headers,
        data=body,
    )
    try:
        return Request(builder.get_environ())
    finally:
        builder.close()


def _told(body: Mapping[str, Any], wanted: str, request: Request, where: str, status: int = 200) -> Response:
    context = f"{request.host_url.rstrip('/')}/onedrive/v1.0/$metadata#{quote(where)}/$entity"
    told = selected({"@odata.context": context, **body}, wanted, request.args.get("$select"))
    return json_response(told, status, content_type=JSON)
