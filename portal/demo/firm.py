"""The firm «Kanzlei Morgenstern & Partner»: its people, its eight clients, their papers through the one door."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from uuid import UUID

from sqlmodel import Session, col, select

from integrations import KINDS
from integrations.contract import DocumentKind
from portal import access, clock
from portal.access import Viewer
from portal.accounts import invitations, passwords, signing_in
from portal.accounts import services as accounts
from portal.accounts.models import Member, Person, Role
from portal.banking import services as banking
from portal.clients import services as clients
from portal.clients.models import Client, ContactRole
from portal.demo.book import Paper, book
from portal.demo.integrations import Stage
from portal.demo.scenes import CASTS, Cast
from portal.demo.trades import Trade, trades
from portal.demo.walk import Providers
from portal.documents.models import Document, Source
from portal.extensions import services as extensions
from portal.intake import receive
from portal.parts import Parts

FIRM = "Kanzlei Morgenstern & Partner"
ZONE = "Europe/Berlin"
PASSWORD = "morgenstern-demo"  # noqa: S105 - everybody's, in the demo only
APP = {"client_id": "kontor-demo", "client_secret": "kontor-demo-secret"}
THIS_MACHINE = {"inner": "127.0.0.1"}  # where kinds without an app find the sandbox's servers
OWNER = ("Johanna Morgenstern", "johanna@morgenstern.example")
STAFF = (
    ("Emil Castorf", "emil@morgenstern.example", Role.ADMIN),
    ("Lea Brinkmann", "lea@morgenstern.example", Role.ACCOUNTANT),
    ("Noah Sievers", "noah@morgenstern.example", Role.ACCOUNTANT),
    ("Tilda Kern", "tilda@morgenstern.example", Role.ASSISTANT),
    ("Henrik Voigt", "henrik@morgenstern.example", Role.CLIENT_MANAGER),
)
Tell = Callable[[str], None]


@dataclass(frozen=True)
class _Seeding:
    """What the steps share."""

    parts: Parts
    owner: Viewer
    stage: Stage
    papers: Path  # where drawn papers are kept
    today: date


def sow(parts: Parts, address: str, tell: Tell) -> list[str]:
    """See ``portal.demo.seed``."""
    note = parts.settings.data / "sample-firm.json"
    done: list[str] = json.loads(note.read_text()) if note.exists() else []
    if len(done) < len(CASTS):
        _make(parts, address, tell, note, done)
    return _logins()


def _make(parts: Parts, address: str, tell: Tell, note: Path, done: list[str]) -> None:
    providers = Providers(parts.settings.sandbox_url or "")
    try:
        owner, sign_in_id = _people(parts)
        _install(parts, owner)
        today = clock.local_date(clock.now(), ZONE)
        stage = Stage(parts, providers, owner, sign_in_id, address)
        seeding = _Seeding(parts, owner, stage, parts.settings.data / "papers" / f"{today:%Y-%m}", today)
        for number, trade in enumerate(trades(), 1):
            if trade.number not in done:
                tell(f"Client {number} of {len(CASTS)}: {trade.company.name}")
                _client(seeding, trade, CASTS[trade.number])
                done.append(trade.number)
                note.write_text(json.dumps(done))
    finally:
        providers.close()


# --- people


def _people(parts: Parts) -> tuple[Viewer, UUID]:
    """The firm with its staff; the owner, signed in."""
    hashed = passwords.hashed(PASSWORD)
    with parts.db.transaction() as session:
        person = _person(session, OWNER[1])
        if person is None:
            _firm, person = accounts.found_firm(
                session, firm=FIRM, zone=ZONE, language="de", name=OWNER[0], email=OWNER[1], password_hash=hashed
            )
            session.flush()
        owner = _viewer(session, person.id)
        for name, email, role in STAFF:
            if _person(session, email) is None:
                invited = accounts.invite_member(
                    session, parts.vault, owner, name=name, email=email, role_name=role.value
                )
                _accept(session, parts, invited, hashed)
        signed_in = signing_in.begin(session, parts.vault, person.id, address="127.0.0.1", browser="Kontor demo")
    return owner, signed_in.id


def _accept(session: Session, parts: Parts, invited: accounts.Invited, hashed: str) -> None:
    if invited.secret is not None:
        invitations.accept(session, parts.vault, invited.secret, name=invited.person.name, password_hash=hashed)


def _person(session: Session, email: str) -> Person | None:
    return session.exec(select(Person).where(Person.email == email)).one_or_none()


def _viewer(session: Session, person_id: UUID) -> Viewer:
    found = access.viewer_of(session, person_id, address="127.0.0.1")
    if found is None:
        raise LookupError("a person of the demo is gone; begin it anew")
    return found


def _install(parts: Parts, owner: Viewer) -> None:
    """Every extension: with the app that the sandbox knows, or the way to its servers on this machine."""
    with parts.db.transaction() as session:
        for kind in KINDS:
            if extensions.offer(session, owner, kind).installation is None:
                settings = APP if extensions.manifest_of(kind).oauth else THIS_MACHINE
                extensions.install(session, owner, parts.vault, kind, settings)
                session.flush()


# --- one client


def _client(seeding: _Seeding, trade: Trade, cast: Cast) -> None:
    """A client with people, bank account, papers before activation, integrations, and papers after it."""
    client_id = _opened(seeding, trade)
    before, after = _divided(book(trade, seeding.today))
    for paper in before:
        _hand_in(seeding, trade, client_id, paper, cast)
    setups = [seeding.stage.set_up(client_id, trade, scene) for scene in cast.scenes]
    late = [setup for setup in setups if setup is not None]
    for setup in late:
        seeding.stage.before_papers(setup, after[0].issued_on)
    for paper in after:
        _hand_in(seeding, trade, client_id, paper, cast)
    _oddities(seeding, trade, client_id, after, cast)
    for setup in late:
        seeding.stage.after_papers(setup)


def _divided(papers: Sequence[Paper]) -> tuple[list[Paper], list[Paper]]:
    """The first month came before activation, but for one supplier's invoice that comes late."""
    first = (papers[0].issued_on.year, papers[0].issued_on.month)
    early = [paper for paper in papers if (paper.issued_on.year, paper.issued_on.month) == first]
    late = next(paper for paper in early if paper.kind is DocumentKind.INCOMING_INVOICE)
    early.remove(late)
    return early, [late, *(paper for paper in papers if paper not in early and paper is not late)]


