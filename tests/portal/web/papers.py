"""Documents as pages' tests need them: kept with their bytes, found by their address."""

from __future__ import annotations

from typing import Any

from portal.clients.models import Client
from portal.documents.models import Document
from portal.parts import Parts
from tests import factories


def folder(client: Client, name: str = "incoming-invoices") -> str:
    """The address of a folder's page."""
    return f"/clients/{client.id}/documents/{name}"


def kept(parts: Parts, client: Client, **more: Any) -> Document:
    """A document of the client with its bytes in the store."""
    with parts.db.transaction() as session:
        return factories.document(session, session.get_one(Client, client.id), parts=parts, **more)
