"""What goes over the wire about clients, documents, refusals and bank accounts. Amounts are minor units; times UTC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from apiflask.fields import UploadFile
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Json

from integrations.contract import DocumentKind
from portal.delivery.models import Actor, State
from portal.documents.fields import AMOUNT_LIMIT
from portal.documents.models import Reading, Source
from portal.i18n import N_
from portal.overview.board import Only

LIMIT = 50
MOST = 200


def _no_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError(N_("A text without NUL characters, please."))
    return text


Text = Annotated[str, AfterValidator(_no_nul)]
Short = Annotated[Text, Field(max_length=200)]
Named = Annotated[Text, Field(min_length=1, max_length=200)]
Minor = Annotated[int, Field(ge=-AMOUNT_LIMIT, le=AMOUNT_LIMIT)]


class Given(BaseModel):
    """The base of what is given: nothing that is not known."""

    model_config = ConfigDict(extra="forbid")


class Told(BaseModel):
    """The base of what is told: every field is always there."""

    model_config = ConfigDict(from_attributes=True, json_schema_serialization_defaults_required=True)


class Paging(Given):
    """Where a list goes on."""

    after: Annotated[Text, Field(max_length=500)] | None = Field(
        default=None, description="The cursor «after» of the page before."
    )
    limit: int = Field(default=LIMIT, ge=1, le=MOST)


# --- clients


class ClientIn(Given):
    """A new client."""

    name: Named
    number: Annotated[Text, Field(min_length=1, max_length=20)] = Field(description="The firm's own number.")
    vat_id: Short | None = None
    email: Short | None = None
    note: Annotated[Text, Field(max_length=2000)] | None = None


class ClientChange(Given):
    """What is to be changed; what is not named stays."""

    name: Named | None = None
    number: Annotated[Text, Field(min_length=1, max_length=20)] | None = None
    vat_id: Short | None = None
    email: Short | None = None
    note: Annotated[Text, Field(max_length=2000)] | None = None
    archived: bool | None = Field(default=None, description="Off the board, or back; nothing stops by it.")


class ClientOut(Told):
    """A company whose books the firm keeps."""

    id: UUID
    number: str
    name: str
    vat_id: str | None
    email: str | None
    note: str | None
    created_at: datetime
    active_at: datetime = Field(description="Last activity.")
    archived_at: datetime | None


class ClientLine(ClientOut):
    """A client of a list."""

    open: Mapping[str, int] = Field(description="How much waits for somebody, by kind: document, failed, held, …")


class ClientPage(Told):
    """Some clients."""

    items: Sequence[ClientLine]
    total: int = Field(description="How many there are in all.")
    after: str | None = Field(description="The cursor of the next page; null at the end.")


class ClientQuery(Paging):
    """Which clients."""

    search: Short | None = Field(default=None, description="In name, number or VAT id.")
    only: Only = Field(default=Only.PRESENT, description="Those not archived, those with something open, or archived.")


# --- documents


class LineOut(Told):
    """One line of an invoice; net in minor units, the rest exact decimals as text."""

    description: str
    net: int
    quantity: str
    unit_price: str | None
    service_type: str | None
    tax_rate: str | None


class StatusOut(Told):
    """How a document stands at one integration."""

    delivery_id: UUID
    instance_id: UUID
    instance_name: str
    kind: str
    state: State
    text: str = Field(description="Why, in the language that was asked for; may be empty.")
    actor: Actor = Field(description="Who must act, where somebody must.")
    link: str | None = Field(description="The thing at the provider.")
    due_at: datetime | None = Field(description="When it goes, if it is queued.")
    drift_id: UUID | None = Field(description="What a look back found changed at the provider, until it is settled.")


class DocumentOut(Told):
    """One document and what is known of it."""

    id: UUID
    client_id: UUID
    kind: DocumentKind | None
    folder: DocumentKind
    reading: Reading
    filename: str
    media_type: str
    size: int = Field(description="Bytes.")
    sha256: str
    source: Source
    arrived_at: datetime
    version: int
    party_name: str | None
    party_vat_id: str | None
    party_email: str | None
    number: str | None
    issued_on: date | None
    due_on: date | None
    currency: str | None
    net: int | None
    tax: int | None
    gross: int | None
    lines: Sequence[LineOut]
    account_id: UUID | None
    twin_id: UUID | None = Field(description="The document that this one repeats.")
    twin_accepted: bool
    part_of: UUID | None = Field(description="The document of whose file it holds pages.")
    first_page: int | None
    last_page: int | None
    split_version: int | None = Field(description="The version with which it was split; null: it is whole.")
    removed_at: datetime | None
    removed_reason: str | None
    statuses: Sequence[StatusOut]


class DocumentPage(Told):
    """Some documents."""

    items: Sequence[DocumentOut]
    after: str | None = Field(description="The cursor of the next page; null at the end.")


class FieldsIn(Given):
    """What is known of a document; what is not named stays. Amounts in minor units (cents) of ``currency``."""

    party_name: Short | None = None
    party_vat_id: Short | None = None
    party_email: Short | None = None
    number: Annotated[Text, Field(max_length=100)] | None = None
    issued_on: date | None = None
    due_on: date | None = None
    currency: Annotated[Text, Field(min_length=3, max_length=3)] | None = None
    net: Minor | None = None
    tax: Minor | None = None
    gross: Minor | None = None
    lines: Annotated[Sequence[LineIn], Field(max_length=1000)] = ()
    account_id: UUID | None = None

    def given(self) -> dict[str, Any]:
        """What was named, as the services take it."""
        named = {name: getattr(self, name) for name in self.model_fields_set}
        if "lines" in named:
            named["lines"] = tuple(line.model_dump(exclude_none=True) for line in self.lines)
        return named


class LineIn(Given):
    """One line of an invoice."""

    description: Annotated[Text, Field(min_length=1, max_length=1000)]
    net: Minor
    quantity: Annotated[Text, Field(max_length=30)] = "1"
    unit_price: Annotated[Text, Field(max_length=30)] | None = None
    service_type: Annotated[Text, Field(max_length=100)] | None = None
    tax_rate: Annotated[Text, Field(max_length=30)] | None = None


FieldsIn.model_rebuild()


class DocumentChange(FieldsIn):
    """Fields or kind of a document; ``version`` is the one that was seen (or If-Match says it)."""

    kind: DocumentKind | None = None
    version: int | None = Field(default=None, ge=1, le=2**31 - 1)

    def given(self) -> dict[str, Any]:
        """The fields alone."""
        return {name: value for name, value in super().given().items() if name in FieldsIn.model_fields}


def nothing(value: object) -> object:
    """Forms and addresses have no null: an empty field, and the word, are nothing."""
    return None if isinstance(value, str) and value in {"", "null"} else value


class Upload(Given):
    """A file and what is known of it."""

    file: UploadFile
    kind: Annotated[DocumentKind | None, BeforeValidator(nothing)] = Field(
        default=None, description="The folder it belongs to; without it the document waits for somebody to say so."
    )
    fields: Annotated[Json[FieldsIn] | None, BeforeValidator(nothing)] = Field(
        default=None, description="JSON of FieldsIn: what is known of it."
    )


class DocumentQuery(Paging):
    """Which documents, newest first."""

    folder: DocumentKind | None = None
    search: Short | None = Field(default=None, description="In counterparty, number or file name.")
    since: date | None = Field(default=None, description="First day of the document's date, else of its arrival.")
    until: date | None = None
    removed: bool = Field(default=False, description="Those that were removed, instead of those that are there.")
    twins: bool = Field(default=False, description="Only those that repeat another and wait for a decision.")


class Removal(Given):
    """Why a document is removed."""

    reason: Annotated[Text, Field(min_length=1, max_length=500)]


class TwinDecision(Given):
    """Whether a document that repeats another stays."""

    keep: bool


class Asked(Given):
    """Where one document is to go because somebody wants it."""

    instance_id: UUID


class RefusalOut(Told):
    """A file that was not taken."""

    id: UUID
    filename: str
    size: int
    source: Source
    text: str = Field(description="Why not, in the language that was asked for.")
    refused_at: datetime
    seen_at: datetime | None


class PutAside(Given):
    """Refused files that somebody has looked at."""

    refusal_ids: Annotated[list[UUID], Field(min_length=1, max_length=200)]


class Counted(Told):
    """How many it was done to; those it was done to before are left out."""

    count: int


class RefusalPage(Told):
    """Some refusals, newest first."""

    items: Sequence[RefusalOut]
    after: str | None


class RefusalQuery(Paging):
    """Which refusals."""

    seen: bool = Field(default=False, description="Those that were put aside, instead of the new ones.")


# --- bank accounts


class AccountIn(Given):
    """A new bank account."""

    name: Annotated[Text, Field(min_length=1, max_length=100)]
    iban: Annotated[Text, Field(max_length=50)] = ""
    currency: Annotated[Text, Field(min_length=3, max_length=3)] = "EUR"


class AccountChange(Given):
    """What is to be changed; what is not named stays."""

    name: Annotated[Text, Field(min_length=1, max_length=100)] | None = None
    iban: Annotated[Text, Field(max_length=50)] | None = None
    closed: bool | None = Field(default=None, description="Take it out of the choices, or offer it again.")


class AccountOut(Told):
    """A bank account of a client."""

    id: UUID
    client_id: UUID
    name: str
    iban: str | None
    currency: str
    created_at: datetime
    closed_at: datetime | None


class AccountList(Told):
    """All bank accounts of a client, open ones first."""

    items: Sequence[AccountOut]
