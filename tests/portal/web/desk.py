"""Somebody who adds and looks after integrations in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from portal.access import Viewer
from portal.accounts.models import Firm
from portal.clients.models import Client
from portal.config import Settings
from portal.connections.models import Connection
from portal.instances.models import Instance
from portal.parts import Parts
from tests import factories, servers
from tests.portal.connections import dance

APP = {"client_id": "kontor-demo", "client_secret": "kontor-demo-secret"}
SignedIn = Callable[[Viewer], FlaskClient]


@dataclass
class Desk:
    """Somebody in a browser, at one client."""

    browser: FlaskClient
    parts: Parts
    client: Client

    @property
    def base(self) -> str:
        return f"/clients/{self.client.id}/integrations"

    def begin(self, kind: str = "google_drive") -> str:
        """Choose a kind; the address of the first step."""
        answer = self.browser.post(f"{self.base}/add", data={"kind": kind})
        assert answer.status_code == 303, answer.text
        return answer.location

    def consent(self, page: str, **more: str) -> str:
        """Agree to the text on the page; the provider's address."""
        seen = re.search(r'name="seen" value="(\w+)"', self.browser.get(page).text)
        assert seen is not None
        form = {"connection": "new", "name": "Our drive", "agree": "yes", "seen": seen[1], **more}
        answer = self.browser.post(page, data=form)
        assert answer.status_code == 303, answer.text
        return answer.location

    def back(self, consent_url: str, **choice: str) -> str:
        """Choose at the provider and come back; where that leads."""
        query = dance.answer(consent_url, **choice)
        kind = "quickbooks" if "/quickbooks/" in consent_url else "google_drive"
        answer = self.browser.get(f"/connect/callback/{kind}?{urlencode(query)}")
        assert answer.status_code == 303, answer.text
        return answer.location

    def steps(self, *forms: dict[str, object]) -> str:
        """Post one form after the other, from where the draft stands."""
        page = self.next_step()
        for form in forms:
            answer = self.browser.post(page, data=form)
            assert answer.status_code == 303, answer.text
            page = answer.location
        return page

    def next_step(self) -> str:
        answer = self.browser.get(f"{self.base}/{self.instance.id}")
        return answer.location if answer.status_code == 303 else answer.request.path

    @property
    def instance(self) -> Instance:
        with self.parts.db.read() as session:
            return session.exec(select(Instance)).one()

    @property
    def state(self) -> str:
        return self.instance.state.value

    @property
    def connection(self) -> Connection:
        with self.parts.db.read() as session:
            return session.exec(select(Connection)).one()

    def finished(self) -> str:
        """Google Drive, set up whole; its page."""
        self.back(self.consent(self.begin()))
        return self.steps({"root": "Kontor", "path": "{client}/{date} {number}", "language": "de"},
                          {"takes": ["receipt"]}, {"start": "now"}, {"name": "Drive"})  # fmt: skip


@pytest.fixture
def settings(settings: Settings, sandbox: servers.Sandbox) -> Settings:
    """The providers are simulators."""
    return replace(settings, endpoints=sandbox.endpoints)


@pytest.fixture
def desk(signed_in: SignedIn, viewer: Callable[..., Viewer], parts: Parts, firm: Firm) -> Desk:
    """The firm's owner at a client; Drive and QuickBooks are installed."""
    with parts.db.transaction() as session:
        client = factories.client(session, firm)
        for kind in ("google_drive", "quickbooks"):
            factories.installation(session, firm, kind=kind, parts=parts, **APP)
    return Desk(signed_in(viewer()), parts, client)