def _opened(seeding: _Seeding, trade: Trade) -> UUID:
    company, owner = trade.company, seeding.owner
    with seeding.parts.db.transaction() as session:
        client = session.exec(
            select(Client).where(Client.number == trade.number, Client.firm_id == owner.firm_id)
        ).one_or_none()
        if client is not None:
            return client.id
        facts = clients.Particulars(
            name=company.name, number=trade.number, vat_id=company.vat_id or "", email=company.email
        )
        client = clients.create(session, owner, facts)
        session.flush()
        _bring_in_people(session, seeding, trade, client)
        banking.add(session, owner, client.id, name=f"Geschäftskonto {company.bank}", iban=company.iban)
        return client.id


def _bring_in_people(session: Session, seeding: _Seeding, trade: Trade, client: Client) -> None:
    hashed = session.exec(select(Person.password_hash).where(Person.email == OWNER[1])).one() or ""
    for name, email, role in _contacts(trade):
        invited = clients.invite_contact(
            session, seeding.parts.vault, seeding.owner, client.id, name=name, email=email, role_name=role.value
        )
        _accept(session, seeding.parts, invited, hashed)
    staff = [email for _name, email, role in STAFF if role in {Role.ACCOUNTANT, Role.ASSISTANT}]
    # Lea works for the first five, Noah for the last five, Tilda reads all.
    lea, noah, tilda = staff
    chosen = [tilda, *([lea] if trade.number <= "10050" else []), *([noah] if trade.number >= "10040" else [])]
    members = select(Member.id).join(Person, col(Person.id) == Member.person_id).where(col(Person.email).in_(chosen))
    clients.assign(session, seeding.owner, client.id, session.exec(members).all())


