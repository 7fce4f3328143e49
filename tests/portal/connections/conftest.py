"""A client of a firm that has Google Drive installed, and its owner in one browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

import pytest
from sqlmodel import Session

from portal import ids
from portal.access import Viewer, viewer_of
from portal.accounts.models import Person, SignIn
from portal.clients.models import Client, ContactRole
from portal.connections import sign_in
from portal.connections.keep import Asked, Signed
from portal.connections.models import Connection
from portal.connections.sign_in import Wish
from portal.parts import Parts
from tests import factories
from tests.portal.connections import dance

APP = {"client_id": "kontor-demo", "client_secret": "kontor-demo-secret"}


@dataclass(frozen=True)
class Desk:
    """Somebody who may connect one client, in one browser."""

    parts: Parts
    client: Client
    viewer: Viewer
    browser: UUID  # the row of the sign-in

    def begin(self, **more: object) -> str:
        """Ask for a sign-in; the consent page's address."""
        wish = Wish(
            kind="google_drive", name="Drive of Brandt", consent="I allow it.", redirect_uri=dance.REDIRECT_URI,
            sign_in_id=self.browser,
        )  # fmt: skip
        with self.parts.db.transaction() as session:
            return sign_in.begin(session, self.viewer, self.parts, self.client.id, replace(wish, **more))  # type: ignore[arg-type]

    def complete(self, query: dict[str, str], *, kind: str = "google_drive") -> Signed:
        """Bring the provider's answer back."""
        return sign_in.complete(self.parts, self.viewer, self.browser, kind, query, nothing_more)

    def connect(self, *, account: str = "anna", **more: object) -> Signed:
        """The whole way."""
        return self.complete(dance.answer(self.begin(**more), account=account))


def nothing_more(_session: Session, _viewer: Viewer, _connection: Connection, _asked: Asked) -> None:
    """No instance waits for this sign-in."""


@pytest.fixture
def at_desk(parts: Parts) -> Callable[[Client, Person], Desk]:
    """``at_desk(client, person)``: the person in a browser of their own."""

    def make(client: Client, person: Person) -> Desk:
        with parts.db.transaction() as session:
            browser = SignIn(person_id=person.id, secret_digest=str(ids.new()), address="127.0.0.1", browser="test")
            session.add(browser)
            session.flush()
            viewer = viewer_of(session, person.id)
        assert viewer is not None
        return Desk(parts, client, viewer, browser.id)

    return make


@pytest.fixture
def desk(parts: Parts, at_desk: Callable[[Client, Person], Desk]) -> Desk:
    """The owner of a client's company, in front of a browser."""
    with parts.db.transaction() as session:
        firm = factories.firm(session)
        factories.installation(session, firm, parts=parts, **APP)
        client = factories.client(session, firm)
        person = factories.person(session)
        factories.contact(session, client, role=ContactRole.OWNER, who=person)
    return at_desk(client, person)
