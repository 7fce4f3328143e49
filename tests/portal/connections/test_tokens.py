from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlmodel import select

from integrations.contract import Token
from integrations.errors import ReauthRequired, Transient
from portal import clock as portal_clock
from portal.audit import AuditEntry
from portal.config import Settings
from portal.connections import tokens
from portal.connections.models import Connection, ConnectionState
from portal.connections.tokens import packed, token_source
from portal.instances.models import Instance, InstanceState
from portal.notices.models import Notice
from portal.parts import Parts
from tests import factories
from tests.portal.connections import strict

APP = {"client_id": "kontor-demo", "client_secret": "kontor-demo-secret"}


@pytest.fixture
def provider() -> Iterator[strict.Running]:
    with strict.running() as server:
        yield server


@pytest.fixture
def settings(settings: Settings, provider: strict.Running) -> Settings:
    return replace(settings, endpoints=provider.endpoints)


@pytest.fixture
def instance(parts: Parts, provider: strict.Running) -> Instance:
    with parts.db.transaction() as session:
        firm = factories.firm(session)
        factories.member(session, firm)
        client = factories.client(session, firm)
        installed = factories.installation(session, firm, parts=parts, **APP)
        login = factories.connection(session, client, installed, parts=parts, token=provider.grant())
        return factories.instance(session, client, installed, connected=login)


@pytest.fixture
def login(instance: Instance) -> UUID:
    assert instance.connection_id is not None
    return instance.connection_id


def connection(parts: Parts, login: UUID) -> Connection:
    with parts.db.read() as session:
        return session.get_one(Connection, login)


def workers(environ: dict[str, str], url: str, login: UUID, count: int) -> list[str]:
    """What ``count`` processes get that all ask at the same moment."""
    command = [sys.executable, "-m", "tests.portal.connections.refresher", str(login)]
    environ = {**environ, "KONTOR_SANDBOX_URL": url}
    started = [
        subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(count)
    ]
    for one in started:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in started:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    return [one.communicate(timeout=60)[0].splitlines()[-1] for one in started]


def test_of_several_processes_one_refreshes_and_all_get_its_token(
    parts: Parts, environ: dict[str, str], provider: strict.Running, login: UUID
) -> None:
    provider.provider.meanwhile = lambda: time.sleep(0.3)
    answers = workers(environ, provider.url, login, 4)
    assert provider.provider.asked == 1
    assert set(answers) == {token_source(parts, login).current().access}
    assert connection(parts, login).token_number == 2


def test_threads_that_race_again_and_again_never_lose_the_login(
    parts: Parts, provider: strict.Running, login: UUID
) -> None:
    for _round in range(5):
        stale = token_source(parts, login).current()
        got: list[str] = []
        racing = [
            threading.Thread(target=lambda: got.append(token_source(parts, login).refreshed(stale).access))  # noqa: B023
            for _ in range(4)
        ]
        for one in racing:
            one.start()
        for one in racing:
            one.join()
        assert len(got) == 4
        assert set(got) == {token_source(parts, login).current().access}
    assert provider.provider.asked == 5


def test_a_newer_stored_token_is_used_without_asking(parts: Parts, provider: strict.Running, login: UUID) -> None:
    old = Token(access="long gone")
    assert token_source(parts, login).refreshed(old) == token_source(parts, login).current()
    assert provider.provider.asked == 0


def test_a_dead_holders_lease_ends(parts: Parts, login: UUID) -> None:
    with parts.db.transaction() as session:
        row = session.get_one(Connection, login)
        row.refreshing_by, row.refreshing_until = "died", portal_clock.now() + timedelta(seconds=0.5)
        session.add(row)
    source = token_source(parts, login)
    stale = source.current()
    assert source.refreshed(stale).access != stale.access


def test_a_lease_outlives_every_refresh_that_is_not_dead() -> None:
    longest = tokens.TIMEOUT
    assert sum(filter(None, longest.as_dict().values())) < tokens.LEASE.total_seconds()


def test_a_provider_that_is_down_leaves_the_login_alive_and_the_lease_free(
    parts: Parts, provider: strict.Running, login: UUID
) -> None:
    source = token_source(parts, login)
    stale = source.current()
    provider.provider.down = True
    with pytest.raises(Transient):
        source.refreshed(stale)
    row = connection(parts, login)
    assert (row.state, row.refreshing_by) == (ConnectionState.LIVE, None)
    provider.provider.down = False
    assert source.refreshed(stale).access != stale.access


def test_a_login_that_the_provider_refuses_is_dead_and_holds_its_instances_once(
    parts: Parts, provider: strict.Running, login: UUID, instance: Instance
) -> None:
    source = token_source(parts, login)
    stale = source.current()
    provider.provider.oauth.end(account="anna")
    for _again in range(2):
        with pytest.raises(ReauthRequired):
            source.refreshed(stale)
    assert connection(parts, login).state is ConnectionState.DEAD
    with parts.db.read() as session:
        held = session.get_one(Instance, instance.id)
        assert (held.state, bool(held.text)) == (InstanceState.HELD, True)
        told = session.exec(select(AuditEntry).where(AuditEntry.action == "connection.dead")).all()
        assert len(told) == 1
        assert len(session.exec(select(Notice)).all()) == 1
    assert provider.provider.asked == 1


def test_a_no_for_a_token_that_was_replaced_meanwhile_kills_nothing(
    parts: Parts, provider: strict.Running, login: UUID
) -> None:
    source = token_source(parts, login)
    stale = source.current()
    fresh = Token(access="by a person", refresh="rt")

    def reconnect() -> None:
        provider.provider.oauth.end(account="anna")
        with parts.db.transaction() as session:
            row = session.get_one(Connection, login)
            row.token, row.token_number = parts.vault.lock(packed(fresh)), row.token_number + 1
            session.add(row)

    provider.provider.meanwhile = reconnect
    assert source.refreshed(stale).access == "by a person"
    assert connection(parts, login).state is ConnectionState.LIVE


def test_a_token_fetched_for_a_login_that_was_ended_meanwhile_is_not_kept(
    parts: Parts, provider: strict.Running, login: UUID
) -> None:
    source = token_source(parts, login)
    stale = source.current()

    def disconnect() -> None:
        with parts.db.transaction() as session:
            row = session.get_one(Connection, login)
            row.state, row.token, row.token_number = ConnectionState.ENDED, None, row.token_number + 1
            session.add(row)

    provider.provider.meanwhile = disconnect
    with pytest.raises(ReauthRequired):
        source.refreshed(stale)
    assert connection(parts, login).token is None


def test_nothing_that_was_refreshed_shows_a_token(parts: Parts, login: UUID) -> None:
    stale = token_source(parts, login).current()
    fresh = token_source(parts, login).refreshed(stale)
    row = connection(parts, login)
    assert fresh.refresh is not None
    for secret in (fresh.access, fresh.refresh):
        assert secret not in repr(fresh)
        assert secret not in (row.token or "")
