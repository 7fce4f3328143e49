"""The methods of RFC 4918 on an account's files, with the conditions and statuses of sabre/dav."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from werkzeug.wrappers import Request, Response

from integrations.sandbox.webdav.answers import Refused, asked_for, headers_of, http_date, multistatus
from integrations.sandbox.webdav.tree import Row, Tree

if TYPE_CHECKING:
    from integrations.sandbox.webdav.provider import WebDav

FILES = "/remote.php/dav/files/"


class Methods:
    """Answers calls below ``/remote.php/dav/files/<account>/``."""

    def __init__(self, provider: WebDav) -> None:
        self._provider = provider
        self._known: dict[str, Callable[[Request, Tree, str], Response]] = {
            "OPTIONS": self._options,
            "PROPFIND": self._propfind,
            "GET": self._get,
            "HEAD": self._get,
            "PUT": self._put,
            "MKCOL": self._mkcol,
            "DELETE": self._delete,
            "MOVE": self._move,
        }

    def answer(self, request: Request, account: str, path: str) -> Response:
        """The answer to one call of the account's owner; all or nothing of it happens."""
        method = self._known.get(request.method)
        if method is None:
            raise Refused(501, f"There was no plugin in the system that was willing to handle this {request.method}")
        with self._provider.store.transaction():
            return method(request, self._provider.tree(account), path)

    def principal(self, request: Request, account: str) -> Response:
        """PROPFIND of the top of all services: who one is."""
        if request.method != "PROPFIND":
            raise Refused(405, "Nothing can be put here")
        tree = self._provider.tree(account)
        base = f"{request.root_path}/remote.php/dav"
        whose = f"{base}/principals/users/{account}/"
        return multistatus(base, tree, [tree.row("") or {}], asked_for(request.get_data()), whose)

    def _options(self, request: Request, tree: Tree, path: str) -> Response:
        return Response(status=200, headers={"DAV": "1, 3", "Allow": ", ".join(self._known)})

    def _propfind(self, request: Request, tree: Tree, path: str) -> Response:
        row, depth = _there(tree, path), request.headers.get("Depth", "infinity")
        if depth not in {"0", "1"}:
            raise Refused(403, "Depth infinity is not allowed")
        rows = [row, *(tree.children(path) if depth == "1" and row["folder"] else [])]
        base = f"{request.root_path}{FILES}{tree.account}"
        whose = f"{request.root_path}/remote.php/dav/principals/users/{tree.account}/"
        return multistatus(base, tree, rows, asked_for(request.get_data()), whose)

    def _get(self, request: Request, tree: Tree, path: str) -> Response:
        row = _there(tree, path)
        if row["folder"]:
            raise Refused(501, "GET is not implemented for folders")
        headers = {**headers_of(row), "Last-Modified": http_date(row)}
        return Response(tree.content(row), headers=headers, content_type="application/octet-stream")

    def _put(self, request: Request, tree: Tree, path: str) -> Response:
        before, content = tree.row(path), request.get_data()
        self._conditions(request, before)
        self._may_change(path)
        if before and before["folder"]:
            raise Refused(409, "PUT is not allowed on non-files.")
        _room_above(tree, path)
        if tree.used() - (before["size"] if before else 0) + len(content) > tree.quota:
            raise Refused(507, "There is not enough space available to store the file")
        row = tree.write(path, content, request.headers.get("OC-Checksum", ""))
        return Response(status=204 if before else 201, headers=headers_of(row))

    def _mkcol(self, request: Request, tree: Tree, path: str) -> Response:
        if request.get_data():
            raise Refused(415, "The request body for the MKCOL request must have an xml Content-Type")
        if tree.row(path):
            raise Refused(405, "The resource you tried to create already exists")
        _room_above(tree, path)
        return Response(status=201, headers=headers_of(tree.make_folder(path)))

    def _delete(self, request: Request, tree: Tree, path: str) -> Response:
        self._conditions(request, _there(tree, path))
        self._may_change(path)
        tree.delete(path)
        return Response(status=204)

    def _move(self, request: Request, tree: Tree, path: str) -> Response:
        _there(tree, path)
        to = _destination(request, tree)
        there = tree.row(to)
        if to == path or to.startswith(f"{path}/"):
            raise Refused(403, "Source and destination uri are identical")
        if there and request.headers.get("Overwrite", "T").upper() == "F":
            raise Refused(412, "The destination node already exists, and the overwrite header is set to false")
        _room_above(tree, to)
        self._may_change(path, to)
        row = tree.move(path, to)
        return Response(status=204 if there else 201, headers=headers_of(row))

    def _conditions(self, request: Request, row: Row | None) -> None:
        """``If-Match`` and ``If-None-Match`` of RFC 9110 section 13.1."""
        match, none = request.headers.get("If-Match"), request.headers.get("If-None-Match")
        if not self._provider.settings.get("conditions"):
            return
        if match is not None and (row is None or match not in {"*", row["etag"]}):
            raise Refused(412, "An If-Match header was specified, but none of the ETags matched")
        if none is not None and row is not None and none in {"*", row["etag"]}:
            raise Refused(412, "An If-None-Match header was specified, but the ETag matched")

    def _may_change(self, *paths: str) -> None:
        locked = self._provider.store.bucket("webdav:locked")
        for path in paths:
            if path in locked:
                raise Refused(423, f'"{path}" is locked')


def _there(tree: Tree, path: str) -> Row:
    row = tree.row(path)
    if row is None:
        raise Refused(404, f"File with name {path} could not be located")
    return row


def _room_above(tree: Tree, path: str) -> None:
    above = tree.row(path.rpartition("/")[0])
    if above is None or not above["folder"]:
        raise Refused(409, "Parent node does not exist")


def _destination(request: Request, tree: Tree) -> str:
    """Where to, below the account's files; another account's are somebody else's."""
    told = unquote(urlsplit(request.headers.get("Destination", "")).path)
    base = f"{request.root_path}{FILES}{tree.account}/"
    if not told.startswith(base):
        raise Refused(403, "Destination is outside of the base uri")
    return told.removeprefix(base).strip("/")
