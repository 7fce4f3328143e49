from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from sqlmodel import select

from integrations.errors import ReauthRequired
from portal.accounts.models import Firm, Person
from portal.clients.models import Client
from portal.clock import Traveller
from portal.config import Settings
from portal.connections import services
from portal.connections.models import Connection, ConnectionState, Consent
from portal.connections.services import Revocation
from portal.connections.tokens import token_source
from portal.errors import Conflict, NotFound
from portal.instances.models import Instance, InstanceState
from tests import factories, servers
from tests.portal.connections.conftest import Desk


@pytest.fixture
def settings(settings: Settings, sandbox: servers.Sandbox) -> Settings:
    return replace(settings, endpoints=sandbox.endpoints)


def instance_on(desk: Desk, connection: Connection) -> Instance:
    with desk.parts.db.transaction() as session:
        from portal.extensions.models import Installation

        installed = session.get_one(Installation, connection.installation_id)
        return factories.instance(session, desk.client, installed, connected=connection)


def end(desk: Desk, connection: Connection, *, revoke: bool) -> Revocation | None:
    return services.disconnect(desk.parts, desk.viewer, desk.client.id, connection.id, revoke=revoke)


def test_disconnecting_forgets_the_token_and_holds_what_used_it(desk: Desk) -> None:
    connection = desk.connect().connection
    instance = instance_on(desk, connection)
    assert end(desk, connection, revoke=False) is None
    with desk.parts.db.read() as session:
        row = session.get_one(Connection, connection.id)
        assert (row.state, row.token) == (ConnectionState.ENDED, None)
        assert session.get_one(Instance, instance.id).state is InstanceState.HELD
        consent = session.exec(select(Consent)).one()
        assert consent.revoked_by == desk.viewer.person_id
    with pytest.raises(ReauthRequired):
        token_source(desk.parts, connection.id).current()


def test_revoking_ends_the_grant_at_the_provider(desk: Desk, sandbox: servers.Sandbox) -> None:
    connection = desk.connect().connection
    token = token_source(desk.parts, connection.id).current()
    assert end(desk, connection, revoke=True) is Revocation.REVOKED
    api = sandbox.endpoints["google_drive"]["api"]
    refused = httpx.get(f"{api}/about?fields=user", headers={"authorization": f"Bearer {token.access}"})
    assert refused.status_code == 401


def test_a_grant_that_another_connection_lives_on_is_not_revoked(
    desk: Desk, at_desk: Callable[[Client, Person], Desk]
) -> None:
    connection = desk.connect().connection
    with desk.parts.db.transaction() as session:
        other = factories.client(session, session.get_one(Firm, desk.client.firm_id), name="Other")
        person = factories.person(session)
        factories.contact(session, other, who=person)
    elsewhere = at_desk(other, person).connect().connection
    assert end(desk, connection, revoke=True) is Revocation.SHARED
    assert token_source(desk.parts, elsewhere.id).current().access


def test_a_provider_that_does_not_answer_leaves_the_login_ended_here(
    desk: Desk, parts: object, sandbox: servers.Sandbox
) -> None:
    connection = desk.connect().connection
    nowhere = {**desk.parts.settings.endpoints["google_drive"], "revoke": "http://127.0.0.1:9/revoke"}
    unreachable = replace(desk.parts, settings=replace(desk.parts.settings, endpoints={"google_drive": nowhere}))
    assert end(replace(desk, parts=unreachable), connection, revoke=True) is Revocation.FAILED
    with desk.parts.db.read() as session:
        assert session.get_one(Connection, connection.id).state is ConnectionState.ENDED


def test_disconnecting_twice_is_a_conflict(desk: Desk) -> None:
    connection = desk.connect().connection
    end(desk, connection, revoke=False)
    with pytest.raises(Conflict):
        end(desk, connection, revoke=False)


def test_a_connection_can_be_renamed(desk: Desk) -> None:
    connection = desk.connect().connection
    with desk.parts.db.transaction() as session:
        services.rename(session, desk.viewer, desk.client.id, connection.id, "  Drive of  the bakery ")
    with desk.parts.db.read() as session:
        assert session.get_one(Connection, connection.id).name == "Drive of the bakery"


def test_a_stranger_finds_no_connection(desk: Desk, at_desk: Callable[[Client, Person], Desk]) -> None:
    connection = desk.connect().connection
    with desk.parts.db.transaction() as session:
        other = factories.client(session, session.get_one(Firm, desk.client.firm_id), name="Other")
        person = factories.person(session)
        factories.contact(session, other, who=person)
    stranger = at_desk(other, person)
    for client_id in (desk.client.id, other.id):
        with pytest.raises(NotFound):
            services.disconnect(desk.parts, stranger.viewer, client_id, connection.id, revoke=True)


def test_ended_connections_are_not_offered(desk: Desk) -> None:
    kept, ended = desk.connect().connection, desk.connect(account="jonas").connection
    end(desk, ended, revoke=False)
    with desk.parts.db.read() as session:
        assert [one.id for one in services.of_client(session, desk.client)] == [kept.id]


@pytest.mark.parametrize(
    ("state", "left", "soon"),
    [
        (ConnectionState.LIVE, timedelta(days=13), True),
        (ConnectionState.LIVE, timedelta(days=15), False),
        (ConnectionState.LIVE, None, False),
        (ConnectionState.DEAD, timedelta(days=1), False),
    ],
)
def test_a_login_that_is_about_to_end_is_known_ahead(
    desk: Desk, clock: Traveller, state: ConnectionState, left: timedelta | None, soon: bool
) -> None:
    connection = desk.connect().connection
    connection.state, connection.expires_at = state, clock.moment + left if left else None
    assert services.ends_soon(connection) is soon
