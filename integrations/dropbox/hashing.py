"""Dropbox's ``content_hash``: SHA-256 over the SHA-256 of each block of 4 MiB.

Reference: www.dropbox.com/developers/reference/content-hash
"""

from __future__ import annotations

import hashlib
from typing import BinaryIO

from integrations.contract import OutgoingDocument

BLOCK = 4 * 1024 * 1024  # bytes


def hash_of(content: bytes) -> str:
    """Of bytes at hand, lower-case hex."""
    view = memoryview(content)  # whose slices are no copies
    blocks = (view[start : start + BLOCK] for start in range(0, len(content), BLOCK))
    return hashlib.sha256(b"".join(hashlib.sha256(block).digest() for block in blocks)).hexdigest()


def hash_of_stream(stream: BinaryIO) -> str:
    """Of all that can be read, a block in memory at a time."""
    whole = hashlib.sha256()
    while block := stream.read(BLOCK):
        whole.update(hashlib.sha256(block).digest())
    return whole.hexdigest()


def hash_of_document(document: OutgoingDocument) -> str:
    """What Dropbox will tell when the document has arrived whole."""
    with document.open() as stream:
        return hash_of_stream(stream)
