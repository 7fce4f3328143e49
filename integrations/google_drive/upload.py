"""Content to Drive: one multipart request up to 5 MB, a resumable session above.

Protocol: developers.google.com/workspace/drive/api/guides/manage-uploads
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from integrations.contract import N_, OutgoingDocument
from integrations.errors import Rejected, Throttled, Transient
from integrations.google_drive.client import FIELDS, Drive, DriveFile
from integrations.google_drive.failures import NAME, InUse, Missing, failure

MULTIPART_MOST = 5_000_000  # bytes
CHUNK = 32 * 256 * 1024  # bytes; sessions take multiples of 256 KiB
PATIENCE = 4  # failures in a row without a byte of progress


class _SessionLost(Exception):
    """Google no longer knows the session (404, 410): start over."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """What to store: metadata and content of one document; ``file_id`` None creates, else that file is updated."""

    document: OutgoingDocument
    metadata: Mapping[str, Any]
    file_id: str | None = None
    moves: Mapping[str, str] | None = None

    @property
    def method(self) -> str:
        """POST creates, PATCH updates."""
        return "PATCH" if self.file_id else "POST"

    def url(self, base: str) -> str:
        """Of the upload endpoint."""
        return f"{base}/files/{self.file_id}" if self.file_id else f"{base}/files"

    def params(self, style: str) -> dict[str, str]:
        """The query of the first request."""
        return {"uploadType": style, "fields": FIELDS, **(self.moves or {})}


def send(drive: Drive, upload: Upload) -> DriveFile:
    """Store it; the file as Drive then tells it. A broken transfer is resumed, a lost session started anew."""
    if upload.document.size <= MULTIPART_MOST:
        return _multipart(drive, upload)
    for _attempt in range(3):
        try:
            return _resumable(drive, upload)
        except _SessionLost:
            continue
    raise Transient(N_("The upload to %(provider)s broke off. It is tried again."), provider=NAME)


def _multipart(drive: Drive, upload: Upload) -> DriveFile:
    document, boundary = upload.document, secrets.token_hex(16)
    with document.open() as stream:
        content = stream.read(document.size + 1)
    if len(content) != document.size:
        raise _not_as_stored()
    head = (
        f"--{boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{json.dumps(dict(upload.metadata))}\r\n"
        f"--{boundary}\r\nContent-Type: {document.media_type}\r\n\r\n"
    )
    response = drive.call(
        upload.method,
        upload.url(drive.upload_api),
        needed=document.size,
        params=upload.params("multipart"),
        headers={"content-type": f"multipart/related; boundary={boundary}"},
        content=head.encode() + content + f"\r\n--{boundary}--\r\n".encode(),
    )
    return DriveFile.read(response.json())


def _resumable(drive: Drive, upload: Upload) -> DriveFile:
    session, total = _session(drive, upload), upload.document.size
    offset, failures = 0, 0
    with upload.document.open() as stream:
        while failures < PATIENCE:
            stream.seek(offset)
            chunk = stream.read(min(CHUNK, total - offset))
            if len(chunk) != min(CHUNK, total - offset):
                raise _not_as_stored()
            response = _put(drive, session, chunk, f"bytes {_span(offset, len(chunk))}/{total}", total)
            if response.is_success:
                return DriveFile.read(response.json())
            received = _received(response)
            failures = 0 if received > offset else failures + 1
            offset = received
    raise Transient(N_("The upload to %(provider)s broke off. It is tried again."), provider=NAME)


def _span(offset: int, length: int) -> str:
    return f"{offset}-{offset + length - 1}" if length else "*"


def _session(drive: Drive, upload: Upload) -> str:
    response = drive.call(
        upload.method,
        upload.url(drive.upload_api),
        needed=upload.document.size,
        params=upload.params("resumable"),
        json=dict(upload.metadata),
        headers={
            "x-upload-content-type": upload.document.media_type,
            "x-upload-content-length": str(upload.document.size),
        },
    )
    return _trusted(response.headers.get("location", ""), drive.upload_api)


def _trusted(location: str, base: str) -> str:
    """The session's address, which gets our token: only at the place that we sent the first request to."""
    ours, theirs = urlsplit(base), urlsplit(location)
    if (theirs.scheme, theirs.netloc) != (ours.scheme, ours.netloc):
        raise Transient(N_("%(provider)s gave an unexpected answer. It is tried again."), provider=NAME)
    return location


def _put(drive: Drive, session: str, chunk: bytes, content_range: str, total: int) -> httpx.Response:
    """One chunk; when its fate is unknown, what the session says it has (308) or that all is stored (200)."""
    try:
        return _asked(drive, session, chunk, content_range, total)
    except (Throttled, InUse):
        raise
    except Transient:
        return _asked(drive, session, b"", f"bytes */{total}", total)


def _asked(drive: Drive, session: str, chunk: bytes, content_range: str, total: int) -> httpx.Response:
    headers = {"content-range": content_range}
    try:
        response = drive.call("PUT", session, accept=(308, 410), needed=total, content=chunk, headers=headers)
    except Missing as error:
        raise _SessionLost from error
    if response.status_code == 410:
        raise _SessionLost from failure(response)
    return response


def _received(response: httpx.Response) -> int:
    """Bytes that a 308 says have arrived; without ``Range`` none have."""
    told = re.fullmatch(r"bytes=0-(\d+)", response.headers.get("range", ""))
    return int(told[1]) + 1 if told else 0


def _not_as_stored() -> Rejected:
    return Rejected(N_("The stored file is not as long as it was when it arrived."))
