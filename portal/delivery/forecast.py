"""Before anything goes: how many documents an instance would take, how large, into which folders (E2). Asks nobody.

Works for every kind whose settings name a ``path`` by ``integrations.naming.Template``; for others it only counts.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from pydantic.fields import FieldInfo
from sqlmodel import Session, col, select

from integrations.contract import DocumentKind, OutgoingDocument, Party
from integrations.naming import Language, Template, safe_name
from portal import clock
from portal.banking.models import BankAccount
from portal.clients.models import Client
from portal.documents.models import Document, Reading
from portal.extensions import services as extensions
from portal.instances import setup
from portal.instances.models import Instance
from portal.instances.services import zone_of

# Folders that are shown by name; of the rest only how many there are.
SHOWN = 12
# Different combinations of what folders are named after; beyond, the list of folders says that it is not whole.
MOST_PLACES = 5000


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What Finish would begin. ``folders`` are paths with numbers, the first ones in their order."""

    documents: int
    size: int  # bytes
    waiting: int  # documents that go once they are read, or somebody has decided
    folders: Sequence[tuple[str, int]] = ()
    folders_total: int = 0
    whole: bool = True  # whether every document was looked at for the folders
    space_left: int | None = None

    @property
    def missing(self) -> int:
        """Bytes for which there is no room, as far as is known."""
        return max(0, self.size - self.space_left) if self.space_left is not None else 0


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where documents go, from the settings of an instance."""

    root: str
    template: Template
    language: Language

    @classmethod
    def read(cls, kind: str, values: Mapping[str, object]) -> Layout | None:
        """From settings, a form's even; None for kinds without such folders. Raises TemplateError for a wrong path."""
        known = extensions.connector_of(kind).Config.model_fields
        if "path" not in known:
            return None
        spoken, root = (str(_value(known, values, name)) for name in ("language", "root"))
        return cls(
            root=safe_name(root) if root else "",
            template=Template.parse(str(_value(known, values, "path"))),
            language=Language(spoken) if spoken in set(Language) else Language.GERMAN,
        )

    def path(self, document: OutgoingDocument) -> str:
        """Root, folders and file name."""
        return "/".join(filter(None, (self.root, self.template.place(document, self.language).path)))

    def folder(self, document: OutgoingDocument) -> str:
        """Root and folders."""
        return "/".join(filter(None, (self.root, *self.template.place(document, self.language).folders)))


def _value(known: Mapping[str, FieldInfo], values: Mapping[str, object], name: str) -> object:
    """As given, else the model's default; empty for what a kind does not have."""
    return values[name] if name in values else known[name].default if name in known else ""


@dataclass
class _Counted:
    documents: int = 0
    size: int = 0
    waiting: int = 0
    places: Counter[tuple[object, ...]] = field(default_factory=Counter)
    examples: dict[tuple[object, ...], OutgoingDocument] = field(default_factory=dict)
    whole: bool = True


def forecast(session: Session, instance: Instance, space_left: int | None = None) -> Forecast:
    """What an instance would take if its set-up were finished now. The caller has resolved it for the viewer."""
    zone = zone_of(session, instance)
    start = setup.start_of(instance.earlier_on, zone) if instance.earlier_on else clock.now()
    if instance.sync_from is not None:
        start = instance.sync_from
    layout = Layout.read(instance.kind, instance.settings)
    counted = _counted(session, instance, start, zone, layout)
    folders: Counter[str] = Counter()
    if layout is not None:
        for key, number in counted.places.items():
            folders[layout.folder(counted.examples[key])] += number
    return Forecast(
        documents=counted.documents, size=counted.size, waiting=counted.waiting,
        folders=sorted(folders.items())[:SHOWN], folders_total=len(folders), whole=counted.whole,
        space_left=space_left,
    )  # fmt: skip


_COLUMNS = (
    col(Document.id), col(Document.filename), col(Document.media_type), col(Document.size), col(Document.kind),
    col(Document.party_name), col(Document.number), col(Document.issued_on), col(Document.arrived_at),
    col(Document.account_id),
)  # fmt: skip


