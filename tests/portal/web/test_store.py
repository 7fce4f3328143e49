from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from portal.access import Viewer
from portal.accounts.models import Firm, Role
from portal.db import Database
from portal.extensions.models import Installation
from portal.instances.models import Instance, InstanceState
from tests import factories

APP = {"client_id": "our-app", "client_secret": "very secret"}
SignedIn = Callable[[Viewer], FlaskClient]


@pytest.fixture
def owner(signed_in: SignedIn, viewer: Callable[..., Viewer]) -> FlaskClient:
    return signed_in(viewer())


def test_the_store_shows_each_extension_with_what_it_takes(owner: FlaskClient) -> None:
    page = owner.get("/store")
    assert page.status_code == 200
    for word in ("QuickBooks Online", "Google Drive", "Incoming invoices"):
        assert word in page.text


def test_an_extension_shows_its_guide_and_the_address_to_register(owner: FlaskClient) -> None:
    page = owner.get("/store/quickbooks").text
    assert "http://localhost/connect/callback/quickbooks" in page
    assert "developer.intuit.com" in page


def test_installing_configures_it_and_never_shows_the_secret(owner: FlaskClient) -> None:
    answer = owner.post("/store/quickbooks/install", data=APP, follow_redirects=True)
    assert answer.status_code == 200
    assert "our-app" in answer.text
    assert "very secret" not in answer.text


def test_what_is_missing_is_said_beside_its_field_and_what_was_typed_stays(owner: FlaskClient) -> None:
    answer = owner.post("/store/quickbooks/install", data={"client_id": "kept", "client_secret": ""})
    assert answer.status_code == 422
    assert "This is needed." in answer.text
    assert 'value="kept"' in answer.text


def test_changing_with_an_empty_secret_keeps_it(owner: FlaskClient) -> None:
    owner.post("/store/quickbooks/install", data=APP)
    answer = owner.post("/store/quickbooks/settings", data={"client_id": "new-app", "client_secret": ""})
    assert answer.status_code == 303
    assert "new-app" in owner.get("/store/quickbooks").text


def test_uninstalling_shows_what_stops_before_it_does(owner: FlaskClient, db: Database, firm: Firm) -> None:
    owner.post("/store/quickbooks/install", data=APP)
    with db.transaction() as session:
        installed = session.exec(select(Installation)).one()
        client = factories.client(session, firm, name="Bäckerei Brandt GmbH")
        instance = factories.instance(session, client, installed, name="Our books")
    page = owner.get("/store/quickbooks/uninstall").text
    assert "Bäckerei Brandt GmbH" in page
    assert "Our books" in page
    assert owner.post("/store/quickbooks/uninstall", data={"seen": "0"}).status_code == 409
    assert owner.post("/store/quickbooks/uninstall", data={"seen": "1", "sure": "yes"}).status_code == 303
    with db.read() as session:
        assert session.get_one(Instance, instance.id).state is InstanceState.REMOVED
    assert owner.get("/store/quickbooks/uninstall").status_code == 404


@pytest.mark.parametrize("role", [Role.ACCOUNTANT, Role.ASSISTANT, Role.CLIENT_MANAGER])
def test_the_store_is_not_there_for_others(signed_in: SignedIn, viewer: Callable[..., Viewer], role: Role) -> None:
    member = signed_in(viewer(role))
    for path in ("/store", "/store/quickbooks", "/store/quickbooks/uninstall"):
        assert member.get(path).status_code == 404
    assert member.post("/store/quickbooks/install", data=APP).status_code == 404


@pytest.mark.parametrize("path", ["/store/teapot", "/store/teapot/uninstall"])
def test_an_unknown_kind_is_not_found(owner: FlaskClient, path: str) -> None:
    assert owner.get(path).status_code == 404
