"""The published methods that are simulated, one function each: parameters and body in, the reply's JSON out."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from integrations.sandbox.clock import iso
from integrations.sandbox.google_drive import view
from integrations.sandbox.google_drive.disk import FOLDER, Content, Row
from integrations.sandbox.google_drive.problems import Problem, invalid, no_file
from integrations.sandbox.google_drive.query import question
from integrations.sandbox.google_drive.view import Caller

_ORDERS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "createdTime": lambda file: file["createdTime"],
    "modifiedTime": lambda file: file["modifiedTime"],
    "modifiedByMeTime": lambda file: file["modifiedTime"],
    "recency": lambda file: file["modifiedTime"],
    "viewedByMeTime": lambda file: file.get("viewedByMeTime", ""),
    "sharedWithMeTime": lambda file: file.get("sharedWithMeTime", ""),
    "name": lambda file: file["name"].lower(),
    "name_natural": lambda file: file["name"].lower(),
    "folder": lambda file: file["mimeType"] != FOLDER,
    "quotaBytesUsed": lambda file: int(file["quotaBytesUsed"]),
    "starred": lambda file: not file["starred"],
}


@dataclass(frozen=True)
class Call:
    """One call of a method. ``body`` is checked JSON, ``content`` the bytes of an upload."""

    caller: Caller
    values: Mapping[str, Any]
    places: Mapping[str, str]
    body: Mapping[str, Any]
    content: Content | None = None

    @property
    def row(self) -> Row:
        """The file that the path names."""
        return self.caller.row(self.places["fileId"])


def about_get(call: Call) -> dict[str, Any]:
    """Whose Drive, how full. ``fields`` is mandatory here."""
    if "fields" not in call.values:
        message = "The 'fields' parameter is required for this method."
        raise Problem("required", message, where=("fields", "parameter"))
    disk = call.caller.disk
    used, binned = disk.usage()
    return {
        "kind": "drive#about",
        "user": view.user(disk.account),
        "storageQuota": {
            "limit": str(disk.quota),
            "usage": str(used),
            "usageInDrive": str(used),
            "usageInDriveTrash": str(binned),
        },
        "importFormats": {},
        "exportFormats": {},
        "maxImportSizes": {},
        "maxUploadSize": "5497558138880",
        "appInstalled": False,
        "folderColorPalette": ["#ac725e", "#d06b64", "#f83a22"],
        "driveThemes": [],
        "canCreateDrives": False,
    }


def files_get(call: Call) -> dict[str, Any]:
    """One file; the root by its alias only for those who may see everything."""
    if call.places["fileId"] in {"root", call.caller.disk.root}:
        return _root(call)
    return view.file(call.row, call.caller)


def _root(call: Call) -> dict[str, Any]:
    if not call.caller.wide:
        raise no_file(".")
    disk = call.caller.disk
    return {
        "kind": "drive#file",
        "id": disk.root,
        "name": "My Drive",
        "mimeType": FOLDER,
        "trashed": False,
        "explicitlyTrashed": False,
        "spaces": ["drive"],
        "ownedByMe": True,
        "webViewLink": f"{call.caller.base}/my-drive/{disk.account.id}",
    }


def files_list(call: Call) -> dict[str, Any]:
    """Files that match ``q``, in pages."""
    caller, values = call.caller, call.values
    if values.get("spaces", "drive") != "drive" or values.get("corpora", "user") not in {"user", "allDrives"}:
        raise invalid("spaces" if "spaces" in values else "corpora")
    asked = question(values.get("q", ""))
    seen = (_searchable(row, caller) for row in caller.disk.rows() if caller.sees(row))
    found = _ordered([one for one in seen if asked(one)], values.get("orderBy", ""))
    page, token = _page(found, values, f"{values.get('q', '')}|{values.get('orderBy', '')}")
    files = [view.file(caller.row(one["id"]), caller) for one in page]
    return {"kind": "drive#fileList", "incompleteSearch": False, "files": files} | token


def _searchable(row: Row, caller: Caller) -> dict[str, Any]:
    """A file as queries and orders see it: people by address, the root also by its alias. Made of every file."""
    disk = caller.disk
    people = ("me", disk.account.detail)
    return {
        "id": row["id"],
        "name": row["name"],
        "mimeType": row["mimeType"],
        "createdTime": row["createdTime"],
        "modifiedTime": row["modifiedTime"],
        "parents": (row["parent"], "root") if row["parent"] == disk.root else (row["parent"],),
        "trashed": disk.trashed(row),
        "starred": row["plain"].get("starred", False),
        "appProperties": row["appProperties"].get(caller.client_id, {}),
        "properties": row["properties"],
        "quotaBytesUsed": row["size"],
        "owners": people,
        "writers": people,
        "readers": people,
    }


def _ordered(files: list[dict[str, Any]], order: str) -> list[dict[str, Any]]:
    if not order:
        return files[::-1]  # newest first
    for key in reversed([part.strip() for part in order.split(",")]):
        name, _, direction = key.partition(" ")
        if name not in _ORDERS or direction.strip() not in {"", "desc"}:
            raise invalid("orderBy")
        files.sort(key=_ORDERS[name], reverse=bool(direction))
    return files


def _page(found: Sequence[Any], values: Mapping[str, Any], about: str) -> tuple[Sequence[Any], dict[str, str]]:
    """A page and the token of the next. A token belongs to its query, as it does at Drive."""
    mark, start = crc32(about.encode()), 0
    if values.get("pageToken"):
        start = _start(values["pageToken"], mark)
    end = start + values["pageSize"]
    if end >= len(found):
        return found[start:], {}
    token = base64.urlsafe_b64encode(json.dumps([mark, end]).encode()).decode()
    return found[start:end], {"nextPageToken": token}


def _start(token: str, mark: int) -> int:
    try:
        about, start = json.loads(base64.urlsafe_b64decode(token))
    except (ValueError, TypeError, binascii.Error):
        raise invalid("pageToken") from None
    if about != mark or not isinstance(start, int):
        raise invalid("pageToken")
    return start


def files_create(call: Call) -> dict[str, Any]:
    """A file or folder, into one parent."""
    parents = call.body.get("parents") or ["root"]
    if len(parents) != 1:
        raise Problem("cannotAddParent", "A file cannot be created in more than one folder.")
    parent = call.caller.parent(parents[0])
    row = call.caller.disk.create(call.body, parent, call.caller.client_id, call.content)
    return view.file(row, call.caller)


def files_update(call: Call) -> dict[str, Any]:
    """Metadata, content, name, folder and bin, in any combination."""
    row = call.row
    parent = _new_parent(row, call)
    return view.file(call.caller.disk.update(row, call.body, parent, call.caller.client_id, call.content), call.caller)


def _new_parent(row: Row, call: Call) -> str | None:
    added = [one for one in call.values.get("addParents", "").split(",") if one]
    removed = {one for one in call.values.get("removeParents", "").split(",") if one}
    removed = {call.caller.disk.root if one == "root" else one for one in removed}
    if not added:
        return "" if row["parent"] in removed else None
    parents = {call.caller.parent(one) for one in added}
    kept = {row["parent"]} - removed - {""}
    if len(parents | kept) > 1:
        raise Problem("cannotAddParent")
    return parents.pop()


def files_copy(call: Call) -> dict[str, Any]:
    """A second file of the same content."""
    source, disk = call.row, call.caller.disk
    if source["mimeType"] == FOLDER:
        raise Problem("badRequest", "Folders cannot be copied.")
    body = {"name": f"Copy of {source['name']}", "mimeType": source["mimeType"], **call.body}
    parent = call.caller.parent((call.body.get("parents") or [source["parent"] or "root"])[0])
    row = disk.create(body, parent, call.caller.client_id, disk.copy_content(source))
    return view.file(row, call.caller)


def files_delete(call: Call) -> None:
    """For good."""
    call.caller.disk.delete(call.row)


def files_empty_trash(call: Call) -> None:
    """For good, all that is in the bin."""
    disk = call.caller.disk
    for row in list(disk.rows()):
        if row["explicitlyTrashed"] and disk.row(row["id"]):
            disk.delete(row)


def files_generate_ids(call: Call) -> dict[str, Any]:
    """Ids to create with."""
    if call.values["space"] != "drive" or call.values["type"] not in {"files", "shortcuts"}:
        raise invalid("space")
    ids = [call.caller.disk.new_id() for _ in range(call.values["count"])]
    return {"kind": "drive#generatedIds", "space": "drive", "ids": ids}


def changes_start(call: Call) -> dict[str, Any]:
    """Where the feed stands now."""
    return {"kind": "drive#startPageToken", "startPageToken": str(call.caller.disk.next_change())}


def changes_list(call: Call) -> dict[str, Any]:
    """What changed since a token, each file once with its newest state; tokens never expire."""
    caller, token = call.caller, call.values.get("pageToken", "")
    if not token.isdigit() or int(token) > caller.disk.next_change():
        raise invalid("pageToken")
    changes = [one for one in caller.disk.changed_since(int(token)) if _may_know(one, call)]
    page = changes[: call.values["pageSize"]]
    body: dict[str, Any] = {"kind": "drive#changeList", "changes": [_change(one, caller) for one in page]}
    if len(page) < len(changes):
        return body | {"nextPageToken": str(page[-1][0] + 1)}
    return body | {"newStartPageToken": str(caller.disk.next_change())}


def _may_know(change: tuple[int, str, Row | None], call: Call) -> bool:
    _number, file_id, row = change
    if row is None:
        return call.values["includeRemoved"] and call.caller.sees(call.caller.disk.tombstone(file_id))
    return call.caller.sees(row)


def _change(change: tuple[int, str, Row | None], caller: Caller) -> dict[str, Any]:
    _number, file_id, row = change
    told = {"kind": "drive#change", "type": "file", "changeType": "file", "fileId": file_id, "removed": row is None}
    if row is None:
        return {**told, "time": caller.disk.tombstone(file_id)["time"]}
    return {**told, "time": iso(caller.disk.clock.now()), "file": view.file(row, caller)}


def permissions_list(call: Call) -> dict[str, Any]:
    """The owner and those shared with."""
    return {"kind": "drive#permissionList", "permissions": view.permissions(call.row, call.caller.disk.account)}


def permissions_create(call: Call) -> dict[str, Any]:
    """Share with one more."""
    body, row = call.body, call.row
    if body.get("type") not in {"user", "group", "domain", "anyone"} or body.get("role") not in _ROLES:
        raise Problem("badRequest", "The permission type or role is missing or not supported.")
    if body["type"] in {"user", "group"} and "@" not in str(body.get("emailAddress", "")):
        raise Problem("invalid", "The specified emailAddress is invalid or not applicable for the given type.")
    number = "anyoneWithLink" if body["type"] == "anyone" else f"{crc32(str(body).encode()):020d}"
    permission = {
        **{name: body[name] for name in ("type", "role", "emailAddress", "domain") if name in body},
        "kind": "drive#permission",
        "id": number,
    }
    call.caller.disk.permit(row, permission, removed=number)
    return permission


_ROLES = {"organizer", "fileOrganizer", "writer", "commenter", "reader"}


def permissions_get(call: Call) -> dict[str, Any]:
    """One of them."""
    for one in view.permissions(call.row, call.caller.disk.account):
        if one["id"] == call.places["permissionId"]:
            return one
    wanted = call.places["permissionId"]
    raise Problem("notFound", f"Permission not found: {wanted}.", where=("permissionId", "parameter"))


def permissions_delete(call: Call) -> None:
    """No longer shared with this one; the owner stays."""
    permission = permissions_get(call)
    if permission["role"] == "owner":
        raise Problem("insufficientFilePermissions")
    call.caller.disk.permit(call.row, None, removed=permission["id"])


METHODS: Mapping[str, Callable[[Call], dict[str, Any] | None]] = {
    "about.get": about_get,
    "files.get": files_get,
    "files.list": files_list,
    "files.create": files_create,
    "files.update": files_update,
    "files.copy": files_copy,
    "files.delete": files_delete,
    "files.emptyTrash": files_empty_trash,
    "files.generateIds": files_generate_ids,
    "changes.getStartPageToken": changes_start,
    "changes.list": changes_list,
    "permissions.list": permissions_list,
    "permissions.create": permissions_create,
    "permissions.get": permissions_get,
    "permissions.delete": permissions_delete,
}
