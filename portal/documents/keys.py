"""What lists are sorted by and twins are found by: plain values that follow from a document's fields."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING

from integrations.contract import DocumentKind

if TYPE_CHECKING:
    from portal.documents.models import Document


def party_key(name: str | None) -> str:
    """A counterparty's name without regard to case, width and blanks: ``" MÜLLER  GmbH"`` → ``"müller gmbh"``."""
    return " ".join(unicodedata.normalize("NFKC", name or "").casefold().split())


def number_key(number: str | None) -> str:
    """A document's number, letters and digits only: ``"RE-2026 / 0017"`` → ``"re20260017"``."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", number or "").casefold()))


def keys(document: Document) -> Mapping[str, object]:
    """The derived columns of a document; whoever inserts rows past the ORM sets them by this."""
    return {
        "folder": document.kind or DocumentKind.OTHER,
        "dated_on": document.issued_on or document.arrived_at.date(),
        "party_key": party_key(document.party_name),
        "number_key": number_key(document.number),
        "gross_key": document.gross or 0,
    }
