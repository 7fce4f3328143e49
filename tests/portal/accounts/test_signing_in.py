from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlmodel import select

from portal import audit
from portal.accounts import passwords, signing_in
from portal.accounts.models import Firm, Person, SignIn
from portal.audit import AuditEntry
from portal.clock import Traveller
from portal.db import Database
from portal.errors import Invalid, NotFound
from portal.parts import Parts
from tests import factories


def _begin(parts: Parts, person_id: UUID) -> signing_in.SignedInNow:
    with parts.db.transaction() as session:
        return signing_in.begin(session, parts.vault, person_id, address="203.0.113.9", browser="Firefox")


@pytest.fixture
def person(db: Database, firm: Firm) -> Person:
    """A member who can sign in."""
    with db.transaction() as session:
        made = factories.person(session, email="anna@kanzlei.example")
        factories.member(session, firm, who=made)
        return made


def test_what_the_cookie_holds_is_not_what_the_table_holds(parts: Parts, person: Person) -> None:
    now = _begin(parts, person.id)
    with parts.db.read() as session:
        row = session.get_one(SignIn, now.id)
    assert now.token.partition(":")[2] not in repr(row)
    assert (row.address, row.browser) == ("203.0.113.9", "Firefox")


def test_an_address_is_found_however_it_is_written(db: Database, person: Person) -> None:
    with db.read() as session:
        found = signing_in.find(session, " ANNA@Kanzlei.example ")
        assert found is not None
        assert found.id == person.id
        assert signing_in.find(session, "someone@else.example") is None


def test_who_was_locked_out_is_not_found_and_cannot_begin(parts: Parts, person: Person) -> None:
    with parts.db.transaction() as session:
        session.get_one(Person, person.id).active = False
    with parts.db.read() as session:
        assert signing_in.find(session, person.email) is None
    with pytest.raises(Invalid):
        _begin(parts, person.id)


def test_nobody_ends_another_persons_sign_in(parts: Parts, person: Person) -> None:
    now = _begin(parts, person.id)
    with parts.db.transaction() as session:
        other = factories.person(session)
        with pytest.raises(NotFound):
            signing_in.end(session, other.id, now.id)


def test_ending_all_others_keeps_the_present_one(parts: Parts, person: Person) -> None:
    kept, gone = _begin(parts, person.id), _begin(parts, person.id)
    with parts.db.transaction() as session:
        signing_in.end_all(session, person.id, but=kept.id)
    with parts.db.read() as session:
        assert [row.id for row in signing_in.live(session, person.id)] == [kept.id]
        assert session.get_one(SignIn, gone.id).ended_at is not None


def test_a_browser_that_was_idle_for_too_long_is_no_longer_listed(
    parts: Parts, person: Person, clock: Traveller
) -> None:
    _begin(parts, person.id)
    clock.advance(signing_in.IDLE + timedelta(minutes=1))
    with parts.db.read() as session:
        assert signing_in.live(session, person.id) == []


def test_signing_in_and_out_is_written_into_the_firms_chain(parts: Parts, person: Person, firm: Firm) -> None:
    now = _begin(parts, person.id)
    with parts.db.transaction() as session:
        signing_in.end(session, person.id, now.id, address="203.0.113.9")
        signing_in.end(session, person.id, now.id)
    with parts.db.read() as session:
        actions = list(session.exec(select(AuditEntry.action).where(AuditEntry.firm_id == firm.id)))
        assert actions == ["person.signed_in", "person.signed_out"]
        assert audit.broken(session, firm.id) is None


def test_a_password_is_checked_with_and_without_anybody() -> None:
    stored = passwords.hashed("correct horse battery")
    assert stored.startswith("$argon2id$")
    assert passwords.matches(stored, "correct horse battery")
    assert not passwords.matches(stored, "wrong")
    assert not passwords.matches(None, "nobody has this password")
    assert not passwords.matches("no hash at all", "wrong")
