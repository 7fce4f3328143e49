"""Signing in and out: one row per browser, listed and revocable. What the cookie holds is stored as a digest only."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlmodel import Session, col, select, update

from portal import audit, clock
from portal.accounts.models import Member, Person, SignIn
from portal.audit import By
from portal.errors import Invalid, NotFound
from portal.i18n import N_
from portal.secrets import Vault

# A browser that was not used for so long must sign in again.
IDLE = timedelta(days=14)
REFUSED = N_("This e-mail address and password do not belong together.")


@dataclass(frozen=True)
class SignedInNow:
    """A fresh sign-in; ``token`` is what the cookie holds, known only here and now."""

    id: UUID
    token: str


def find(session: Session, email: str) -> Person | None:
    """Who has this address and may sign in."""
    person = session.exec(select(Person).where(Person.email == email.strip().lower())).one_or_none()
    return person if person is not None and person.active else None


def begin(session: Session, vault: Vault, person_id: UUID, *, address: str, browser: str) -> SignedInNow:
    """Write down a sign-in of a person who has proven who they are. Raises Invalid when they were locked out."""
    person = session.get(Person, person_id)
    if person is None or not person.active:
        raise Invalid(REFUSED)
    secret = secrets.token_urlsafe(32)
    row = SignIn(person_id=person.id, secret_digest=vault.digest(secret), address=address, browser=browser[:300])
    session.add(row)
    _write_down(session, person, "person.signed_in", row, address)
    return SignedInNow(id=row.id, token=f"{row.id}:{secret}")


def end(session: Session, person_id: UUID, sign_in_id: UUID, *, address: str = "") -> None:
    """End one sign-in of one's own; ending it twice is the same. NotFound for another person's."""
    row = session.get(SignIn, sign_in_id)
    person = session.get(Person, person_id)
    if row is None or person is None or row.person_id != person_id:
        raise NotFound
    if row.ended_at is None:
        row.ended_at = clock.now()
        _write_down(session, person, "person.signed_out", row, address)


def end_all(session: Session, person_id: UUID, *, but: UUID | None = None) -> None:
    """End every sign-in of a person, except perhaps the present one."""
    rows = update(SignIn).where(col(SignIn.person_id) == person_id, col(SignIn.ended_at).is_(None))
    if but is not None:
        rows = rows.where(col(SignIn.id) != but)
    session.exec(rows.values(ended_at=clock.now()))


def live(session: Session, person_id: UUID) -> Sequence[SignIn]:
    """Where a person is signed in, latest first."""
    return session.exec(
        select(SignIn)
        .where(SignIn.person_id == person_id, col(SignIn.ended_at).is_(None), SignIn.seen_at > clock.now() - IDLE)
        .order_by(col(SignIn.seen_at).desc())
        .limit(100)
    ).all()


def _write_down(session: Session, person: Person, action: str, row: SignIn, address: str) -> None:
    """Into the chain of the member's firm; contacts, who may belong to several, into the installation's."""
    member = session.exec(select(Member).where(Member.person_id == person.id)).first()
    by = By(person_id=person.id, name=person.name, address=address)
    firm_id = member.firm_id if member else audit.INSTALLATION
    audit.record(session, firm_id, action, by=by, subject_id=row.id, facts={"browser": row.browser})
