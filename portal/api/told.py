"""Rows as the shapes that tell of them. Stored sentences become the reader's language here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel
from sqlmodel import Session, SQLModel

from portal.api.logins import ConnectionOut, NoticeOut
from portal.api.shapes import DocumentOut, LineOut, RefusalOut, StatusOut
from portal.api.work import AttemptOut, DeliveryOut, DeliveryWhole, ReceiptOut
from portal.connections.models import Connection
from portal.delivery import services as deliveries
from portal.delivery.models import Attempt
from portal.documents.models import Document, Refusal
from portal.i18n import say
from portal.notices import services as notices
from portal.overview.deliveries import Line, Whole

Shape = TypeVar("Shape", bound=BaseModel)


def filled(shape: type[Shape], row: SQLModel | object, **more: Any) -> Shape:
    """The shape from the row's fields of the same names; ``more`` are those that the row has not, or differently."""
    names = [name for name in shape.model_fields if name not in more]
    return shape.model_validate({**{name: getattr(row, name) for name in names}, **more})


def documents(session: Session, rows: Sequence[Document]) -> list[DocumentOut]:
    """Documents with how they stand at each integration."""
    known = deliveries.statuses(session, [row.id for row in rows])
    return [_document(row, known) for row in rows]


def document(session: Session, row: Document) -> DocumentOut:
    """One document."""
    return documents(session, [row])[0]


def _document(row: Document, known: Mapping[UUID, Sequence[deliveries.Status]]) -> DocumentOut:
    return filled(
        DocumentOut,
        row,
        lines=[_line(line) for line in row.lines],
        statuses=[
            filled(StatusOut, one, text=say(one.text, one.facts), drift_id=one.drift.id if one.drift else None)
            for one in known.get(row.id, [])
        ],
    )


def _line(line: Mapping[str, str]) -> LineOut:
    more = {name: line.get(name) for name in ("unit_price", "service_type", "tax_rate")}
    return LineOut.model_validate(
        {"description": line["description"], "net": line["net"], "quantity": line.get("quantity", "1"), **more}
    )


def refusal(row: Refusal) -> RefusalOut:
    """One refusal."""
    return filled(RefusalOut, row, text=say(row.text, row.facts))


def connections(session: Session, rows: Sequence[Connection]) -> list[ConnectionOut]:
    """Logins; never their tokens."""
    known = notices.told(session, rows)
    return [
        filled(
            ConnectionOut,
            row,
            text=say(row.text, row.facts),
            told=[filled(NoticeOut, one, text=say(one.text, one.facts)) for one in known.get(row.id, ())],
        )
        for row in rows
    ]


def connection(session: Session, row: Connection) -> ConnectionOut:
    """One login."""
    return connections(session, [row])[0]


def delivery(line: Line) -> DeliveryOut:
    """One delivery of a list."""
    row = line.delivery
    return filled(DeliveryOut, row, text=say(row.text, row.facts), link=line.link)


def whole(found: Whole) -> DeliveryWhole:
    """One delivery with its tries and its receipt."""
    row, receipt = found.line.delivery, found.receipt
    return filled(
        DeliveryWhole,
        row,
        text=say(row.text, row.facts),
        link=found.line.link,
        tries=[_attempt(one) for one in found.attempts],
        receipt=filled(ReceiptOut, receipt) if receipt else None,
    )


def _attempt(row: Attempt) -> AttemptOut:
    return filled(AttemptOut, row, text=say(row.text, row.facts))
