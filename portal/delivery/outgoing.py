"""A document as its connector sees it: the values of exactly the version that is to go, and a way to its bytes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache, partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import Select

from integrations.contract import DocumentKind, Line, OutgoingDocument, Party
from integrations.money import Money
from portal import clock
from portal.accounts.models import Firm
from portal.banking.models import BankAccount
from portal.clients.models import Client
from portal.delivery.models import Delivery
from portal.documents.files import Files
from portal.documents.models import Document, DocumentVersion


def outgoing(session: Session, files: Files, delivery: Delivery) -> OutgoingDocument:
    """The document of a delivery. A retry sends the version it began with, whatever was corrected since."""
    found = session.exec(_with_client_and_firm(), params={"of_document": delivery.document_id})
    document, client, firm_id, zone = found.one()
    values = _values(session, document, delivery.version)
    account_id = values.get("account_id")
    account = session.get(BankAccount, UUID(str(account_id))) if account_id else None
    return OutgoingDocument(
        id=str(document.id),
        version=delivery.version,
        kind=DocumentKind(values.get("kind") or DocumentKind.OTHER),
        client=client,
        filename=document.filename,
        media_type=document.media_type,
        size=document.size,
        sha256=document.sha256,
        open=partial(files.open, firm_id, document.sha256),
        arrived_on=clock.local_date(document.arrived_at, zone),
        party=_party(values),
        number=values.get("number"),
        issued_on=_date(values.get("issued_on")),
        due_on=_date(values.get("due_on")),
        net=_money(values, "net"),
        tax=_money(values, "tax"),
        gross=_money(values, "gross"),
        account=account.name if account else None,
        lines=tuple(_line(line, values) for line in values.get("lines") or ()),
    )


@cache
def _with_client_and_firm() -> Select[Document, str, UUID, str]:
    """Built once: every delivery asks it."""
    return (
        select(Document, Client.name, Firm.id, Firm.zone)
        .join(Client, col(Client.id) == col(Document.client_id))
        .join(Firm, col(Firm.id) == col(Client.firm_id))
        .where(col(Document.id) == sa.bindparam("of_document"))
    )


def _values(session: Session, document: Document, version: int) -> Mapping[str, Any]:
    present = {name: getattr(document, name) for name in Document.model_fields}
    if version == document.version:
        return present
    kept = select(DocumentVersion).where(DocumentVersion.document_id == document.id, DocumentVersion.version == version)
    found = session.exec(kept).one_or_none()
    return {**present, **found.fields} if found else present


def _party(values: Mapping[str, Any]) -> Party | None:
    name = values.get("party_name")
    return Party(name=name, vat_id=values.get("party_vat_id"), email=values.get("party_email")) if name else None


def _date(value: date | str | None) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _money(values: Mapping[str, Any], name: str) -> Money | None:
    amount, currency = values.get(name), values.get("currency")
    return Money(int(amount), currency) if amount is not None and currency else None


def _line(line: Mapping[str, Any], values: Mapping[str, Any]) -> Line:
    """Stored lines hold exact decimals as text, amounts as whole minor units."""
    return Line(
        description=str(line.get("description") or ""),
        net=Money(int(line["net"]), values.get("currency") or "EUR"),
        quantity=Decimal(str(line.get("quantity") or 1)),
        unit_price=Decimal(str(line["unit_price"])) if line.get("unit_price") else None,
        service_type=line.get("service_type") or None,
        tax_rate=Decimal(str(line["tax_rate"])) if line.get("tax_rate") else None,
    )
