"""One-time links by which a person sets a first or a new password."""

from __future__ import annotations

import secrets
from datetime import timedelta
from uuid import UUID

from sqlmodel import Session, col, select, update

from portal import clock
from portal.accounts.models import Invitation, Person
from portal.accounts.signing_in import end_all
from portal.errors import NotFound
from portal.secrets import Vault

VALID = timedelta(days=7)


def make(session: Session, vault: Vault, person_id: UUID) -> str:
    """A fresh secret for the link; earlier ones of the person stop working."""
    secret = secrets.token_urlsafe(32)
    session.exec(
        update(Invitation)
        .where(col(Invitation.person_id) == person_id, col(Invitation.used_at).is_(None))
        .values(used_at=clock.now())
    )
    digest = vault.digest(secret)
    session.add(Invitation(person_id=person_id, secret_digest=digest, expires_at=clock.now() + VALID))
    return secret


def person_of(session: Session, vault: Vault, secret: str) -> Person:
    """Who is invited by this link. NotFound when it is unknown, used or too old: all the same."""
    return session.get_one(Person, _live(session, vault, secret).person_id)


def accept(session: Session, vault: Vault, secret: str, *, name: str, password_hash: str) -> Person:
    """Use the link: set name and password, end what was signed in before. Two at once: one gets NotFound."""
    invitation = _live(session, vault, secret)
    used = session.exec(
        update(Invitation)
        .where(col(Invitation.id) == invitation.id, col(Invitation.used_at).is_(None))
        .values(used_at=clock.now())
    )
    if used.rowcount != 1:
        raise NotFound
    person = session.get_one(Person, invitation.person_id)
    person.name, person.password_hash = name, password_hash
    end_all(session, person.id)
    return person


def _live(session: Session, vault: Vault, secret: str) -> Invitation:
    invitation = session.exec(
        select(Invitation).where(Invitation.secret_digest == vault.digest(secret), col(Invitation.used_at).is_(None))
    ).one_or_none()
    if invitation is None or invitation.expires_at < clock.now():
        raise NotFound
    return invitation
