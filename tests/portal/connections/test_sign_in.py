from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from sqlmodel import select

from portal.accounts.models import Person
from portal.audit import AuditEntry
from portal.clients.models import Client, ContactRole
from portal.clock import Traveller
from portal.config import Settings
from portal.connections import sign_in
from portal.connections.models import Connection, ConnectionState, Consent, PendingSignIn
from portal.connections.tokens import token_source
from portal.errors import Conflict, Invalid, NotFound, Unavailable
from portal.extensions.models import Installation
from tests import factories, servers
from tests.portal.connections import dance
from tests.portal.connections.conftest import Desk


@pytest.fixture
def settings(settings: Settings, sandbox: servers.Sandbox) -> Settings:
    return replace(settings, endpoints=sandbox.endpoints)


def connections(desk: Desk) -> list[Connection]:
    with desk.parts.db.read() as session:
        return list(session.exec(select(Connection)))


def test_the_consent_page_is_asked_with_state_and_challenge_and_knows_no_secret(desk: Desk) -> None:
    asked = dance.asked(desk.begin())
    assert asked["redirect_uri"] == dance.REDIRECT_URI
    assert asked["code_challenge_method"] == "S256"
    with desk.parts.db.read() as session:
        pending = session.exec(select(PendingSignIn)).one()
    assert asked["state"] not in pending.state_digest
    assert pending.verifier is not None
    assert desk.parts.vault.unlock(pending.verifier)["verifier"] not in (pending.verifier, asked["code_challenge"])


def test_a_completed_sign_in_keeps_account_token_and_consent(desk: Desk) -> None:
    signed = desk.connect()
    (connection,) = connections(desk)
    assert (connection.id, connection.state) == (signed.connection.id, ConnectionState.LIVE)
    assert connection.account_name == "Anna Meyer"
    assert connection.account_email == "anna.meyer@baeckerei-meyer.example"
    assert connection.space_total
    assert not signed.reused
    with desk.parts.db.read() as session:
        consent = session.exec(select(Consent)).one()
    assert (consent.text, consent.person_id) == ("I allow it.", desk.viewer.person_id)
    assert consent.text_digest == hashlib.sha256(b"I allow it.").hexdigest()
    token = token_source(desk.parts, connection.id).current()
    assert token.refresh
    assert token.access not in str(connection.token)


def test_the_audit_trail_names_the_account_and_holds_no_token(desk: Desk) -> None:
    connection = desk.connect().connection
    token = token_source(desk.parts, connection.id).current()
    with desk.parts.db.read() as session:
        entries = session.exec(select(AuditEntry).where(AuditEntry.subject_id == connection.id)).all()
    assert [entry.action for entry in entries] == ["connection.connected"]
    assert entries[0].facts["account"] == "Anna Meyer"
    assert token.access not in str(entries[0].facts)


def test_the_same_answer_counts_once(desk: Desk) -> None:
    answer = dance.answer(desk.begin())
    desk.complete(answer)
    with pytest.raises(Conflict):
        desk.complete(answer)
    assert len(connections(desk)) == 1


def test_a_made_up_state_is_refused(desk: Desk) -> None:
    answer = dance.answer(desk.begin())
    with pytest.raises(Conflict):
        desk.complete({**answer, "state": "made-up"})
    with pytest.raises(Conflict):
        desk.complete({"code": answer["code"]})


def test_another_browser_of_the_same_person_cannot_use_the_answer(
    desk: Desk, at_desk: Callable[[Client, Person], Desk]
) -> None:
    answer = dance.answer(desk.begin())
    with desk.parts.db.read() as session:
        person = session.get_one(Person, desk.viewer.person_id)
    with pytest.raises(Conflict):
        at_desk(desk.client, person).complete(answer)
    desk.complete(answer)  # and the right browser still can


def test_another_person_cannot_use_the_answer(desk: Desk, at_desk: Callable[[Client, Person], Desk]) -> None:
    answer = dance.answer(desk.begin())
    with desk.parts.db.transaction() as session:
        person = factories.person(session)
        factories.contact(session, desk.client, role=ContactRole.ADMIN, who=person)
    with pytest.raises(Conflict):
        at_desk(desk.client, person).complete(answer)


def test_an_answer_after_a_quarter_of_an_hour_is_too_late(desk: Desk, clock: Traveller) -> None:
    answer = dance.answer(desk.begin())
    clock.advance(timedelta(minutes=15))
    with pytest.raises(Conflict):
        desk.complete(answer)
    assert connections(desk) == []


def test_an_answer_for_another_kind_is_refused(desk: Desk) -> None:
    with pytest.raises(Conflict):
        desk.complete(dance.answer(desk.begin()), kind="quickbooks")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("access_denied", Invalid), ("invalid_scope", Invalid), ("unauthorized_client", Invalid),
        ("server_error", Unavailable), ("<script>", Invalid),
    ],
)  # fmt: skip
def test_a_refusal_of_the_provider_becomes_a_sentence_and_connects_nothing(
    desk: Desk, error: str, kind: type[Exception]
) -> None:
    state = dance.asked(desk.begin())["state"]
    with pytest.raises(kind) as refused:
        desk.complete({"state": state, "error": error})
    assert "Google Drive" in str(refused.value)
    assert error not in str(refused.value)
    assert connections(desk) == []


