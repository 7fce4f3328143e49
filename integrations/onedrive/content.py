"""Whether a file at OneDrive holds a document: by the hashes that are told of it, which differ by kind of account."""

from __future__ import annotations

import hashlib
from typing import BinaryIO

from integrations.contract import OutgoingDocument
from integrations.onedrive.client import Item
from integrations.onedrive.hashes import quick_xor_hash


def is_same(item: Item, document: OutgoingDocument, *, untold: bool = False) -> bool:
    """By size and the best hash that is told; ``untold``: the answer when none is and the size is right."""
    if item.is_folder or item.size != document.size:
        return False
    if "sha256" in item.hashes:  # ours is known without reading the file
        return item.hashes["sha256"] == document.sha256
    if "quickxor" in item.hashes:
        return item.hashes["quickxor"] == quick_xor(document)
    if "sha1" in item.hashes:
        with document.open() as stream:
            return item.hashes["sha1"] == _sha1(stream)
    return untold


def quick_xor(document: OutgoingDocument) -> str:
    """Of the document's bytes."""
    with document.open() as stream:
        return quick_xor_hash(stream)


def _sha1(stream: BinaryIO) -> str:
    digest = hashlib.sha1(usedforsecurity=False)
    while piece := stream.read(1 << 20):
        digest.update(piece)
    return digest.hexdigest()
