"""A firm with an archive of a given size, written in bulk; half of it is one client's."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, SQLModel

from benchmarks.place import Place
from integrations.contract import Operation
from portal import clock
from portal.accounts.models import Role
from portal.clients.models import Client
from portal.db import refresh_statistics
from portal.delivery.models import Delivery, Receipt, State
from portal.documents import keys
from portal.documents.models import Document
from tests import factories

CLIENTS = 200
_AT_ONCE = 2_000
_PARTIES = ("Mühlenwerke Nord AG", "Stadtwerke Aue", "Papier & Mehr e.K.", "Nordlicht Energie SE", "Töpferei Ton")


@dataclass(frozen=True)
class Archive:
    """Who may look at it, and whose documents are half of it."""

    person_id: UUID
    client_id: UUID


def fill(at: Place, documents: int) -> Archive:
    """Write ``documents`` incoming invoices, each delivered by one integration."""
    with at.parts.db.transaction() as session:
        firm = factories.firm(session)
        owner = factories.member(session, firm, role=Role.OWNER)
        clients = [factories.client(session, firm, name=f"Mandant {number:03}") for number in range(CLIENTS)]
        installed = factories.installation(session, firm, parts=at.parts)
        instances = {client.id: factories.instance(session, client, installed) for client in clients}
        sample = factories.document(session, clients[0])
    for numbers in _pages(range(documents), _AT_ONCE):
        made = [_document(sample, clients[0 if number % 2 else number // 2 % CLIENTS], number) for number in numbers]
        sent = [_delivery(one, instances[one.client_id].id) for one in made]
        with at.parts.db.transaction() as session:
            for rows in (made, sent, [_receipt(one) for one in sent]):
                _insert(session, rows)
    settle(at)
    return Archive(owner.person_id, clients[0].id)


def settle(at: Place) -> None:
    """What happens by itself within the hour: the planner learns how large the tables are, old rows are cleared."""
    refresh_statistics(at.parts.db)
    if not at.parts.db.is_sqlite:
        with at.parts.db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("VACUUM ANALYZE"))


def _document(sample: Document, client: Client, number: int) -> Document:
    arrived = clock.now() - timedelta(minutes=number)
    made = Document(
        client_id=client.id,
        file_id=sample.file_id,
        sha256=hashlib.sha256(str(number).encode()).hexdigest(),
        filename=f"rechnung-{number}.pdf",
        media_type=sample.media_type,
        size=sample.size,
        source=sample.source,
        kind=sample.kind,
        reading=sample.reading,
        arrived_at=arrived,
        party_name=_PARTIES[number % len(_PARTIES)],
        number=f"RE-{number:06}",
        issued_on=arrived.date(),
        due_on=arrived.date() + timedelta(days=14),
        currency="EUR",
        net=number % 90_000 + 100,
        tax=0,
        gross=number % 90_000 + 100,
    )
    for name, value in keys.keys(made).items():
        setattr(made, name, value)
    return made


def _delivery(document: Document, instance_id: UUID) -> Delivery:
    return Delivery(
        document_id=document.id,
        instance_id=instance_id,
        client_id=document.client_id,
        operation=Operation.COPY,
        state=State.DELIVERED,
        attempts=1,
    )


def _receipt(delivery: Delivery) -> Receipt:
    return Receipt(
        delivery_id=delivery.id,
        document_id=delivery.document_id,
        instance_id=delivery.instance_id,
        version=1,
        sha256="0" * 64,
        remote_id=str(delivery.id),
        link=f"https://drive.example/{delivery.id}",
    )


def _insert(session: Session, rows: list[Any]) -> None:
    table = type(rows[0])
    session.execute(sa.insert(table), [_values(row) for row in rows])


def _values(row: SQLModel) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in sa.inspect(type(row)).column_attrs}


def _pages(numbers: Iterable[int], size: int) -> Iterator[list[int]]:
    page: list[int] = []
    for number in numbers:
        page.append(number)
        if len(page) == size:
            yield page
            page = []
    if page:
        yield page
