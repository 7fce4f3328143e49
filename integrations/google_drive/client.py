"""Drive API v3 over httpx, thin and typed: only the calls the connector makes, in Google's own words.

Reference: developers.google.com/workspace/drive/api/reference/rest/v3
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from integrations.google_drive.failures import NAME, Missing, failure
from integrations.http import translated

FOLDER = "application/vnd.google-apps.folder"
FIELDS = (
    "id,name,mimeType,parents,trashed,explicitlyTrashed,md5Checksum,sha256Checksum,size,headRevisionId,webViewLink,"
    "appProperties"
)
PAGE = 1000


@dataclass(frozen=True, kw_only=True)
class DriveFile:
    """A file or folder as Drive tells it; ``size`` in bytes, checksums lower-case hex, None for folders."""

    id: str
    name: str
    mime_type: str
    parents: tuple[str, ...] = ()
    trashed: bool = False
    explicitly_trashed: bool = False
    md5: str | None = None
    sha256: str | None = None
    size: int | None = None
    revision: str | None = None
    link: str | None = None
    marks: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> DriveFile:
        """A file of a reply that was asked for ``FIELDS``."""
        return cls(
            id=body["id"],
            name=body["name"],
            mime_type=body["mimeType"],
            parents=tuple(body.get("parents", ())),
            trashed=body.get("trashed", False),
            explicitly_trashed=body.get("explicitlyTrashed", False),
            md5=body.get("md5Checksum"),
            sha256=body.get("sha256Checksum"),
            size=int(body["size"]) if "size" in body else None,
            revision=body.get("headRevisionId"),
            link=body.get("webViewLink"),
            marks=body.get("appProperties", {}),
        )


class Drive:
    """Calls at one login. Raises the connector's errors, ``Missing`` for a 404 and ``InUse`` for a 409."""

    def __init__(self, http: httpx.Client, auth: httpx.Auth, api: str, upload: str) -> None:
        self.http, self.auth, self.api, self.upload_api = http, auth, api, upload

    def call(
        self, method: str, url: str, *, needed: int = 0, accept: Sequence[int] = (), **request: Any
    ) -> httpx.Response:
        """One signed request; the response when it is a success or its status is in ``accept``."""
        with translated(NAME):
            response = self.http.request(method, url, auth=self.auth, **request)
        if response.is_success or response.status_code in accept:
            return response
        raise failure(response, needed)

    def about(self) -> dict[str, Any]:
        """Whose Drive this is and how full."""
        params = {"fields": "user(displayName,emailAddress,permissionId),storageQuota"}
        answer: dict[str, Any] = self.call("GET", f"{self.api}/about", params=params).json()
        return answer

    def get(self, file_id: str) -> DriveFile | None:
        """The file, also when it is in the bin; None when there is none or we may not see it."""
        try:
            return DriveFile.read(self.call("GET", f"{self.api}/files/{file_id}", params={"fields": FIELDS}).json())
        except Missing:
            return None

    def find(self, query: str, order: str | None = None) -> Iterator[DriveFile]:
        """All files of a query, page by page (grammar: guides/ref-search-terms)."""
        params: dict[str, Any] = {"q": query, "pageSize": PAGE, "fields": f"nextPageToken,files({FIELDS})"}
        if order:
            params["orderBy"] = order
        while True:
            body = self.call("GET", f"{self.api}/files", params=params).json()
            yield from map(DriveFile.read, body.get("files", ()))
            if not body.get("nextPageToken"):
                return
            params["pageToken"] = body["nextPageToken"]

    def generate_ids(self, count: int) -> list[str]:
        """Ids that no file has yet; sent with a new file they make its repeat a 409 instead of a second file."""
        body = self.call("GET", f"{self.api}/files/generateIds", params={"count": count, "space": "drive"}).json()
        return list(body["ids"])

    def create_folder(self, metadata: Mapping[str, Any]) -> DriveFile:
        """A folder; ``metadata`` holds id, name, parents, appProperties."""
        body = {**metadata, "mimeType": FOLDER}
        return DriveFile.read(self.call("POST", f"{self.api}/files", params={"fields": FIELDS}, json=body).json())

    def update(self, file_id: str, metadata: Mapping[str, Any], moves: Mapping[str, str]) -> DriveFile:
        """Change metadata only; ``moves`` may hold addParents and removeParents."""
        params = {"fields": FIELDS, **moves}
        return DriveFile.read(
            self.call("PATCH", f"{self.api}/files/{file_id}", params=params, json=dict(metadata)).json()
        )


def quoted(text: str) -> str:
    """A text as a string of the query grammar."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def marked(key: str, value: str) -> str:
    """The query for files that this app marked."""
    return f"appProperties has {{ key={quoted(key)} and value={quoted(value)} }}"
