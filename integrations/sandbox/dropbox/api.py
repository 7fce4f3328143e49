"""The API as a WSGI application: host, route, content type, token, scope, path root, argument; then the route.

RPC routes take and give JSON bodies; content routes take their argument as JSON in the header ``Dropbox-API-Arg``
(HTTP documentation, «Request and response formats»).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from integrations.sandbox.dropbox import listing, writing
from integrations.sandbox.dropbox.arguments import ARGUMENTS
from integrations.sandbox.dropbox.problems import Problem, Senseless, answer, plain
from integrations.sandbox.dropbox.uploads import Sessions, check_piece
from integrations.sandbox.dropbox.view import View
from integrations.sandbox.oauth import Grant, Refused

if TYPE_CHECKING:
    from integrations.sandbox.dropbox.provider import Dropbox

_RPC, _UPLOAD, _DOWNLOAD = "rpc", "upload", "download"
_JSON = ("application/json", "application/json; charset=utf-8", "text/plain; charset=dropbox-cors-hack")
_BYTES = ("application/octet-stream", "text/plain; charset=dropbox-cors-hack")
_HOSTS = {_RPC: "api", _UPLOAD: "content", _DOWNLOAD: "content"}


@dataclass(frozen=True)
class Call:
    """One understood call."""

    view: View
    grant: Grant
    arg: dict[str, Any]
    content: bytes


@dataclass(frozen=True)
class Route:
    """Where it lives, what the token must allow, what it does. A Problem that is returned keeps what was written."""

    act: Callable[[Call], Any]
    scope: str
    style: str = _RPC


class Api:
    """Everything below /api/2 and /content/2."""

    def __init__(self, provider: Dropbox) -> None:
        self.provider, self.store = provider, provider.store
        life = provider.settings
        self.sessions = Sessions(provider.store, provider.clock, lambda: float(life.get("session_days")) * 86400)
        write, read, who = "files.content.write", "files.metadata.read", "account_info.read"
        self.routes: Mapping[str, Route] = {
            "check/user": Route(lambda call: {"result": call.arg["query"]}, who),
            "auth/token/revoke": Route(self._revoke, ""),
            "users/get_current_account": Route(lambda call: provider.person(call.grant.account), who),
            "users/get_space_usage": Route(lambda call: provider.space(call.grant.account), who),
            "files/get_metadata": Route(self._metadata, read),
            "files/list_folder": Route(self._list, read),
            "files/list_folder/continue": Route(
                lambda call: listing.continued(call.view, call.arg["cursor"], provider.epoch(call.grant.account)), read
            ),
            "files/list_folder/get_latest_cursor": Route(self._latest, read),
            "files/create_folder_v2": Route(self._create_folder, write),
            "files/move_v2": Route(lambda call: self._relocate(call, copy=False), write),
            "files/copy_v2": Route(lambda call: self._relocate(call, copy=True), write),
            "files/delete_v2": Route(self._delete, write),
            "files/restore": Route(self._restore, write),
            "files/download": Route(self._download, "files.content.read", _DOWNLOAD),
            "files/upload": Route(self._upload, write, _UPLOAD),
            "files/upload_session/start": Route(
                lambda call: {"session_id": self.sessions.start(call.grant.account, call.arg, call.content)},
                write,
                _UPLOAD,
            ),
            "files/upload_session/append_v2": Route(
                lambda call: self.sessions.append(call.grant.account, call.arg, call.content), write, _UPLOAD
            ),
            "files/upload_session/finish": Route(self._finish, write, _UPLOAD),
            "files/upload_session/finish_batch_v2": Route(self._finish_batch, write),
        }

    def answer(self, request: Request) -> Response:
        """The answer to one request; every refusal in Dropbox's shape, and nothing half done after one."""
        host, _, rest = request.path.lstrip("/").partition("/2/")
        route = self.routes.get(rest)
        if route is None or _HOSTS[route.style] != host:
            return plain(f"Unknown API function: {json.dumps(rest)}", 400 if route else 404)
        try:
            with self.store.transaction():
                return self._done(request, rest, route)
        except (Problem, Senseless) as problem:
            return problem.response()

    def _done(self, request: Request, name: str, route: Route) -> Response:
        if request.method != "POST":
            raise Senseless(name, f"Expected HTTP method POST, got {request.method}")
        grant = self._grant(request, name, route)
        utf8 = bool(self.provider.settings.get("utf8_header"))
        arg = _checked(name, _argument(request, name, route, utf8=utf8))
        content = request.get_data() if route.style == _UPLOAD else b""
        result = route.act(Call(self._view(request, name, grant), grant, arg, content))
        if isinstance(result, Problem):
            return result.response()
        return result if isinstance(result, Response) else answer(result)

    def _grant(self, request: Request, name: str, route: Route) -> Grant:
        try:
            grant = self.provider.oauth.check(request)
        except Refused as refused:
            if refused.reason == "missing":
                raise Senseless(name, 'Must provide HTTP header "Authorization".') from None
            tag = "expired_access_token" if refused.reason == "expired" else "invalid_access_token"
            raise Problem(tag, status=401) from None
        if route.scope and route.scope not in grant.scopes:
            raise Problem("missing_scope", status=401, required_scope=route.scope)
        return grant

    def _view(self, request: Request, name: str, grant: Grant) -> View:
        told = request.headers.get("Dropbox-API-Path-Root")
        if told is None:
            return self.provider.view(grant, ("home", None))
        try:
            value = json.loads(told)
            tag = value[".tag"]
            root = (tag, None if tag == "home" else str(value[tag]))
        except (ValueError, KeyError, TypeError):
            raise Senseless(name, 'could not decode HTTP header "Dropbox-API-Path-Root"') from None
        return self.provider.view(grant, root)

    # --- routes

    def _revoke(self, call: Call) -> None:
        self.provider.oauth.end_grant(call.grant)

    @staticmethod
    def _metadata(call: Call) -> dict[str, Any]:
        with _as("path"):
            return call.view.metadata(call.view.find(call.arg["path"], deleted=call.arg["include_deleted"]))

    def _list(self, call: Call) -> dict[str, Any]:
        itself = bool(self.provider.settings.get("lists_itself"))
        with _as("path"):
            return listing.started(call.view, call.arg, self.provider.epoch(call.grant.account), itself=itself)

    def _latest(self, call: Call) -> dict[str, Any]:
        with _as("path"):
            return listing.latest(call.view, call.arg, self.provider.epoch(call.grant.account))

    @staticmethod
    def _create_folder(call: Call) -> dict[str, Any]:
        with _as("path"):
            return {"metadata": call.view.metadata(writing.create_folder(call.view, call.arg), tagged=False)}

    @staticmethod
    def _relocate(call: Call, *, copy: bool) -> dict[str, Any]:
        return {"metadata": call.view.metadata(writing.relocate(call.view, call.arg, copy=copy))}

    @staticmethod
    def _delete(call: Call) -> dict[str, Any]:
        return {"metadata": call.view.metadata(writing.delete(call.view, call.arg))}

    @staticmethod
    def _restore(call: Call) -> dict[str, Any]:
        return call.view.metadata(writing.restore(call.view, call.arg), tagged=False)

    @staticmethod
    def _download(call: Call) -> Response:
        with _as("path"):
            row = call.view.find(call.arg["path"])
            if row["folder"]:
                raise Problem("not_file")
        reply = Response(call.view.disk.content(row["rev"]), content_type="application/octet-stream")
        reply.headers["Dropbox-API-Result"] = json.dumps(call.view.metadata(row, tagged=False))
        reply.headers["ETag"] = f'W/"{row["rev"]}"'
        return reply

    def _upload(self, call: Call) -> Any:
        check_piece(call.content, call.arg["content_hash"])
        try:
            return self._committed(call, call.arg, call.content)
        except Problem as problem:
            session = {"content_hash": None, "session_type": None, "close": False}
            return problem.of_upload(self.sessions.start(call.grant.account, session, call.content))

    def _finish(self, call: Call) -> Any:
        return self._finished(call, call.arg, call.content)

    def _finish_batch(self, call: Call) -> dict[str, Any]:
        """Many at once, each answered for itself; their sessions must be closed."""
        return {"entries": [self._one_of_batch(call, arg) for arg in call.arg["entries"]]}

    def _one_of_batch(self, call: Call, arg: Mapping[str, Any]) -> dict[str, Any]:
        try:
            self.sessions.check_closed(call.grant.account, arg)
            told = self._finished(call, arg, b"")
        except Problem as problem:
            told = problem
        return {".tag": "failure", "failure": told.error} if isinstance(told, Problem) else {".tag": "success", **told}

    def _finished(self, call: Call, arg: Mapping[str, Any], content: bytes) -> Any:
        whole = self.sessions.finish(call.grant.account, arg, content)
        try:
            told = self._committed(call, arg["commit"], whole)
        except Problem as problem:
            return problem.within("path")  # returned, not raised: the bytes stay in the session
        self.sessions.end(arg["cursor"]["session_id"])
        return told

    def _committed(self, call: Call, arg: Mapping[str, Any], content: bytes) -> dict[str, Any]:
        with self.store.transaction():
            try:
                return call.view.metadata(writing.commit(call.view, arg, content), tagged=False)
            except Problem as problem:
                if problem.words[0] == "not_found" and self.provider.settings.get("unknown_id") != "not_found":
                    raise Problem("malformed_path") from None  # WriteError knows no not_found
                raise


