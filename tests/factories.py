"""Rows with sensible defaults, made on an open session; a test names only what matters to it.

Every function adds its row and flushes, so that what follows may refer to it.
"""

from __future__ import annotations

import hashlib
import itertools
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from sqlmodel import Session, SQLModel

from integrations.contract import DocumentKind, Operation
from portal import clock
from portal.accounts.models import Firm, Member, Person, Role
from portal.banking.models import BankAccount
from portal.clients.models import Assignment, Client, Contact, ContactRole
from portal.connections.models import Connection, Consent
from portal.delivery.models import Delivery, State
from portal.documents.models import Document, Reading, Source, StoredFile
from portal.extensions.models import Installation
from portal.instances.models import Instance, InstanceState
from portal.parts import Parts

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

PASSWORD = "correct horse battery"
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
_numbers = itertools.count(1)
Row = TypeVar("Row", bound=SQLModel)


def _added(session: Session, row: Row) -> Row:
    session.add(row)
    session.flush()
    return row


def firm(session: Session, *, name: str = "Steuerkanzlei Sommer", **more: Any) -> Firm:
    """A firm in Berlin that works in German."""
    return _added(session, Firm(name=name, **more))


@cache
def _hashed(password: str) -> str:
    from argon2 import PasswordHasher
    from argon2.profiles import CHEAPEST

    return PasswordHasher.from_parameters(CHEAPEST).hash(password)


def person(session: Session, *, name: str = "Anna Beispiel", email: str | None = None, **more: Any) -> Person:
    """Somebody who can sign in with PASSWORD (``password_hash=None``: was only invited)."""
    more.setdefault("password_hash", _hashed(PASSWORD))
    return _added(session, Person(name=name, email=email or f"person{next(_numbers)}@example.com", **more))


def member(
    session: Session,
    of: Firm,
    *,
    role: Role = Role.OWNER,
    assigned: tuple[UUID, ...] = (),
    who: Person | None = None,
    **more: Any,
) -> Member:
    """A member of a firm, with a person of their own, working for the ``assigned`` clients."""
    who = who or person(session)
    made = _added(session, Member(firm_id=of.id, person_id=who.id, role=role, **more))
    for client_id in assigned:
        _added(session, Assignment(client_id=client_id, member_id=made.id))
    return made


def client(session: Session, of: Firm, *, name: str = "Bäckerei Brandt GmbH", **more: Any) -> Client:
    """A client of a firm with a number of its own."""
    more.setdefault("number", f"{10000 + next(_numbers)}")
    return _added(session, Client(firm_id=of.id, name=name, **more))


def contact(
    session: Session, of: Client, *, role: ContactRole = ContactRole.OWNER, who: Person | None = None, **more: Any
) -> Contact:
    """A person of a client's company."""
    who = who or person(session, name="Karl Kontakt")
    return _added(session, Contact(client_id=of.id, person_id=who.id, role=role, **more))


def account(session: Session, of: Client, *, name: str = "Girokonto", **more: Any) -> BankAccount:
    """A bank account of a client."""
    return _added(session, BankAccount(client_id=of.id, name=name, **more))


def stored_file(session: Session, firm_id: UUID, sha256: str, size: int, media_type: str) -> StoredFile:
    """The row of a file's bytes, made once per firm and content."""
    from sqlmodel import select

    found = session.exec(select(StoredFile).where(StoredFile.firm_id == firm_id, StoredFile.sha256 == sha256)).first()
    return found or _added(session, StoredFile(firm_id=firm_id, sha256=sha256, size=size, media_type=media_type))


def document(
    session: Session,
    of: Client,
    *,
    parts: Parts | None = None,
    content: bytes | None = None,
    media_type: str = "application/pdf",
    **more: Any,
) -> Document:
    """A settled incoming invoice; other bytes every time. With ``parts`` its bytes are in the file store too.

    It comes by no door: nothing is planned for it. Tests of the door call ``portal.intake.receive``.
    """
    number = next(_numbers)
    content = PDF + f"% {number}".encode() if content is None else content
    sha256 = hashlib.sha256(content).hexdigest()
    if parts is not None:
        import io

        parts.files.put(of.firm_id, io.BytesIO(content))
    kept = stored_file(session, of.firm_id, sha256, len(content), media_type)
    fields: dict[str, Any] = {
        "filename": f"rechnung-{number}.pdf",
        "source": Source.UPLOAD,
        "kind": DocumentKind.INCOMING_INVOICE,
        "reading": Reading.SETTLED,
        "party_name": "Mühlenwerke Nord AG",
        "number": f"RE-{number}",
        "issued_on": clock.now().date(),
        "due_on": clock.now().date() + timedelta(days=14),
        "currency": "EUR",
        "net": 10000,
        "tax": 1900,
        "gross": 11900,
    }
    fixed = {"client_id": of.id, "file_id": kept.id, "sha256": sha256, "size": len(content), "media_type": media_type}
    return _added(session, Document(**{**fields, **fixed, **more}))


