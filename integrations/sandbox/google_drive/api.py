"""The API as a WSGI application: token, parameters, body, method, partial reply; uploads and batches around it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from integrations.sandbox.google_drive import uploads
from integrations.sandbox.google_drive.disk import Content
from integrations.sandbox.google_drive.fields import selected
from integrations.sandbox.google_drive.methods import METHODS, Call
from integrations.sandbox.google_drive.problems import Problem, invalid
from integrations.sandbox.google_drive.published import Method, check_body, check_parameters, method_of
from integrations.sandbox.google_drive.view import Caller
from integrations.sandbox.oauth import Refused
from integrations.sandbox.wire import json_response

if TYPE_CHECKING:
    from integrations.sandbox.google_drive.provider import GoogleDrive

# guides/limits: units that a call costs
_COSTS = {"list": 100, "download": 200, "create": 50, "update": 50, "copy": 50, "delete": 50}
_BATCH_MOST = 100


class Api:
    """Everything below /drive/v3, /upload/drive/v3 and /batch/drive/v3."""

    def __init__(self, provider: GoogleDrive) -> None:
        self.provider, self.store = provider, provider.store
        self.sessions = uploads.Sessions(
            provider.store, provider.clock, lambda: float(provider.settings.get("session_hours")) * 3600
        )

    def answer(self, request: Request) -> Response:
        """The answer to one request; every refusal in Drive's shape, and nothing half done after one."""
        try:
            with self.store.transaction():
                return self._routed(request)
        except Problem as problem:
            return problem.response()

    def _routed(self, request: Request) -> Response:
        path = request.path
        if path == "/batch/drive/v3":
            return self._batch(request)
        resumable = path.removeprefix("/resumable")
        if resumable.startswith("/upload/drive/v3/"):
            return self._upload(request, resumable.removeprefix("/upload/drive/v3/"))
        return self._plain(request, path.removeprefix("/drive/v3/"))

    # --- plain calls

    def _plain(self, request: Request, path: str) -> Response:
        method = self._method(request, path)
        values, caller = check_parameters(method, _given(request)), self.caller(request, method)
        if values.get("alt") == "media":
            return self._download(request, method, caller)
        if "uploadType" in values:
            raise Problem("badRequest", "Uploads go to the /upload address.")
        body = check_body(method, _body(request)) if "request" in method.facts else {}
        self.provider.spend(caller, _COSTS.get(method.name.partition(".")[2], 5))
        return self._reply(Call(caller, values, method.places, body), method)

    def _method(self, request: Request, path: str) -> Method:
        method = method_of(request.headers.get("X-HTTP-Method-Override", request.method), path)
        if method is None:
            raise Problem("notFound", "Not Found")
        return method

    def _reply(self, call: Call, method: Method) -> Response:
        answer = METHODS[method.name](call)
        if answer is None:
            return Response(status=204)
        return json_response(selected(answer, method.facts["response"], call.values.get("fields")))

    def caller(self, request: Request, method: Method) -> Caller:
        """Who calls, if the token lives and its scopes are among those published for the method."""
        try:
            grant = self.provider.oauth.check(request)
        except Refused as refused:
            if refused.reason == "missing":
                raise Problem("required", "Login Required.", where=("Authorization", "header"), status=401) from None
            raise Problem("authError", where=("Authorization", "header")) from None
        scopes = frozenset(scope.rpartition("/auth/")[2] for scope in grant.scopes)
        if not scopes & set(method.facts["scopes"]):
            raise Problem("insufficientPermissions")
        base = f"{request.host_url.rstrip('/')}/{self.provider.kind}"
        return Caller(self.provider.disk(grant.account), grant.client_id, scopes, base)

    def _download(self, request: Request, method: Method, caller: Caller) -> Response:
        if method.name != "files.get":
            raise invalid("alt")
        row = caller.row(method.places["fileId"])
        if not row["revision"]:
            raise Problem("fileNotDownloadable", where=("alt", "parameter"))
        self.provider.spend(caller, _COSTS["download"])
        return ranged(request, caller.disk.content(row), row["mimeType"])

    # --- uploads

    def _upload(self, request: Request, path: str) -> Response:
        if "upload_id" in request.args:
            return self._continued(request)
        method = self._method(request, path)
        if not method.facts.get("media"):
            raise Problem("notFound", "Not Found")
        values, caller = check_parameters(method, _given(request)), self.caller(request, method)
        self.provider.spend(caller, _COSTS["create"])
        match values.get("uploadType"):
            case "media":
                return self._stored(uploads.simple(self.store, request), method, values, caller)
            case "multipart":
                return self._stored(uploads.multipart(self.store, request), method, values, caller)
            case "resumable":
                return self._started(request, method, values, caller)
        raise invalid("uploadType")

    def _stored(self, arrived: uploads.Arrived, method: Method, values: Mapping[str, Any], caller: Caller) -> Response:
        body = check_body(method, arrived.body)
        return self._reply(Call(caller, values, method.places, body, arrived.content), method)

    def _started(self, request: Request, method: Method, values: Mapping[str, Any], caller: Caller) -> Response:
        """What can be refused at once is refused before a byte was sent."""
        body = check_body(method, uploads.as_json(request.get_data()))
        if method.name == "files.create":
            if body.get("id"):
                caller.disk.usable(body["id"])
            caller.parent((body.get("parents") or ["root"])[0])
        else:
            caller.row(method.places["fileId"])
        announced = request.headers.get("X-Upload-Content-Length", "0")
        caller.disk.check_room(int(announced) if announced.isdigit() else 0)
        facts = {
            "method": method.name,
            "places": dict(method.places),
            "values": dict(values),
            "body": body,
            "account": caller.disk.account.id,
            "client_id": caller.client_id,
            "scopes": sorted(caller.scopes),
            "base": caller.base,
        }
        return self.sessions.start(request, facts)

    def _continued(self, request: Request) -> Response:
        """A piece, a question, or the end. The address itself is the permission; a token that is sent must live."""
        name = request.args["upload_id"]
        session = self.sessions.session(name)
        if request.headers.get("Authorization"):
            try:
                self.provider.oauth.check(request)
            except Refused:
                raise Problem("authError", where=("Authorization", "header")) from None
        if request.method == "DELETE":
            return self.sessions.cancel(name)
        if request.method not in {"PUT", "POST"}:
            raise Problem("badRequest")
        if session["reply"] is not None:
            return json_response(session["reply"])
        content = self.sessions.receive(name, request)
        return self.sessions.progress(name) if content is None else self._ended(name, session, content)

    def _ended(self, name: str, session: Mapping[str, Any], content: Content) -> Response:
        caller = Caller(
            self.provider.disk(session["account"]), session["client_id"], frozenset(session["scopes"]), session["base"]
        )
        answer = METHODS[session["method"]](
            Call(caller, session["values"], session["places"], session["body"], content)
        )
        reply = selected(answer or {}, "File", session["values"].get("fields"))
        self.sessions.finished(name, reply)
        return json_response(reply)

    # --- batches

    def _batch(self, request: Request) -> Response:
        """Several calls in one (guides/performance): each answered for itself, one may fail alone."""
        boundary = request.mimetype_params.get("boundary", "")
        if request.method != "POST" or request.mimetype != "multipart/mixed" or not boundary:
            raise Problem("badRequest", "A batch is a POST of type multipart/mixed.")
        parts = uploads.split(request.get_data(), boundary)
        if not 0 < len(parts) <= _BATCH_MOST:
            raise Problem("badRequest", f"The batch has {len(parts)} calls; 1 to {_BATCH_MOST} are allowed.")
        answers = b"".join(self._batched(request, head, content) for head, content in parts)
        return Response(answers + b"--batch_kontor--", content_type="multipart/mixed; boundary=batch_kontor")

    def _batched(self, outer: Request, head: Mapping[str, str], content: bytes) -> bytes:
        inner = _inner(outer, content)
        if inner is None or inner.path.startswith(("/upload", "/batch", "/resumable")):
            answer = Problem("badRequest", "Not a call that a batch may hold.").response()
        else:
            answer = self.answer(inner)
        number = head.get("content-id", "").strip("<>")
        lines = [
            "--batch_kontor", "Content-Type: application/http", f"Content-ID: <response-{number}>", "",
            f"HTTP/1.1 {answer.status}", *(f"{name}: {value}" for name, value in answer.headers.items()), "", "",
        ]  # fmt: skip
        return "\r\n".join(lines).encode() + answer.get_data() + b"\r\n"


