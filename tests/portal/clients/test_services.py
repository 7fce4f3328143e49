from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlmodel import select

from portal.access import Viewer, viewer_of
from portal.accounts.models import Firm, Role
from portal.accounts.services import Invited
from portal.audit import AuditEntry
from portal.clients import services
from portal.clients.models import Client, ContactRole, fold
from portal.clients.services import Particulars
from portal.db import Database
from portal.errors import Conflict, Error, Invalid, NotFound
from portal.parts import Parts
from tests import factories

MakeViewer = Callable[..., Viewer]


UNSOUND = [
    ({"name": " "}, "name"),
    ({"number": ""}, "number"),
    ({"number": "1" * 21}, "number"),
    ({"vat_id": "123"}, "vat_id"),
    ({"email": "x"}, "email"),
]


def _create(db: Database, viewer: Viewer, **more: str) -> Client:
    with db.transaction() as session:
        return services.create(session, viewer, Particulars(**{"name": "Bäckerei Brandt", "number": "10001", **more}))


def test_a_new_client_is_found_and_written_into_the_chain(db: Database, viewer: MakeViewer) -> None:
    client = _create(db, viewer(), vat_id="de 812 345 678", email="Post@Brandt.example")
    assert (client.vat_id, client.email, client.sort_name) == ("DE812345678", "post@brandt.example", "backerei brandt")
    with db.read() as session:
        entry = session.exec(select(AuditEntry).where(AuditEntry.client_id == client.id)).one()
    assert (entry.action, entry.facts["number"]) == ("client.created", "10001")