def _counted(session: Session, instance: Instance, start: datetime, zone: str, layout: Layout | None) -> _Counted:
    counted, named = _Counted(), layout.template.folder_parts if layout else frozenset()
    decided = sa.or_(col(Document.twin_id).is_(None), col(Document.twin_accepted))
    goes = sa.and_(col(Document.reading) == Reading.SETTLED, col(Document.kind).in_(instance.takes), decided)
    waits = sa.or_(col(Document.reading) != Reading.SETTLED, col(Document.kind).is_(None), ~decided)
    at_all = (
        col(Document.client_id) == instance.client_id, col(Document.arrived_at) >= start,
        col(Document.removed_at).is_(None),
    )  # fmt: skip
    counted.waiting = session.scalar(sa.select(sa.func.count()).select_from(Document).where(*at_all, waits)) or 0
    rows = session.execute(sa.select(*_COLUMNS).where(*at_all, goes).order_by(col(Document.id).desc()))
    for document in _documents(session, instance.client_id, zone, rows):
        counted.documents += 1
        counted.size += document.size
        key = tuple(_part(document, one) for one in sorted(named))
        if key in counted.examples or len(counted.examples) < MOST_PLACES:
            counted.examples.setdefault(key, document)
            counted.places[key] += 1
        else:
            counted.whole = False
    return counted


def _part(document: OutgoingDocument, part: str) -> object:
    """What tells two documents apart for one place of a template."""
    dated = document.issued_on or document.arrived_on
    told: Mapping[str, object] = {
        "account": document.account, "month": (dated.year, dated.month), "kind": document.kind,
        "date": document.issued_on, "party": document.party, "number": document.number,
    }  # fmt: skip
    return told.get(part)


def _documents(session: Session, client_id: UUID, zone: str, rows: Iterable[Any]) -> Iterator[OutgoingDocument]:
    client = session.get_one(Client, client_id).name
    accounts = dict(
        session.exec(select(BankAccount.id, BankAccount.name).where(BankAccount.client_id == client_id)).all()
    )
    for id_, filename, media_type, size, kind, party, number, issued_on, arrived_at, account_id in rows:
        yield OutgoingDocument(
            id=str(id_), version=1, kind=DocumentKind(kind or DocumentKind.OTHER), client=client, filename=filename,
            media_type=media_type, size=size, sha256="", open=io.BytesIO,
            arrived_on=clock.local_date(arrived_at, zone), party=Party(name=party) if party else None,
            number=number, issued_on=issued_on, account=accounts.get(account_id),
        )  # fmt: skip


def preview(session: Session, instance: Instance, values: Mapping[str, object], *, most: int = 3) -> list[str]:
    """Where documents would go by these settings: the client's newest of different kinds, else invented ones.

    Empty for kinds without such folders; raises TemplateError for a wrong path.
    """
    layout = Layout.read(instance.kind, values)
    if layout is None:
        return []
    newest = (
        sa.select(*_COLUMNS)
        .where(col(Document.client_id) == instance.client_id, col(Document.removed_at).is_(None))
        .where(col(Document.reading) == Reading.SETTLED, col(Document.party_name).is_not(None))
        .order_by(col(Document.id).desc())
        .limit(50)
    )
    zone = zone_of(session, instance)
    known: dict[DocumentKind, OutgoingDocument] = {}
    for document in _documents(session, instance.client_id, zone, session.execute(newest)):
        known.setdefault(document.kind, document)
    found = list(known.values())[:most] or [_invented(session, instance, zone)]
    return [layout.path(document) for document in found]


def _invented(session: Session, instance: Instance, zone: str) -> OutgoingDocument:
    today = clock.local_date(clock.now(), zone)
    return OutgoingDocument(
        id="", version=1, kind=DocumentKind.INCOMING_INVOICE, client=session.get_one(Client, instance.client_id).name,
        filename="rechnung.pdf", media_type="application/pdf", size=0, sha256="", open=io.BytesIO, arrived_on=today,
        party=Party(name="Mühlenwerke Nord AG"), number="RE-1024", issued_on=today,
    )  # fmt: skip
