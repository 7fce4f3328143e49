"""The clients one may see, a page at a time: what the API lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import String
from sqlmodel import Session, col

from portal import access
from portal.access import Viewer
from portal.clients.models import Client, fold
from portal.documents import cursors


@dataclass(frozen=True)
class Clients:
    """Some clients in the order of their names, and the cursor behind the last one."""

    clients: Sequence[Client]
    after: str | None


def page(session: Session, viewer: Viewer, *, search: str = "", after: str | None = None, limit: int = 50) -> Clients:
    """Clients whose name, number or VAT id contains ``search``; archived ones are left out."""
    statement = access.clients_of(viewer).where(col(Client.archived_at).is_(None))
    if search.strip():
        statement = statement.where(col(Client.sought).contains(fold(search), autoescape=True))
    if after is not None:
        key, last = cursors.decode(after)
        statement = statement.where(
            cursors.behind(col(Client.sort_name), col(Client.id), str(key), last, kind=String(), descending=False)
        )
    found = session.exec(statement.order_by(col(Client.sort_name), col(Client.id)).limit(limit + 1)).all()
    end = found[limit - 1] if len(found) > limit else None
    return Clients(found[:limit], cursors.encode(end.sort_name, end.id) if end else None)
