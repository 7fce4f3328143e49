"""Strangers on every route: whoever may not see a thing gets «not found» or the sign-in page, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from integrations.contract import DriftKind
from portal import audit, clock, ids
from portal.access import SCOPES
from portal.accounts import invitations, tokens
from portal.accounts.models import Firm, Role
from portal.api import PREFIX
from portal.banking.models import ImportState, StatementImport, Transaction
from portal.banking.statements.values import Format
from portal.clients.models import Client, ContactRole, SavedView
from portal.delivery.models import Attempt, Drift, Outcome, Receipt, State
from portal.documents.models import DocumentVersion, Refusal, Source
from portal.instances.models import InstanceState, Run, RunTrigger
from portal.mailbox.models import Mail, MailAddress, MailSender, MailSettings, MailState
from portal.notices.models import Notice, NoticeKind, NoticeState
from portal.parts import Parts
from tests import factories
from tests.portal.web import walk
from tests.portal.web.walk import Call, Somebody

# What anybody may ask for, signed in or not. A new public page must be written here, and thought about.
PUBLIC = {
    "auth.sign_in", "auth.enter", "auth.language", "auth.invitation", "auth.accept", "first_visit.welcome",
    "first_visit.found", "health.alive", "health.ready", "static", "api:openapi.spec",
}  # fmt: skip
# What every signed-in person has for themselves: no firm's and no client's.
OWN = {
    "board.home", "board.save", "account.home", "account.change", "account.change_password", "account.end_others",
    "auth.sign_out", "search.found", "search.save", "integrations.callback", "deliveries.standing_still",
    "api:clients.listed",
}  # fmt: skip
# Not walked with a session: they would end it.
ENDS_SESSION = {"auth.sign_out"}
# The document of the walk is no e-invoice.
EINVOICES = {"einvoices.page", "einvoices.printed", "einvoices.xml"}
# Words that only those may read who see documents.
WHY = "Geheimnisvoller Fehler"
MARKS = ("Geheime Lieferantin", "GEH-4711", "geheim.pdf", "987,65", "987.65", "98765", WHY, "Geheimkonto")
# Written by signing in and by counting, whoever does it.
NOISE = ("sign_in", "api_token", "lease", "audit_head", "audit_entry")


@dataclass(frozen=True)
class World:
    """Two firms; the first with two clients, one of which has everything."""

    app: Flask
    parts: Parts
    firm: Firm
    client: Client
    other_client: Client
    other_firm: Firm
    rows: walk.Rows  # of the first firm
    people: dict[str, UUID]  # person by who they are
    members: dict[str, UUID]

    def somebody(self, who: str) -> Somebody:
        """The browser, and for members a bearer token with every scope, of one of ``people``."""
        bearer = None
        if who in self.members:
            with self.parts.db.transaction() as session:
                _row, bearer = tokens.issue(
                    session, self.parts.vault, self.members[who], name="walk", scopes=set(SCOPES), days=1
                )
        return Somebody(factories.sign_in(self.app, self.people[who]), walk.bodies(self.app), bearer)


@pytest.fixture
def world(app: Flask, browser: FlaskClient) -> World:
    """Everything that there can be, in the first firm."""
    parts: Parts = app.extensions["kontor"]
    app.extensions["kontor-api"].config["API_PER_TOKEN"] = "100000 per minute"
    app.extensions["kontor-api"].config["API_PER_STRANGER"] = "100000 per minute"
    people: dict[str, UUID] = {}
    members: dict[str, UUID] = {}
    with parts.db.transaction() as session:
        firm, other_firm = factories.firm(session), factories.firm(session, name="Kanzlei Fremd")
        client, other_client = (
            factories.client(session, firm),
            factories.client(session, firm, name="Tischlerei Ahlers"),
        )
        foreign = factories.client(session, other_firm, name="Mandant der Fremden")
        for who, role in (("owner", Role.OWNER), ("manager", Role.CLIENT_MANAGER), ("assistant", Role.ASSISTANT)):
            made = factories.member(session, firm, role=role, assigned=(client.id,) if role is Role.ASSISTANT else ())
            people[who], members[who] = made.person_id, made.id
        made = factories.member(session, firm, role=Role.ACCOUNTANT, assigned=(other_client.id,))
        people["unassigned"], members["unassigned"] = made.person_id, made.id
        made = factories.member(session, other_firm)
        people["foreigner"], members["foreigner"] = made.person_id, made.id
        factories.contact(session, client)
        people["other contact"] = factories.contact(session, other_client, role=ContactRole.OWNER).person_id
        people["member contact"] = factories.contact(session, client, role=ContactRole.MEMBER).person_id
        people["foreign contact"] = factories.contact(session, foreign).person_id
        _fill(session, parts, client, firm, people["owner"], members["owner"])
    factories.sign_in(app, people["owner"])
    rows = walk.rows_of(parts.db, lambda table, row: _belongs(table, row, firm.id, client.id, people, members))
    return World(app, parts, firm, client, other_client, other_firm, rows, people, members)


def _fill(session: Any, parts: Parts, client: Client, firm: Firm, owner: UUID, member: UUID) -> None:
    """One row of everything that a client can have, full of marks."""
    session.add(MailSettings(firm_id=firm.id, domain="belege.example"))
    account = factories.account(session, client, name="Geheimkonto")
    document = factories.document(
        session, client, parts=parts, filename="geheim.pdf", party_name="Geheime Lieferantin", number="GEH-4711",
        gross=98765, net=82996, tax=15769, account_id=account.id,
    )  # fmt: skip
    installed = factories.installation(session, firm, parts=parts, client_id="app", client_secret="secret")
    ends_at = clock.now() + timedelta(days=3)
    connected = factories.connection(
        session, client, installed, parts=parts, token={"access_token": "x"}, expires_at=ends_at, text=WHY
    )
    instance = factories.instance(
        session, client, installed, connected=connected, state=InstanceState.HELD, text=WHY, look_text=WHY,
        settings={"root": "Geheimkonto"},
    )  # fmt: skip
    delivery = factories.delivery(session, document, instance, state=State.FAILED, text=WHY)
    session.add_all([
        Attempt(delivery_id=delivery.id, number=1, outcome=Outcome.REJECTED, text=WHY, worker="w"),
        Receipt(
            delivery_id=delivery.id, document_id=document.id, instance_id=instance.id, version=1, sha256="0",
            remote_id="r",
        ),
        Drift(
            client_id=client.id, instance_id=instance.id, document_id=document.id, delivery_id=delivery.id,
            kind=DriftKind.CHANGED, remote_id="r",
        ),
        Notice(
            client_id=client.id, connection_id=connected.id, person_id=owner, kind=NoticeKind.ENDING,
            about=ends_at.isoformat(), ends_at=ends_at, state=NoticeState.FAILED, text=WHY,
        ),
        Run(instance_id=instance.id, trigger=RunTrigger.FINISH, due_at=document.arrived_at),
        DocumentVersion(document_id=document.id, version=1, fields={"number": "GEH-4711"}),
        Refusal(client_id=client.id, filename="geheim.pdf", size=1, source=Source.UPLOAD, text=WHY),
        Transaction(
            client_id=client.id, account_id=account.id, key="1", format=Format.CSV, booked_on=clock.now().date(),
            amount=-98765, currency="EUR", name="Geheime Lieferantin",
        ),
        StatementImport(document_id=document.id, client_id=client.id, state=ImportState.IMPORTED, text="ok"),
        MailAddress(client_id=client.id, local="bekannt-2345678"),
        MailSender(client_id=client.id, pattern="@geheim.example"),
        Mail(
            client_id=client.id, identity="1", address="bekannt-2345678", way="smtp", sender="a@geheim.example",
            subject="Geheime Lieferantin", state=MailState.HELD, text=WHY, file_id=document.file_id,
            sha256=document.sha256,
        ),
        SavedView(person_id=owner, page="board", name="Meine", query={}),
    ])  # fmt: skip
    invitations.make(session, parts.vault, owner)
    tokens.issue(session, parts.vault, member, name="owner's", scopes={"read"}, days=1)
    audit.record(session, firm.id, "test.filled", by=audit.SYSTEM, client_id=client.id)


def _belongs(table: str, row: Any, firm: UUID, client: UUID, people: dict[str, UUID], members: dict[str, UUID]) -> bool:
    if table in {"client", "firm"}:
        return bool(row["id"] in {client, firm})
    if "client_id" in row:
        return bool(row["client_id"] == client)
    if "firm_id" in row and table != "member":
        return bool(row["firm_id"] == firm)
    if "member_id" in row:
        return bool(row["member_id"] == members["owner"])
    if "person_id" in row:
        return bool(row["person_id"] == people["owner"])
    return True


def test_every_id_in_an_address_is_filled_with_a_row_of_its_table(world: World) -> None:
    """Else a route would answer «not found» for the wrong reason."""
    assert walk.unknown_ids(world.app, world.rows) == set()


def test_nobody_is_let_in_without_signing_in(world: World, browser: FlaskClient) -> None:
    nobody = Somebody(browser, walk.bodies(world.app))
    before = walk.dump(world.parts.db)
    wrong = [
        f"{call}: {status}" for call, status, _text in _answers(world, nobody) if not _asks_to_sign_in(call, status)
    ]
    assert not wrong, "\n".join(wrong)
    assert walk.dump(world.parts.db) == before


def _asks_to_sign_in(call: Call, status: str) -> bool:
    if call.endpoint in PUBLIC:
        return not status.startswith("5") or call.endpoint == "health.ready"
    return status in ({"401", "404"} if call.endpoint.startswith("api:") else {"302 /sign-in"})


def test_only_known_pages_are_public(world: World) -> None:
    views = world.app.view_functions
    assert {name for name in views if getattr(views[name], "public", False)} == {
        name for name in PUBLIC if not name.startswith("api:") and name != "static"
    }


@pytest.mark.parametrize("who", ["other contact", "foreign contact", "foreigner", "unassigned"])
def test_strangers_find_nothing_and_change_nothing(world: World, who: str) -> None:
    before = _of_first_firm(world)
    wrong = _findings(world, world.somebody(who), shows_own=who in {"foreigner", "unassigned"})
    assert not wrong, "\n".join(wrong)
    assert _of_first_firm(world) == before


def _findings(world: World, stranger: Somebody, *, shows_own: bool) -> list[str]:
    """What a stranger gets that is not theirs. ``shows_own``: pages without ids show the own firm's things."""
    wrong = []
    for call, status, text in _answers(world, stranger):
        mine = call.endpoint in PUBLIC | OWN or (shows_own and not call.names_ids)
        if not mine and status != "404":
            wrong.append(f"{call}: {status}")
        if status.startswith("5") and call.endpoint != "health.ready":
            wrong.append(f"{call}: {status}")
        wrong += [f"{call} shows {mark}" for mark in (*MARKS, world.client.name) if mark in text]
    return wrong


