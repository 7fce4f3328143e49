"""The OneDrive part of Microsoft Graph v1.0 over httpx, thin and typed: only the calls the connector makes.

Reference: learn.microsoft.com/graph/api/resources/onedrive. All is addressed below ``/me/drive``, which is the person's
own drive with a personal as with a company account.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from integrations.contract import N_
from integrations.errors import Transient
from integrations.http import translated
from integrations.onedrive.failures import NAME, Missing, failure, refused

FIELDS = "id,name,size,cTag,webUrl,file,folder,parentReference,createdDateTime,createdBy"
DRIVE = "/me/drive"
PAGE = 999
_BATCH = 20  # learn.microsoft.com/graph/json-batching

# Hashes by how far they can be relied on to be told; the receipt's prefix and Graph's name of each.
HASHES = {"quickxor": "quickXorHash", "sha256": "sha256Hash", "sha1": "sha1Hash"}


@dataclass(frozen=True, kw_only=True)
class Item:
    """A file or folder as Graph tells it; ``size`` in bytes, ``hashes`` by our names, hexadecimal ones lower-case."""

    id: str
    name: str
    size: int = 0
    is_folder: bool = False
    version: str | None = None  # changes with the content only
    link: str | None = None
    parent: str = ""
    parent_path: str = ""  # "/drive/root:/…", percent-encoded; empty where it is not told
    created: datetime | None = None
    app: str | None = None  # id of the app that made it
    hashes: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Item:
        """A driveItem of a reply."""
        parent = body.get("parentReference", {})
        told = body.get("file", {}).get("hashes", {})
        return cls(
            id=body["id"],
            name=body["name"],
            size=int(body.get("size", 0)),
            is_folder="folder" in body,
            version=body.get("cTag"),
            link=body.get("webUrl"),
            parent=parent.get("id", ""),
            parent_path=parent.get("path", ""),
            created=_moment(body.get("createdDateTime")),
            app=body.get("createdBy", {}).get("application", {}).get("id"),
            hashes={
                ours: told[name] if ours == "quickxor" else told[name].lower()
                for ours, name in HASHES.items()
                if told.get(name)
            },
        )

    @property
    def checksum(self) -> str | None:
        """As receipts write it, by the best hash that is told."""
        return next((f"{name}:{self.hashes[name]}" for name in HASHES if name in self.hashes), None)


class Graph:
    """Calls at one login. Raises the connector's errors, ``Missing`` for a 404 and ``Clash`` for a taken name."""

    def __init__(self, http: httpx.Client, auth: httpx.Auth, api: str) -> None:
        self.http, self.auth, self.api = http, auth, api

    def call(self, method: str, path: str, *, needed: int = 0, **request: Any) -> httpx.Response:
        """One signed request below the API's address; the response when it is a success."""
        with translated(NAME):
            response = self.http.request(method, f"{self.api}{path}", auth=self.auth, **request)
        if response.is_success:
            return response
        raise failure(response, needed)

    def plain(self, method: str, url: str, **request: Any) -> httpx.Response:
        """A request to an address that is its own permission (an upload session): our token is not sent there."""
        with translated(NAME):
            return self.http.request(method, url, **request)

    def drive(self) -> dict[str, Any]:
        """The person's drive: whose, of which type, how full."""
        answer: dict[str, Any] = self.call("GET", DRIVE, params={"$select": "id,driveType,owner,quota"}).json()
        return answer

    def me(self) -> dict[str, Any]:
        """Who is signed in."""
        params = {"$select": "id,displayName,mail,userPrincipalName"}
        answer: dict[str, Any] = self.call("GET", "/me", params=params).json()
        return answer

    def get(self, address: str) -> Item | None:
        """The item at an address (``item``, ``child``); None when there is none, or it was deleted."""
        try:
            return Item.read(self.call("GET", address, params={"$select": FIELDS}).json())
        except Missing:
            return None

    def children(self, folder: str) -> Iterator[Item]:
        """All that lies in a folder, page by page."""
        body = self.call("GET", children_of(folder)).json()
        yield from self.pages(body)

    def pages(self, body: Mapping[str, Any]) -> Iterator[Item]:
        """The items of a first page and of all that follow it."""
        while True:
            yield from map(Item.read, body.get("value", ()))
            if not body.get("@odata.nextLink"):
                return
            body = self.call("GET", self._below(body["@odata.nextLink"])).json()

    def _below(self, link: str) -> str:
        """The next page's address, which gets our token: only at the place that we asked."""
        ours, theirs = urlsplit(self.api), urlsplit(link)
        if (theirs.scheme, theirs.netloc) != (ours.scheme, ours.netloc) or not link.startswith(f"{self.api}/"):
            raise Transient(N_("%(provider)s gave an unexpected answer. It is tried again."), provider=NAME)
        return link.removeprefix(self.api)

    def create_folder(self, parent: str | None, name: str) -> Item:
        """A new folder in ``parent`` (None: at the top); Clash when the name is taken."""
        body = {"name": name, "folder": {}, "@microsoft.graph.conflictBehavior": "fail"}
        return Item.read(self.call("POST", f"{item(parent)}/children", json=body).json())

    def put(self, address: str, content: bytes, media_type: str, params: Mapping[str, str]) -> Item:
        """A whole file in one request."""
        headers = {"content-type": media_type}
        response = self.call(
            "PUT", f"{address}/content", needed=len(content), content=content, headers=headers, params=params
        )
        return Item.read(response.json())

    def update(self, item_id: str, changes: Mapping[str, Any]) -> Item:
        """Rename or move; Clash when the name is taken there."""
        return Item.read(self.call("PATCH", item(item_id), json=dict(changes)).json())

    def delete(self, item_id: str) -> None:
        """Into the recycle bin; harmless when it is gone already."""
        try:
            self.call("DELETE", item(item_id))
        except Missing:
            return

    def batch(self, paths: Sequence[str]) -> list[dict[str, Any] | None]:
        """The JSON of many reading calls in few; None where there is no such thing. Any other refusal is raised."""
        found: list[dict[str, Any] | None] = []
        for start in range(0, len(paths), _BATCH):
            found += self._batched(paths[start : start + _BATCH])
        return found

    def _batched(self, paths: Sequence[str]) -> list[dict[str, Any] | None]:
        requests = [{"id": str(number), "method": "GET", "url": path} for number, path in enumerate(paths)]
        body = self.call("POST", "/$batch", json={"requests": requests}).json()
        answers = {answer["id"]: answer for answer in body.get("responses", ())}
        return [_answered(answers.get(str(number), {"status": 504})) for number in range(len(paths))]


def _answered(answer: Mapping[str, Any]) -> dict[str, Any] | None:
    if answer["status"] == 404:
        return None
    if answer["status"] >= 300:
        raise refused(answer["status"], answer.get("headers") or {}, answer.get("body"))
    body: dict[str, Any] = answer["body"]
    return body


def _moment(text: str | None) -> datetime | None:
    """A time as Graph writes it: in UTC, with up to seven places after the second."""
    return datetime.fromisoformat(f"{text[:19]}+00:00") if text else None


def item(item_id: str | None) -> str:
    """The address of an item; None: the top of the drive."""
    return f"{DRIVE}/items/{quote(item_id, safe='!')}" if item_id else f"{DRIVE}/root"


def child(parent: str | None, *names: str) -> str:
    """The address of what is called so, folder by folder, below an item; to be followed by ``/action`` or nothing."""
    return f"{item(parent)}:/{'/'.join(quote(name, safe='') for name in names)}:"


def children_of(folder: str) -> str:
    """The listing of a folder, as it also goes into a batch."""
    return f"{item(folder)}/children?$select={FIELDS}&$top={PAGE}"


def found_by(item_id: str) -> str:
    """The look at one item, as it goes into a batch."""
    return f"{item(item_id)}?$select={FIELDS}"
