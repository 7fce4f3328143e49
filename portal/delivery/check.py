"""Read-back: asks the providers whether what was delivered is still there as its receipts say (P7, ``--remote``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from uuid import UUID

from sqlmodel import Session, col, select

from integrations.contract import DriftKind
from integrations.errors import ConnectorError
from portal.clients.models import Client
from portal.delivery.models import Delivery, Receipt, State
from portal.delivery.problem import Problem
from portal.delivery.receipts import from_stored
from portal.delivery.rule import is_exporting
from portal.i18n import N_
from portal.instances import connectors
from portal.instances.models import Instance, InstanceState
from portal.parts import Parts

PAGE = 200  # receipts asked for in one go
UNREACHABLE = N_("The provider could not be asked: %(why)s")
# A thing that a person moved or renamed is followed by its id and holds.
DRIFTS: Mapping[DriftKind, str] = {
    DriftKind.GONE: N_("What was delivered is no longer at the provider."),
    DriftKind.FOLDER_GONE: N_("The folder of what was delivered is no longer at the provider."),
    DriftKind.CHANGED: N_("What was delivered was changed at the provider."),
}


def verify_remote(parts: Parts, firm_id: UUID) -> Iterator[Problem]:
    """Everything that a provider holds otherwise than the receipts say, over all active instances. Reads only."""
    with parts.db.read() as session:
        statement = (
            select(Instance)
            .join(Client, col(Client.id) == col(Instance.client_id))
            .where(Client.firm_id == firm_id, Instance.state == InstanceState.ACTIVE)
            .order_by(col(Instance.id))
        )
        found = [instance for instance in session.exec(statement) if is_exporting(instance.kind)]
    for instance in found:
        yield from _instance(parts, instance)


def _instance(parts: Parts, instance: Instance) -> Iterator[Problem]:
    after: UUID | None = None
    try:
        with connectors.exporter(parts, instance.id) as exporter:
            while found := receipts(parts, instance.id, after):
                after = found[-1].document_id
                documents = {receipt.remote_id: receipt.document_id for receipt in found}
                for drift in exporter.inspect([from_stored(receipt) for receipt in found]):
                    if drift.kind in DRIFTS:
                        document_id = documents.get(drift.remote_id)
                        yield Problem(instance.client_id, instance.id, document_id, DRIFTS[drift.kind], {})
    except ConnectorError as error:
        yield Problem(instance.client_id, instance.id, None, UNREACHABLE, {"why": str(error)})


def receipts(parts: Parts, instance_id: UUID, after: UUID | None, page: int = PAGE) -> list[Receipt]:
    """The receipts of what counts as delivered now, a page in the order of documents."""
    with parts.db.read() as session:
        return _page(session, instance_id, after, page)


def _page(session: Session, instance_id: UUID, after: UUID | None, page: int = PAGE) -> list[Receipt]:
    statement = (
        select(Receipt)
        .join(Delivery, (col(Delivery.document_id) == col(Receipt.document_id))
              & (col(Delivery.instance_id) == col(Receipt.instance_id))
              & (col(Delivery.operation) == col(Receipt.operation))
              & (col(Delivery.version) == col(Receipt.version)))
        .where(Receipt.instance_id == instance_id, Delivery.state == State.DELIVERED, col(Delivery.current))
        .order_by(col(Receipt.document_id))
        .limit(page)
    )  # fmt: skip
    return list(session.exec(statement.where(Receipt.document_id > after) if after else statement))
