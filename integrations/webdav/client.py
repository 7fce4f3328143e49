"""WebDAV over httpx, thin and typed: only the calls the connector makes (RFC 4918, quota RFC 4331).

What Nextcloud adds (checksums, file ids) is read where a server tells it: docs.nextcloud.com/server/latest/
developer_manual/client_apis/WebDAV/basic.html
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import httpx
from lxml import etree

from integrations import markup
from integrations.contract import OutgoingDocument
from integrations.http import content_of, translated
from integrations.webdav.failures import NAME, Missing, failure

D, OC = "{DAV:}", "{http://owncloud.org/ns}"
_ASKED = (
    b'<?xml version="1.0" encoding="utf-8"?>'
    b'<d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:prop><d:resourcetype/><d:getetag/>'
    b"<d:getcontentlength/><d:quota-available-bytes/><d:quota-used-bytes/><d:current-user-principal/>"
    b"<oc:checksums/><oc:fileid/></d:prop></d:propfind>"
)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A file or folder as the server tells it. Sizes in bytes; what it does not tell is None."""

    name: str
    folder: bool
    etag: str | None = None
    size: int | None = None
    sha256: str | None = None
    file_id: str | None = None
    space_left: int | None = None
    space_used: int | None = None
    principal: str | None = None


class Dav:
    """Calls below one address ``home``. Paths are relative to it. Raises the connector's errors, ``Missing`` too."""

    def __init__(self, http: httpx.Client, auth: httpx.Auth, home: str = "") -> None:
        self.http, self.auth, self.home = http, auth, home

    def url(self, path: str, *, folder: bool = False) -> str:
        """Of a file or folder; a folder's ends with a slash, else servers redirect."""
        whole = "/".join((self.home, *(quote(part, safe="") for part in path.split("/") if part)))
        return f"{whole}/" if folder else whole

    def call(
        self, method: str, url: str, *, accept: Sequence[int] = (), needed: int = 0, **request: Any
    ) -> httpx.Response:
        """One request; the response when it is a success or its status is in ``accept``."""
        with translated(NAME):
            response = self.http.request(method, url, auth=self.auth, follow_redirects=False, **request)
        if response.is_success or response.status_code in accept:
            return response
        raise failure(response, needed)

    def entries(self, url: str, depth: int) -> list[Entry]:
        """What is at an address (depth 0), or that and what is right in it (depth 1)."""
        headers = {"depth": str(depth), "content-type": "application/xml; charset=utf-8"}
        response = self.call("PROPFIND", url, content=_ASKED, headers=headers)
        if response.status_code != 207:
            raise markup.unreadable(NAME)
        return [_entry(one) for one in markup.read(response.content, NAME).iterfind(f"{D}response")]

    def find(self, path: str, *, folder: bool = False) -> Entry | None:
        """The file (or folder) at a path, None when there is none."""
        try:
            found = self.entries(self.url(path, folder=folder), 0)
        except Missing:
            return None
        return found[0] if found and found[0].folder == folder else None

    def put(self, path: str, document: OutgoingDocument, condition: dict[str, str]) -> httpx.Response | None:
        """Store the document; None when the condition does not hold."""
        headers = {
            "content-type": document.media_type,
            "content-length": str(document.size),
            "oc-checksum": f"SHA256:{document.sha256}",
            **condition,
        }
        with content_of(document) as content:
            response = self.call(
                "PUT", self.url(path), accept=(412,), needed=document.size, content=content, headers=headers
            )
        return None if response.status_code == 412 else response

    def move(self, path: str, to: str, *, overwrite: bool) -> httpx.Response | None:
        """Move a file; None when something lies there and may not be overwritten."""
        headers = {"destination": self.url(to), "overwrite": "T" if overwrite else "F"}
        response = self.call("MOVE", self.url(path), accept=(412,), headers=headers)
        return None if response.status_code == 412 else response

    def make_folder(self, path: str) -> bool:
        """Make a folder; False when it is there already (405). Missing when the one above is not."""
        return self.call("MKCOL", self.url(path, folder=True), accept=(405,)).status_code != 405

    def delete(self, path: str) -> None:
        """Delete a file; harmless when there is none."""
        self.call("DELETE", self.url(path), accept=(404,))

    def sha256(self, path: str) -> str:
        """Of the bytes that lie there, read piece by piece."""
        digest = hashlib.sha256()
        with translated(NAME), self.http.stream("GET", self.url(path), auth=self.auth) as response:
            if not response.is_success:
                raise failure(response)
            for piece in response.iter_bytes():
                digest.update(piece)
        return digest.hexdigest()


def _entry(response: etree._Element) -> Entry:
    href = response.findtext(f"{D}href") or ""
    prop = {
        child.tag: child
        for propstat in response.iterfind(f"{D}propstat")
        if " 200" in (propstat.findtext(f"{D}status") or "")
        for child in propstat.iterfind(f"{D}prop/*")
    }
    kind, principal = prop.get(f"{D}resourcetype"), prop.get(f"{D}current-user-principal")
    return Entry(
        name=unquote(urlsplit(href).path).rstrip("/").rpartition("/")[2],
        folder=kind is not None and kind.find(f"{D}collection") is not None,
        etag=etag_of(_text(prop, f"{D}getetag")),
        size=_number(prop, f"{D}getcontentlength"),
        sha256=_sha256(prop.get(f"{OC}checksums")),
        file_id=_text(prop, f"{OC}fileid"),
        space_left=_number(prop, f"{D}quota-available-bytes"),
        space_used=_number(prop, f"{D}quota-used-bytes"),
        principal=principal.findtext(f"{D}href") if principal is not None else None,
    )


def etag_of(told: str | None) -> str | None:
    """An ETag as ``If-Match`` wants it: strong, without what a compressing web server adds."""
    return told.removeprefix("W/").replace('-gzip"', '"') if told else None


def _text(prop: dict[Any, etree._Element], name: str) -> str | None:
    return (prop[name].text or "").strip() or None if name in prop else None


def _number(prop: dict[Any, etree._Element], name: str) -> int | None:
    """A number that is not negative: Nextcloud tells by negative ones that it does not know, or that none is."""
    text = _text(prop, name) or ""
    return int(text) if text.isdigit() else None


def _sha256(checksums: etree._Element | None) -> str | None:
    text = " ".join(str(one) for one in checksums.itertext()) if checksums is not None else ""
    found = re.search(r"SHA256:([0-9a-fA-F]{64})\b", text)
    return found[1].lower() if found else None
