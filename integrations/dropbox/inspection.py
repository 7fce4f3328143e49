"""Reading back: which delivered files are no longer as their receipts say. Few calls for many files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from integrations.contract import Drift, DriftKind, Receipt
from integrations.dropbox.client import Dropbox, Entry
from integrations.dropbox.failures import Malformed, Missing
from integrations.naming import clash_key

_WORTH_LISTING = 3  # receipts; fewer are asked for one by one
_ONE_BY_ONE = 3  # folders; more are read with the whole tree, up to 2,000 entries a call


def checksum_of(entry: Entry) -> str:
    """As receipts write it."""
    return f"content_hash:{entry.hash}"


class Inspection:
    """One pass over receipts; remembers what it has asked. ``root`` is the instance's root folder, if it is known."""

    def __init__(self, dropbox: Dropbox, root: str | None, link: Callable[[Entry], str]) -> None:
        self._dropbox, self._root, self._link = dropbox, root, link
        self._folders: dict[str, Entry | None] = {}  # by id
        self._paths: dict[str, str] = {}  # key of a folder's path -> its id

    def drifts(self, receipts: Sequence[Receipt]) -> Iterator[Drift]:
        """Compare; what is as it should be is not mentioned."""
        seen = self._listed(receipts)
        for receipt in receipts:
            file = seen.get(receipt.remote_id) or self._dropbox.metadata(receipt.remote_id)
            drift = self._drift(receipt, file)
            if drift:
                yield drift

    def _listed(self, receipts: Sequence[Receipt]) -> Mapping[str, Entry]:
        if len(receipts) < _WORTH_LISTING:
            return {}
        folders = sorted({receipt.extras["folder"] for receipt in receipts if receipt.extras.get("folder")})
        if self._root is None or len(folders) <= _ONE_BY_ONE:
            listings = [self._entries(folder) for folder in folders]
        else:
            listings = [self._entries(self._root, recursive=True)]
        found = [entry for listing in listings for entry in listing]
        for entry in found:
            self._note(entry)
        return {entry.id: entry for entry in found if not entry.folder}

    def _entries(self, folder: str, *, recursive: bool = False) -> list[Entry]:
        try:
            entries = list(self._dropbox.listing(folder, recursive=recursive))
        except (Missing, Malformed):
            return []
        if entries and not recursive:  # all of them lie in it, so its path need not be asked for
            self._paths[clash_key(entries[0].parent)] = folder
        return entries

    def _note(self, entry: Entry) -> None:
        if entry.folder:
            self._folders[entry.id] = entry
            self._paths[clash_key(entry.path)] = entry.id

    def _drift(self, receipt: Receipt, file: Entry | None) -> Drift | None:
        if file is None:
            folder = receipt.extras.get("folder")
            gone = DriftKind.FOLDER_GONE if folder and self._folder(folder) is None else DriftKind.GONE
            return Drift(remote_id=receipt.remote_id, kind=gone)
        folder = self.folder_of(file)
        moved = folder != receipt.extras.get("folder", folder) or file.name != receipt.extras.get("name", file.name)
        changed = bool(receipt.checksum) and receipt.checksum != checksum_of(file)
        if not changed and not moved:
            return None
        kind = DriftKind.CHANGED if changed else DriftKind.MOVED
        return Drift(remote_id=file.id, kind=kind, now=self._now(receipt, file, folder, moved=moved))

    def _now(self, receipt: Receipt, file: Entry, folder: str, *, moved: bool) -> Receipt:
        return replace(
            receipt,
            remote_version=file.revision,
            checksum=checksum_of(file),
            link=self._link(file),
            path=self._below_root(file) if moved else receipt.path,
            extras={**receipt.extras, "folder": folder, "name": file.name},
        )

    def _below_root(self, file: Entry) -> str:
        root = self._folder(self._root) if self._root else None
        # Dropbox does not promise the same case of a folder's name in every path
        if root and clash_key(file.path).startswith(clash_key(f"{root.path}/")):
            return file.path[len(root.path) + 1 :]
        return file.path.lstrip("/")

    def folder_of(self, file: Entry) -> str:
        """The id of the folder it lies in; empty at the top, which has none."""
        if not file.parent:
            return ""
        key = clash_key(file.parent)
        if key not in self._paths:
            found = self._dropbox.metadata(file.parent)
            if found is None:
                return ""
            self._note(found)
            self._paths[key] = found.id
        return self._paths[key]

    def _folder(self, folder: str) -> Entry | None:
        if folder not in self._folders:
            self._folders[folder] = self._dropbox.metadata(folder)
        return self._folders[folder]