def installation(
    session: Session, of: Firm, *, kind: str = "google_drive", parts: Parts | None = None, **app: str
) -> Installation:
    """An installed extension; ``app`` are its settings for the firm, encrypted when ``parts`` are given."""
    settings = parts.vault.lock(app) if parts else ""
    return _added(session, Installation(firm_id=of.id, kind=kind, settings=settings))


def connection(
    session: Session,
    of: Client,
    installed: Installation,
    *,
    parts: Parts | None = None,
    token: dict[str, Any] | None = None,
    consented_by: Person | None = None,
    **more: Any,
) -> Connection:
    """A live login of a client; ``token`` is encrypted by the vault of ``parts``."""
    fields: dict[str, Any] = {"name": "Main login", "account_id": f"account-{next(_numbers)}", "account_name": "Brandt"}
    if parts is not None and token is not None:
        fields["token"] = parts.vault.lock(token)
    made = _added(
        session,
        Connection(**{**fields, "client_id": of.id, "installation_id": installed.id, "kind": installed.kind, **more}),
    )
    text = "Kontor may store this client's documents there."
    if consented_by is not None:
        digest = hashlib.sha256(text.encode()).hexdigest()
        _added(session, Consent(connection_id=made.id, person_id=consented_by.id, text=text, text_digest=digest))
    return made


def instance(
    session: Session, of: Client, installed: Installation, *, connected: Connection | None = None, **more: Any
) -> Instance:
    """An instance that was activated now and takes all kinds of documents."""
    fields: dict[str, Any] = {
        "name": installed.kind.replace("_", " ").title(),
        "state": InstanceState.ACTIVE,
        "takes": [kind.value for kind in DocumentKind],
        "sync_from": clock.now(),
        "activated_at": clock.now(),
    }
    fixed = {
        "client_id": of.id,
        "installation_id": installed.id,
        "connection_id": connected.id if connected else None,
        "kind": installed.kind,
    }
    return _added(session, Instance(**{**fields, **fixed, **more}))


def recorded(session: Session, row: Document | Instance) -> None:
    """What the door, or Finish, leaves behind for this row: for tests that prove by the audit trail."""
    from portal import audit
    from portal.documents import versions

    facts: dict[str, object] = {"sha256": getattr(row, "sha256", None)}
    if isinstance(row, Document):
        versions.begin(session, row, None)
    else:
        facts = {"sync_from": row.sync_from.isoformat() if row.sync_from else None, "takes": row.takes}
    firm_id = session.get_one(Client, row.client_id).firm_id
    action = "document.received" if isinstance(row, Document) else "instance.finished"
    audit.record(
        session, firm_id, action, by=audit.SYSTEM, client_id=row.client_id, subject_id=row.id, facts=facts
    )  # fmt: skip


def delivery(session: Session, of: Document, at: Instance, *, state: State = State.QUEUED, **more: Any) -> Delivery:
    """A delivery of a document at an instance, due at once when it is queued."""
    fields: dict[str, Any] = {"operation": Operation.COPY, "version": of.version}
    if state is State.QUEUED:
        fields["due_at"] = clock.now()
    fixed = {"document_id": of.id, "instance_id": at.id, "client_id": of.client_id, "state": state}
    return _added(session, Delivery(**{**fields, **fixed, **more}))


def sign_in(app: Flask, person_id: UUID) -> FlaskClient:
    """A browser of ``app`` in which the person is signed in; every form it sends carries the right CSRF token."""
    from flask import session
    from flask_wtf.csrf import generate_csrf

    from portal.accounts import signing_in

    parts: Parts = app.extensions["kontor"]
    with parts.db.transaction() as db:
        now = signing_in.begin(db, parts.vault, person_id, address="127.0.0.1", browser="tests")
    with app.test_request_context():
        token, secret = generate_csrf(), session["csrf_token"]
    client = app.test_client()
    client.environ_base["HTTP_X_CSRFTOKEN"] = token
    with client.session_transaction() as cookie:
        cookie.update({"_user_id": now.token, "_fresh": True, "csrf_token": secret})
    return client
