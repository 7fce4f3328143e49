"""A client with one instance of the echo extension, and ways to look at its deliveries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import col, select

from portal.accounts.models import Firm
from portal.clients.models import Client
from portal.clock import Traveller
from portal.delivery import outbox
from portal.delivery.models import Delivery, State
from portal.documents import versions
from portal.documents.models import Document
from portal.instances.models import Instance
from portal.parts import Parts
from tests import echo, factories


@pytest.fixture
def kept() -> echo.Kept:
    """What arrived at echo."""
    return echo.install()


@dataclass
class Desk:
    """One client with one instance."""

    parts: Parts
    firm: Firm
    client: Client
    instance: Instance

    def add(self, **fields: Any) -> Document:
        """A document arrives and is planned, as by the door."""
        with self.parts.db.transaction() as session:
            document = factories.document(session, self.client, parts=self.parts, **fields)
            factories.recorded(session, document)
            outbox.plan_document(session, document)
            return document

    def change(self, document: Document, **fields: Any) -> Document:
        """A person corrects a document: a new version."""
        with self.parts.db.transaction() as session:
            present = session.get_one(Document, document.id)
            versions.change(session, present, fields, None)
            outbox.plan_document(session, present)
            return present

    def set(self, **fields: Any) -> None:
        """Change the instance and plan again."""
        with self.parts.db.transaction() as session:
            present = session.get_one(Instance, self.instance.id)
            for name, value in fields.items():
                setattr(present, name, value)
            outbox.plan_instance(session, present)

    def row(self, document: Document) -> Delivery:
        """The current delivery of a document."""
        with self.parts.db.read() as session:
            statement = select(Delivery).where(Delivery.document_id == document.id, col(Delivery.current))
            return session.exec(statement).one()

    def state(self, document: Document) -> State:
        """Where a document stands."""
        return self.row(document).state

    def rows(self) -> list[Delivery]:
        """All rows, oldest first."""
        with self.parts.db.read() as session:
            return list(session.exec(select(Delivery).order_by(col(Delivery.id))).all())


def make_desk(parts: Parts, firm: Firm, kind: str = echo.KIND, **fields: Any) -> Desk:
    """A client of the firm with one active instance of a kind."""
    with parts.db.transaction() as session:
        client = factories.client(session, firm)
        installed = factories.installation(session, firm, kind=kind, parts=parts)
        instance = factories.instance(session, client, installed, **fields)
        factories.recorded(session, instance)
    return Desk(parts, firm, client, instance)


@pytest.fixture
def desk(clock: Traveller, parts: Parts, firm: Firm, kept: echo.Kept) -> Desk:
    """A desk whose instance is active since the moment at which the clock stands."""
    return make_desk(parts, firm)


def ids(rows: list[Delivery]) -> list[UUID]:
    """Which documents, in order."""
    return [row.document_id for row in rows]
