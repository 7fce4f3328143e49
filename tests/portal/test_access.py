"""The table of rights (PRODUCT section 9), written out once more as an accountant would read it."""

from __future__ import annotations

from uuid import UUID

import pytest

from portal import access
from portal.access import Right, Viewer
from portal.accounts.models import Firm, Person, Role
from portal.clients.models import Client, ContactRole
from portal.db import Database
from portal.errors import NotFound
from tests import factories

WHO = ("owner", "admin", "accountant", "assistant", "client_manager", "client owner", "client admin", "client member")
#                                own adm acc ass mgr | owner admin member of the client
TABLE: dict[Right, str] = {
    Right.FIRM: "                 yes yes no  no  no    no    no    no ",
    Right.CLIENTS: "              yes yes no  no  yes   no    no    no ",
    Right.COUNTS: "               yes yes yes yes yes   yes   yes   yes",
    Right.SEE: "                  yes yes yes yes no    yes   yes   yes",
    Right.ADD: "                  yes yes yes no  no    yes   yes   yes",
    Right.CORRECT: "              yes yes yes no  no    yes   yes   no ",
    Right.INVOICE: "              yes yes yes no  no    yes   yes   no ",
    Right.EXPORTS: "              yes yes yes no  no    yes   yes   no ",
    Right.IMPORTS: "              yes yes no  no  no    yes   yes   no ",
    Right.LEDGER: "               yes yes yes no  no    yes   yes   no ",
    Right.CONTACTS: "             yes yes no  no  no    yes   yes   no ",
}
CASES = [
    (who, right, word == "yes") for right, line in TABLE.items() for who, word in zip(WHO, line.split(), strict=True)
]


def _viewer(db: Database, firm: Firm, client: Client, who: str) -> Viewer:
    with db.transaction() as session:
        person_id: UUID
        if who.startswith("client "):
            person_id = factories.contact(session, client, role=ContactRole(who.removeprefix("client "))).person_id
        else:
            person_id = factories.member(session, firm, role=Role(who), assigned=(client.id,)).person_id
        found = access.viewer_of(session, person_id)
    assert found is not None
    return found


@pytest.fixture
def client(db: Database, firm: Firm) -> Client:
    """The client everybody in the table works for, or belongs to."""
    with db.transaction() as session:
        return factories.client(session, firm)


def test_the_table_names_every_right() -> None:
    assert set(TABLE) == set(Right)


@pytest.mark.parametrize(("who", "right", "allowed"), CASES, ids=str)
def test_the_table_of_rights(db: Database, firm: Firm, client: Client, who: str, right: Right, allowed: bool) -> None:
    viewer = _viewer(db, firm, client, who)
    with db.read() as session:
        if allowed:
            assert access.client_or_404(session, viewer, client.id, right).id == client.id
        else:
            with pytest.raises(NotFound):
                access.client_or_404(session, viewer, client.id, right)
    assert (right in access.rights_for(viewer, client)) is allowed


@pytest.mark.parametrize("role", [Role.ACCOUNTANT, Role.ASSISTANT])
def test_accountants_and_assistants_see_assigned_clients_only(
    db: Database, firm: Firm, client: Client, role: Role
) -> None:
    with db.transaction() as session:
        other = factories.client(session, firm, name="Tischlerei Ahlers")
    viewer = _viewer(db, firm, client, role.value)
    with db.read() as session:
        assert [found.id for found in session.exec(access.clients_of(viewer))] == [client.id]
        with pytest.raises(NotFound):
            access.client_or_404(session, viewer, other.id, Right.COUNTS)


def test_another_firms_client_does_not_exist(db: Database, firm: Firm, client: Client) -> None:
    with db.transaction() as session:
        foreign = factories.client(session, factories.firm(session, name="Kanzlei Fremd"))
    viewer = _viewer(db, firm, client, "owner")
    with db.read() as session, pytest.raises(NotFound):
        access.client_or_404(session, viewer, foreign.id, Right.COUNTS)
    assert access.rights_for(viewer, foreign) == frozenset()


def test_who_was_ended_or_locked_out_is_nobody(db: Database, firm: Firm) -> None:
    with db.transaction() as session:
        member = factories.member(session, firm)
        session.get_one(Person, member.person_id).active = False
    with db.read() as session:
        assert access.viewer_of(session, member.person_id) is None


@pytest.mark.parametrize(
    ("scope", "right"), [("read", Right.ADD), ("documents", Right.EXPORTS), ("integrations", Right.FIRM)]
)
def test_a_tokens_scope_is_a_ceiling(db: Database, firm: Firm, client: Client, scope: str, right: Right) -> None:
    with db.transaction() as session:
        owner = factories.member(session, firm)
        viewer = access.viewer_of(session, owner.person_id, scopes=frozenset({scope}))
        assert viewer is not None
        with pytest.raises(NotFound):
            access.client_or_404(session, viewer, client.id, right)
        assert access.client_or_404(session, viewer, client.id, Right.SEE)
