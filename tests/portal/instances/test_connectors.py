from __future__ import annotations

import pytest

from integrations.contract import Exporter
from integrations.errors import Misconfigured, ReauthRequired
from portal.instances import connectors, uninstall
from portal.instances.models import Instance
from tests.portal.instances.conftest import Desk


def test_an_instance_becomes_a_live_connector_with_its_own_settings(desk: Desk) -> None:
    instance = desk.finished("quickbooks")
    with connectors.exporter(desk.parts, instance.id) as connector:
        assert isinstance(connector, Exporter)
        assert connector.wiring.config.model_dump()["expense_account"] == "7"
        assert connector.wiring.tokens.current().access == "at"
        assert connector.wiring.app.model_dump()["client_id"] == "kontor-demo"
    assert connector.wiring.http.is_closed


def test_settings_that_are_not_complete_are_somebodys_to_mend(desk: Desk) -> None:
    instance = desk.finished("quickbooks")
    with desk.parts.db.transaction() as session:
        row = session.get_one(Instance, instance.id)
        row.settings = {"expense_account": "7"}
        session.add(row)
    with pytest.raises(Misconfigured), connectors.opened(desk.parts, instance.id):
        pass
    with connectors.opened(desk.parts, instance.id, complete=False) as connector:
        assert connector.manifest.kind == "quickbooks"


def test_an_instance_without_a_login_is_to_be_connected(desk: Desk) -> None:
    instance = desk.begin()
    with pytest.raises(ReauthRequired), connectors.opened(desk.parts, instance.id):
        pass


def test_an_extension_that_was_uninstalled_builds_nothing(desk: Desk) -> None:
    instance = desk.finished()
    with desk.parts.db.transaction() as session:
        uninstall.uninstall(session, desk.owner, "google_drive")
    with pytest.raises(Misconfigured), connectors.opened(desk.parts, instance.id):
        pass
