"""What a caller is told of a file: Drive's File resource, and what its app may see at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from integrations.sandbox.google_drive.disk import FOLDER, Disk, Row
from integrations.sandbox.google_drive.problems import Problem, no_file
from integrations.sandbox.oauth import Account

_WIDE = {"drive", "drive.readonly", "drive.metadata", "drive.metadata.readonly"}


@dataclass(frozen=True)
class Caller:
    """Who asks: an app with its scopes (short names), for one account. ``base`` is the address of this simulator."""

    disk: Disk
    client_id: str
    scopes: frozenset[str]
    base: str

    @property
    def wide(self) -> bool:
        """Sees everything; with drive.file alone an app sees what it made."""
        return bool(self.scopes & _WIDE)

    def sees(self, row: Mapping[str, Any]) -> bool:
        """Whether the app may know of this file."""
        return self.wide or self.client_id in row["apps"]

    def row(self, file_id: str) -> Row:
        """The file, or the answer that there is none."""
        found = self.disk.row(file_id)
        if found is None or not self.sees(found):
            raise no_file(file_id)
        return found

    def parent(self, file_id: str) -> str:
        """A folder to put something into."""
        row = self.disk.row(file_id)
        return self.disk.parent_for(file_id, seen=row is not None and self.sees(row))

    def may_change(self) -> None:
        """Reading scopes do not write."""
        if not self.scopes & {"drive", "drive.file", "drive.appdata", "drive.metadata"}:
            raise Problem("insufficientPermissions")


def user(account: Account) -> dict[str, Any]:
    """The account as Drive's User."""
    return {
        "kind": "drive#user",
        "displayName": account.name,
        "me": True,
        "permissionId": permission_id(account),
        "emailAddress": account.detail,
    }


def permission_id(account: Account) -> str:
    """Twenty digits, the same for ever."""
    return f"{int(sha256(account.id.encode()).hexdigest()[:16], 16):020d}"[:20]


def file(row: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    """The File resource. Only what there is is told: a folder has no checksum and no size."""
    disk = caller.disk
    me = user(disk.account)
    told: dict[str, Any] = {
        "kind": "drive#file",
        "id": row["id"],
        "name": row["name"],
        "mimeType": row["mimeType"],
        "starred": False,
        "trashed": disk.trashed(row),
        "explicitlyTrashed": row["explicitlyTrashed"],
        "parents": [row["parent"]] if row["parent"] else [],
        "spaces": ["drive"],
        "version": str(row["version"]),
        "createdTime": row["createdTime"],
        "modifiedTime": row["modifiedTime"],
        "modifiedByMe": True,
        "modifiedByMeTime": row["modifiedTime"],
        "owners": [me],
        "lastModifyingUser": me,
        "ownedByMe": True,
        "shared": bool(row["permissions"]),
        "isAppAuthorized": caller.client_id in row["apps"],
        "viewedByMe": False,
        "hasThumbnail": False,
        "quotaBytesUsed": str(row["size"]),
        "writersCanShare": True,
        "webViewLink": web_link(row, caller.base),
        "permissions": permissions(row, disk.account),
        "permissionIds": [one["id"] for one in permissions(row, disk.account)],
        "capabilities": _capabilities(row),
        **row["plain"],
        **_binary(row, caller.base),
    }
    if row.get("trashedTime"):
        told |= {"trashedTime": row["trashedTime"], "trashingUser": me}
    marks = row["appProperties"].get(caller.client_id)
    return {**told, **({"appProperties": marks} if marks else {}), **_properties(row)}


def _properties(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"properties": row["properties"]} if row["properties"] else {}


def _binary(row: Mapping[str, Any], base: str) -> dict[str, Any]:
    if not row["revision"]:
        return {}
    ending = row["name"].rpartition(".")[2] if "." in row["name"] else ""
    return {
        "size": str(row["size"]),
        "md5Checksum": row["md5"],
        "sha1Checksum": row["sha1"],
        "sha256Checksum": row["sha256"],
        "headRevisionId": row["revision"],
        "originalFilename": row["plain"].get("originalFilename", row["name"]),
        "fileExtension": ending,
        "fullFileExtension": ending,
        "webContentLink": f"{base}/uc?id={row['id']}&export=download",
    }


def _capabilities(row: Mapping[str, Any]) -> dict[str, bool]:
    able = ("canEdit", "canRename", "canTrash", "canUntrash", "canDelete", "canShare", "canModifyContent")
    folder = row["mimeType"] == FOLDER
    return {**dict.fromkeys(able, True), "canAddChildren": folder, "canListChildren": folder, "canDownload": not folder}


def permissions(row: Mapping[str, Any], account: Account) -> list[dict[str, Any]]:
    """The owner and those whom the file is shared with."""
    owner = {
        "kind": "drive#permission",
        "id": permission_id(account),
        "type": "user",
        "role": "owner",
        "emailAddress": account.detail,
        "displayName": account.name,
        "deleted": False,
        "pendingOwner": False,
    }
    return [owner, *row["permissions"]]


def web_link(row: Mapping[str, Any], base: str) -> str:
    """Where a person looks at it; the paths are those of drive.google.com."""
    if row["mimeType"] == FOLDER:
        return f"{base}/drive/folders/{row['id']}"
    return f"{base}/file/d/{row['id']}/view?usp=drivesdk"
