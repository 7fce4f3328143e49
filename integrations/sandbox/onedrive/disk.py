"""One drive: files and folders by id, names unique in a folder whatever their case, a recycle bin, a quota."""

from __future__ import annotations

import base64
import functools
import hashlib
import mimetypes
import operator
import secrets
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from integrations.sandbox.clock import Clock, iso
from integrations.sandbox.onedrive.names import check_name, check_path, renamed
from integrations.sandbox.onedrive.problems import Problem, invalid, missing
from integrations.sandbox.state import Store

Row = dict[str, Any]
BEHAVIOURS = ("fail", "replace", "rename")


@dataclass(frozen=True)
class Person:
    """Whose drive it is; ``company``: a work account, whose drive lives in SharePoint."""

    id: str
    name: str
    email: str
    company: bool

    @property
    def key(self) -> str:
        """The person's id at Microsoft: a GUID at a company, 16 hexadecimal digits else."""
        digest = hashlib.sha256(self.id.encode()).hexdigest()
        return str(uuid.UUID(digest[:32])) if self.company else digest[:16]

    @property
    def drive_id(self) -> str:
        """Of the drive."""
        digest = hashlib.sha256(f"drive:{self.id}".encode())
        return f"b!{base64.urlsafe_b64encode(digest.digest()).decode()}" if self.company else self.key.upper()


@dataclass(frozen=True)
class Rules:
    """Switches that a drive obeys."""

    quota: int
    allows_hash_sign: bool  # "#" and "%" in a company's names
    alters_files: bool  # a company's drive adds its own data to what it stores


