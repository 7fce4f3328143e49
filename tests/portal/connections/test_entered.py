"""A login that a person enters: proven before it is kept, held when it dies, renewed by entering it again."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from sqlmodel import select

from integrations import errors
from portal.access import Viewer
from portal.audit import AuditEntry
from portal.clients.models import Client, ContactRole
from portal.connections import entered, services
from portal.connections.entered import Entry
from portal.connections.models import Connection, ConnectionState, Consent
from portal.connections.services import Revocation
from portal.connections.tokens import token_source
from portal.delivery import outbox
from portal.delivery.deliver import drain
from portal.delivery.models import Delivery, State
from portal.errors import Conflict, Invalid, NotFound, Unavailable
from portal.extensions.settings import InvalidSettings
from portal.instances import setup
from portal.instances.models import Instance, InstanceState
from portal.parts import Parts
from tests import echo, factories

RIGHT = {"owner": "anna", "key": "1234"}


@dataclass
class Desk:
    """Somebody who may connect one client."""

    parts: Parts
    client: Client
    viewer: Viewer
    instance: Instance

    def enter(self, **more: object) -> Connection:
        entry = Entry(kind="safe", name="Our safe", consent="I allow it.", values=RIGHT)
        entry = replace(entry, **more)  # type: ignore[arg-type]
        return entered.sign_in(self.parts, self.viewer, self.client.id, entry, setup.signed_in).connection

    def connections(self) -> list[Connection]:
        with self.parts.db.read() as session:
            return list(session.exec(select(Connection)))

    def deliver(self) -> State:
        """One document arrives and is tried."""
        with self.parts.db.transaction() as session:
            document = factories.document(session, self.client, parts=self.parts)
            outbox.plan_document(session, document)
        drain(self.parts, self.instance.id)
        with self.parts.db.read() as session:
            return session.exec(select(Delivery).where(Delivery.document_id == document.id)).one().state

    def state(self) -> InstanceState:
        with self.parts.db.read() as session:
            return session.get_one(Instance, self.instance.id).state


@pytest.fixture
def kept() -> echo.Kept:
    return echo.install()


@pytest.fixture
def desk(parts: Parts, kept: echo.Kept) -> Desk:
    from portal.access import viewer_of

    with parts.db.transaction() as session:
        firm = factories.firm(session)
        installed = factories.installation(session, firm, kind="safe", parts=parts)
        client = factories.client(session, firm)
        owner = factories.contact(session, client, role=ContactRole.OWNER)
        instance = factories.instance(session, client, installed)
        viewer = viewer_of(session, owner.person_id)
    assert viewer is not None
    return Desk(parts, client, viewer, instance)


def test_a_proven_login_is_kept_sealed_with_account_and_consent(desk: Desk) -> None:
    connection = desk.enter(instance_id=desk.instance.id)
    assert (connection.account_name, connection.space_left, connection.name) == ("Safe of anna", 1000, "Our safe")
    assert "1234" not in str(connection.token)
    with desk.parts.db.read() as session:
        consent = session.exec(select(Consent)).one()
        recorded = session.exec(select(AuditEntry).where(AuditEntry.action == "connection.connected")).one()
    assert (consent.text, consent.person_id) == ("I allow it.", desk.viewer.person_id)
    assert "1234" not in str(recorded.facts)
    assert desk.deliver() is State.DELIVERED


def test_what_is_shown_of_it_later_holds_no_secret(desk: Desk) -> None:
    assert entered.shown(desk.parts, desk.enter()) == {"owner": "anna"}


def test_a_login_that_the_provider_refuses_is_not_kept(desk: Desk) -> None:
    with pytest.raises(Invalid, match="check what you entered"):
        desk.enter(values={"owner": "anna", "key": "wrong"})
    assert desk.connections() == []


def test_what_is_left_out_is_named_field_by_field(desk: Desk) -> None:
    with pytest.raises(InvalidSettings) as refused:
        desk.enter(values={"owner": "", "key": ""})
    assert set(refused.value.fields) == {"owner", "key"}


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.Transient("%(provider)s is down", provider="Safe"), Unavailable),
        (errors.Throttled("slowly", wait=3), Unavailable),
        (errors.Misconfigured("no safe there"), Invalid),
        (errors.Rejected("no"), Invalid),
    ],
)
def test_a_provider_that_does_not_answer_or_is_none_connects_nothing(
    desk: Desk, kept: echo.Kept, error: Exception, kind: type[Exception]
) -> None:
    kept.before = [echo.raises(error)]
    with pytest.raises(kind):
        desk.enter()
    assert desk.connections() == []


def test_the_same_account_is_not_connected_twice(desk: Desk) -> None:
    first = desk.enter()
    assert desk.enter(name="Once more").id == first.id
    assert len(desk.connections()) == 1


def test_a_changed_password_holds_and_entering_it_again_releases(desk: Desk, kept: echo.Kept) -> None:
    connection = desk.enter(instance_id=desk.instance.id)
    kept.keys["anna"] = "new"
    assert desk.deliver() is State.HELD
    assert desk.connections()[0].state is ConnectionState.DEAD
    assert desk.state() is InstanceState.HELD
    desk.enter(connection_id=connection.id, values={"owner": "anna", "key": "new"})
    assert desk.state() is InstanceState.ACTIVE
    drain(desk.parts, desk.instance.id)
    assert len(kept.things) == 1


def test_entering_another_accounts_login_is_refused(desk: Desk) -> None:
    first = desk.enter()
    with pytest.raises(Conflict, match=r"Safe of jonas.*Safe of anna"):
        desk.enter(connection_id=first.id, values={"owner": "jonas", "key": "5678"})


def test_asking_for_a_newer_token_ends_the_connection_once(desk: Desk) -> None:
    source = token_source(desk.parts, desk.enter(instance_id=desk.instance.id).id)
    with pytest.raises(errors.ReauthRequired, match="no longer accepts"):
        source.refreshed(source.current())
    assert desk.connections()[0].state is ConnectionState.DEAD
    assert desk.state() is InstanceState.HELD


def test_disconnecting_forgets_it_and_says_that_the_rest_is_done_by_hand(desk: Desk) -> None:
    connection = desk.enter()
    ended = services.disconnect(desk.parts, desk.viewer, desk.client.id, connection.id, revoke=True)
    assert ended is Revocation.BY_HAND
    assert desk.connections()[0].token is None


def test_a_connection_of_another_client_cannot_be_entered_again_here(desk: Desk) -> None:
    first = desk.enter()
    with desk.parts.db.transaction() as session:
        from portal.access import viewer_of
        from portal.accounts.models import Firm

        other = factories.client(session, session.get_one(Firm, desk.client.firm_id), name="Other")
        viewer = viewer_of(session, factories.contact(session, other).person_id)
    assert viewer is not None
    with pytest.raises(NotFound):
        replace(desk, client=other, viewer=viewer).enter(connection_id=first.id)
    with pytest.raises(NotFound):
        replace(desk, viewer=viewer).enter()


def test_a_kind_with_a_page_of_its_own_is_not_entered_here(desk: Desk) -> None:
    with desk.parts.db.transaction() as session:
        from portal.accounts.models import Firm

        factories.installation(session, session.get_one(Firm, desk.client.firm_id), parts=desk.parts)
    with pytest.raises(Conflict):
        desk.enter(kind="google_drive")