def _of_first_firm(world: World) -> walk.Dump:
    """The rows there were of the first firm, and all that names its client."""
    known = {str(one) for rows in world.rows.values() for one in rows}
    content = walk.dump(world.parts.db, *NOISE)
    client = str(world.client.id)
    return {key: row for key, row in content.items() if key[1] in known or client in row}


@pytest.mark.parametrize("who", ["other contact", "foreign contact", "foreigner", "unassigned", "manager"])
def test_strangers_find_nothing_by_asking_for_it(world: World, who: str) -> None:
    """Pages that everybody has show their own; so they are asked for what is not theirs."""
    browser = world.somebody(who).browser
    for asked in ("/?q=Brandt", "/search?q=Geheime", "/search?q=GEH-4711", "/deliveries?q=Geheime"):
        page = browser.get(asked).text.replace(asked.partition("=")[2], "")  # the box repeats what was asked
        assert not [mark for mark in MARKS if mark in page], asked


def test_a_client_manager_sees_counts_and_no_content(world: World) -> None:
    may_change = ("client", "assignment", "saved_view", "person")
    before = walk.dump(world.parts.db, *NOISE, *may_change)
    wrong = []
    for call, status, text in _answers(world, world.somebody("manager")):
        wrong += [f"{call} shows {mark}" for mark in MARKS if mark in text]
        if status.startswith("5") and call.endpoint != "health.ready":
            wrong.append(f"{call}: {status}")
    assert not wrong, "\n".join(wrong)
    assert walk.dump(world.parts.db, *NOISE, *may_change) == before


