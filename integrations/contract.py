"""What a connector is. A kind of extension is one folder that implements this, and one line in ``KINDS``.

A connector speaks for one instance with one live login. It knows nothing of pages, tables or queues: what it needs is
handed to it in a ``Wiring``, what it did comes back as values, what went wrong is one of ``integrations.errors``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import BinaryIO, ClassVar, Generic, Protocol, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict

from integrations.money import Money

Item = TypeVar("Item")


def N_(text: str) -> str:
    """Mark an English sentence for the translation catalogue; it is translated where it is shown."""
    return text


class DocumentKind(StrEnum):
    """The five folders of a client."""

    INCOMING_INVOICE = "incoming_invoice"
    OUTGOING_INVOICE = "outgoing_invoice"
    RECEIPT = "receipt"
    STATEMENT = "statement"
    OTHER = "other"


class Operation(StrEnum):
    """What may be done with one document at one instance; each is delivered once for itself."""

    COPY = "copy"
    SEND = "send"


class Ability(StrEnum):
    """What not every kind can do; declared in the manifest and proven by the conformance kit."""

    OAUTH = "oauth"  # signs in by an authorisation code flow
    IDS = "ids"  # things keep an id when renamed or moved
    FOLDERS = "folders"  # puts files into folders
    SPACE_LEFT = "space_left"  # can tell how much room there is
    TRASH = "trash"  # deleted things can be told from unknown ones
    REVOKE = "revoke"  # has a call that ends the login
    UPDATE = "update"  # changes what it delivered earlier


class Schedule(StrEnum):
    """When an instance's work becomes due by itself."""

    AT_ONCE = "at_once"  # as soon as a document is ready
    NIGHTLY = "nightly"  # at 23:30 in the firm's zone; everything eligible at once on Finish
    THREE_HOURLY = "three_hourly"  # imports


class OAuth(BaseModel):
    """How an authorisation code flow runs at this provider. ``authorize``, ``token`` and ``revoke`` name endpoints."""

    model_config = ConfigDict(frozen=True)

    scopes: tuple[str, ...]
    pkce: bool
    extra: Mapping[str, str] = {}  # further query parameters of the consent page
    basic_auth: bool = False  # client id and secret by HTTP Basic (else in the form body)
    # query parameters of the callback to keep with the token (QuickBooks: realmId)
    callback_fields: tuple[str, ...] = ()
    token_headers: Mapping[str, str] = {}  # further headers of calls to the token endpoint
    revoke_style: str = "form"  # "form" (RFC 7009) or "json"


class Manifest(BaseModel):
    """Who a kind is, for people. Sentences are message ids (see ``N_``)."""

    model_config = ConfigDict(frozen=True)

    kind: str
    name: str
    summary: str
    consent: str  # what the person agrees to; its hash is the consent's version
    takes: frozenset[DocumentKind]
    # fields of OutgoingDocument without which it cannot be delivered
    needs: Mapping[DocumentKind, tuple[str, ...]] = {}
    abilities: frozenset[Ability] = frozenset()
    schedule: Schedule = Schedule.AT_ONCE
    earlier_start: bool = False  # may a person choose an earlier sync_from at set-up (P5)
    on_click: bool = False  # may the instance work on a person's click only
    oauth: OAuth | None = None
    parallel: int = 1  # how many deliveries of one instance the provider takes at once
    endpoints: Mapping[str, str]  # name -> the provider's own base URL; replaced as a whole for tests and the demo


