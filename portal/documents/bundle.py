"""A selection of documents as one ZIP, made while it is sent: nothing is gathered in memory or on disk."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from uuid import UUID

from integrations.naming import free_name
from portal.documents.files import Files
from portal.documents.models import Document
from portal.errors import Invalid
from portal.i18n import N_

MOST = 500
LARGEST = 2_000_000_000  # bytes, so that no ZIP64 is needed on the way
_PIECE = 1 << 18
# What is packed already gets no smaller.
_PACKED = ("application/pdf", "image/", "application/zip", "application/vnd.openxmlformats", "application/vnd.oasis")


class _Outlet(io.RawIOBase):
    """Where zipfile writes to; what was written is taken away piece by piece."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, piece: bytes) -> int:  # type: ignore[override]
        self.written.append(bytes(piece))
        return len(piece)

    def taken(self) -> bytes:
        """What was written since the last time."""
        pieces, self.written = self.written, []
        return b"".join(pieces)


def check(documents: Sequence[Document]) -> None:
    """Invalid when a selection is empty, or too many or too large for one ZIP."""
    if not documents:
        raise Invalid(N_("Choose at least one document."))
    if len(documents) > MOST:
        raise Invalid(N_("A ZIP holds at most %(most)s documents."), most=MOST)
    if sum(document.size for document in documents) > LARGEST:
        raise Invalid(N_("These documents are too large for one ZIP (%(most)s MB)."), most=LARGEST // 1_000_000)


def zipped(files: Files, firm_id: UUID, documents: Sequence[Document]) -> Iterator[bytes]:
    """The ZIP, piece by piece; equal names are numbered. Unavailable breaks it off when bytes are missing."""
    outlet, taken = _Outlet(), set[str]()
    with zipfile.ZipFile(outlet, "w") as made:
        for document in documents:
            name = free_name(document.filename, taken)
            taken.add(name)
            yield from _entry(made, outlet, files, firm_id, document, name)
    yield outlet.taken()


def _entry(
    made: zipfile.ZipFile, outlet: _Outlet, files: Files, firm_id: UUID, document: Document, name: str
) -> Iterator[bytes]:
    entry = zipfile.ZipInfo(name, document.arrived_at.timetuple()[:6])
    entry.compress_type = zipfile.ZIP_STORED if document.media_type.startswith(_PACKED) else zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    with files.open(firm_id, document.sha256) as content, made.open(entry, "w") as inside:
        while piece := content.read(_PIECE):
            inside.write(piece)
            yield outlet.taken()
