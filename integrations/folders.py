"""The tree of folders that an instance keeps at a storage: made once, remembered by id, followed when moved.

A remembered id is trusted until somebody finds the folder gone (``ensure(..., gone=id)``): then the tree walks down
again from the root. Ids live in the instance's ``Memory``, so two workers that need the same folder at the same moment
make one; a marker at the provider lets another instance, or one whose memory is lost, find what is there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from integrations.contract import N_, Memory, Place
from integrations.errors import TargetGone, Transient
from integrations.naming import safe_name


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A living folder at the provider."""

    id: str
    link: str | None = None


class Taken(Exception):
    """The reserved id belongs to something already, living or deleted."""


class ParentGone(Transient):
    """The folder that ``name`` was to be made in is deleted."""

    def __init__(self, name: str) -> None:
        super().__init__(N_("The folder “%(folder)s” could not be made. It is tried again."), folder=name)


class FolderStore(Protocol):
    """What a provider must be able to do with folders. ``parent`` None means the top of the storage."""

    def living(self, folder_id: str) -> Folder | None:
        """The folder, wherever it is and whatever it is called by now; None when it is deleted or in the bin."""

    def find(self, marker: str, parent: str | None, name: str) -> Folder | None:
        """The oldest living folder that was made with this marker (or, without markers, of this name in parent)."""

    def reserve(self) -> str:
        """An id for a folder about to be made; a provider that gives its own ids answers anything unique."""

    def make(self, reserved: str, marker: str, parent: str | None, name: str) -> Folder:
        """Make it. Same reserved id, same folder; raises Taken when the id can no longer become a folder.

        A provider that would make a deleted parent again by itself must look first and raise ParentGone.
        """

    def discard(self, folder_id: str) -> None:
        """Remove an empty folder that nobody has used."""


class Tree:
    """The folders of one instance below its root folder ``root``."""

    def __init__(self, store: FolderStore, memory: Memory, root: str) -> None:
        self.store, self.memory, self.root_name = store, memory, root

    def marker(self, path: Sequence[str]) -> str:
        """What a folder carries at the provider so that it can be found again: a short hash of its path."""
        return hashlib.sha256("\n".join((self.root_name, *path)).encode()).hexdigest()[:32]

    def known(self, path: Sequence[str]) -> str | None:
        """The id of a folder made earlier, without asking the provider whether it still lives."""
        return self.memory.get(f"folder:{self.marker(path)}")

    def found(self, path: Sequence[str]) -> str | None:
        """The id of the folder, remembered or looked up by its marker where nothing is remembered; makes nothing."""
        known = self.known(path)
        if known or not path:
            return known
        folder = self.store.find(self.marker(path), None, path[-1])
        return folder.id if folder else None

    def root(self) -> Folder:
        """The living root folder; made when there was none yet or the one we had is gone (set-up does that)."""
        known = self.known(())
        living = self.store.living(known) if known else None
        return living or self._make((), None, gone=known)

    def places(self, paths: Sequence[str]) -> list[Place]:
        """The root and the folders at ``paths`` (``"/"``-separated), living, each with its link; made where missing."""
        root = self.root()
        found = [Place(path="", remote_id=root.id, link=root.link)]
        for path in paths:
            names = tuple(safe_name(name) for name in path.split("/") if name)
            folder = self._living(names)
            found.append(Place(path="/".join(names), remote_id=folder.id, link=folder.link))
        return found

    def _living(self, path: tuple[str, ...]) -> Folder:
        folder_id = self.ensure(path)
        folder = self.store.living(folder_id) or self.store.living(self.ensure(path, gone=folder_id))
        if folder is None:
            raise TargetGone(N_("The folder “%(folder)s” was deleted at the provider."), folder="/".join(path))
        return folder

    def ensure(self, path: Sequence[str], *, gone: str | None = None) -> str:
        """The id of the folder at ``path``, made with all that is missing above it.

        ``gone`` is an id that turned out to be dead: then every level is checked. A root that was deleted raises
        TargetGone: a person did that, and only set-up undoes it.
        """
        known = self.known(path)
        if known and known != gone:
            return known
        try:
            return self._walk(path, check=gone is not None)
        except ParentGone:
            return self._walk(path, check=True)

    def _walk(self, path: Sequence[str], *, check: bool) -> str:
        parent: str | None = None
        for depth in range(len(path) + 1):
            parent = self._level(tuple(path[:depth]), parent, check=check)
        if parent is None:
            raise AssertionError("the root has an id")
        return parent

    def _level(self, path: tuple[str, ...], parent: str | None, *, check: bool) -> str:
        known = self.known(path)
        if known and (not check or self.store.living(known)):
            return known
        if known and not path:
            raise TargetGone(N_("The folder “%(folder)s” was deleted at the provider."), folder=self.root_name)
        return self._make(path, parent, gone=known).id

    def _make(self, path: tuple[str, ...], parent: str | None, gone: str | None) -> Folder:
        marker, name = self.marker(path), path[-1] if path else self.root_name
        folder = self.store.find(marker, parent, name) or self._made(marker, parent, name, gone)
        self.memory.put(f"folder:{marker}", folder.id)
        return folder

    def _made(self, marker: str, parent: str | None, name: str, gone: str | None) -> Folder:
        # Whoever finds the same folder gone claims the same successor; a successor that died too has its own.
        for _attempt in range(10):
            key = f"making:{marker}:{gone or 'first'}"
            reserved = self.memory.get(key) or self.memory.claim(key, self.store.reserve())
            try:
                folder = self.store.make(reserved, marker, parent, name)
            except Taken:
                gone = reserved
                continue
            return self._settled(folder, marker, parent, name)
        raise Transient(N_("The folder “%(folder)s” could not be made. It is tried again."), folder=name)

    def _settled(self, folder: Folder, marker: str, parent: str | None, name: str) -> Folder:
        """Two instances on one login may have made the folder at once: all keep the older one, before any use."""
        oldest = self.store.find(marker, parent, name) or folder
        if oldest.id != folder.id:
            self.store.discard(folder.id)
        return oldest