@pytest.mark.parametrize(("more", "field"), UNSOUND)
def test_what_cannot_be_taken_names_its_field(
    db: Database, viewer: MakeViewer, more: dict[str, str], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        _create(db, viewer(), **more)
    assert refused.value.field == field


def test_a_number_is_given_once_per_firm(db: Database, viewer: MakeViewer) -> None:
    owner = viewer()
    _create(db, owner)
    with pytest.raises(Conflict):
        _create(db, owner, name="Tischlerei")
    with db.transaction() as session:
        other = viewer_of(session, factories.member(session, factories.firm(session)).person_id)
    assert other is not None
    _create(db, other)


def test_the_next_number_follows_the_latest(db: Database, viewer: MakeViewer) -> None:
    owner = viewer()
    with db.read() as session:
        assert services.next_number(session, owner) == "10001"
    for number in ("00042", "M-7"):
        _create(db, owner, number=number)
    with db.read() as session:
        assert services.next_number(session, owner) == "00043"


def test_a_change_keeps_what_was_before_in_the_chain(db: Database, viewer: MakeViewer) -> None:
    owner = viewer()
    client = _create(db, owner)
    with db.transaction() as session:
        services.change(session, owner, client.id, Particulars(name="Bäckerei Brandt GmbH", number="10001"))
    with db.read() as session:
        entry = session.exec(select(AuditEntry).where(AuditEntry.action == "client.changed")).one()
        assert session.get_one(Client, client.id).sought == "backerei brandt gmbh 10001"
    assert entry.facts == {"before": {"name": "Bäckerei Brandt"}}


def test_archiving_is_taken_back(db: Database, viewer: MakeViewer) -> None:
    owner = viewer()
    client = _create(db, owner)
    for away in (True, True, False):
        with db.transaction() as session:
            services.archive(session, owner, client.id, away=away)
    with db.read() as session:
        assert session.get_one(Client, client.id).archived_at is None
        actions = session.exec(select(AuditEntry.action).where(AuditEntry.client_id == client.id)).all()
    assert actions == ["client.created", "client.archived", "client.unarchived"]


def test_exactly_the_chosen_members_work_for_a_client(db: Database, firm: Firm, viewer: MakeViewer) -> None:
    owner = viewer()
    client = _create(db, owner)
    with db.transaction() as session:
        one, two = (factories.member(session, firm, role=Role.ACCOUNTANT) for _ in range(2))
    for chosen in ([one.id], [one.id, two.id], [two.id]):
        with db.transaction() as session:
            services.assign(session, owner, client.id, chosen)
        with db.read() as session:
            assert {member.id for member, _person in services.assigned(session, owner, client.id)} == set(chosen)


def test_a_member_of_another_firm_cannot_be_assigned(db: Database, viewer: MakeViewer) -> None:
    owner = viewer()
    client = _create(db, owner)
    with db.transaction() as session:
        foreigner = factories.member(session, factories.firm(session))
        with pytest.raises(NotFound):
            services.assign(session, owner, client.id, [foreigner.id])
        with pytest.raises(NotFound):
            services.assign_to_member(session, owner, foreigner.id, [client.id], True)


def _invite(
    parts: Parts, viewer: Viewer, client_id: UUID, email: str = "karl@brandt.example", role: str = "owner"
) -> Invited:
    with parts.db.transaction() as session:
        return services.invite_contact(
            session, parts.vault, viewer, client_id, name="Karl", email=email, role_name=role
        )


def test_a_contact_of_two_clients_is_one_person(parts: Parts, viewer: MakeViewer) -> None:
    owner = viewer()
    one, two = _create(parts.db, owner), _create(parts.db, owner, number="10002")
    first, second = _invite(parts, owner, one.id), _invite(parts, owner, two.id, role="member")
    assert first.person.id == second.person.id
    with parts.db.read() as session:
        found = viewer_of(session, first.person.id)
    assert found is not None
    assert found.contacts == {one.id: ContactRole.OWNER, two.id: ContactRole.MEMBER}


def test_a_contact_shut_out_sees_this_client_no_more(parts: Parts, viewer: MakeViewer) -> None:
    owner = viewer()
    one, two = _create(parts.db, owner), _create(parts.db, owner, number="10002")
    _invite(parts, owner, one.id)
    person = _invite(parts, owner, two.id).person
    with parts.db.transaction() as session:
        contact = services.contacts(session, owner, one.id)[0][0]
        services.end_contact(session, owner, one.id, contact.id)
    with parts.db.read() as session:
        found = viewer_of(session, person.id)
    assert found is not None
    assert set(found.contacts) == {two.id}


def test_a_companys_owner_gets_no_first_link_for_who_was_invited_elsewhere(parts: Parts, viewer: MakeViewer) -> None:
    owner = viewer()
    client, other = _create(parts.db, owner), _create(parts.db, owner, number="10002")
    with parts.db.transaction() as session:
        boss = viewer_of(session, factories.contact(session, client).person_id)
    assert boss is not None
    assert _invite(parts, owner, other.id).secret is not None
    assert _invite(parts, boss, client.id).secret is None


@pytest.mark.parametrize("elsewhere", ["member", "other client"])
def test_a_companys_owner_makes_no_link_for_who_signs_in_elsewhere(
    parts: Parts, firm: Firm, viewer: MakeViewer, elsewhere: str
) -> None:
    """Else they would set that person's password and walk in there."""
    owner = viewer()
    client, other = _create(parts.db, owner), _create(parts.db, owner, number="10002")
    with parts.db.transaction() as session:
        boss = viewer_of(session, factories.contact(session, client).person_id)
        person = factories.person(session)
        contact = factories.contact(session, client, who=person)
        if elsewhere == "member":
            factories.member(session, firm, who=person)
        else:
            factories.contact(session, other, who=person)
    assert boss is not None
    with pytest.raises(Conflict), parts.db.transaction() as session:
        services.new_link(session, parts.vault, boss, client.id, contact.id)


@pytest.mark.parametrize("role", [Role.ACCOUNTANT, Role.ASSISTANT, Role.CLIENT_MANAGER])
def test_who_may_not_see_documents_by_themselves_invites_nobody(parts: Parts, viewer: MakeViewer, role: Role) -> None:
    client = _create(parts.db, viewer())
    somebody = viewer(role, assigned=(client.id,))
    with pytest.raises(NotFound):
        _invite(parts, somebody, client.id)


def test_saved_views_are_ones_own(db: Database, viewer: MakeViewer) -> None:
    mine, other = viewer(), viewer()
    with db.transaction() as session:
        view = services.save_view(session, mine, "board", "Offene", {"only": "open", "q": ""})
        services.save_view(session, mine, "board", "Offene", {"only": "open", "sort": "-open"})
    with db.transaction() as session:
        assert [(one.name, one.query) for one in services.saved_views(session, mine, "board")] == [
            ("Offene", {"only": "open", "sort": "-open"})
        ]
        assert services.saved_views(session, other, "board") == []
        with pytest.raises(NotFound):
            services.remove_view(session, other, view.id)
        services.remove_view(session, mine, view.id)


def test_there_is_an_end_to_saved_views(db: Database, viewer: MakeViewer) -> None:
    mine = viewer()
    with db.transaction() as session:
        for number in range(services.MOST_VIEWS):
            services.save_view(session, mine, "board", f"Ansicht {number}", {})
        with pytest.raises(Error):
            services.save_view(session, mine, "board", "noch eine", {})


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Müller & Söhne", "muller & sohne"),
        ("STRASSE Straße", "strasse strasse"),
        (" Yılmaz\tŁukasz ", "yılmaz łukasz"),
    ],
)
def test_names_are_compared_without_case_and_accents(text: str, folded: str) -> None:
    assert fold(text) == folded