@dataclass(frozen=True, kw_only=True)
class Party:
    """The other side of a document."""

    name: str
    vat_id: str | None = None
    email: str | None = None


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of an invoice; quantity and unit price are exact decimals, ``net`` is their rounded product."""

    description: str
    net: Money
    quantity: Decimal = Decimal(1)
    unit_price: Decimal | None = None
    service_type: str | None = None
    tax_rate: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class OutgoingDocument:
    """A document as a connector sees it: plain values and a way to read its bytes (more than once)."""

    id: str
    version: int
    kind: DocumentKind
    client: str  # the client's name
    filename: str  # as it arrived
    media_type: str  # detected, not claimed
    size: int  # bytes
    sha256: str  # lower-case hex
    open: Callable[[], BinaryIO]
    arrived_on: date  # in the firm's zone
    party: Party | None = None
    number: str | None = None
    issued_on: date | None = None
    due_on: date | None = None
    net: Money | None = None
    tax: Money | None = None
    gross: Money | None = None
    account: str | None = None  # name of the bank account it belongs to
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Account:
    """Whose login this is, as the provider tells."""

    id: str
    name: str
    email: str | None = None
    space_left: int | None = None  # bytes; None: unlimited or not told
    space_total: int | None = None


@dataclass(frozen=True, kw_only=True)
class Place:
    """A folder at the provider; ``path`` is its path below the root, ``"/"``-separated (the root itself: empty)."""

    path: str
    remote_id: str
    link: str | None = None


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What the provider gave back for one effect. Everything needed to find, compare, update and link it again."""

    remote_id: str
    remote_version: str | None = None  # SyncToken, headRevisionId, rev
    link: str | None = None  # where a person can look at it
    checksum: str | None = None  # as the provider computes it, "md5:…", "sha256:…"
    path: str | None = None  # where it was put, below the root
    extras: Mapping[str, str] = field(default_factory=dict)  # id of the attachment and the like


class Step(StrEnum):
    """What a planned delivery would do."""

    CREATE = "create"
    UPDATE = "update"
    LINK = "link"  # it is there already and is adopted
    NOTHING = "nothing"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What ``deliver`` would do now. ``also`` names what would be created beside it: ("vendor", "Meyer GmbH")."""

    step: Step
    thing: str  # bill, invoice, file
    also: tuple[tuple[str, str], ...] = ()


class DriftKind(StrEnum):
    """How a delivered thing differs at the provider from its receipt."""

    CHANGED = "changed"
    MOVED = "moved"
    GONE = "gone"
    FOLDER_GONE = "folder_gone"


@dataclass(frozen=True, kw_only=True)
class Drift:
    """One delivered thing that is not as its receipt says; things that are as they should be are not mentioned."""

    remote_id: str
    kind: DriftKind
    now: Receipt | None = None  # CHANGED, MOVED: its receipt if what is there now is accepted


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One answer the provider offers for a setting (an account, a tax code)."""

    value: str
    label: str


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """A file that a person put at the provider. ``(id, revision)`` names one content for ever."""

    id: str
    revision: str
    name: str
    size: int
    path: str
    checksum: str | None = None
    deleted: bool = False


@dataclass(frozen=True, kw_only=True)
class Payment:
    """Money paid on one delivered invoice, as the ledger says; ``reversed``: it was taken back.

    What comes with an id replaces everything known of that id. A reversed one may tell neither invoice (empty) nor
    amount (zero): the ledger has forgotten them, the id has not.
    """

    id: str
    invoice_remote_id: str
    amount: Money
    paid_on: date
    reversed: bool = False


@dataclass(frozen=True, kw_only=True)
class Page(Generic[Item]):
    """One page of a change feed. The same cursor gives the same page again; ``cursor`` asks for the next."""

    items: Sequence[Item]
    cursor: str
    more: bool


@dataclass(frozen=True, kw_only=True)
class Token:
    """What a sign-in gave. ``extras`` holds what the callback told besides (QuickBooks: realmId)."""

    access: str = field(repr=False)
    refresh: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    refresh_expires_at: datetime | None = None
    scopes: tuple[str, ...] = ()
    extras: Mapping[str, str] = field(default_factory=dict)


class TokenSource(Protocol):
    """The login of one connection. Safe for any number of workers: one refreshes, the others read what it stored."""

    def current(self) -> Token:
        """The newest stored token; raises ReauthRequired when the connection is dead."""

    def refreshed(self, stale: Token) -> Token:
        """A token newer than ``stale``, stored before it is returned; ReauthRequired when the provider says no."""