def _inner(outer: Request, content: bytes) -> Request | None:
    """The call within a part, with the outer token unless it has its own."""
    head, _, body = content.replace(b"\r\n", b"\n").lstrip(b"\n").partition(b"\n\n")
    first, *lines = head.decode("utf-8", "replace").split("\n")
    found = re.fullmatch(r"(GET|POST|PATCH|PUT|DELETE) (?:https?://[^/ ]+)?(\S+)(?: HTTP/1\.1)?", first.strip())
    if not found:
        return None
    headers = Headers(
        (name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines) if value
    )
    headers.setdefault("Authorization", outer.headers.get("Authorization", ""))
    headers.remove("Content-Length")
    path = found[2].removeprefix(outer.root_path.rstrip("/"))
    builder = EnvironBuilder(path, outer.host_url, method=found[1], headers=headers, data=body.strip() or None)
    try:
        return Request(builder.get_environ())
    finally:
        builder.close()


def _given(request: Request) -> dict[str, list[str]]:
    return {name: request.args.getlist(name) for name in request.args}


def _body(request: Request) -> Any:
    if request.mimetype in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        raise Problem("badRequest", "This API does not support parsing form-encoded input.")
    return uploads.as_json(request.get_data())


def ranged(request: Request, content: bytes, media_type: str) -> Response:
    """The content, or the one range of it that was asked for (RFC 9110 section 14)."""
    headers = {"Accept-Ranges": "bytes"}
    asked = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("Range", ""))
    if not asked or asked[0] == "bytes=-":
        return Response(content, headers=headers, content_type=media_type)
    size = len(content)
    start = int(asked[1]) if asked[1] else max(0, size - int(asked[2]))
    end = min(int(asked[2]), size - 1) if asked[1] and asked[2] else size - 1
    if start > end:
        return Response(status=416, headers={"Content-Range": f"bytes */{size}"})
    headers["Content-Range"] = f"bytes {start}-{end}/{size}"
    return Response(content[start : end + 1], 206, headers, content_type=media_type)
