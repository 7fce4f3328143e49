"""Documents as these tests deliver them."""

from __future__ import annotations

from typing import Any

from integrations.conformance.parts import filler, sample
from integrations.contract import DocumentKind, OutgoingDocument, Party
from integrations.dropbox.connector import DropboxExport
from integrations.dropbox.upload import CHUNK

KIND = DocumentKind.INCOMING_INVOICE
PLACE = "Kontor/Meyer/Girokonto/2026-03"


def invoice(content: bytes = b"%PDF-1.7 invoice", **facts: Any) -> OutgoingDocument:
    known: dict[str, Any] = {"party": Party(name="Mühle AG"), "number": "R-1", "client": "Meyer"}
    return sample(KIND, content, **(known | facts))


def large(size: int = CHUNK * 2 + 12_345) -> bytes:
    return filler(size)


def delivered(connector: DropboxExport, document: OutgoingDocument, previous: Any = None) -> Any:
    return connector.deliver(document, connector.reserve(document), previous)
