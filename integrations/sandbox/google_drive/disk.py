"""One person's Drive: files and folders by id, one parent each, a bin, a running number of changes, a quota."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from integrations.sandbox.clock import Clock, iso
from integrations.sandbox.google_drive.problems import Problem, invalid, no_file
from integrations.sandbox.oauth import Account
from integrations.sandbox.state import Store

FOLDER = "application/vnd.google-apps.folder"
Row = dict[str, Any]
# Body fields that are kept and told again as they came.
_PLAIN = {
    "description", "starred", "originalFilename", "folderColorRgb", "copyRequiresWriterPermission", "writersCanShare",
    "viewersCanCopyContent", "contentHints", "contentRestrictions", "downloadRestrictions", "viewedByMeTime",
    "inheritedPermissionsDisabled", "shortcutDetails",
}  # fmt: skip
# guides/properties: bytes of key and value, and how many
_PROPERTY_BYTES, _PROPERTIES_PRIVATE, _PROPERTIES_ALL = 124, 30, 100


@dataclass(frozen=True)
class Content:
    """Bytes waiting in the store under ``key``."""

    key: str
    media_type: str


class Disk:
    """The Drive of one account. Writers hold the store's transaction, so that threads take turns."""

    def __init__(self, store: Store, clock: Clock, account: Account, quota: int) -> None:
        self.store, self.clock, self.account, self.quota = store, clock, account, quota
        self._rows = store.bucket(f"google_drive:files:{account.id}")
        self._gone = store.bucket(f"google_drive:gone:{account.id}")
        self._numbers = store.bucket(f"google_drive:numbers:{account.id}")
        self.root = "0A" + hashlib.sha256(account.id.encode()).hexdigest()[:15] + "PVA"

    # --- ids

    def new_id(self) -> str:
        """An id as ``generateIds`` gives it; it bears a sign by which it is known again, so none need be stored."""
        body = "1" + secrets.token_urlsafe(18)
        return body + self._sign(body)

    def _sign(self, body: str) -> str:
        digest = hmac.new(b"google_drive:" + self.account.id.encode(), body.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest)[:8].decode()

    def usable(self, file_id: str) -> str:
        """A new file's own id: generated before, and never used, not even by something deleted since."""
        if file_id in self._rows or file_id in self._gone:
            raise Problem("fileIdInUse")
        if not hmac.compare_digest(self._sign(file_id[:-8]).encode(), file_id[-8:].encode()):
            raise invalid("fileId", "The provided file ID is not usable.")
        return file_id

    # --- reading

    def row(self, file_id: str) -> Row | None:
        """A copy of what is kept of a file."""
        found: Row | None = self._rows.get(file_id)
        return found

    def rows(self) -> Sequence[Row]:
        """All files, oldest first; to be read, never changed."""
        return self._rows.values()

    def trashed(self, row: Mapping[str, Any]) -> bool:
        """In the bin, by itself or within a folder that is."""
        live = self.store.rows(self._rows.name)  # no copies: lists ask this of every file
        here: Mapping[str, Any] | None = row
        while here is not None:
            if here["explicitlyTrashed"]:
                return True
            here = live.get(here["parent"])
        return False

    def children(self, folder_id: str) -> list[Row]:
        """What lies directly in a folder."""
        return [row for row in self._rows.values() if row["parent"] == folder_id]

    def below(self, file_id: str) -> Iterator[Row]:
        """Everything within, at any depth."""
        for child in self.children(file_id):
            yield child
            yield from self.below(child["id"])

    def usage(self) -> tuple[int, int]:
        """Bytes used in all, and by what is in the bin."""
        rows = self._rows.values()
        return sum(row["size"] for row in rows), sum(row["size"] for row in rows if self.trashed(row))

    def check_room(self, more: int) -> None:
        """Refuse ``more`` bytes when they do not fit."""
        if more > 0 and sum(row["size"] for row in self._rows.values()) + more > self.quota:
            raise Problem("storageQuotaExceeded")

    def content(self, row: Mapping[str, Any]) -> bytes:
        """The bytes of a file."""
        return self.store.files.get(self._key(row)) or b""

    def _key(self, row: Mapping[str, Any]) -> str:
        return f"google_drive:{self.account.id}:{row['id']}:{row['revision']}"

    # --- changes

    def changed_since(self, number: int) -> list[tuple[int, str, Row | None]]:
        """Number, id and file (None: deleted for good) of what changed, each once, in order."""
        found: list[tuple[int, str, Row | None]] = [
            (row["seq"], row["id"], row) for row in self._rows.values() if row["seq"] >= number
        ]
        found += [(gone["seq"], key, None) for key, gone in self._gone.items() if gone["seq"] >= number]
        return sorted(found, key=lambda change: change[0])

    def next_change(self) -> int:
        """The number that the next change will bear."""
        return int(self._numbers.get("change") or 0) + 1

    def tombstone(self, file_id: str) -> Row:
        """What is remembered of a file deleted for good."""
        found: Row = self._gone.get(file_id)
        return found

    # --- writing

    def create(self, body: Mapping[str, Any], parent: str, client_id: str, content: Content | None) -> Row:
        """A new file or folder. ``client_id`` is the app that makes it and so may see it."""
        now = iso(self.clock.now())
        media_type = body.get("mimeType") or (content.media_type if content else "") or "application/octet-stream"
        row: Row = {
            "id": self.usable(body["id"]) if body.get("id") else self.new_id(),
            "name": body.get("name") or "Untitled",
            "mimeType": media_type,
            "parent": parent,
            "createdTime": body.get("createdTime") or now,
            "explicitlyTrashed": False,
            "apps": [client_id],
            "appProperties": {},
            "properties": {},
            "plain": {},
            "version": 0,
            "size": 0,
            "revision": "",
            "permissions": [],
        }
        self._write(row, body, client_id)
        if not media_type.startswith("application/vnd.google-apps."):
            self._fill(row, content)
        elif content is not None:
            raise Problem("badRequest", "Conversion to Google formats is not simulated.")
        return self._keep(row, body.get("modifiedTime") or now)

    def update(self, row: Row, body: Mapping[str, Any], parent: str | None, client_id: str,
               content: Content | None) -> Row:  # fmt: skip
        """Change what ``body`` names; ``parent`` is the new one, if any."""
        if parent is not None:
            self._no_cycle(row, parent)
            row["parent"] = parent
        for name in ("name", "mimeType"):
            if body.get(name):
                row[name] = body[name]
        if "trashed" in body:
            row["explicitlyTrashed"] = bool(body["trashed"])
            row["trashedTime"] = iso(self.clock.now()) if body["trashed"] else None
        self._write(row, body, client_id)
        if content is not None:
            if row["mimeType"] == FOLDER:
                raise Problem("badRequest", "A folder has no content.")
            self._fill(row, content)
        moved_only = not (set(body) - {"trashed"}) and content is None
        return self._keep(row, body.get("modifiedTime") or (None if moved_only else iso(self.clock.now())))

    def copy_content(self, row: Mapping[str, Any]) -> Content:
        """The bytes of a file, waiting for another."""
        key = f"google_drive:copy:{secrets.token_hex(8)}"
        self.store.files.put(key, self.content(row))
        return Content(key, row["mimeType"])

    def delete(self, row: Mapping[str, Any]) -> None:
        """For good, with everything within."""
        for one in (*self.below(row["id"]), row):
            self.store.files.delete(self._key(one))
            self._rows.delete(one["id"])
            self._gone.put(one["id"], {"seq": self._count(), "apps": one["apps"], "time": iso(self.clock.now())})

    def permit(self, row: Row, permission: Mapping[str, Any] | None, removed: str = "") -> None:
        """Share the file with one more, or no longer with ``removed``."""
        row["permissions"] = [one for one in row["permissions"] if one["id"] != removed]
        if permission:
            row["permissions"].append(dict(permission))
        self._keep(row, None)

    def _no_cycle(self, row: Mapping[str, Any], parent: str) -> None:
        if parent == row["id"] or any(one["id"] == parent for one in self.below(row["id"])):
            raise Problem("badRequest", "The parent would create a cycle in the directory graph.")

    def _fill(self, row: Row, content: Content | None) -> None:
        """Give the file its bytes; checksums, size and revision follow."""
        blob = (self.store.files.get(content.key) or b"") if content else b""
        self.check_room(len(blob) - row["size"])
        if row["revision"]:
            self.store.files.delete(self._key(row))
        row["revision"] = f"0B{secrets.token_urlsafe(24)}"
        if content:
            self.store.files.rename(content.key, self._key(row))
        row["size"] = len(blob)
        for name in ("md5", "sha1", "sha256"):
            row[name] = hashlib.new(name, blob, usedforsecurity=False).hexdigest()

    def _write(self, row: Row, body: Mapping[str, Any], client_id: str) -> None:
        row["plain"] |= {name: body[name] for name in _PLAIN & set(body)}
        private = row["appProperties"].setdefault(client_id, {})
        _merge(private, body.get("appProperties"), _PROPERTIES_PRIVATE)
        _merge(row["properties"], body.get("properties"), _PROPERTIES_PRIVATE)
        if sum(map(len, row["appProperties"].values())) + len(row["properties"]) > _PROPERTIES_ALL:
            raise Problem("propertyLimitExceeded")

    def _keep(self, row: Row, modified: str | None) -> Row:
        row["seq"] = self._count()
        row["version"] += 1
        row["modifiedTime"] = modified or row.get("modifiedTime") or iso(self.clock.now())
        self._rows.put(row["id"], row)
        return row

    def _count(self) -> int:
        return self._numbers.next_number("change")

    def parent_for(self, file_id: str, *, seen: bool) -> str:
        """The folder's id for a ``parents`` entry; ``seen``: the caller may see it."""
        if file_id in {"root", self.root}:
            return self.root
        row = self._rows.get(file_id)
        if row is None or not seen:
            raise no_file(file_id)
        if row["mimeType"] != FOLDER:
            raise Problem("parentNotAFolder")
        return file_id


def _merge(kept: dict[str, str], changes: Mapping[str, str | None] | None, most: int) -> None:
    """``null`` removes a property."""
    for key, value in (changes or {}).items():
        if value is None:
            kept.pop(key, None)
        elif len(key.encode()) + len(value.encode()) > _PROPERTY_BYTES:
            raise Problem("badRequest", "The property is larger than 124 bytes.")
        else:
            kept[key] = value
    if len(kept) > most:
        raise Problem("propertyLimitExceeded")
