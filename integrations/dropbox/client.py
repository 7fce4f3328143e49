"""Dropbox API v2 over httpx, thin and typed: only the calls that our connectors make, in Dropbox's own words.

Reference: www.dropbox.com/developers/documentation/http/documentation. A path is ``/from/the/top``, an ``id:…`` or a
path below a folder's id (``id:…/name``), which stays right when somebody moves or renames the folder.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from integrations.contract import N_, Memory
from integrations.dropbox.failures import NAME, Malformed, Missing, RootChanged, failure
from integrations.errors import Transient
from integrations.http import translated

PAGE = 2000


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A living file or folder as Dropbox tells it; ``path`` as people write it, ``size`` in bytes (folders: 0)."""

    id: str
    name: str
    path: str
    folder: bool
    revision: str = ""
    hash: str = ""  # content_hash, lower-case hex
    size: int = 0

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Entry:
        """An entry of a reply; what has a revision is a file, whether it is tagged or not."""
        return cls(
            id=body["id"],
            name=body["name"],
            path=body.get("path_display") or "",
            folder="rev" not in body,
            revision=body.get("rev", ""),
            hash=body.get("content_hash", ""),
            size=int(body.get("size", 0)),
        )

    @property
    def parent(self) -> str:
        """The path of the folder it lies in; empty at the top."""
        return self.path.rpartition("/")[0]


class TeamSpace:
    """Paths count from the space of the person's team instead of from the own folder; its id is looked up once.

    Reference: www.dropbox.com/developers/reference/namespace-guide
    """

    _KEY = "team_space"

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def headers(self, dropbox: Dropbox) -> dict[str, str]:
        """The header that says so."""
        known = self._memory.get(self._KEY) or self.learn(dropbox.account()["root_info"]["root_namespace_id"])
        return {"dropbox-api-path-root": json.dumps({".tag": "root", "root": known})}

    def learn(self, namespace: str) -> str:
        """Keep the space's id."""
        self._memory.put(self._KEY, namespace)
        return namespace


class Dropbox:
    """Calls at one login. Raises the connectors' errors and those of ``failures``."""

    def __init__(
        self, http: httpx.Client, auth: httpx.Auth, api: str, content: str, space: TeamSpace | None = None
    ) -> None:
        self._http, self._auth, self._api, self._content, self._space = http, auth, api, content, space

    # --- whose it is

    def account(self) -> dict[str, Any]:
        """users/get_current_account."""
        found: dict[str, Any] = self._rpc("users/get_current_account", None)
        return found

    def space(self) -> dict[str, Any]:
        """users/get_space_usage."""
        found: dict[str, Any] = self._rpc("users/get_space_usage", None)
        return found

    def revoke(self) -> None:
        """auth/token/revoke: ends the token that signs the call, its refresh token and all that came of it."""
        self._rpc("auth/token/revoke", None)

    # --- files and folders

    def metadata(self, path: str) -> Entry | None:
        """files/get_metadata; None when there is nothing (any more) at that path or under that id."""
        try:
            return Entry.read(self._rpc("files/get_metadata", {"path": path}))
        except (Missing, Malformed):
            return None

    def listing(self, path: str, *, recursive: bool = False) -> Iterator[Entry]:
        """files/list_folder, page by page. Missing or Malformed when there is no such folder."""
        body = self._rpc("files/list_folder", {"path": path, "recursive": recursive, "limit": PAGE})
        while True:
            yield from (Entry.read(entry) for entry in body["entries"] if entry[".tag"] != "deleted")
            if not body["has_more"]:
                return
            body = self._rpc("files/list_folder/continue", {"cursor": body["cursor"]})

    def create_folder(self, path: str) -> Entry:
        """files/create_folder_v2; takes no ids, and makes missing folders above without being asked."""
        return Entry.read(self._rpc("files/create_folder_v2", {"path": path, "autorename": False})["metadata"])

    def move(self, source: str, target: str) -> Entry:
        """files/move_v2, which also renames."""
        arg = {"from_path": source, "to_path": target, "autorename": False}
        return Entry.read(self._rpc("files/move_v2", arg)["metadata"])

    # --- content

    def upload(self, commit: Mapping[str, Any], content: bytes, digest: str) -> Entry:
        """files/upload, at most 150 MiB; ``digest`` is the content_hash that must arrive."""
        return Entry.read(self._send("files/upload", {**commit, "content_hash": digest}, content, len(content)))

    def start(self, content: bytes, digest: str) -> str:
        """files/upload_session/start with the first piece; the session's id."""
        arg = {"close": False, "content_hash": digest}
        return str(self._send("files/upload_session/start", arg, content)["session_id"])

    def append(self, session: str, offset: int, content: bytes, digest: str) -> None:
        """files/upload_session/append_v2."""
        cursor = {"session_id": session, "offset": offset}
        self._send(
            "files/upload_session/append_v2", {"cursor": cursor, "close": False, "content_hash": digest}, content
        )

    def finish(self, session: str, offset: int, commit: Mapping[str, Any], content: bytes, digest: str) -> Entry:
        """files/upload_session/finish with the last piece: the file is there."""
        arg = {
            "cursor": {"session_id": session, "offset": offset},
            "commit": dict(commit),
            "content_hash": digest,
        }
        return Entry.read(self._send("files/upload_session/finish", arg, content, offset + len(content)))

    # --- the wire

    def _rpc(self, route: str, arg: Mapping[str, Any] | None) -> Any:
        headers = {"content-type": "application/json"}
        return self._call(f"{self._api}/{route}", route, headers, json.dumps(arg).encode(), 0)

    def _send(self, route: str, arg: Mapping[str, Any], content: bytes, needed: int = 0) -> Any:
        headers = {"content-type": "application/octet-stream", "dropbox-api-arg": header_json(arg)}
        return self._call(f"{self._content}/{route}", route, headers, content, needed)

    def _call(self, url: str, route: str, headers: Mapping[str, str], content: bytes, needed: int) -> Any:
        """One signed call; once more when the team's space turns out to be another one."""
        if self._space is None or not route.startswith("files/"):
            return self._once(url, headers, content, needed)
        try:
            return self._once(url, {**headers, **self._space.headers(self)}, content, needed)
        except RootChanged as changed:
            self._space.learn(changed.namespace)
            return self._once(url, {**headers, **self._space.headers(self)}, content, needed)

    def _once(self, url: str, headers: Mapping[str, str], content: bytes, needed: int) -> Any:
        with translated(NAME):
            response = self._http.post(url, auth=self._auth, headers=dict(headers), content=content)
        if not response.is_success:
            raise failure(response, needed)
        try:
            return response.json()
        except ValueError as error:
            raise Transient(N_("%(provider)s gave an unexpected answer. It is tried again."), provider=NAME) from error


def header_json(arg: Mapping[str, Any]) -> str:
    """JSON as a header takes it: everything but printable ASCII escaped (HTTP documentation, «JSON encoding»)."""
    return json.dumps(arg).replace("\x7f", "\\u007f")
