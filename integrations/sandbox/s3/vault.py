"""The objects and unfinished uploads of one bucket."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from integrations.sandbox.clock import Clock, iso
from integrations.sandbox.s3.answers import Refused
from integrations.sandbox.state import Store

Row = dict[str, Any]
SMALLEST_PART = 5 * 1024 * 1024  # bytes; only the last one may be smaller


@dataclass(frozen=True)
class Vault:
    """Each object: path (its key), size, etag, modified, id, checksum (base64 SHA-256 or empty), headers."""

    store: Store
    clock: Clock
    bucket: str
    quota: int | None  # bytes

    @property
    def _rows(self) -> Any:
        return self.store.bucket(f"s3:objects:{self.bucket}")

    @property
    def _uploads(self) -> Any:
        return self.store.bucket(f"s3:uploads:{self.bucket}")

    def row(self, key: str) -> Row | None:
        """The object of a key."""
        found: Row | None = self._rows.get(key)
        return found

    def rows(self) -> list[Row]:
        """All objects in the order of their keys, as UTF-8."""
        return sorted(self._rows.values(), key=lambda one: one["path"].encode())

    def content(self, row: Row) -> bytes:
        """The bytes of an object."""
        return self.store.files.get(_file(self.bucket, row["id"])) or b""

    def write(
        self, key: str, content: bytes, headers: Mapping[str, str], *, etag: str = "", summed: bool = True
    ) -> Row:
        """An object, new or in place of the one that is there; QuotaExceeded when there is no room."""
        before = self.row(key)
        self._check_room(len(content) - (before["size"] if before else 0))
        number = before["id"] if before else self._next()
        row = {
            "path": key,
            "size": len(content),
            "etag": f'"{etag or hashlib.md5(content, usedforsecurity=False).hexdigest()}"',
            "modified": iso(self.clock.now()),
            "id": number,
            "checksum": base64.b64encode(hashlib.sha256(content).digest()).decode() if summed else "",
            "headers": dict(headers),
        }
        self.store.files.put(_file(self.bucket, number), content)
        self._rows.put(key, row)
        return row

    def delete(self, key: str) -> None:
        """Harmless when there is none."""
        row = self.row(key)
        if row:
            self.store.files.delete(_file(self.bucket, row["id"]))
            self._rows.delete(key)

    # --- multipart uploads

    def begin(self, key: str, headers: Mapping[str, str]) -> str:
        """The id of a new upload."""
        upload = f"upload-{self._next()}"
        self._uploads.put(upload, {"key": key, "headers": dict(headers), "parts": {}, "begun": iso(self.clock.now())})
        return upload

    def upload(self, key: str, upload: str) -> Row:
        """An unfinished upload of that key; NoSuchUpload if there is none."""
        found: Row | None = self._uploads.get(upload)
        if found is None or found["key"] != key:
            raise Refused("NoSuchUpload")
        return found

    def uploads(self) -> list[tuple[str, Row]]:
        """All that are not finished."""
        return list(self._uploads.items())

    def put_part(self, key: str, upload: str, number: int, content: bytes) -> str:
        """The ETag of a part."""
        found = self.upload(key, upload)
        self._check_room(len(content))
        etag = f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
        found["parts"][str(number)] = {"etag": etag, "size": len(content)}
        self.store.files.put(_part(upload, number), content)
        self._uploads.put(upload, found)
        return etag

    def complete(self, key: str, upload: str, listed: Sequence[tuple[int, str]]) -> Row:
        """The object made of the listed parts, in their order."""
        found = self.upload(key, upload)
        parts = [found["parts"].get(str(number)) for number, _etag in listed]
        told = [etag.strip('"') for _number, etag in listed]
        if not parts or [one and one["etag"].strip('"') for one in parts] != told:
            raise Refused("InvalidPart")
        if any(one["size"] < SMALLEST_PART for one in parts[:-1]):
            raise Refused("EntityTooSmall")
        content = b"".join(self.store.files.get(_part(upload, number)) or b"" for number, _etag in listed)
        # The ETag of such an object is the MD5 of the parts' MD5s, and how many they were.
        whole = hashlib.md5(b"".join(bytes.fromhex(one) for one in told), usedforsecurity=False).hexdigest()
        row = self.write(key, content, found["headers"], etag=f"{whole}-{len(listed)}", summed=False)
        self.abort(key, upload)
        return row

    def abort(self, key: str, upload: str) -> None:
        """Forget an upload with its parts."""
        for number in self.upload(key, upload)["parts"]:
            self.store.files.delete(_part(upload, int(number)))
        self._uploads.delete(upload)

    def _check_room(self, more: int) -> None:
        if self.quota is not None and sum(row["size"] for row in self._rows.values()) + more > self.quota:
            raise Refused("QuotaExceeded")

    def _next(self) -> int:
        return int(self.store.bucket("s3:counters").next_number("id", first=1))


def _file(bucket: str, number: int) -> str:
    return f"s3:{bucket}:{number}"


def _part(upload: str, number: int) -> str:
    return f"s3:part:{upload}:{number}"