def test_a_person_who_clicks_cancel_is_told_that_nothing_was_connected(desk: Desk) -> None:
    with pytest.raises(Invalid, match="nothing was connected"):
        desk.complete(dance.answer(desk.begin(), decision="deny"))


def test_a_code_that_is_no_good_is_refused(desk: Desk) -> None:
    answer = dance.answer(desk.begin())
    with pytest.raises(Invalid, match="did not accept"):
        desk.complete({**answer, "code": "wrong"})


def test_a_code_of_another_challenge_is_refused(desk: Desk) -> None:
    mine, foreign = dance.answer(desk.begin()), dance.answer(desk.begin())
    with pytest.raises(Invalid, match="did not accept"):
        desk.complete({**mine, "code": foreign["code"]})


def test_a_wrong_secret_of_the_firms_app_is_named(desk: Desk) -> None:
    answer = dance.answer(desk.begin())
    with desk.parts.db.transaction() as session:
        installed = session.exec(select(Installation)).one()
        installed.settings = desk.parts.vault.lock({"client_id": "kontor-demo", "client_secret": "wrong"})
        session.add(installed)
    with pytest.raises(Invalid, match="client ID and secret"):
        desk.complete(answer)


def test_a_provider_that_does_not_answer_is_unavailable(desk: Desk, sandbox: servers.Sandbox) -> None:
    answer = dance.answer(desk.begin())
    order = {"provider": "google_drive", "script": ["down"]}
    httpx.post(f"{sandbox.url}/_control/faults", json=order).raise_for_status()
    with pytest.raises(Unavailable):
        desk.complete(answer)
    assert connections(desk) == []


def test_reconnecting_keeps_the_connection_and_renews_its_consent(desk: Desk) -> None:
    first = desk.connect().connection
    again = desk.connect(connection_id=first.id, name="New name", consent="I still allow it.").connection
    assert (again.id, again.name) == (first.id, "New name")
    with desk.parts.db.read() as session:
        assert len(session.exec(select(Consent)).all()) == 2
    assert len(connections(desk)) == 1


def test_reconnecting_with_another_account_is_refused(desk: Desk) -> None:
    first = desk.connect().connection
    before = token_source(desk.parts, first.id).current()
    with pytest.raises(Conflict, match=r"Jonas Berg.*Anna Meyer"):
        desk.connect(account="jonas", connection_id=first.id)
    assert token_source(desk.parts, first.id).current() == before


def test_the_same_account_twice_at_one_client_is_one_connection(desk: Desk) -> None:
    first = desk.connect().connection
    second = desk.connect(name="Once more")
    assert second.reused
    assert (second.connection.id, second.connection.name) == (first.id, "Drive of Brandt")
    assert len(connections(desk)) == 1


def test_two_accounts_are_two_connections(desk: Desk) -> None:
    desk.connect()
    desk.connect(account="jonas")
    assert {one.account_name for one in connections(desk)} == {"Anna Meyer", "Jonas Berg"}


def test_the_same_account_at_another_client_is_a_connection_of_its_own(
    desk: Desk, at_desk: Callable[[Client, Person], Desk]
) -> None:
    desk.connect()
    with desk.parts.db.transaction() as session:
        from portal.accounts.models import Firm

        other = factories.client(session, session.get_one(Firm, desk.client.firm_id), name="Other")
        person = factories.person(session)
        factories.contact(session, other, who=person)
    at_desk(other, person).connect()
    assert len(connections(desk)) == 2


@pytest.mark.parametrize("name", ["", "   ", "x" * 81])
def test_a_connection_needs_a_name_that_fits(desk: Desk, name: str) -> None:
    with pytest.raises(Invalid) as refused:
        desk.begin(name=name)
    assert refused.value.field == "name"


def test_a_mere_member_of_the_company_may_not_connect(desk: Desk, at_desk: Callable[[Client, Person], Desk]) -> None:
    with desk.parts.db.transaction() as session:
        person = factories.person(session)
        factories.contact(session, desk.client, role=ContactRole.MEMBER, who=person)
    with pytest.raises(NotFound):
        at_desk(desk.client, person).begin()


def test_a_connection_of_another_client_cannot_be_reconnected_here(
    desk: Desk, at_desk: Callable[[Client, Person], Desk]
) -> None:
    first = desk.connect().connection
    with desk.parts.db.transaction() as session:
        from portal.accounts.models import Firm

        other = factories.client(session, session.get_one(Firm, desk.client.firm_id), name="Other")
        person = factories.person(session)
        factories.contact(session, other, who=person)
    with pytest.raises(NotFound):
        at_desk(other, person).begin(connection_id=first.id)


def test_sign_ins_that_were_broken_off_are_forgotten_after_a_day(desk: Desk, clock: Traveller) -> None:
    desk.begin()
    clock.advance(timedelta(hours=23))
    desk.begin()
    clock.advance(timedelta(hours=2))
    with desk.parts.db.transaction() as session:
        sign_in.forget_old(session)
        assert len(session.exec(select(PendingSignIn)).all()) == 1
