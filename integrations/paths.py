"""Documents in a storage that knows things by their path only (WebDAV, S3): each once, none over another.

How a repeat is made harmless: a file is created only where nothing lies (``Shelf.create``). What lies there already is
compared: the same content is this document, brought by an attempt whose answer was lost, or an equal file, which is
adopted; anything else keeps its place, and the document gets a numbered name. Of two documents with equal bytes and one
name each has a file of its own, which the memory tells apart. Nothing is followed: a thing moved away by hand is gone.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Protocol

from integrations.contract import N_, Drift, DriftKind, Memory, OutgoingDocument, Plan, Receipt, Step
from integrations.errors import TargetGone, Transient
from integrations.layout import Layout
from integrations.naming import Placement, clash_key, free_name, numbered

_ATTEMPTS = 5  # numbered names tried in a row while others create files in the same folder


@dataclass(frozen=True, kw_only=True)
class Stored:
    """One file at the provider; ``path`` from the top, ``version`` changes with its content (an ETag)."""

    path: str
    size: int
    version: str
    sha256: str | None = None  # lower-case hex, where the provider tells it without more calls
    link: str | None = None


class Shelf(Protocol):
    """What a storage must be able to do. Paths are ``"/"``-separated from the top, never with one at an end."""

    def look(self, path: str) -> Stored | None:
        """The file, or None."""

    def listed(self, folder: str) -> Mapping[str, Stored] | None:
        """The files right in a folder by name; None when there is no such folder (where folders are things)."""

    def stamp(self, folder: str) -> str:
        """Which of the folders that lay at this path one after the other it is; empty where that is not known."""

    def digest(self, stored: Stored) -> str:
        """The SHA-256 of its content (lower-case hex), as the provider tells it or from the bytes."""

    def create(self, path: str, document: OutgoingDocument) -> Stored | None:
        """Put it there with all folders above; None, and nothing done, when something lies there."""

    def replace(self, stored: Stored, document: OutgoingDocument) -> Stored | None:
        """Put it in place of ``stored``; None, and nothing done, when that is no longer as it was."""

    def move(self, stored: Stored, path: str, document: OutgoingDocument) -> Stored | None:
        """Put it elsewhere, with all folders above; None, and nothing done, when something lies there."""

    def remove(self, stored: Stored) -> None:
        """Delete it; harmless when it is gone."""


class Filing:
    """Delivers to a shelf, for one instance."""

    def __init__(self, shelf: Shelf, layout: Layout, memory: Memory) -> None:
        self.shelf, self.layout, self._memory = shelf, layout, memory

    def plan(self, document: OutgoingDocument, previous: Receipt | None) -> Plan:
        """What ``deliver`` would do, by reading only."""
        placement = self.layout.place(document)
        stored = self.shelf.look(previous.remote_id) if previous else None
        if previous and stored:
            same = self._is_placed(previous, placement) and self._is_of(stored, document, previous)
            return Plan(step=Step.NOTHING if same else Step.UPDATE, thing="file")
        folder = self._folder(placement)
        files = self.shelf.listed(folder)
        if files is None:
            return Plan(step=Step.CREATE, thing="file", also=(("folder", "/".join(placement.folders)),))
        owners = [self._memory.get(_owner_key(one.path, document)) for one in self._equal(files, placement, document)]
        adopted = any(owner in {None, document.id} for owner in owners)
        return Plan(step=Step.LINK if adopted else Step.CREATE, thing="file")

    def deliver(self, document: OutgoingDocument, previous: Receipt | None) -> Receipt:
        """Create it, or bring up to date what ``previous`` tells of; a file that a person deleted comes back."""
        placement = self.layout.place(document)
        stored = self.shelf.look(previous.remote_id) if previous else None
        if previous is None or stored is None:
            if previous is not None:
                self._refuse_if_folder_is_gone(previous)
            return self._receipt(self._created(document, placement), document, placement)
        if not self._is_of(stored, document, previous):
            stored = self._replaced(stored, document)
        if not self._is_placed(previous, placement):
            stored = self._moved(stored, document, placement)
        return self._receipt(stored, document, placement)

    def inspect(self, receipts: Sequence[Receipt]) -> Iterator[Drift]:
        """Folder by folder, one listing each; what is as it should be is not mentioned."""
        for folder, here in groupby(sorted(receipts, key=lambda one: _split(one.remote_id)), key=_folder_of):
            files = self.shelf.listed(folder)
            for receipt in here:
                drift = self._drift(receipt, files)
                if drift:
                    yield drift

    def _drift(self, receipt: Receipt, files: Mapping[str, Stored] | None) -> Drift | None:
        stored = _called(files, _split(receipt.remote_id)[1]) if files else None
        if stored is None:
            folder_gone = files is None or self._lay_in_another(receipt)
            return Drift(remote_id=receipt.remote_id, kind=DriftKind.FOLDER_GONE if folder_gone else DriftKind.GONE)
        if stored.version == receipt.remote_version:
            return None
        # Another version need not be another content: a restored backup, a server that was moved.
        checksum = self._checksum(stored)
        if checksum == receipt.checksum:
            return None
        now = replace(receipt, remote_version=stored.version, link=stored.link, checksum=checksum)
        return Drift(remote_id=receipt.remote_id, kind=DriftKind.CHANGED, now=now)

    def _checksum(self, stored: Stored) -> str:
        return f"sha256:{stored.sha256 or self.shelf.digest(stored)}"

    def _is_of(self, stored: Stored, document: OutgoingDocument, previous: Receipt | None = None) -> bool:
        """Whether its content is the document's; by what is known, before anything is asked."""
        checksum = f"sha256:{document.sha256}"
        if previous and previous.remote_version == stored.version:
            return previous.checksum == checksum
        return stored.size == document.size and self._checksum(stored) == checksum

    # --- creating

    def _folder(self, placement: Placement) -> str:
        return "/".join((self.layout.top, *placement.folders))

    def _created(self, document: OutgoingDocument, placement: Placement) -> Stored:
        """The new file; or the one that is there, when it is this document's."""
        path = f"{self._folder(placement)}/{placement.name}"
        if self._is_mine(path, document):
            made = self.shelf.create(path, document)
            if made:
                return made
            there = self.shelf.look(path)
            if there and self._is_of(there, document):
                return there
        return self._beside(document, placement)

    def _beside(self, document: OutgoingDocument, placement: Placement) -> Stored:
        """Another document keeps the name: the numbered one that holds this document, or the first free one."""
        folder, taken = self._folder(placement), {placement.name}
        for _attempt in range(_ATTEMPTS):
            files = self.shelf.listed(folder) or {}
            twin = self._twin(files, placement, document)
            if twin:
                return twin
            # taken by name, though it may be gone from the list by now, or not be there yet
            name = free_name(placement.name, {*files, *taken})
            taken.add(name)
            path = f"{folder}/{name}"
            made = self.shelf.create(path, document) if self._is_mine(path, document) else None
            if made:
                return made
        raise changed_meanwhile()

    def _twin(self, files: Mapping[str, Stored], placement: Placement, document: OutgoingDocument) -> Stored | None:
        return next((one for one in self._equal(files, placement, document) if self._is_mine(one.path, document)), None)

    def _equal(self, files: Mapping[str, Stored], placement: Placement, document: OutgoingDocument) -> Iterator[Stored]:
        """The files of that name, numbered or not, with the document's content."""
        return (files[form] for form in _forms(placement.name, files) if self._is_of(files[form], document))

    def _is_mine(self, path: str, document: OutgoingDocument) -> bool:
        """Whether a file with this content at this path is this document's: whoever asks first has it."""
        return self._memory.claim(_owner_key(path, document), document.id) == document.id

    def _give_up(self, path: str, document: OutgoingDocument) -> None:
        """The file is no longer there: an equal document may have its place."""
        if self._memory.get(_owner_key(path, document)) == document.id:
            self._memory.forget(_owner_key(path, document))

    # --- changing

    def _replaced(self, stored: Stored, document: OutgoingDocument) -> Stored:
        replaced = self.shelf.replace(stored, document)
        if replaced is None:
            raise changed_meanwhile()
        return replaced

    def _moved(self, stored: Stored, document: OutgoingDocument, placement: Placement) -> Stored:
        """To the new place; when an earlier try (or an equal file) is there, that one counts and the old one goes."""
        folder = self._folder(placement)
        if stored.path == f"{folder}/{placement.name}":
            return stored
        name, taken = placement.name, {placement.name}
        for _attempt in range(_ATTEMPTS):
            path = f"{folder}/{name}"
            moved = self.shelf.move(stored, path, document) if self._is_mine(path, document) else None
            files = {} if moved else self.shelf.listed(folder) or {}
            found = moved or self._twin(files, placement, document)
            if found:
                if found.path != stored.path:
                    self._leave(stored, document, moved=moved is not None)
                return found
            taken.add(name)
            name = free_name(placement.name, {*files, *taken})
        raise changed_meanwhile()

    def _leave(self, stored: Stored, document: OutgoingDocument, *, moved: bool) -> None:
        """The document has another file now: nothing of it stays at the old place."""
        if not moved:
            self.shelf.remove(stored)
        self._give_up(stored.path, document)

    def _refuse_if_folder_is_gone(self, previous: Receipt) -> None:
        """E4: a deleted file comes back, a deleted folder stays deleted with what was in it."""
        if self._lay_in_another(previous) or self.shelf.listed(_folder_of(previous)) is None:
            raise TargetGone(
                N_("The folder of “%(file)s” was deleted at the provider."), file=previous.path or previous.remote_id
            )

    def _lay_in_another(self, receipt: Receipt) -> bool:
        """Whether its folder was deleted and made again since, for a document that came later."""
        stamp = receipt.extras.get("folder")
        return stamp is not None and stamp != self.shelf.stamp(_folder_of(receipt))

    @staticmethod
    def _is_placed(previous: Receipt, placement: Placement) -> bool:
        return previous.extras.get("wanted") == placement.path

    def _receipt(self, stored: Stored, document: OutgoingDocument, placement: Placement) -> Receipt:
        stamp = self.shelf.stamp(_split(stored.path)[0])
        return Receipt(
            remote_id=stored.path,
            remote_version=stored.version,
            link=stored.link,
            checksum=f"sha256:{document.sha256}",
            path=stored.path.removeprefix(f"{self.layout.top}/"),
            extras={"wanted": placement.path, **({"folder": stamp} if stamp else {})},
        )


