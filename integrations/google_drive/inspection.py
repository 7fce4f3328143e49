"""Reading back: which delivered files are no longer as their receipts say. Few calls for many files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from integrations.contract import Drift, DriftKind, Receipt
from integrations.google_drive.client import Drive, DriveFile, quoted

# A query may be long, but not without end; twenty parents keep it well below 2,000 characters.
_FOLDERS_A_QUERY = 20
_WORTH_LISTING = 3


class Inspection:
    """One pass over receipts; remembers what it has asked."""

    def __init__(self, drive: Drive) -> None:
        self._drive = drive
        self._living: dict[str, bool] = {}
        self._names: dict[str, str] = {}

    def drifts(self, receipts: Sequence[Receipt]) -> Iterator[Drift]:
        """Compare; what is as it should be is not mentioned."""
        seen = self._listed(receipts)
        for receipt in receipts:
            file = seen.get(receipt.remote_id) or self._drive.get(receipt.remote_id)
            kind = self._kind(receipt, file)
            if kind:
                there = file if kind in {DriftKind.CHANGED, DriftKind.MOVED} else None
                yield Drift(remote_id=receipt.remote_id, kind=kind, now=self._now(receipt, there) if there else None)

    def _listed(self, receipts: Sequence[Receipt]) -> Mapping[str, DriveFile]:
        """Files found in their folders: a page of up to 1,000 costs no more than a few single looks."""
        if len(receipts) < _WORTH_LISTING:
            return {}
        folders = sorted({receipt.extras["folder"] for receipt in receipts if "folder" in receipt.extras})
        found: dict[str, DriveFile] = {}
        for start in range(0, len(folders), _FOLDERS_A_QUERY):
            some = " or ".join(f"{quoted(folder)} in parents" for folder in folders[start : start + _FOLDERS_A_QUERY])
            found |= {file.id: file for file in self._drive.find(f"trashed = false and ({some})")}
        return found

    def _kind(self, receipt: Receipt, file: DriveFile | None) -> DriftKind | None:
        folder = receipt.extras.get("folder")
        if file is None or file.trashed:
            return DriftKind.FOLDER_GONE if folder and not self.lives(folder) else DriftKind.GONE
        if receipt.checksum and receipt.checksum not in checksums(file):
            return DriftKind.CHANGED
        if (folder and folder not in file.parents) or file.name != receipt.extras.get("name", file.name):
            return DriftKind.MOVED
        return None

    def _now(self, receipt: Receipt, file: DriveFile) -> Receipt:
        """The receipt of what is there; where it was wanted stays, so that nothing is moved back."""
        folder = file.parents[0] if file.parents else ""
        return replace(
            receipt,
            remote_version=file.revision,
            link=file.link,
            checksum=f"sha256:{file.sha256}" if file.sha256 else f"md5:{file.md5}",
            path="/".join(filter(None, (self._path(receipt, folder), file.name))),
            extras={**receipt.extras, "folder": folder, "name": file.name},
        )

    def _path(self, receipt: Receipt, folder: str) -> str:
        """The folders above it as far as they are known: as they were, or the name of the one it was moved to."""
        if folder == receipt.extras.get("folder"):
            return (receipt.path or "").rpartition("/")[0]
        if folder not in self._names:
            found = self._drive.get(folder) if folder else None
            self._names[folder] = found.name if found else ""
        return self._names[folder]

    def lives(self, folder: str) -> bool:
        """Whether a folder is there and not in the bin."""
        if folder not in self._living:
            found = self._drive.get(folder)
            self._living[folder] = found is not None and not found.trashed
        return self._living[folder]


def checksums(file: DriveFile) -> set[str]:
    """As receipts write them."""
    told = {"sha256": file.sha256, "md5": file.md5}
    return {f"{name}:{value}" for name, value in told.items() if value}
