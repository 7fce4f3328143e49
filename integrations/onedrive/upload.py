"""Content to OneDrive: one request up to 5 MiB, an upload session above, resumed after a break or a crash.

Protocol: learn.microsoft.com/graph/api/driveitem-put-content and …/driveitem-createuploadsession
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from integrations.contract import N_, Memory, OutgoingDocument
from integrations.errors import ConnectorError, Rejected, StorageFull, Throttled, Transient
from integrations.onedrive.client import Graph, Item
from integrations.onedrive.failures import NAME, Clash, failure

UNIT = 320 * 1024  # bytes; a fragment of a session is a multiple of this
CHUNK = 16 * UNIT  # 5 MiB: the lower end of what Microsoft recommends, and all that is held in memory
SIMPLE_MOST = CHUNK  # bytes; one request may hold 250 MB, but cannot be resumed
PATIENCE = 4  # failures in a row without a byte of progress


class _SessionLost(Exception):
    """The session has ended, or never was (404, 410): start over."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """What to store where. ``address`` is that of an item (replaced) or of a name in a folder (created)."""

    document: OutgoingDocument
    reservation: str
    address: str
    replaces: bool = False

    @property
    def conflict(self) -> dict[str, str]:
        """What happens to a taken name."""
        return {"@microsoft.graph.conflictBehavior": "replace" if self.replaces else "fail"}


def send(graph: Graph, memory: Memory, upload: Upload) -> Item:
    """Store it; the file as OneDrive then tells it. Clash when the name is taken."""
    if upload.document.size <= SIMPLE_MOST:
        return _whole(graph, upload)
    return _Sessions(graph, memory, upload).send()


def _whole(graph: Graph, upload: Upload) -> Item:
    document = upload.document
    with document.open() as stream:
        content = stream.read(document.size + 1)
    if len(content) != document.size:
        raise _not_as_stored()
    return graph.put(upload.address, content, document.media_type, upload.conflict)


class _Sessions:
    """Upload sessions of one document; the one that is open is remembered, so that the next worker goes on with it."""

    def __init__(self, graph: Graph, memory: Memory, upload: Upload) -> None:
        self._graph, self._memory, self._upload = graph, memory, upload
        self._total = upload.document.size
        self._key = f"session:{upload.reservation}"
        self._may_be_whole = False  # the last piece was sent

    def send(self) -> Item:
        """In pieces; a lost session is begun anew."""
        for _attempt in range(3):
            try:
                stored = self._sent()
            except _SessionLost:
                self._memory.forget(self._key)
                if self._may_be_whole:
                    raise _broke_off() from None  # the next attempt finds the file, if it is there
                continue
            except (Clash, StorageFull, Rejected):
                self._cancel()
                raise
            self._memory.forget(self._key)
            return stored
        raise _broke_off()

    def _sent(self) -> Item:
        url, offset = self._opened()
        failures = 0
        with self._upload.document.open() as stream:
            while failures < PATIENCE:
                stream.seek(offset)
                chunk = stream.read(min(CHUNK, self._total - offset))
                if len(chunk) != min(CHUNK, self._total - offset) or not chunk:
                    raise _not_as_stored()
                response = self._put(url, offset, chunk)
                body = _json(response)
                if "id" in body:
                    return Item.read(body)
                received = _received(body)
                failures = 0 if received > offset else failures + 1
                offset = received
        raise _broke_off()

    # --- opening

    def _opened(self) -> tuple[str, int]:
        """The session and how much it has: the remembered one if it lives, else a new one."""
        url = self._remembered()
        if url:
            try:
                return url, _received(_json(self._asked(url)))
            except _SessionLost:
                self._memory.forget(self._key)
        return self._begun(), 0

    def _remembered(self) -> str | None:
        kept = json.loads(self._memory.get(self._key) or "{}")
        same = kept.get("address") == self._upload.address and kept.get("sha256") == self._upload.document.sha256
        return str(kept["url"]) if same else None

    def _begun(self) -> str:
        body: dict[str, Any] = {"item": self._upload.conflict}
        path = f"{self._upload.address}/createUploadSession"
        answer = self._graph.call("POST", path, json=body, needed=self._total).json()
        url = _trusted(str(answer.get("uploadUrl", "")), self._graph.api)
        kept = {"url": url, "address": self._upload.address, "sha256": self._upload.document.sha256}
        self._memory.put(self._key, json.dumps(kept))
        return url

    def _cancel(self) -> None:
        """Give back what was uploaded; the session ends by itself when this fails."""
        url = self._remembered()
        self._memory.forget(self._key)
        if url:
            try:
                self._graph.plain("DELETE", url)
            except ConnectorError:
                return

    # --- pieces

    def _put(self, url: str, offset: int, chunk: bytes) -> httpx.Response:
        """One piece; when its fate is unknown or it was there already, what the session says it has."""
        self._may_be_whole = offset + len(chunk) == self._total
        headers = {"content-range": f"bytes {offset}-{offset + len(chunk) - 1}/{self._total}"}
        try:
            response = self._checked(self._graph.plain("PUT", url, content=chunk, headers=headers))
        except (Throttled, Clash, StorageFull):
            raise
        except Transient:
            return self._asked(url)
        return self._asked(url) if response.status_code == 416 else response

    def _asked(self, url: str) -> httpx.Response:
        return self._checked(self._graph.plain("GET", url))

    def _checked(self, response: httpx.Response) -> httpx.Response:
        if response.is_success or response.status_code == 416:
            return response
        if response.status_code in (404, 410):
            raise _SessionLost from failure(response)
        error = failure(response, self._total)
        if response.status_code == 409 and not isinstance(error, Clash):
            # the last piece of a session says "upload_name_conflict" where a request says "nameAlreadyExists"
            raise Clash(N_("The file at %(provider)s is just being made. It is tried again."), provider=NAME) from error
        raise error


def _json(response: httpx.Response) -> dict[str, Any]:
    """The finished item, or how far the session is; empty when it is neither."""
    try:
        body = response.json()
    except ValueError:
        body = {}
    return body if isinstance(body, dict) else {}


def _received(body: dict[str, Any]) -> int:
    """Bytes that have arrived without a gap: where the first missing range begins."""
    ranges = body.get("nextExpectedRanges") or [""]
    found = re.match(r"\d+", str(ranges[0]))
    if found is None:
        raise _SessionLost
    return int(found[0])


def _trusted(url: str, api: str) -> str:
    """The session's address is on another host and gets no token; but what is sent there is not sent in the clear."""
    if not url or urlsplit(url).scheme != urlsplit(api).scheme:
        raise Transient(N_("%(provider)s gave an unexpected answer. It is tried again."), provider=NAME)
    return url


def _broke_off() -> Transient:
    return Transient(N_("The upload to %(provider)s broke off. It is tried again."), provider=NAME)


def _not_as_stored() -> Rejected:
    return Rejected(N_("The stored file is not as long as it was when it arrived."))
