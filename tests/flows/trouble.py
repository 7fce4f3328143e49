"""What people do at a storage while a run is under way, and what the portal's pages say of it."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from flask.testing import FlaskClient
from sqlmodel import Session, select

from integrations.contract import Ability
from integrations.sandbox.app import SIMULATORS, Sandbox
from integrations.sandbox.server import Server
from portal import clock, create_app
from portal.access import Viewer, viewer_of
from portal.accounts.models import Firm
from portal.banking.models import BankAccount
from portal.clock import Traveller
from portal.config import Settings
from portal.connections.models import Connection
from portal.delivery import check, completeness, lookback, outbox, runs, sweep
from portal.delivery.deliver import drain
from portal.delivery.models import Drift, Settlement, State
from portal.documents.models import Document
from portal.i18n import translations
from portal.instances import services as instances
from portal.instances.models import Instance, InstanceState, Run
from portal.web.words import DELIVERY, INSTANCE
from tests import factories
from tests.flows.people import PEOPLE, Person
from tests.flows.world import World, world
from tests.portal.connections import dance

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ACCOUNTS = ("Girokonto", "Tagesgeld")
MONTHS = ("2026-01", "2026-02", "2026-03")
# How each provider is sent a small file.
_SENDS = {
    "google_drive": re.compile(r"POST /google_drive/upload/"),
    "onedrive": re.compile(r"PUT /onedrive/v1\.0/.*/content$"),
    "dropbox": re.compile(r"POST /dropbox/content/2/files/upload$"),
    "webdav": re.compile(r"PUT /webdav/"),
    "s3": re.compile(r"PUT /s3/"),
}


@dataclass
class Gate:
    """Stands before the simulator: something happens just as a file is being sent, before the provider sees it."""

    app: Sandbox
    kind: str
    after: int = 0
    trouble: Callable[[], None] | None = None
    _sent: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def arm(self, after: int, trouble: Callable[[], None]) -> None:
        """Let it happen when so many have been sent, and the next one comes."""
        self.after, self.trouble, self._sent = after, trouble, 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self.trouble is None or not self._sends(environ):
            return self.app(environ, start_response)
        with self._lock:  # what is being sent beside it is wholly there, or not at all
            self._come()
            return list(self.app(environ, start_response))

    def _sends(self, environ: WSGIEnvironment) -> bool:
        return _SENDS[self.kind].match(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}") is not None

    def _come(self) -> None:
        due, self._sent = self._sent >= self.after, self._sent + 1
        if due and self.trouble is not None:
            self.trouble()
            self.trouble = None


@dataclass
class Scene:
    """A world, somebody at the provider, and somebody who reads the portal's pages in two languages."""

    at: World
    gate: Gate
    person: Person
    owner: Viewer
    browser: FlaskClient
    here: Traveller
    accounts: Mapping[str, BankAccount]

    @property
    def has_ids(self) -> bool:
        """Whether things keep an id when they are moved or renamed."""
        return Ability.IDS in self.at.remote.manifest.abilities

    # --- documents and runs

    def arrive(self, count: int = 24) -> list[Document]:
        """Documents of all accounts and months, a folder after the other."""
        with self.at.parts.db.transaction() as session:
            return [self._arrived(session, turn) for turn in range(count)]

    def _arrived(self, session: Session, turn: int) -> Document:
        account, month = ACCOUNTS[turn % 2], MONTHS[turn // 2 % 3]
        content = f"%PDF-1.4 {account} {month} {turn} {clock.token()}".encode()
        issued_on = date.fromisoformat(f"{month}-{turn % 28 + 1:02}")
        made = factories.document(
            session, self.at.client, parts=self.at.parts, content=content, account_id=self.accounts[account].id,
            issued_on=issued_on,
        )  # fmt: skip
        factories.recorded(session, made)
        outbox.plan_document(session, made)
        return made

    def run(self, *, after: int = 0, trouble: Callable[[], None] | None = None) -> Run:
        """Export now; ``trouble`` comes when ``after`` files of it have been sent. Until its end."""
        with self.at.parts.db.transaction() as session:
            begun = instances.export_now(session, self.owner, self.at.instance.id)
        if trouble:
            self.gate.arm(after, trouble)
            drain(self.at.parts, self.at.instance.id)
            assert self.gate.trouble is None, "the trouble came"
        self.work()
        with self.at.parts.db.read() as session:
            return session.get_one(Run, begun.id)

    def work(self) -> None:
        """What workers and the scheduler do in the next minutes."""
        for _ in range(8):
            self.here.advance(timedelta(seconds=40))
            sweep.sweep(self.at.parts.db)
            lookback.look(self.at.parts, self.at.instance.id)
            drain(self.at.parts, self.at.instance.id)
            runs.end_finished(self.at.parts.db)
            if not self._busy():
                return

    def _busy(self) -> bool:
        with self.at.parts.db.read() as session:
            instance = session.get_one(Instance, self.at.instance.id)
            under_way = runs.under_way(session, instance.id) is not None
        active = instance.state is InstanceState.ACTIVE
        return active and (under_way or any(row.state in {State.QUEUED, State.SENDING} for row in self.at.rows()))

    # --- what is there

    def month(self, account: str, month: str) -> str:
        return f"Kontor/{self.at.client.name}/{account}/{month}"

    def content(self, document: Document) -> bytes:
        with self.at.parts.files.open(self.at.client.firm_id, document.sha256) as file:
            return file.read()

    def holds(self, documents: list[Document], *, besides: Iterable[bytes] = ()) -> None:
        """The storage has each of them once, byte for byte, and nothing else than ``besides``."""
        wanted = Counter([*map(self.content, documents), *besides])
        assert Counter(self.person.contents()) == wanted

    def path(self, document: Document) -> str:
        """Where it lies."""
        (found,) = (path for path in self.person.paths() if path.endswith(f" {document.number}.pdf"))
        return found

    def is_proven(self) -> bool:
        """What ``kontor verify --remote`` says, besides what ``says`` has proven."""
        return list(check.verify_remote(self.at.parts, self.at.client.firm_id)) == []

    def state_of(self, document: Document) -> State:
        (found,) = (row.state for row in self.at.rows() if row.document_id == document.id)
        return found

    def drifts(self) -> list[Drift]:
        with self.at.parts.db.read() as session:
            return list(session.exec(select(Drift).order_by(Drift.found_at, Drift.id)))  # type: ignore[arg-type]

    def settlements(self, document: Document) -> list[Settlement | None]:
        return [one.settlement for one in self.drifts() if one.document_id == document.id]

    # --- what the pages say

    @property
    def page(self) -> str:
        return f"/clients/{self.at.client.id}/integrations/{self.at.instance.id}"

    def press(self, verb: str) -> str:
        """A button of the integration's page."""
        answer = self.browser.post(f"{self.page}/{verb}", follow_redirects=True)
        assert answer.status_code == 200, answer.text
        self.here.advance(timedelta(seconds=1))
        return answer.text

    def says(
        self, states: Mapping[State, int], *sentences: str, instance: InstanceState = InstanceState.ACTIVE
    ) -> None:
        """The pages, in English and in German: how many are in which state, how the instance stands, and why.

        ``sentences`` are message ids that are on the integration's page.
        """
        states = {state: number for state, number in states.items() if number}
        assert self.at.states() == states
        for language in ("en", "de"):
            self.browser.post("/language", data={"language": language})
            word = translations(language).ugettext
            shown = self.browser.get(self.page).text
            assert _figures(shown) == {word(DELIVERY[state][0]): number for state, number in states.items()}
            assert word(INSTANCE[instance][0]) in _pills(shown)
            for sentence in sentences:
                assert language == "en" or word(sentence) != sentence, f"not in German: {sentence}"
                assert any(said in shown for said in self._filled(word(sentence))), (language, sentence)
            self._adds_up(word, sum(states.values()))
        with self.at.parts.db.read() as session:
            assert list(completeness.verify(session, self.at.client.firm_id)) == []

    def _filled(self, sentence: str) -> list[str]:
        """With what the reason knows, or with the provider's name as the page has it."""
        with self.at.parts.db.read() as session:
            facts = session.get_one(Instance, self.at.instance.id).facts
        provider = {"provider": self.at.remote.manifest.name}
        return [sentence % {**provider, **facts}, sentence % {**facts, **provider}]

    def _adds_up(self, word: Callable[[str], str], documents: int) -> None:
        """The completeness page: every document is in one state, every delivered one has its receipt."""
        shown = self.browser.get(f"/clients/{self.at.client.id}/completeness").text
        assert word("complete") in _pills(shown)
        numbers = re.findall(r'data-label="([^"]+)">\s*(?:<[^>]+>)?(\d+)', shown)
        assert (word("Documents"), str(documents)) in numbers
        assert (word("Difference"), "0") in numbers

    def decide(self, verb: str, document: Document) -> None:
        """Restore or accept what was found of it, on the list of the page."""
        (drift,) = (one for one in self.drifts() if one.document_id == document.id and one.settled_at is None)
        listed = self.browser.get(f"/clients/{self.at.client.id}/drifts").text
        assert f'value="{drift.id}"' in listed
        form = {"chosen": str(drift.id)}
        assert self.browser.post(f"/clients/{self.at.client.id}/drifts/{verb}", data=form).status_code == 303
        self.here.advance(timedelta(seconds=1))

    @property
    def login(self) -> str:
        """The page of the connection."""
        with self.at.parts.db.read() as session:
            connection = session.exec(select(Connection)).one()
        return f"/clients/{self.at.client.id}/integrations/connections/{connection.id}"

    def disconnect(self) -> None:
        """Press «Disconnect», say that one is sure, and have the provider told as well."""
        form = {"sure": "yes", "revoke": "yes"}
        assert self.browser.post(f"{self.login}/disconnect", data=form).status_code == 303

    def sign_in_again(self) -> None:
        """Press «Reconnect» and do what the provider, or our form, asks for."""
        page = self.login
        seen = re.search(r'name="seen" value="(\w+)"', self.browser.get(page).text)
        assert seen is not None
        login = self.person.login_again()
        answer = self.browser.post(f"{page}/reconnect", data={"name": "Ours", "agree": "yes", "seen": seen[1], **login})
        assert answer.status_code == 303, answer.text
        if not login:
            query = dance.answer(answer.location, account="anna")
            back = parse_qs(answer.location.partition("?")[2])["redirect_uri"][0]
            answer = self.browser.get(f"{urlsplit(back).path}?{urlencode(query)}")
            assert answer.status_code == 303, answer.text
        self.here.advance(timedelta(seconds=1))


def _figures(page: str) -> dict[str, int]:
    found = re.findall(r'class="figure"><b class="\w*">(\d+)</b><span>([^<]+)</span>', page)
    return {word: int(number) for number, word in found}


def _pills(page: str) -> set[str]:
    return {text.strip() for text in re.findall(r'class="pill[^>]*>(?:<svg.*?</svg>)?([^<]+)<', page, re.DOTALL)}


@contextmanager
def scene(settings: Settings, environ: Mapping[str, str], kind: str) -> Iterator[Scene]:
    """A client with two bank accounts and a live instance; the clock stands and is moved by hand."""
    app = Sandbox(None, {kind: SIMULATORS[kind]})
    gate = Gate(app, kind)
    try:
        with Server(gate) as server, world(settings, environ, kind, server.url) as at, clock.travel() as here:
            with at.parts.db.transaction() as session:
                accounts = {name: factories.account(session, at.client, name=name) for name in ACCOUNTS}
                member = factories.member(session, session.get_one(Firm, at.client.firm_id))
                owner = viewer_of(session, member.person_id)
                session.exec(select(Connection)).one().account_id = at.remote.check().id
            assert owner is not None
            pages = create_app(replace(at.parts.settings))
            browser = factories.sign_in(pages, member.person_id)
            yield Scene(at, gate, PEOPLE[kind](at), owner, browser, here, accounts)
            pages.extensions["kontor"].db.dispose()
            redis: Any = pages.extensions["kontor"].db.bell
            redis.redis.close()
    finally:
        app.close()
