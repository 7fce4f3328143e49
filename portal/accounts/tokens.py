"""API tokens: bearer secrets of members, with scopes and an end. The secret is shown once; its digest is kept."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select, update

from portal import access, audit, clock
from portal.access import Right, Viewer
from portal.accounts import people
from portal.accounts.models import ApiToken, Member
from portal.audit import SYSTEM, By
from portal.errors import Invalid, NotFound
from portal.i18n import N_
from portal.secrets import Vault

PREFIX = "kontor_"  # so that secret scanners, and people, recognise it
LONGEST = timedelta(days=366)
_USED_EVERY = timedelta(minutes=5)


def create(
    session: Session, vault: Vault, viewer: Viewer, *, name: str, scopes: Collection[str], days: int
) -> tuple[ApiToken, str]:
    """A token for oneself, and its secret. Only those who run the firm may."""
    access.firm_or_404(viewer, Right.FIRM)
    if viewer.member_id is None:
        raise NotFound
    return issue(session, vault, viewer.member_id, name=name, scopes=scopes, days=days, by=viewer.by)


def issue(
    session: Session, vault: Vault, member_id: UUID, *, name: str, scopes: Collection[str], days: int, by: By = SYSTEM
) -> tuple[ApiToken, str]:
    """A token for any member, as `kontor token add` does it. Raises Invalid for unknown scopes or a useless end."""
    member = session.get(Member, member_id)
    if member is None or member.ended_at is not None:
        raise NotFound
    unknown = set(scopes) - set(access.SCOPES)
    if unknown or not scopes:
        raise Invalid(N_("Choose what the token may do."), field="scopes")
    if not 1 <= days <= LONGEST.days:
        raise Invalid(N_("A token lasts between 1 and %(most)s days."), field="days", most=LONGEST.days)
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        member_id=member.id, name=people.name(name), secret_digest=vault.digest(secret), scopes=sorted(scopes),
        expires_at=clock.now() + timedelta(days=days),
    )  # fmt: skip
    session.add(token)
    facts = {"name": token.name, "scopes": token.scopes, "days": days}
    audit.record(session, member.firm_id, "token.created", by=by, subject_id=token.id, facts=facts)
    return token, secret


def listed(session: Session, viewer: Viewer) -> Sequence[tuple[ApiToken, Member]]:
    """All tokens of the firm that still work or did lately, newest first."""
    firm_id = access.firm_or_404(viewer, Right.FIRM)
    return session.exec(
        select(ApiToken, Member)
        .join(Member, col(Member.id) == ApiToken.member_id)
        .where(Member.firm_id == firm_id, col(ApiToken.revoked_at).is_(None))
        .order_by(col(ApiToken.id).desc())
        .limit(200)
    ).all()


def revoke(session: Session, viewer: Viewer, token_id: UUID) -> None:
    """End a token of the firm at once; doing it twice is the same."""
    firm_id = access.firm_or_404(viewer, Right.FIRM)
    token = session.exec(
        select(ApiToken)
        .join(Member, col(Member.id) == ApiToken.member_id)
        .where(ApiToken.id == token_id, Member.firm_id == firm_id)
    ).one_or_none()
    if token is None:
        raise NotFound
    if token.revoked_at is None:
        token.revoked_at = clock.now()
        audit.record(session, firm_id, "token.revoked", by=viewer.by, subject_id=token.id, facts={"name": token.name})


def verify(session: Session, vault: Vault, secret: str, *, address: str = "") -> Viewer | None:
    """Whose bearer token this is, with its scopes as ceiling; None when it does not work (any more)."""
    if not secret.startswith(PREFIX):
        return None
    found = session.exec(
        select(ApiToken, Member)
        .join(Member, col(Member.id) == ApiToken.member_id)
        .where(ApiToken.secret_digest == vault.digest(secret))
    ).one_or_none()
    if found is None or not _works(*found):
        return None
    token, member = found
    return access.viewer_of(
        session, member.person_id, address=address, scopes=frozenset(token.scopes), token_id=token.id
    )


def used(session: Session, token_id: UUID) -> None:
    """Write down that a token was used, at most every few minutes; call it in a transaction of its own."""
    now: datetime = clock.now()
    session.exec(
        update(ApiToken)
        .where(
            col(ApiToken.id) == token_id,
            col(ApiToken.used_at).is_(None) | (col(ApiToken.used_at) < now - _USED_EVERY),
        )
        .values(used_at=now)
    )


def _works(token: ApiToken, member: Member) -> bool:
    return token.revoked_at is None and token.expires_at > clock.now() and member.ended_at is None