class Disk:
    """The drive of one person. Writers hold the store's transaction, so that threads take turns."""

    def __init__(self, store: Store, clock: Clock, person: Person, rules: Rules) -> None:
        self.store, self.clock, self.person, self.rules = store, clock, person, rules
        self._rows = store.bucket(f"onedrive:items:{person.id}")
        self.root_id = self._new_id("root")

    def _new_id(self, seed: str = "") -> str:
        digest = hashlib.sha256((seed or secrets.token_hex(16)).encode() + self.person.id.encode()).digest()
        if self.person.company:
            return "01" + base64.b32encode(digest).decode()[:32]
        return f"{self.person.key.upper()}!s{digest.hex()[:32]}"

    # --- reading

    @property
    def root(self) -> Row:
        """The top folder, which is never stored."""
        born = "2024-01-02T03:04:05.000Z"
        return {
            "id": self.root_id, "name": "root", "parent": "", "folder": True, "size": 0, "created": born,
            "modified": born, "etag": 1, "ctag": 1, "deleted": False, "app": "", "mime": "",
        }  # fmt: skip

    def row(self, item_id: str) -> Row:
        """A copy of a living item; Problem when there is none."""
        if item_id in {self.root_id, "root"}:
            return self.root
        found: Row | None = self._rows.get(item_id)
        if found is None or not self.lives(found):
            raise missing()
        return found

    def any_row(self, item_id: str) -> Row | None:
        """Also from the recycle bin."""
        found: Row | None = self._rows.get(item_id)
        return found

    def rows(self) -> Sequence[Row]:
        """All items, oldest first; to be read, never changed."""
        return self._rows.values()

    def lives(self, row: Mapping[str, Any]) -> bool:
        """Not in the recycle bin, nor within a folder that is."""
        live = self.store.rows(self._rows.name)
        here: Mapping[str, Any] | None = row
        while here is not None:
            if here["deleted"]:
                return False
            here = live.get(here["parent"])
        return True

    def children(self, folder_id: str) -> list[Row]:
        """What lies directly in a folder, by name."""
        found = [row for row in self._rows.values() if row["parent"] == folder_id and not row["deleted"]]
        return sorted(found, key=lambda row: row["name"].casefold())

    def child(self, folder_id: str, name: str) -> Row | None:
        """The item of that name, in whatever case."""
        wanted = name.casefold()
        found = next((row for row in self.children(folder_id) if row["name"].casefold() == wanted), None)
        return dict(found) if found else None

    def below(self, folder_id: str) -> Iterator[Row]:
        """Everything living within, at any depth."""
        for row in self.children(folder_id):
            yield row
            yield from self.below(row["id"])

    def path(self, row: Mapping[str, Any]) -> str:
        """Names from the top, ``"/"``-separated; the root's is empty."""
        names: list[str] = []
        here: Mapping[str, Any] | None = row
        while here is not None and here["id"] != self.root_id:
            names.append(here["name"])
            here = self._rows.peek(here["parent"])
        return "/".join(reversed(names))

    def size(self, row: Mapping[str, Any]) -> int:
        """Bytes, of a folder all within."""
        return sum(one["size"] for one in self.below(row["id"])) if row["folder"] else int(row["size"])

    def usage(self) -> tuple[int, int]:
        """Bytes used in all, and by what is in the recycle bin."""
        rows = self._rows.values()
        return sum(row["size"] for row in rows), sum(row["size"] for row in rows if not self.lives(row))

    def content(self, row: Mapping[str, Any]) -> bytes:
        """The bytes of a file."""
        return self.store.files.get(self._key(row["id"])) or b""

    def _key(self, item_id: str) -> str:
        return f"onedrive:{self.person.id}:{item_id}"

    # --- writing

    def place(self, folder: Mapping[str, Any], name: str, behaviour: str, own: str = "") -> tuple[str, Row | None]:
        """The name something gets in a folder, and what it replaces; ``own`` is the item that is to have it."""
        if not folder["folder"]:
            raise invalid("The parent is not a folder.")
        check_name(
            name, company=self.person.company, at_top=folder["id"] == self.root_id, lenient=self.rules.allows_hash_sign
        )
        check_path(f"{self.path(folder)}/{name}")
        taken = self.child(folder["id"], name)
        if taken is None or taken["id"] == own:
            return name, None
        if behaviour == "rename":
            number = 1
            while self.child(folder["id"], renamed(name, number)):
                number += 1
            return renamed(name, number), None
        if behaviour == "fail" or taken["folder"]:
            raise Problem("nameAlreadyExists")
        return name, taken

    def create_folder(self, folder: Mapping[str, Any], name: str, behaviour: str, app: str) -> Row:
        """A new folder."""
        given, _taken = self.place(folder, name, "fail" if behaviour == "replace" else behaviour)
        return self._keep(self._new(folder, given, app, folder=True))

    def store_file(
        self, folder: Mapping[str, Any], name: str, behaviour: str, app: str, content: bytes
    ) -> tuple[Row, bool]:
        """A file of that name, and whether it is new."""
        given, taken = self.place(folder, name, behaviour)
        row = taken or self._new(folder, given, app, folder=False)
        return self.fill(row, content), taken is None

    def _new(self, parent: Mapping[str, Any], name: str, app: str, *, folder: bool) -> Row:
        now = iso(self.clock.now())
        return {
            "id": self._new_id(), "name": name, "parent": parent["id"], "folder": folder, "size": 0, "created": now,
            "modified": now, "etag": 0, "ctag": 0, "deleted": False, "app": app, "mime": "", "times": {},
        }  # fmt: skip

    def fill(self, row: Row, content: bytes) -> Row:
        """Give a file its bytes; hashes, size and both tags follow."""
        if row["folder"]:
            raise Problem("nameAlreadyExists")
        kept = content + b"<!-- SharePoint -->" if self.person.company and self.rules.alters_files else content
        self.check_room(len(kept) - row["size"])
        self.store.files.put(self._key(row["id"]), kept)
        row |= {
            "size": len(kept),
            "mime": mimetypes.guess_type(row["name"])[0] or "application/octet-stream",
            "quickxor": quick_xor(kept),
            "sha1": hashlib.sha1(kept, usedforsecurity=False).hexdigest().upper(),
            "sha256": hashlib.sha256(kept).hexdigest().upper(),
            "ctag": row["ctag"] + 1,
            "modified": iso(self.clock.now()),
        }
        return self._keep(row)

    def check_room(self, more: int) -> None:
        """Refuse ``more`` bytes when they do not fit."""
        if more > 0 and self.usage()[0] + more > self.rules.quota:
            raise Problem("quotaLimitReached")

    def move(self, row: Row, folder: Mapping[str, Any], name: str, behaviour: str) -> Row:
        """Another name or folder."""
        if row["folder"] and (folder["id"] == row["id"] or any(o["id"] == folder["id"] for o in self.below(row["id"]))):
            raise invalid("A folder cannot be moved into itself.")
        given, taken = self.place(folder, name, behaviour, own=row["id"])
        if taken:
            self.delete(taken)
        row |= {"name": given, "parent": folder["id"]}
        return self._keep(row)

    def delete(self, row: Row) -> None:
        """Into the recycle bin, with everything within."""
        if row["id"] == self.root_id:
            raise Problem("accessDenied", "The root folder cannot be deleted.")
        self._keep({**row, "deleted": True})

    def restore(self, row: Row) -> None:
        """Out of the recycle bin, as a person does; under another name when its own is taken by now."""
        parent = self.row(row["parent"])
        name, _taken = self.place(parent, row["name"], "rename")
        self._keep({**row, "deleted": False, "name": name})

    def forget(self, row: Row) -> None:
        """Deleted for good."""
        for one in (*self.below(row["id"]), row):
            self.store.files.delete(self._key(one["id"]))
            self._rows.delete(one["id"])

    def describe(self, row: Row, times: Mapping[str, str]) -> Row:
        """Keep the times that an app tells of the file on its own side."""
        row["times"] = {**row.get("times", {}), **times}
        return self._keep(row)

    def _keep(self, row: Row) -> Row:
        row["etag"] += 1
        self._rows.put(row["id"], row)
        return row


def quick_xor(content: bytes) -> str:
    """QuickXorHash as Microsoft publishes it, column by column (the connector has its own)."""
    ring = 0
    for position in range(min(160, len(content))):
        byte = functools.reduce(operator.xor, content[position::160])
        shift = position * 11 % 160
        ring ^= (byte << shift | byte >> (160 - shift)) & ((1 << 160) - 1)
    digest = bytearray(ring.to_bytes(20, "little"))
    for position, byte in enumerate(len(content).to_bytes(8, "little")):
        digest[12 + position] ^= byte
    return base64.b64encode(digest).decode()
