"""One person's Dropbox: files and folders by id, names that keep their case but do not tell it apart, deleted entries,
a journal of what changed at which path, a quota.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from integrations.sandbox.clock import Clock
from integrations.sandbox.dropbox.problems import Problem
from integrations.sandbox.oauth import Account
from integrations.sandbox.state import Store

Row = dict[str, Any]
TOP = "top"  # the id of what has no parent
BLOCK = 4 * 1024 * 1024


def content_hash(content: bytes) -> str:
    """SHA-256 over the SHA-256 of blocks of 4 MiB (reference/content-hash)."""
    blocks = [content[start : start + BLOCK] for start in range(0, len(content), BLOCK)]
    return hashlib.sha256(b"".join(hashlib.sha256(block).digest() for block in blocks)).hexdigest()


def key_of(name: str) -> str:
    """Equal for names that Dropbox takes for the same."""
    return name.lower()


class Disk:
    """The Dropbox of one account. Writers hold the store's transaction, so that threads take turns."""

    def __init__(self, store: Store, clock: Clock, account: Account, quota: int) -> None:
        self.store, self.clock, self.account, self.quota = store, clock, account, quota
        self._rows = store.bucket(f"dropbox:entries:{account.id}")
        self._journal = store.bucket(f"dropbox:journal:{account.id}")
        self._numbers = store.bucket(f"dropbox:numbers:{account.id}")

    # --- reading

    def row(self, entry_id: str) -> Row | None:
        """A copy of what is kept of an entry, deleted ones too."""
        found: Row | None = self._rows.get(entry_id)
        return found

    def rows(self) -> list[Row]:
        """All entries, oldest first; to be read, never changed."""
        return list(self._rows.values())

    def children(self, folder_id: str, *, deleted: bool = False) -> list[Row]:
        """What lies directly in a folder."""
        return [row for row in self._rows.values() if row["parent"] == folder_id and (deleted or not row["deleted"])]

    def child(self, folder_id: str, name: str, *, deleted: bool = False) -> Row | None:
        """The entry of that name in whatever case; of several deleted ones the last."""
        key = key_of(name)
        found = [row for row in self.children(folder_id, deleted=deleted) if key_of(row["name"]) == key]
        return dict(found[-1]) if found else None

    def below(self, folder_id: str) -> Iterator[Row]:
        """Every living entry within, at any depth, each folder before what is in it."""
        for child in self.children(folder_id):
            yield child
            if child["folder"]:
                yield from self.below(child["id"])

    def path(self, row: Mapping[str, Any]) -> str:
        """Names from the top, each after a slash."""
        names = [row["name"]]
        here = self._rows.peek(row["parent"])
        while here is not None:
            names.append(here["name"])
            here = self._rows.peek(here["parent"])
        return "/" + "/".join(reversed(names))

    def is_within(self, row: Mapping[str, Any], folder_id: str) -> bool:
        """Whether the folder is somewhere above."""
        here: Mapping[str, Any] | None = row
        while here is not None:
            if here["parent"] == folder_id:
                return True
            here = self._rows.peek(here["parent"])
        return False

    def used(self) -> int:
        """Bytes of what is there."""
        return sum(row["size"] for row in self._rows.values() if not row["deleted"])

    def check_room(self, more: int) -> None:
        """Refuse ``more`` bytes when they do not fit."""
        if more > 0 and self.used() + more > self.quota:
            raise Problem("insufficient_space")

    def content(self, rev: str) -> bytes:
        """The bytes of a revision."""
        return self.store.files.get(self._key(rev)) or b""

    def revision(self, rev: str) -> Row | None:
        """What is kept of a revision: size, hash, times and whose it was."""
        found: Row | None = self.store.bucket(f"dropbox:revisions:{self.account.id}").get(rev)
        return found

    def _key(self, rev: str) -> str:
        return f"dropbox:{self.account.id}:{rev}"

    # --- the journal

    def number(self) -> int:
        """Of the last change."""
        return int(self._numbers.get("change") or 0)

    def changed_since(self, number: int) -> dict[str, tuple[str, str]]:
        """Path in lower case -> path as written and id of what was put there or went, each once, in order."""
        found: dict[str, tuple[str, str]] = {}
        for event in self._journal.values():
            if event["number"] > number:
                found.pop(key_of(event["path"]), None)
                found[key_of(event["path"])] = (event["path"], event["id"])
        return found

    def _note(self, row: Mapping[str, Any], path: str | None = None) -> None:
        number = self._numbers.next_number("change")
        self._journal.put(str(number), {"number": number, "path": path or self.path(row), "id": row["id"]})

    # --- writing

    def make_folder(self, parent: str, name: str) -> Row:
        """A folder; the caller has made sure that nothing is in the way."""
        row = {"id": _new_id(), "name": name, "parent": parent, "folder": True, "deleted": False, "size": 0}
        return self._put(row)

    def make_file(self, parent: str, name: str, content: bytes, client_modified: str | None) -> Row:
        """A file."""
        row: Row = {"id": _new_id(), "name": name, "parent": parent, "folder": False, "deleted": False, "size": 0}
        return self.fill(row, content, client_modified)

    def fill(self, row: Row, content: bytes, client_modified: str | None) -> Row:
        """Give the file a new revision with these bytes."""
        self.check_room(len(content) - (0 if row["deleted"] else row["size"]))
        now = self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        row |= {
            "rev": f"01{self._numbers.next_number('rev'):010x}{secrets.token_hex(4)}",
            "size": len(content),
            "hash": content_hash(content),
            "server_modified": now,
            "client_modified": client_modified or now,
            "deleted": False,
        }
        self.store.files.put(self._key(row["rev"]), content)
        kept = {name: row[name] for name in ("id", "name", "parent", "size", "hash", "client_modified")}
        self.store.bucket(f"dropbox:revisions:{self.account.id}").put(row["rev"], kept)
        return self._put(row)

    def move(self, row: Row, parent: str, name: str) -> Row:
        """Elsewhere, or under another name, with everything within."""
        if parent == row["id"] or (parent != TOP and self.is_within(self._rows.get(parent), row["id"])):
            raise Problem("cant_move_folder_into_itself")
        self._note(row)
        row |= {"parent": parent, "name": name}
        self._put(row)
        for inner in list(self.below(row["id"])):
            self._note(inner)
        return row

    def delete(self, row: Row) -> Row:
        """With everything within; it can be restored."""
        for inner in [*self.below(row["id"]), row]:
            self._rows.put(inner["id"], {**inner, "deleted": True, "gone_with": row["id"]})
        self._note(row)
        return row

    def restore(self, row: Row) -> Row:
        """A person brings back what was deleted, with what went with it; folders above that went too come along."""
        parent = self.row(row["parent"])
        if parent and parent["deleted"]:
            self.restore({**parent, "gone_with": ""})
        for other in self.rows():
            if other["id"] == row["id"] or (row.get("gone_with") and other.get("gone_with") == row["gone_with"]):
                self._put({**other, "deleted": False, "gone_with": ""})
        return row

    def _put(self, row: Row) -> Row:
        self._rows.put(row["id"], row)
        self._note(row)
        return row


def _new_id() -> str:
    return f"id:{secrets.token_urlsafe(16)[:22]}"
