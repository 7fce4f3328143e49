"""The files and folders of one account, by path; what is at the top has a path without a slash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from integrations.sandbox.clock import Clock, iso
from integrations.sandbox.state import Store

Row = dict[str, Any]


@dataclass(frozen=True)
class Tree:
    """Each row: path, folder, id, etag, size, modified, checksum (as the uploader claimed it)."""

    store: Store
    clock: Clock
    account: str
    quota: int  # bytes

    @property
    def _rows(self) -> Any:
        return self.store.bucket(f"webdav:tree:{self.account}")

    def row(self, path: str) -> Row | None:
        """What is at a path; the top is always a folder."""
        if not path:
            return {"path": "", "folder": True, "id": 0, "etag": '"top"', "size": 0, "modified": iso(self.clock.now())}
        found: Row | None = self._rows.get(path)
        return found

    def rows(self) -> list[Row]:
        """Everything, folders before what is in them."""
        return sorted(self._rows.values(), key=lambda one: one["path"].split("/"))

    def children(self, path: str) -> list[Row]:
        """What is right in a folder."""
        return [row for row in self.rows() if row["path"].rpartition("/")[0] == path]

    def content(self, row: Row) -> bytes:
        """The bytes of a file."""
        return self.store.files.get(self._key(row)) or b""

    def used(self) -> int:
        """Bytes of all files."""
        return sum(row["size"] for row in self._rows.values())

    def make_folder(self, path: str) -> Row:
        """A folder; the caller knows that nothing is there and its parent is."""
        return self._put(path, folder=True, size=0, number=self._next(), content=b"", checksum="")

    def write(self, path: str, content: bytes, checksum: str) -> Row:
        """A file, new or in place of the one that is there."""
        before = self.row(path)
        number = before["id"] if before else self._next()
        row = self._put(path, folder=False, size=len(content), number=number, content=content, checksum=checksum)
        self.store.files.put(self._key(row), content)
        return row

    def delete(self, path: str) -> None:
        """With everything below."""
        for row in [one for one in self.rows() if _within(one["path"], path)]:
            self.store.files.delete(self._key(row))
            self._rows.delete(row["path"])

    def move(self, path: str, to: str) -> Row:
        """With everything below; what is at ``to`` is gone. Ids and ETags are kept, as Nextcloud does."""
        self.delete(to)
        for row in [one for one in self.rows() if _within(one["path"], path)]:
            self._rows.delete(row["path"])
            row = {**row, "path": to + row["path"][len(path) :]}  # noqa: PLW2901 - the same row elsewhere
            self._rows.put(row["path"], row)
        found: Row = self._rows.get(to)
        return found

    def _put(self, path: str, *, folder: bool, size: int, number: int, content: bytes, checksum: str) -> Row:
        change = self.store.bucket("webdav:counters").next_number("change")
        etag = hashlib.md5(f"{number} {change}".encode() + content[:64], usedforsecurity=False).hexdigest()
        row = {
            "path": path,
            "folder": folder,
            "id": number,
            "etag": f'"{etag}"',
            "size": size,
            "modified": iso(self.clock.now()),
            "checksum": checksum,
        }
        self._rows.put(path, row)
        return row

    def _next(self) -> int:
        return int(self.store.bucket("webdav:counters").next_number("id", first=101))

    def _key(self, row: Row) -> str:
        return f"webdav:{self.account}:{row['id']}"


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")