class Memory(Protocol):
    """Small facts of one instance that outlive a job (folder ids, vendor ids). What is lost is looked up again."""

    def get(self, key: str) -> str | None:
        """The value, or None."""

    def claim(self, key: str, value: str) -> str:
        """Store ``value`` unless there is one; return what is stored. Two workers get the same answer."""

    def put(self, key: str, value: str) -> None:
        """Store ``value`` whatever was there."""

    def forget(self, key: str) -> None:
        """Remove the value; harmless when there is none."""


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """All that a connector is given."""

    config: BaseModel  # settings of the instance: Connector.Config
    app: BaseModel  # settings of the installation: Connector.App
    http: httpx.Client  # with time-outs; no credentials in it
    tokens: TokenSource
    memory: Memory
    now: Callable[[], datetime]
    endpoints: Mapping[str, str] = field(default_factory=dict)  # replaces manifest.endpoints where a name is given


class Connector(ABC):
    """One login at one provider, for one instance."""

    manifest: ClassVar[Manifest]
    Config: ClassVar[type[BaseModel]]  # of an instance; the form, the checks and the API read it
    App: ClassVar[type[BaseModel]]  # of an installation: the firm's own OAuth app and the like
    Login: ClassVar[type[BaseModel] | None] = None  # what a person enters to sign in where there is no OAuth

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring

    def endpoint(self, name: str) -> str:
        """The base URL of ``name``, without a trailing slash."""
        return (self.wiring.endpoints.get(name) or self.manifest.endpoints[name]).rstrip("/")

    @abstractmethod
    def check(self) -> Account:
        """Prove the login by the cheapest call; say whose it is and, where declared, the space left."""

    def revoke(self) -> None:
        """End the login at the provider (only with Ability.REVOKE)."""
        raise NotImplementedError(f"{self.manifest.kind} declares no revoke")

    def choices(self, field: str) -> list[Choice]:
        """The provider's answers for a setting marked with ``choices``; none by default."""
        return []


def default_reservation(document: OutgoingDocument) -> str:
    """A reservation that need not be stored: it follows from the document and its version."""
    return f"{document.id}-{document.version}"


class Exporter(Connector):
    """Takes documents to a provider."""

    def prepare(self, folders: Sequence[str]) -> list[Place]:
        """Make the folders that must exist without a document (paths below the root); return them and the root."""
        return []

    def account_folder(self, client: str, account: str) -> str:
        """The folder (path below the root) that a client's bank account has even without a document; empty: none."""
        return ""

    def reserve(self, document: OutgoingDocument) -> str:
        """What makes repeats harmless (a generated id); asked for once per delivery, stored before the first try."""
        return default_reservation(document)

    @abstractmethod
    def plan(self, document: OutgoingDocument, previous: Receipt | None) -> Plan:
        """What deliver would do now, without doing it."""

    @abstractmethod
    def deliver(self, document: OutgoingDocument, reservation: str, previous: Receipt | None) -> Receipt:
        """Bring it there. Same reservation, same effect; ``previous`` is what an earlier version left."""

    @abstractmethod
    def inspect(self, receipts: Sequence[Receipt]) -> list[Drift]:
        """Which of the delivered things are no longer as their receipts say."""


class Ledger(Exporter):
    """An accounting package."""

    @abstractmethod
    def send(self, receipt: Receipt, reservation: str, email: str) -> Receipt:
        """Have the ledger send the delivered invoice to ``email``; same reservation, one sending."""

    @abstractmethod
    def payments(self, cursor: str | None) -> Page[Payment]:
        """Payments on delivered invoices since ``cursor`` (None: from now on)."""


class Importer(Connector):
    """Fetches documents from a provider."""

    @abstractmethod
    def changes(self, cursor: str | None) -> Page[RemoteFile]:
        """What changed since ``cursor`` (None: from now on); a cursor no longer known raises TargetGone."""

    @abstractmethod
    def download(self, file: RemoteFile) -> Iterator[bytes]:
        """The bytes of that revision, in pieces."""

    @abstractmethod
    def move(self, file: RemoteFile, place: Place) -> None:
        """Put the file into another folder, by id; harmless when it is there already."""
