"""Documents as these tests deliver them."""

from __future__ import annotations

from typing import Any

from integrations.conformance.parts import sample
from integrations.contract import DocumentKind, OutgoingDocument, Party
from integrations.google_drive.connector import GoogleDrive
from integrations.google_drive.upload import CHUNK

KIND = DocumentKind.INCOMING_INVOICE


def invoice(content: bytes = b"%PDF-1.7 invoice", **facts: Any) -> OutgoingDocument:
    known: dict[str, Any] = {"party": Party(name="Mühle AG"), "number": "R-1", "client": "Meyer"}
    return sample(KIND, content, **(known | facts))


def large(size: int = CHUNK * 2 + 12_345) -> bytes:
    return bytes(251) * (size // 251) + b"\1" * (size % 251)


def delivered(connector: GoogleDrive, document: OutgoingDocument, previous: Any = None) -> Any:
    return connector.deliver(document, connector.reserve(document), previous)