@pytest.mark.parametrize("who", ["assistant", "member contact"])
def test_readers_change_nothing_but_what_is_their_own(world: World, who: str) -> None:
    may_change = ("saved_view", "person") if who == "assistant" else ("saved_view", "person", "refusal")
    before = walk.dump(world.parts.db, *NOISE, *may_change)
    wrong = [
        f"{call}: {status}" for call, status, _text in _answers(world, world.somebody(who)) if status.startswith("5")
    ]
    assert [line for line in wrong if "health.ready" not in line] == []
    assert walk.dump(world.parts.db, *NOISE, *may_change) == before


def test_an_assistant_is_refused_every_change(world: World) -> None:
    """Beyond changing nothing: each writing route says so by «not found», whatever was sent."""
    reads_by_post = {"files.selection"}  # a ZIP of chosen documents
    wrong = [
        f"{call}: {status}"
        for call, status, _text in _answers(world, world.somebody("assistant"))
        if call.method != "GET" and call.endpoint not in PUBLIC | OWN | reads_by_post and status != "404"
    ]
    assert not wrong, "\n".join(wrong)


def test_unknown_ids_are_not_found_even_by_the_owner(world: World) -> None:
    random = {table: [ids.new()] for table in world.rows}
    wrong = [
        f"{call}: {status}"
        for call, status, _text in _answers(world, world.somebody("owner"), rows=random)
        if call.names_ids and status != "404"
    ]
    assert not wrong, "\n".join(wrong)