def changed_meanwhile() -> Transient:
    """Somebody else works at the same place."""
    return Transient(N_("Somebody is just changing the same file. It is tried again."))


def _owner_key(path: str, document: OutgoingDocument) -> str:
    """What the memory calls a file with this document's content at a path; its value is the document's id."""
    return f"file:{hashlib.sha256(f'{path} {document.sha256}'.encode()).hexdigest()[:32]}"


def _called(files: Mapping[str, Stored], name: str) -> Stored | None:
    """The file of that name; some servers tell an accent apart from its letter (Unicode NFD), however it was sent."""
    if name in files:
        return files[name]
    composed = {unicodedata.normalize("NFC", other): stored for other, stored in files.items()}
    return composed.get(unicodedata.normalize("NFC", name))


def _forms(name: str, files: Mapping[str, Stored]) -> list[str]:
    """The names in ``files`` that are ``name`` or a numbered form of it, without a gap."""
    by_key = {clash_key(one): one for one in files}
    found = [by_key[key] for key in [clash_key(name)] if key in by_key]
    number = 2
    while (key := clash_key(numbered(name, number))) in by_key:
        found.append(by_key[key])
        number += 1
    return found


def _split(path: str) -> tuple[str, str]:
    folder, _, name = path.rpartition("/")
    return folder, name


def _folder_of(receipt: Receipt) -> str:
    return _split(receipt.remote_id)[0]
