"""What goes over the wire about instances, runs, drifts, deliveries and completeness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field

from integrations.contract import DocumentKind, DriftKind, Operation
from portal.api.logins import Kind, Settings
from portal.api.shapes import Given, Named, Paging, Text, Told, nothing
from portal.delivery.models import Actor, Outcome, Settlement, State
from portal.instances.models import InstanceState, RunTrigger


class InstanceIn(Given):
    """Which integration to begin."""

    kind: Kind


class InstanceOut(Told):
    """One integration of a client."""

    id: UUID
    client_id: UUID
    kind: str
    name: str
    state: InstanceState
    text: str = Field(description="Why it is held; may be empty.")
    connection_id: UUID | None
    settings: Mapping[str, Any] = Field(description="Without secrets.")
    takes: Sequence[DocumentKind]
    on_click: bool
    sync_from: datetime | None = Field(description="Documents that arrived at or after this go.")
    activated_at: datetime | None
    next_run_at: datetime | None
    look_due_at: datetime | None = Field(description="Since when a look back waits or is under way; null: none.")
    looked_at: datetime | None = Field(description="When all that was delivered was last looked at.")
    next_step: str | None = Field(description="The step of the set-up that is still to be done; null when none is.")
    page: str = Field(description="Where a person goes on with the set-up, or reconnects: consent needs a browser.")


class InstanceList(Told):
    """A client's integrations, oldest first."""

    items: Sequence[InstanceOut]


class InstanceChange(Given):
    """Its name."""

    name: Named


class ConnectionChoice(Given):
    """Which of the client's connections it uses."""

    connection_id: UUID


class SettingsIn(Given):
    """Settings of an instance."""

    settings: Settings


class DocumentsIn(Given):
    """Which documents go, and whether by themselves."""

    takes: Annotated[list[DocumentKind], Field(min_length=1, max_length=5)]
    on_click: bool = False


class StartIn(Given):
    """From when: a first day in the firm's zone; null: from Finish on."""

    earlier_on: date | None = None


class ChoiceOut(Told):
    """One value that the provider offers for a setting."""

    value: str
    label: str


class ChoicesOut(Told):
    """What the provider offers, by setting."""

    choices: Mapping[str, Sequence[ChoiceOut]]


class PlannedFolder(Told):
    """A folder and how many documents go there."""

    path: str
    documents: int


class PlanOut(Told):
    """What an instance would take."""

    documents: int
    size: int = Field(description="Bytes.")
    waiting: int = Field(description="Documents still being read, or that wait for a decision.")
    folders: Sequence[PlannedFolder] = Field(description="The first ones, where the kind has folders.")
    folders_total: int
    space_left: int | None
    missing: int = Field(description="Bytes for which there is no room, as far as is known.")


class RunOut(Told):
    """One pass of an instance."""

    id: UUID
    instance_id: UUID
    trigger: RunTrigger
    due_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    stopped_at: datetime | None
    total: int
    delivered: int
    failed: int


class RunPage(Told):
    """Some runs, newest first."""

    items: Sequence[RunOut]
    after: str | None


class RunQuery(Given):
    """Where the list goes on."""

    after: UUID | None = None
    limit: int = Field(default=20, ge=1, le=200)


class DriftOut(Told):
    """A delivered thing that a look back found otherwise than its receipt says."""

    id: UUID
    document_id: UUID
    instance_id: UUID
    delivery_id: UUID
    kind: DriftKind
    remote_id: str
    can_accept: bool = Field(description="Whether what is there may be taken for right.")
    found_at: datetime
    settled_at: datetime | None
    settlement: Settlement | None


class DriftPage(Told):
    """Some drifts, newest first."""

    items: Sequence[DriftOut]
    after: str | None


class DriftQuery(Paging):
    """Which drifts."""

    after: UUID | None = None  # type: ignore[assignment]
    instance_id: UUID | None = None
    settled: bool = False


class DeliveryOut(Told):
    """What is to happen, or has happened, with one document at one instance."""

    id: UUID
    document_id: UUID
    instance_id: UUID
    operation: Operation
    version: int
    state: State
    text: str = Field(description="Why, in the language that was asked for; may be empty.")
    actor: Actor
    attempts: int
    due_at: datetime | None
    changed_at: datetime
    link: str | None


class DeliveryPage(Told):
    """Some deliveries, newest first."""

    items: Sequence[DeliveryOut]
    after: str | None


class DeliveryQuery(Paging):
    """Which deliveries."""

    after: UUID | None = None  # type: ignore[assignment]
    state: State | None = None
    instance_id: UUID | None = None


class AttemptOut(Told):
    """One recorded try."""

    number: int
    outcome: Outcome
    text: str
    started_at: datetime
    ended_at: datetime | None


class ReceiptOut(Told):
    """What the provider gave back."""

    remote_id: str
    remote_version: str | None
    link: str | None
    checksum: str | None
    path: str | None
    sha256: str = Field(description="Of the bytes that went.")
    received_at: datetime


class DeliveryWhole(DeliveryOut):
    """One delivery with everything on record."""

    tries: Sequence[AttemptOut]
    receipt: ReceiptOut | None


class RetryIn(Given):
    """Which deliveries to try again."""

    delivery_ids: Annotated[list[UUID], Field(min_length=1, max_length=1000)]


class Queued(Told):
    """How many are queued again."""

    queued: int


class CompletenessQuery(Given):
    """Which month of arrival."""

    month: Annotated[Annotated[Text, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")] | None, BeforeValidator(nothing)] = (
        Field(default=None, description="YYYY-MM in the firm's zone; without it all time.")
    )


class CompletenessRow(Told):
    """One instance: documents = the sum over the states, or something is missing."""

    instance_id: UUID
    instance_name: str
    documents: int
    states: Mapping[str, int]
    difference: int = Field(description="Documents that no state accounts for: 0, or an alarm.")
    unproven: int = Field(description="Deliveries without a receipt: 0, or an alarm.")


class Completeness(Told):
    """The sums of a client."""

    items: Sequence[CompletenessRow]
