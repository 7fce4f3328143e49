"""What goes over the wire about extensions, connections, instances, runs, deliveries and completeness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field

from integrations.contract import DocumentKind, DriftKind, Operation, Schedule
from portal.api.shapes import Given, Named, Paging, Text, Told, nothing
from portal.connections.models import ConnectionState
from portal.connections.services import Revocation
from portal.delivery.models import Actor, Outcome, Settlement, State
from portal.instances.models import InstanceState, RunTrigger

Settings = Annotated[
    dict[str, str | int | bool | None],
    Field(description="As the extension's «settings_schema» says.", max_length=100),
]
Consent = Annotated[
    Text,
    Field(
        min_length=1, max_length=4000,
        description="The extension's «consent», word for word: that it was read and agreed to. It is kept.",
    ),
]  # fmt: skip
Kind = Annotated[Text, Field(min_length=1, max_length=60, pattern="^[a-z0-9_]+$")]


class ExtensionOut(Told):
    """An extension of the store."""

    kind: str
    name: str
    summary: str
    takes: Sequence[DocumentKind]
    schedule: Schedule
    earlier_start: bool
    on_click: bool
    signs_in: bool = Field(description="Whether a person consents on the provider's page.")
    login_schema: Mapping[str, Any] | None = Field(
        description="JSON Schema of what is entered to sign in, where the provider has no page for it."
    )
    consent: str = Field(description="What a person agrees to by signing in, in the language that was asked for.")
    app_schema: Mapping[str, Any] = Field(description="JSON Schema of what an installation needs.")
    settings_schema: Mapping[str, Any] = Field(description="JSON Schema of what an instance needs.")
    installed_at: datetime | None


class ExtensionList(Told):
    """The store."""

    items: Sequence[ExtensionOut]


class InstallationIn(Given):
    """What to install."""

    kind: Kind
    settings: Settings = Field(default_factory=dict)


class InstallationChange(Given):
    """Its settings, all of them; an empty secret stays as it is."""

    settings: Settings


class StopOut(Told):
    """One integration that would stop."""

    client_id: UUID
    instance_id: UUID
    name: str
    state: InstanceState


class StopList(Told):
    """What uninstalling would stop."""

    items: Sequence[StopOut]
    total: int


class UninstallQuery(Given):
    """What the caller has seen."""

    seen: int | None = Field(default=None, ge=0, description="The «total» of what would stop; without it: 409.")


class Stopped(Told):
    """How many integrations were ended."""

    stopped: int


class ConnectionIn(Given):
    """A login that is entered, and the consent to use it."""

    kind: Kind
    name: Annotated[Text, Field(min_length=1, max_length=80)] = Field(description="So that it is recognised later.")
    login: Settings = Field(description="As the extension's «login_schema» says.")
    consent: Consent
    instance_id: UUID | None = Field(default=None, description="The draft that goes on with it.")


class LoginIn(Given):
    """The login again."""

    login: Settings = Field(description="As the extension's «login_schema» says.")
    consent: Consent


class ConnectionChange(Given):
    """Its name."""

    name: Annotated[Text, Field(min_length=1, max_length=80)]


class DisconnectQuery(Given):
    """Whether the access ends at the provider too."""

    revoke: bool = False


class Disconnected(Told):
    """What became of the access at the provider."""

    revocation: Revocation | None = Field(
        description="by_hand and failed: the app is to be removed in the account's own security settings."
    )


class ConnectionOut(Told):
    """A named, consented login of a client at a provider."""

    id: UUID
    kind: str
    name: str
    state: ConnectionState
    account_name: str
    account_email: str | None
    space_left: int | None
    space_total: int | None
    expires_at: datetime | None
    text: str = Field(description="Why it is dead; may be empty.")


class ConnectionList(Told):
    """A client's logins."""

    items: Sequence[ConnectionOut]


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
