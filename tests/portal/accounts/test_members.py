from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from uuid import UUID

import pytest
from sqlmodel import select

from portal.access import Viewer, viewer_of
from portal.accounts import invitations, services, tokens
from portal.accounts.models import Firm, Member, Person, Role
from portal.clients.models import Assignment
from portal.db import Database
from portal.errors import Conflict, Invalid, NotFound
from portal.parts import Parts
from tests import factories

MakeViewer = Callable[..., Viewer]
FOUNDING = {
    "firm": "Kanzlei Sommer", "zone": "Europe/Berlin", "language": "de", "name": "Anna Sommer",
    "email": "Anna@Sommer.example", "password_hash": "hash",
}  # fmt: skip


def test_the_founder_owns_the_firm(db: Database) -> None:
    with db.transaction() as session:
        firm, person = services.found_first_firm(session, **FOUNDING)
    with db.read() as session:
        viewer = viewer_of(session, person.id)
    assert viewer is not None
    assert (viewer.firm_id, viewer.role, viewer.email) == (firm.id, Role.OWNER, "anna@sommer.example")


def test_there_is_one_first_firm_even_if_two_found_it_at_once(db: Database) -> None:
    done: list[str] = []

    def found(number: int) -> None:
        try:
            with db.transaction() as session:
                services.found_first_firm(session, **{**FOUNDING, "email": f"anna{number}@sommer.example"})
            done.append("founded")
        except NotFound:
            done.append("too late")

    both = [Thread(target=found, args=(number,)) for number in range(4)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert sorted(done) == ["founded", "too late", "too late", "too late"]
    with db.read() as session:
        assert len(session.exec(select(Firm)).all()) == 1


@pytest.mark.parametrize(
    ("field", "value"), [("zone", "Mars/Olympus"), ("language", "fr"), ("email", "anna"), ("name", " ")]
)
def test_a_firm_is_founded_with_sound_facts_only(db: Database, field: str, value: str) -> None:
    with pytest.raises(Invalid) as refused, db.transaction() as session:
        services.found_firm(session, **{**FOUNDING, field: value})
    assert refused.value.field == field


def _invite(parts: Parts, viewer: Viewer, email: str, role: Role = Role.ACCOUNTANT) -> services.Invited:
    with parts.db.transaction() as session:
        return services.invite_member(session, parts.vault, viewer, name="Bernd", email=email, role_name=role.value)


def _member_of(parts: Parts, person: Person) -> Member:
    with parts.db.read() as session:
        return session.exec(select(Member).where(Member.person_id == person.id)).one()


def test_an_invited_member_sets_a_password_once(parts: Parts, viewer: MakeViewer) -> None:
    invited = _invite(parts, viewer(), "bernd@kanzlei.example")
    assert invited.secret is not None
    with parts.db.transaction() as session:
        person = invitations.accept(session, parts.vault, invited.secret, name="Bernd Acker", password_hash="hash")
        assert (person.id, person.name, person.password_hash) == (invited.person.id, "Bernd Acker", "hash")
    with parts.db.transaction() as session, pytest.raises(NotFound):
        invitations.accept(session, parts.vault, invited.secret, name="Mallory", password_hash="other")


def test_a_newer_link_ends_the_older_one(parts: Parts, viewer: MakeViewer) -> None:
    owner = viewer()
    first = _invite(parts, owner, "bernd@kanzlei.example")
    with parts.db.transaction() as session:
        second = services.new_link(session, parts.vault, owner, _member_of(parts, first.person).id)
    assert first.secret
    assert second.secret
    with parts.db.read() as session:
        assert invitations.person_of(session, parts.vault, second.secret).id == first.person.id
        with pytest.raises(NotFound):
            invitations.person_of(session, parts.vault, first.secret)


def test_a_link_ends_after_a_week(parts: Parts, viewer: MakeViewer, clock: object) -> None:
    invited = _invite(parts, viewer(), "bernd@kanzlei.example")
    clock.advance(invitations.VALID * 1.01)  # type: ignore[attr-defined]
    assert invited.secret
    with parts.db.read() as session, pytest.raises(NotFound):
        invitations.person_of(session, parts.vault, invited.secret)


def test_somebody_elses_member_cannot_be_invited(parts: Parts, viewer: MakeViewer) -> None:
    with parts.db.transaction() as session:
        factories.member(session, factories.firm(session), who=factories.person(session, email="x@y.example"))
    with pytest.raises(Conflict):
        _invite(parts, viewer(), "X@Y.example")


def test_no_firm_makes_a_link_for_a_person_of_another_firm(parts: Parts, viewer: MakeViewer) -> None:
    """A link sets the password, and the password opens the other firm."""
    with parts.db.transaction() as session:
        elsewhere = factories.client(session, factories.firm(session, name="Kanzlei Fremd"))
        person = factories.person(session, email="both@y.example", password_hash=None)
        factories.contact(session, elsewhere, who=person)
    owner = viewer()
    assert _invite(parts, owner, "both@y.example").secret is None
    with pytest.raises(Conflict), parts.db.transaction() as session:
        services.new_link(session, parts.vault, owner, _member_of(parts, person).id)


def test_only_an_owner_makes_and_changes_owners(parts: Parts, viewer: MakeViewer) -> None:
    owner, admin = viewer(), viewer(Role.ADMIN)
    with pytest.raises(Invalid):
        _invite(parts, admin, "new@kanzlei.example", Role.OWNER)
    assert owner.member_id
    with pytest.raises(Conflict), parts.db.transaction() as session:
        services.change_role(session, admin, owner.member_id, "assistant")
    with pytest.raises(Conflict), parts.db.transaction() as session:
        services.new_link(session, parts.vault, admin, owner.member_id)


def test_the_last_owner_stays(parts: Parts, viewer: MakeViewer) -> None:
    owner = viewer()
    assert owner.member_id
    for leave in (
        lambda session: services.end_membership(session, owner, owner.member_id),
        lambda session: services.change_role(session, owner, owner.member_id, "admin"),
    ):
        with pytest.raises(Conflict), parts.db.transaction() as session:
            leave(session)
    viewer()
    with parts.db.transaction() as session:
        services.end_membership(session, owner, owner.member_id)


def test_who_leaves_keeps_nothing(parts: Parts, firm: Firm, viewer: MakeViewer) -> None:
    owner = viewer()
    with parts.db.transaction() as session:
        client = factories.client(session, firm)
        member = factories.member(session, firm, role=Role.ADMIN, assigned=(client.id,))
        _row, secret = tokens.issue(session, parts.vault, member.id, name="script", scopes={"read"}, days=9)
    with parts.db.transaction() as session:
        services.end_membership(session, owner, member.id)
    with parts.db.read() as session:
        viewer_now = viewer_of(session, member.person_id)
        assert viewer_now is not None
        assert viewer_now.firm_id is None
        assert tokens.verify(session, parts.vault, secret) is None
        assert session.exec(select(Assignment).where(Assignment.member_id == member.id)).all() == []
    assert _invite(parts, owner, viewer_now.email).secret is None
    assert _member_of(parts, Person(id=member.person_id, email="", name="")).ended_at is None


@pytest.mark.parametrize("role", [Role.ACCOUNTANT, Role.ASSISTANT, Role.CLIENT_MANAGER])
def test_only_those_who_run_the_firm_change_it(parts: Parts, viewer: MakeViewer, role: Role) -> None:
    somebody, member_id = viewer(role), viewer().member_id
    assert isinstance(member_id, UUID)
    with parts.db.transaction() as session:
        for refused in (
            lambda: services.firm_of(session, somebody),
            lambda: services.change_firm(session, somebody, name="x", zone="UTC", language="de"),
            lambda: services.invite_member(session, parts.vault, somebody, name="x", email="a@b.de", role_name="admin"),
            lambda: services.end_membership(session, somebody, member_id),
            lambda: tokens.create(session, parts.vault, somebody, name="x", scopes=["read"], days=1),
            lambda: tokens.listed(session, somebody),
        ):
            with pytest.raises(NotFound):
                refused()