def test_the_owner_finds_every_page(world: World) -> None:
    """Else strangers would find nothing only because there is nothing."""
    unknown = {"auth.invitation", "first_visit.welcome", "integrations.callback"}
    # The document here is a PDF without pages.
    of_other_files = {"files.picture", "files.page", "api:splits.proposed", *EINVOICES}
    wrong = [
        f"{call}: {status}"
        for call, status, _text in _answers(world, world.somebody("owner"), methods={"GET"})
        if call.endpoint not in unknown | of_other_files and status[0] not in "23"
    ]
    assert not wrong, "\n".join(wrong)


def test_the_walk_catches_a_route_without_an_access_check(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody changes a page and forgets the check: every stranger's walk must end at it."""
    leak = "clients.overview"
    monkeypatch.setitem(world.app.view_functions, leak, lambda client_id: "Geheime Lieferantin")
    assert any(leak in line for line in _findings(world, world.somebody("foreigner"), shows_own=True))
    assert any(leak in line for line in _findings(world, world.somebody("other contact"), shows_own=False))


def _answers(
    world: World, somebody: Somebody, rows: walk.Rows | None = None, methods: set[str] | None = None
) -> Iterator[tuple[Call, str, str]]:
    """Each call with its status (and where it leads to, without a query) and its text."""
    for call in walk.calls(world.app, rows or world.rows):
        if methods and call.method not in methods:
            continue
        has_session = "_user_id" in _cookie(somebody.browser)
        if has_session and (call.endpoint in ENDS_SESSION or (call.path.startswith(PREFIX) and not somebody.bearer)):
            continue  # contacts have no tokens; without one the API knows nobody, which is tried above
        answer = somebody.make(call)
        status = str(answer.status_code)
        if answer.location and answer.status_code in {302, 303}:
            status += " " + answer.location.partition("?")[0]
        yield (
            call,
            status,
            answer.get_data(as_text=True) if (answer.mimetype or "").startswith(("text/", "application/json")) else "",
        )
        answer.close()


def _cookie(browser: FlaskClient) -> dict[str, Any]:
    with browser.session_transaction() as cookie:
        return dict(cookie)
