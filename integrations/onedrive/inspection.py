"""Reading back: which delivered files are no longer as their receipts say. Few calls for many files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from urllib.parse import unquote

from integrations.contract import Drift, DriftKind, Receipt
from integrations.onedrive.client import Graph, Item, children_of, found_by

_WORTH_LISTING = 2  # files of one folder from which on the folder is listed instead


class Inspection:
    """One pass over receipts. A batch holds twenty looks; a listed folder tells of up to 999 files in one of them."""

    def __init__(self, graph: Graph, root: str) -> None:
        self._graph, self._root = graph, root

    def drifts(self, receipts: Sequence[Receipt]) -> Iterator[Drift]:
        """Compare; what is as it should be is not mentioned."""
        seen = self._listed(receipts)
        missing = [receipt.remote_id for receipt in receipts if receipt.remote_id not in seen]
        seen |= {found.id: found for found in self._looked(missing)}
        gone = [receipt for receipt in receipts if receipt.remote_id not in seen]
        living = {found.id for found in self._looked(sorted({_folder(receipt) for receipt in gone} - {""}))}
        for receipt in receipts:
            drift = self._drift(receipt, seen.get(receipt.remote_id), living)
            if drift:
                yield drift

    def _listed(self, receipts: Sequence[Receipt]) -> dict[str, Item]:
        count = Counter(map(_folder, receipts))
        folders = sorted(folder for folder, files in count.items() if folder and files >= _WORTH_LISTING)
        found: dict[str, Item] = {}
        for body in self._graph.batch([children_of(folder) for folder in folders]):
            found |= {item.id: item for item in self._graph.pages(body or {})}
        return found

    def _looked(self, ids: Sequence[str]) -> Iterator[Item]:
        for body in self._graph.batch([found_by(one) for one in ids]):
            if body is not None:
                yield Item.read(body)

    def _drift(self, receipt: Receipt, item: Item | None, living: set[str]) -> Drift | None:
        folder = _folder(receipt)
        if item is None:
            gone = DriftKind.FOLDER_GONE if folder and folder not in living else DriftKind.GONE
            return Drift(remote_id=receipt.remote_id, kind=gone)
        if _changed(receipt, item):
            return Drift(remote_id=item.id, kind=DriftKind.CHANGED, now=self._now(receipt, item))
        if item.parent != folder or item.name != receipt.extras.get("name", item.name):
            return Drift(remote_id=item.id, kind=DriftKind.MOVED, now=self._now(receipt, item))
        return None

    def _now(self, receipt: Receipt, item: Item) -> Receipt:
        return replace(
            receipt,
            remote_version=item.version,
            link=item.link,
            checksum=item.checksum or receipt.checksum,
            path=self._path(receipt, item),
            extras={**receipt.extras, "folder": item.parent, "name": item.name},
        )

    def _path(self, receipt: Receipt, item: Item) -> str:
        """Below the root where it lies there; from the top of the drive when somebody took it out."""
        if item.parent == _folder(receipt):
            return "/".join([*(receipt.path or "").split("/")[:-1], item.name])
        above = [unquote(name) for name in item.parent_path.partition("root:")[2].split("/") if name]
        return "/".join([*(above[1:] if above[:1] == [self._root] else above), item.name])


def _folder(receipt: Receipt) -> str:
    return receipt.extras.get("folder", "")


def _changed(receipt: Receipt, item: Item) -> bool:
    """By the hash of the receipt; which ones Microsoft tells has changed before, then the version decides."""
    name, _, value = (receipt.checksum or "").partition(":")
    if name in item.hashes:
        return item.hashes[name] != value
    return receipt.remote_version != item.version
