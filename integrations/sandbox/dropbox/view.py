"""What a caller sees: the whole Dropbox, its app's folder or the team's space; paths count from there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from integrations.sandbox.dropbox.disk import TOP, Disk, Row, key_of
from integrations.sandbox.dropbox.problems import Problem

# what no Dropbox synchronises (help.dropbox.com, «Why aren't certain files syncing?»)
_DISALLOWED = {"desktop.ini", "thumbs.db", ".ds_store", "icon\r", ".dropbox", ".dropbox.attr", ".dropbox.cache"}
_LONGEST = 255
_NAMESPACE = re.compile(r"ns:(\d+)(/.*)?", re.DOTALL)


class UnknownId(Problem):
    """Something below an id that there is not: how writing there is called is not published."""


@dataclass(frozen=True)
class Spot:
    """Where a path leads: a folder that is there (or the view's top) and the names below it that are not yet."""

    parent: str
    missing: tuple[str, ...]  # folders that would have to be made
    name: str
    row: Row | None  # what is there


@dataclass(frozen=True)
class View:
    """``root`` is the id of the folder that paths count from; ``namespaces``: numbers that ``ns:`` paths may name."""

    disk: Disk
    root: str
    unknown_id: str  # how a path below an unknown id is refused
    namespaces: Mapping[str, str]

    # --- reading

    def find(self, path: str, *, deleted: bool = False) -> Row:
        """The entry at a path, under an id or of a revision."""
        if path.startswith("rev:"):
            kept = self.disk.revision(path[4:])
            found = self.disk.row(kept["id"]) if kept else None
            if found is None or found["deleted"] or not self.sees(found):
                raise Problem("not_found")
            return found
        try:
            spot = self.spot(path)
        except UnknownId:
            raise Problem("not_found") from None
        if spot.row is not None and (deleted or not spot.row["deleted"]):
            return spot.row
        if deleted and not spot.missing:
            gone = self.disk.child(spot.parent, spot.name, deleted=True)
            if gone is not None:
                return gone
        raise Problem("not_found")

    def folder(self, path: str) -> str:
        """The id of a folder; the empty path is the top."""
        if path == "":
            return self.root
        row = self.find(path)
        if not row["folder"]:
            raise Problem("not_folder")
        return str(row["id"])

    def sees(self, row: Mapping[str, Any]) -> bool:
        """Whether the entry lies where this caller may look."""
        return self.root == TOP or self.disk.is_within(row, self.root)

    # --- paths

    def spot(self, path: str) -> Spot:
        """Where a path leads, whether something is there or not."""
        start, names = self._start(path)
        if not names:
            row = self.disk.row(start)
            if row is None or row["deleted"] or not self.sees(row):
                raise Problem("not_found")
            return Spot(row["parent"], (), row["name"], row)
        for depth, name in enumerate(names):
            row = self.disk.child(start, name)
            if depth == len(names) - 1:
                return Spot(start, (), name, row)
            if row is None:
                return Spot(start, tuple(names[depth:-1]), names[-1], None)
            if not row["folder"]:
                raise Problem("conflict", "file_ancestor")
            start = row["id"]
        raise AssertionError("a path has names")

    def _start(self, path: str) -> tuple[str, list[str]]:
        """The folder that a path counts from, and the names after it."""
        if path.startswith("id:"):
            entry_id, slash, rest = path.partition("/")
            row = self.disk.row(entry_id)
            if row is None or row["deleted"] or not self.sees(row):
                raise UnknownId(self.unknown_id) if slash else Problem("not_found")
            if slash and not row["folder"]:
                raise Problem("not_folder")
            return entry_id, names_of(rest) if slash else []
        namespace = _NAMESPACE.fullmatch(path)
        if namespace:
            if namespace[1] not in self.namespaces or not namespace[2]:
                raise Problem("not_found")
            return self.namespaces[namespace[1]], names_of(namespace[2][1:])
        return self.root, names_of(path.lstrip("/"))  # «//name» is taken too: rclone lists so

    def path(self, row: Mapping[str, Any]) -> str:
        """As this caller reads it."""
        return self.shown(self.disk.path(row))

    def shown(self, path: str) -> str:
        """A path of the whole Dropbox as this caller reads it."""
        return path.removeprefix(self._prefix())

    def _prefix(self) -> str:
        root = self.disk.row(self.root)
        return self.disk.path(root) if root else ""

    def inside(self, path: str, folder_id: str, *, recursive: bool) -> bool:
        """Whether a path of the whole Dropbox lies in that folder: directly, or at any depth."""
        folder = self.disk.row(folder_id)
        above = self.disk.path(folder) if folder else ""
        rest = path[len(above) :]
        if key_of(path[: len(above)]) != key_of(above) or not rest.startswith("/"):
            return False
        return recursive or "/" not in rest[1:]

    # --- what is told

    def metadata(self, row: Mapping[str, Any], *, tagged: bool = True) -> dict[str, Any]:
        """FileMetadata or FolderMetadata; ``tagged`` where the reply may be any Metadata."""
        path = self.path(row)
        if row["deleted"]:
            return self.deleted(path)
        told: dict[str, Any] = {".tag": "folder" if row["folder"] else "file"} if tagged else {}
        told |= {"name": row["name"], "path_lower": key_of(path), "path_display": path, "id": row["id"]}
        if row["folder"]:
            return told
        return told | {
            "client_modified": row["client_modified"],
            "server_modified": row["server_modified"],
            "rev": row["rev"],
            "size": row["size"],
            "is_downloadable": True,
            "content_hash": row["hash"],
        }

    @staticmethod
    def deleted(path: str) -> dict[str, Any]:
        """DeletedMetadata; it has no id."""
        name = path.rpartition("/")[2]
        return {".tag": "deleted", "name": name, "path_lower": key_of(path), "path_display": path}

    def entries(self, folder_id: str, *, recursive: bool) -> Iterator[Row]:
        """What a listing of the folder names."""
        return self.disk.below(folder_id) if recursive else iter(self.disk.children(folder_id))


def names_of(path: str) -> list[str]:
    """The names of a path without its first slash; malformed_path for what can be no path."""
    names = path.split("/")
    for name in names:
        if not name or name in {".", ".."} or len(name) > _LONGEST or "\\" in name or name != name.rstrip(" \t\n\r"):
            raise Problem("malformed_path")
        if "\0" in name:
            raise Problem("malformed_path")
        if key_of(name) in _DISALLOWED:
            raise Problem("disallowed_name")
    return names