def _contacts(trade: Trade) -> Sequence[tuple[str, str, ContactRole]]:
    domain = trade.company.email.partition("@")[2]
    return [
        (trade.owner, f"{_first_name(trade.owner)}@{domain}", ContactRole.OWNER),
        (trade.helper, f"{_first_name(trade.helper)}@{domain}", ContactRole.MEMBER),
    ]


def _first_name(name: str) -> str:
    return name.removeprefix("Dr. ").partition(" ")[0].lower()


# --- papers


def _hand_in(seeding: _Seeding, trade: Trade, client_id: UUID, paper: Paper, cast: Cast) -> None:
    """Through the one door, by the client's people (receipts) or the firm's; once, however often it is tried."""
    with seeding.parts.db.read() as session:
        known = select(Document.id).where(Document.client_id == client_id, Document.filename == paper.filename)
        if session.exec(known).first() is not None:
            return
        who = seeding.owner
        if paper.kind is DocumentKind.RECEIPT:
            helper = _person(session, _contacts(trade)[1][1])
            who = _viewer(session, helper.id) if helper else who
        account_id = _account(session, client_id, paper.iban)
    kind, fields = _said(paper, cast)
    content = io.BytesIO(paper.bytes(seeding.papers / trade.number))
    receive(
        seeding.parts, who, client_id, paper.filename, content, source=Source.UPLOAD, kind=kind, fields=fields,
        account_id=account_id,
    )  # fmt: skip


def _said(paper: Paper, cast: Cast) -> tuple[DocumentKind | None, dict[str, object]]:
    """What whoever hands a paper in says of it: not always everything."""
    fields = _fields(paper)
    if cast.without_kind and paper.kind is DocumentKind.OTHER:
        return None, {}
    if cast.unsaid and paper.kind in {DocumentKind.INCOMING_INVOICE, DocumentKind.OUTGOING_INVOICE}:
        return paper.kind, {}
    if cast.without_number and paper.number and paper.number.startswith("PH"):
        fields.pop("number")
    return paper.kind, fields


def _account(session: Session, client_id: UUID, iban: str | None) -> UUID | None:
    return next((one.id for one in banking.of_client(session, client_id) if iban and one.iban == iban), None)


def _fields(paper: Paper) -> dict[str, object]:
    """What is known of a paper, as the door takes it."""
    party = paper.party
    known: Mapping[str, object] = {
        "party_name": party.name if party else None,
        "party_vat_id": party.vat_id if party else None,
        "party_email": party.email if party else None,
        "number": paper.number,
        "issued_on": paper.issued_on,
        "due_on": paper.due_on,
        "currency": paper.gross.currency if paper.gross else None,
        "net": paper.net.minor if paper.net else None,
        "tax": paper.tax.minor if paper.tax else None,
        "gross": paper.gross.minor if paper.gross else None,
        "lines": tuple(paper.lines),
    }
    return {name: value for name, value in known.items() if value is not None and value != ()}


def _oddities(seeding: _Seeding, trade: Trade, client_id: UUID, papers: Sequence[Paper], cast: Cast) -> None:
    """An invoice that came twice, a file that was no file."""
    if cast.twice:
        first = next(paper for paper in papers if paper.kind is DocumentKind.INCOMING_INVOICE)
        again = replace(first, filename=f"Zweitschrift {first.filename}", make=first.bytes)
        _hand_in(seeding, trade, client_id, again, cast)
    if cast.refused:
        receive(seeding.parts, seeding.owner, client_id, "leer.pdf", io.BytesIO(b""), source=Source.UPLOAD)


# --- what is printed


def _logins() -> list[str]:
    first = trades()[0]
    people = [
        ("owner", OWNER[1]),
        *((role.value.replace("_", " "), email) for _name, email, role in STAFF if not email.startswith("noah")),
        *((f"client {role.value}", email) for _name, email, role in _contacts(first)),
    ]
    lines = [f"{role:15} {email}" for role, email in people]
    return [f"Sign in with one of these and the password {PASSWORD}", *lines]