class _as:  # noqa: N801 - reads as a word
    """Trouble within a ``with`` is told within a tag."""

    def __init__(self, *outer: str) -> None:
        self._outer = outer

    def __enter__(self) -> None:
        """Nothing."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Wrap a Problem."""
        if isinstance(error, Problem):
            raise error.within(*self._outer) from None


def _argument(request: Request, name: str, route: Route, *, utf8: bool) -> Any:
    given = request.headers.get("Content-Type", "")
    if route.style == _RPC:
        body = request.get_data()
        if not body and not given:
            return None
        _expect(name, given, _JSON)
        return _json(name, body.decode("utf-8", "replace"), "request body")
    if route.style == _UPLOAD:
        _expect(name, given, _BYTES)
    told = request.headers.get("Dropbox-API-Arg")
    if told is None:
        raise Senseless(name, 'Must provide HTTP header "Dropbox-API-Arg" or URL parameter "arg".')
    if utf8:
        told = told.encode("latin-1").decode("utf-8", "replace")
    elif not all(" " <= character <= "~" for character in told):
        raise Senseless(name, 'HTTP header "Dropbox-API-Arg": could not decode input as JSON')
    return _json(name, told, 'HTTP header "Dropbox-API-Arg"')


def _expect(name: str, given: str, known: tuple[str, ...]) -> None:
    if given.lower() not in known:
        listed = ", ".join(f'"{one}"' for one in known)
        raise Senseless(name, f'Bad HTTP "Content-Type" header: "{given}". Expecting one of {listed}.')


def _json(name: str, text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise Senseless(name, f"{where}: could not decode input as JSON") from None


def _checked(name: str, arg: Any) -> dict[str, Any]:
    try:
        found: dict[str, Any] = ARGUMENTS[name](arg)
        return found
    except ValueError as error:
        raise Senseless(name, f"request body: {error}") from None
