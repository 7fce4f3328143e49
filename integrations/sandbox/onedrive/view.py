"""What a caller is told of a drive and its items: Graph's drive and driveItem."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from integrations.sandbox.onedrive.disk import Disk


@dataclass(frozen=True)
class Caller:
    """Who asks: an app with its scopes (short names), for one account. ``base`` is the address of this simulator."""

    disk: Disk
    client_id: str
    app_name: str
    scopes: frozenset[str]
    base: str
    tells_sha: bool


def drive(caller: Caller) -> dict[str, Any]:
    """The drive resource."""
    disk = caller.disk
    used, binned = disk.usage()
    total = disk.rules.quota
    return {
        "id": disk.person.drive_id,
        "driveType": "business" if disk.person.company else "personal",
        "name": "OneDrive",
        "webUrl": f"{caller.base}/my-files/{disk.person.id}",
        "owner": {"user": _user(disk)},
        "quota": {
            "deleted": binned,
            "remaining": max(0, total - used),
            "state": state(used, total),
            "total": total,
            "used": used,
        },
    }


def state(used: int, total: int) -> str:
    """How full (learn.microsoft.com/graph/api/resources/quota)."""
    if used >= total:
        return "exceeded"
    rest = (total - used) / total
    return "critical" if rest < 0.01 else "nearing" if rest < 0.1 else "normal"


def _user(disk: Disk) -> dict[str, Any]:
    known = {"displayName": disk.person.name, "id": disk.person.key}
    return {**known, "email": disk.person.email} if disk.person.company else known


def me(caller: Caller) -> dict[str, Any]:
    """The user resource, as much as ``GET /me`` tells."""
    person = caller.disk.person
    given, _, family = person.name.rpartition(" ")
    return {
        "businessPhones": [],
        "displayName": person.name,
        "givenName": given,
        "jobTitle": None,
        "mail": person.email if person.company else None,
        "mobilePhone": None,
        "officeLocation": None,
        "preferredLanguage": "de-DE",
        "surname": family,
        "userPrincipalName": person.email,
        "id": person.key,
    }


def item(row: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    """The driveItem resource."""
    disk = caller.disk
    guid = str(uuid.UUID(hashlib.sha256(row["id"].encode()).hexdigest()[:32])).upper()
    by = {"user": _user(disk), **({"application": _app(row["app"], caller)} if row["app"] else {})}
    times = {"createdDateTime": row["created"], "lastModifiedDateTime": row["modified"]}
    told: dict[str, Any] = {
        "@odata.etag": f'"{{{guid}}},{row["etag"]}"',
        "id": row["id"],
        "name": row["name"],
        "size": disk.size(row),
        "eTag": f'"{{{guid}}},{row["etag"]}"',
        "cTag": f'"c:{{{guid}}},{row["ctag"]}"',
        "webUrl": f"{caller.base}/my-files/{disk.person.id}?id={quote(row['id'])}",
        **times,
        "createdBy": by,
        "lastModifiedBy": by,
        "parentReference": _parent(row, disk),
        "fileSystemInfo": {**times, **row.get("times", {})},
    }
    if row["id"] == disk.root_id:
        told["root"] = {}
    facet = _folder(row, disk) if row["folder"] else _file(row, caller)
    return {**told, **facet}


def _app(client_id: str, caller: Caller) -> dict[str, str]:
    return {"id": client_id, "displayName": caller.app_name}


def _folder(row: Mapping[str, Any], disk: Disk) -> dict[str, Any]:
    return {"folder": {"childCount": len(disk.children(row["id"]))}}


def _file(row: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    hashes = {"quickXorHash": row["quickxor"]}
    if not caller.disk.person.company and caller.tells_sha:
        hashes |= {"sha1Hash": row["sha1"], "sha256Hash": row["sha256"]}
    return {
        "@microsoft.graph.downloadUrl": download_url(row, caller),
        "file": {"mimeType": row["mime"], "hashes": hashes},
    }


def download_url(row: Mapping[str, Any], caller: Caller) -> str:
    """An address that is its own permission."""
    return f"{caller.base}/download/{caller.disk.person.id}/{quote(row['id'])}"


def _parent(row: Mapping[str, Any], disk: Disk) -> dict[str, Any]:
    known = {"driveType": "business" if disk.person.company else "personal", "driveId": disk.person.drive_id}
    if row["id"] == disk.root_id:
        return known
    parent = disk.any_row(row["parent"]) or disk.root
    path = quote(disk.path(parent))
    return {
        **known,
        "id": row["parent"],
        "name": parent["name"],
        "path": f"/drives/{disk.person.drive_id}/root:{'/' + path if path else ''}",
    }
