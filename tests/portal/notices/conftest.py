"""A client with a login that somebody connected, documents that go by it, and a mail server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import pytest
from sqlmodel import Session, col, select

from integrations.contract import Account, Token
from portal.access import viewer_of
from portal.accounts.models import Firm, Person, Role
from portal.clients.models import Client
from portal.config import Settings
from portal.connections import services as connections
from portal.connections.keep import Asked, keep
from portal.connections.models import Connection
from portal.extensions.models import Installation
from portal.instances.models import Instance
from portal.notices import sending
from portal.notices.models import Notice, NoticeState
from portal.parts import Parts
from tests import factories
from tests.portal import post_office
from tests.portal.post_office import Office

URL = "https://kontor.example"


@pytest.fixture
def office() -> Iterator[Office]:
    with post_office.running(Office()) as running:
        yield running


@pytest.fixture
def settings(settings: Settings, office: Office) -> Settings:
    """An installation that sends by it."""
    return replace(settings, mail=office.server, url=URL)


@dataclass
class World:
    """One login, and the people around it."""

    parts: Parts
    office: Office
    firm: Firm
    client: Client
    installed: Installation
    login: Connection
    instance: Instance
    people: dict[str, Person] = field(default_factory=dict)

    def member(self, name: str, role: Role, *, works: bool = False, **more: str) -> Person:
        """One more of the firm, who works for the client or not."""
        with self.parts.db.transaction() as session:
            person = factories.person(session, name=name, email=f"{name.lower()}@kanzlei.example", **more)
            assigned = (self.client.id,) if works else ()
            factories.member(session, self.firm, role=role, assigned=assigned, who=person)
        return person

    def connected_by(self, person: Person) -> None:
        """They consent, and the login lives (again)."""
        with self.parts.db.transaction() as session:
            viewer = viewer_of(session, person.id)
            assert viewer is not None
            asked = Asked(
                client_id=self.client.id, installation_id=self.installed.id, name=self.login.name, consent="Yes.",
                connection_id=self.login.id,
            )  # fmt: skip
            account = Account(id=self.login.account_id, name="Brandt", email=None, space_left=None, space_total=None)
            keep(session, viewer, self.parts.vault, asked, Token(access="a", refresh="r"), account)

    def dies(self) -> None:
        """The provider refuses it."""
        with self.parts.db.transaction() as session:
            connections.died(session, self.login.id, "%(provider)s says: gone.", {"provider": "Google Drive"})

    def change(self, **values: object) -> None:
        """Of the login."""
        with self.parts.db.transaction() as session:
            row = session.get_one(Connection, self.login.id)
            for name, value in values.items():
                setattr(row, name, value)
            session.add(row)

    def notices(self, *states: NoticeState) -> Sequence[Notice]:
        with self.parts.db.read() as session:
            found = session.exec(select(Notice).order_by(col(Notice.id))).all()
        return [one for one in found if not states or one.state in states]

    def deliver(self) -> None:
        """What a worker does with all that is due."""
        for notice in self.notices():
            sending.tell(self.parts, notice.id)

    def told(self) -> list[str]:
        """To whom letters came, in order."""
        return [one.partition("@")[0] for one in self.office.recipients]


def one_login(parts: Parts, office: Office, firm: Firm) -> World:
    """A client of the firm whose documents go by one login."""
    with parts.db.transaction() as session:
        client = factories.client(session, firm)
        installed = factories.installation(session, firm, parts=parts, client_id="app", client_secret="secret")
        login = factories.connection(session, client, installed, name="Our drive")
        instance = factories.instance(session, client, installed, connected=login)
    return World(parts, office, firm, client, installed, login, instance)


@pytest.fixture
def world(parts: Parts, office: Office, firm: Firm) -> World:
    return one_login(parts, office, firm)


def held_document(session: Session, world: World) -> UUID:
    """A document that waits at the instance."""
    from portal.delivery.models import State

    document = factories.document(session, world.client)
    factories.delivery(session, document, session.get_one(Instance, world.instance.id), state=State.QUEUED)
    return document.id
