"""Pages of bank accounts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.access import Viewer
from portal.accounts.models import Firm, Role
from portal.clients.models import Client
from portal.parts import Parts
from tests import factories

MakeViewer = Callable[..., Viewer]
SignIn = Callable[..., FlaskClient]


@pytest.fixture
def parts(app: Flask) -> Parts:
    made: Parts = app.extensions["kontor"]
    return made


@pytest.fixture
def client(parts: Parts, firm: Firm) -> Client:
    with parts.db.transaction() as session:
        return factories.client(session, firm)


@pytest.fixture
def browser(signed_in: SignIn, viewer: MakeViewer, client: Client) -> FlaskClient:
    return signed_in(viewer(Role.ACCOUNTANT, assigned=(client.id,)))


def test_bank_accounts_are_added_renamed_and_closed(browser: FlaskClient, client: Client) -> None:
    page = f"/clients/{client.id}/bank-accounts"
    browser.post(page, data={"name": "Girokonto", "iban": "DE89 3704 0044 0532 0130 00"})
    assert "DE89 3704 0044 0532 0130 00" in browser.get(page).text
    wrong = browser.post(page, data={"name": "Anderes", "iban": "DE00"})
    assert wrong.status_code == 422
    assert 'value="Anderes"' in wrong.text
