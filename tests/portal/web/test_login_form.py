"""Signing in on our own page, where the provider has none: the step of the set-up, and reconnecting."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from portal.access import Viewer
from portal.accounts.models import Firm
from portal.clients.models import Client
from portal.connections.models import Connection, Consent
from portal.instances.models import Instance
from portal.parts import Parts
from tests import echo, factories

LOGIN = {"login-owner": "anna", "login-key": "1234"}


@dataclass
class Desk:
    """The firm's owner in a browser, at one client."""

    browser: FlaskClient
    parts: Parts
    client: Client

    @property
    def base(self) -> str:
        return f"/clients/{self.client.id}/integrations"

    def begin(self) -> str:
        return str(self.browser.post(f"{self.base}/add", data={"kind": "safe"}).location)

    def form(self, page: str, **more: str) -> dict[str, str]:
        seen = re.search(r'name="seen" value="(\w+)"', self.browser.get(page).text)
        assert seen is not None
        form = {"connection": "new", "name": "Our safe", "agree": "yes", "seen": seen[1], **LOGIN, **more}
        return {name: value for name, value in form.items() if value}

    @property
    def connection(self) -> Connection:
        with self.parts.db.read() as session:
            return session.exec(select(Connection)).one()

    @property
    def state(self) -> str:
        return self.connection.state.value


@pytest.fixture
def kept() -> echo.Kept:
    return echo.install()


@pytest.fixture
def desk(
    signed_in: Callable[[Viewer], FlaskClient], viewer: Callable[..., Viewer], parts: Parts, firm: Firm, kept: echo.Kept
) -> Desk:
    with parts.db.transaction() as session:
        client = factories.client(session, firm)
        factories.installation(session, firm, kind="safe", parts=parts)
    return Desk(signed_in(viewer()), parts, client)


def test_the_form_of_the_kind_signs_in_and_the_set_up_goes_on(desk: Desk) -> None:
    page = desk.begin()
    shown = desk.browser.get(page).text
    assert 'name="login-owner"' in shown
    assert 'type="password"' in shown
    answer = desk.browser.post(page, data=desk.form(page))
    assert (answer.status_code, answer.location.rpartition("/")[2]) == (303, "documents")
    with desk.parts.db.read() as session:
        assert session.exec(select(Consent)).one().text in shown
        assert session.exec(select(Instance)).one().connection_id == desk.connection.id


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"login-key": "0000"}, "check what you entered"),
        ({"login-key": ""}, "This is needed."),
        ({"agree": ""}, "Please agree"),
        ({"name": " "}, "give the connection a name"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_entered_stays_but_the_secret(
    desk: Desk, wrong: dict[str, str], said: str
) -> None:
    page = desk.begin()
    answer = desk.browser.post(page, data=desk.form(page, **wrong))
    assert answer.status_code == 422
    assert said in answer.text
    assert 'value="anna"' in answer.text
    assert "1234" not in answer.text
    with desk.parts.db.read() as session:
        assert session.exec(select(Connection)).all() == []


def test_an_existing_login_is_chosen_without_entering_anything(desk: Desk) -> None:
    page = desk.begin()
    desk.browser.post(page, data=desk.form(page))
    again = desk.begin()
    assert "Safe of anna" in desk.browser.get(again).text
    answer = desk.browser.post(again, data={"connection": str(desk.connection.id)})
    assert answer.location.endswith("/documents")


def test_reconnecting_enters_the_login_again_on_the_page_of_the_connection(desk: Desk, kept: echo.Kept) -> None:
    page = desk.begin()
    desk.browser.post(page, data=desk.form(page))
    login = f"{desk.base}/connections/{desk.connection.id}"
    kept.keys["anna"] = "new"
    desk.browser.post(f"{login}/look")
    assert desk.state == "dead"
    shown = desk.browser.get(login).text
    assert 'value="anna"' in shown
    assert 'value="Our safe"' in shown
    assert "1234" not in shown
    assert desk.browser.post(f"{login}/reconnect", data=desk.form(login)).status_code == 422
    other = {"login-owner": "jonas", "login-key": "5678"}
    refused = desk.browser.post(f"{login}/reconnect", data=desk.form(login, **other))
    assert refused.status_code == 409
    assert "belongs to Safe of anna" in refused.text
    answer = desk.browser.post(f"{login}/reconnect", data=desk.form(login, **{"login-key": "new"}))
    assert answer.location.endswith(login)
    assert desk.state == "live"
