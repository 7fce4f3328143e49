"""What goes over the wire about extensions, installations and connections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from integrations.contract import DocumentKind, Schedule
from portal.api.shapes import Given, Text, Told
from portal.connections.models import ConnectionState
from portal.connections.services import Revocation
from portal.instances.models import InstanceState
from portal.notices.models import NoticeState

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


class NoticeOut(Told):
    """Who was or is to be told by e-mail of the present state of a login."""

    person: str
    state: NoticeState
    at: datetime | None = Field(description="When they were told, or are tried again.")
    text: str = Field(description="Why they could not be told (yet); may be empty.")


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
    told: Sequence[NoticeOut] = Field(description="Whom its death, or its coming end, was told by e-mail.")


class ConnectionList(Told):
    """A client's logins."""

    items: Sequence[ConnectionOut]
