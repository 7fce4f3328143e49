"""A client with the storage and the ledger installed, connected at nobody: no provider is called in these tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from integrations.contract import DocumentKind
from portal.access import Viewer
from portal.accounts.models import Firm
from portal.clients.models import Client
from portal.connections.models import Connection
from portal.extensions.models import Installation
from portal.instances import setup
from portal.instances.models import Instance
from portal.parts import Parts
from tests import factories

APP = {"client_id": "kontor-demo", "client_secret": "kontor-demo-secret"}
LEDGER = {"expense_account": "7", "income_account": "1"}


@dataclass
class Desk:
    """The firm's owner with one client; ``begin`` and ``finished`` make instances by the services only."""

    parts: Parts
    owner: Viewer
    client: Client
    installed: dict[str, Installation]
    logins: dict[str, Connection] = field(default_factory=dict)

    def begin(self, kind: str = "google_drive") -> Instance:
        with self.parts.db.transaction() as session:
            return setup.begin(session, self.owner, self.client.id, kind)

    def ready(self, kind: str = "google_drive") -> Instance:
        """A draft with every step done."""
        instance = self.begin(kind)
        with self.parts.db.transaction() as session:
            setup.connect(session, self.owner, instance.id, self.logins[kind].id)
            values = LEDGER if kind == "quickbooks" else {}
            setup.set_settings(session, self.owner, self.parts.vault, instance.id, values)
            takes = [DocumentKind.INCOMING_INVOICE.value]
            return setup.set_documents(session, self.owner, instance.id, takes)

    def finished(self, kind: str = "google_drive") -> Instance:
        instance = self.ready(kind)
        with self.parts.db.transaction() as session:
            return setup.finish(session, self.owner, instance.id)

    def now(self, instance: Instance) -> Instance:
        """The instance as it is stored."""
        with self.parts.db.read() as session:
            return session.get_one(Instance, instance.id)


@pytest.fixture
def desk(parts: Parts, firm: Firm, viewer: Callable[..., Viewer]) -> Desk:
    owner = viewer()
    with parts.db.transaction() as session:
        client = factories.client(session, firm)
        installed = {
            kind: factories.installation(session, firm, kind=kind, parts=parts, **APP)
            for kind in ("google_drive", "quickbooks")
        }
        token: dict[str, object] = {
            "access": "at", "refresh": "rt", "expires_at": None, "refresh_expires_at": None, "scopes": [], "extras": {},
        }  # fmt: skip
        logins = {
            kind: factories.connection(session, client, one, parts=parts, token=token)
            for kind, one in installed.items()
        }
    return Desk(parts, owner, client, installed, logins)
