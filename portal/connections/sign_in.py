"""Signing in at a provider: out to its consent page, back with a code, then token, account and consent are kept (E5).

``begin`` remembers who asks for what; ``complete`` takes the provider's answer once, in the same browser, and asks the
provider whose login it is before anything is kept.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import httpx
import sqlalchemy as sa
from sqlmodel import Session, col, select

from integrations import http, oauth
from integrations.contract import Token
from integrations.errors import ConnectorError, Misconfigured, ReauthRequired
from portal import access, audit, clock
from portal.access import Viewer
from portal.connections import tokens
from portal.connections.keep import Asked, Signed, keep
from portal.connections.models import Connection, PendingSignIn
from portal.connections.services import named, one_or_404, unset
from portal.errors import Conflict, Invalid, Unavailable
from portal.extensions import services as extensions
from portal.extensions.models import Installation
from portal.i18n import N_
from portal.parts import Parts

SIGN_IN_LIFE = timedelta(minutes=15)
KEPT = timedelta(days=1)  # so long a failed one still leads back to where it began
_BROKEN_OFF = N_("This sign-in began in another browser, was used already, or took too long. Please start again.")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a person wants to sign in for. ``consent`` is the text as they saw it and agreed to."""

    kind: str
    name: str
    consent: str
    redirect_uri: str
    sign_in_id: UUID  # of the browser
    connection_id: UUID | None = None  # to reconnect
    instance_id: UUID | None = None  # the set-up to go on with


Completed = Callable[[Session, Viewer, Connection, Asked], None]


def begin(session: Session, viewer: Viewer, parts: Parts, client_id: UUID, wish: Wish) -> str:
    """Remember the sign-in and return the provider's consent page to go to."""
    client = access.client_or_404(session, viewer, client_id, extensions.right_of(wish.kind))
    installation = extensions.installation_for(session, client, wish.kind)
    manifest = extensions.manifest_of(wish.kind)
    if manifest.oauth is None:
        raise Conflict(N_("%(name)s has no sign-in page."), name=manifest.name)
    if wish.connection_id is not None:
        one_or_404(session, viewer, client_id, wish.connection_id)
    state, verifier = secrets.token_urlsafe(32), oauth.verifier()
    session.add(
        PendingSignIn(
            state_digest=parts.vault.digest(state),
            sign_in_id=wish.sign_in_id,
            person_id=viewer.person_id,
            client_id=client.id,
            installation_id=installation.id,
            connection_id=wish.connection_id,
            instance_id=wish.instance_id,
            name=named(wish.name),
            consent_text=wish.consent,
            verifier=parts.vault.lock({"verifier": verifier}) if manifest.oauth.pkce else None,
            redirect_uri=wish.redirect_uri,
            expires_at=clock.now() + SIGN_IN_LIFE,
        )
    )
    audit.record(
        session, client.firm_id, "connection.asked", by=viewer.by, client_id=client.id, subject_id=wish.instance_id,
        facts={"kind": wish.kind, "name": named(wish.name)},
    )  # fmt: skip
    challenge = oauth.challenge(verifier) if manifest.oauth.pkce else None
    with http.client() as unused:
        flow = tokens.flow(parts, installation, unused)
        return flow.consent_url(redirect_uri=wish.redirect_uri, state=state, code_challenge=challenge)


def complete(
    parts: Parts, viewer: Viewer, sign_in_id: UUID, kind: str, query: Mapping[str, str], done: Completed
) -> Signed:
    """Take the provider's answer: exchange the code, ask whose login it is, store token, account and consent.

    ``done`` runs in the transaction that stores the connection. Conflict when the sign-in is not this browser's, was
    used or is too old, or when another account answered than the one to reconnect; Invalid when the person or the
    provider said no; Unavailable when the provider does not answer. The answer counts once, whatever comes of it.
    """
    pending, installation = _taken(parts, viewer, sign_in_id, kind, query.get("state", ""))
    manifest = extensions.manifest_of(kind)
    code = _code(query, manifest.name)
    try:
        with http.client(watched=True) as client:
            token = _exchanged(parts, pending, installation, client, code, query)
            account = unset(parts, installation, client, tokens.Given(token, manifest.name)).check()
    except ReauthRequired as error:
        raise Invalid(
            N_("%(provider)s did not accept the sign-in. Please try again."), provider=manifest.name
        ) from error
    except Misconfigured as error:
        raise Invalid(error.text, field=None, **error.facts) from error
    except ConnectorError as error:
        raise Unavailable(error.text, field=None, **error.facts) from error
    with parts.db.transaction() as session:
        signed = keep(session, viewer, parts.vault, asked := _asked(pending), token, account)
        done(session, viewer, signed.connection, asked)
    return signed


def forget_old(session: Session) -> None:
    """Remove sign-ins that ended or were broken off more than a day ago; the audit trail keeps that they were asked."""
    session.execute(sa.delete(PendingSignIn).where(col(PendingSignIn.expires_at) < clock.now() - KEPT))


def waiting(session: Session, parts: Parts, viewer: Viewer, state: str) -> PendingSignIn | None:
    """The person's own sign-in behind a ``state``, used or not: to lead them back when it fails."""
    found = select(PendingSignIn).where(PendingSignIn.state_digest == parts.vault.digest(state))
    return session.exec(found.where(PendingSignIn.person_id == viewer.person_id)).one_or_none()


def _taken(parts: Parts, viewer: Viewer, sign_in_id: UUID, kind: str, state: str) -> tuple[PendingSignIn, Installation]:
    """The sign-in that this ``state`` belongs to, marked as used; only this person's, in this browser."""
    now = clock.now()
    with parts.db.transaction() as session:
        found = select(PendingSignIn).where(PendingSignIn.state_digest == parts.vault.digest(state))
        pending = session.exec(found.with_for_update()).one_or_none()
        if pending is None or pending.sign_in_id != sign_in_id or pending.person_id != viewer.person_id:
            raise Conflict(_BROKEN_OFF)
        if pending.used_at is not None or pending.expires_at <= now:
            raise Conflict(_BROKEN_OFF)
        installation = session.get_one(Installation, pending.installation_id)
        if installation.kind != kind or installation.removed_at is not None:
            raise Conflict(_BROKEN_OFF)
        access.client_or_404(session, viewer, pending.client_id, extensions.right_of(kind))
        pending.used_at = now
        session.add(pending)
    return pending, installation


def _asked(pending: PendingSignIn) -> Asked:
    return Asked(
        client_id=pending.client_id, installation_id=pending.installation_id, name=pending.name,
        consent=pending.consent_text, connection_id=pending.connection_id, instance_id=pending.instance_id,
    )  # fmt: skip


def _code(query: Mapping[str, str], provider: str) -> str:
    """The code of the callback; what the provider says instead becomes a sentence (RFC 6749, section 4.1.2.1)."""
    if query.get("error") in {"access_denied", "consent_required"}:
        raise Invalid(N_("Access was not allowed at %(provider)s, so nothing was connected."), provider=provider)
    if query.get("error") in {"invalid_scope", "unauthorized_client", "invalid_request", "unsupported_response_type"}:
        raise Invalid(
            N_("%(provider)s does not accept the firm's app. Please check its settings there and in the store."),
            provider=provider,
        )
    if query.get("error") in {"server_error", "temporarily_unavailable"}:
        raise Unavailable(N_("%(provider)s is not available right now. Please try again."), provider=provider)
    if query.get("error") or not query.get("code"):
        raise Invalid(N_("%(provider)s did not accept the sign-in. Please try again."), provider=provider)
    return query["code"]


def _exchanged(
    parts: Parts, pending: PendingSignIn, installation: Installation, client: httpx.Client, code: str,
    query: Mapping[str, str],
) -> Token:  # fmt: skip
    flow = tokens.flow(parts, installation, client)
    name = flow.manifest.name
    extras = {field: query[field] for field in flow.oauth.callback_fields if query.get(field)}
    if len(extras) < len(flow.oauth.callback_fields):
        raise Invalid(N_("%(provider)s did not say which account was chosen. Please try again."), provider=name)
    token = flow.exchange(
        code=code,
        redirect_uri=pending.redirect_uri,
        code_verifier=parts.vault.unlock(pending.verifier)["verifier"] if pending.verifier else None,
        now=clock.now(),
        extras=extras,
    )
    if flow.missing(token):
        raise Invalid(N_("Not all permissions were given at %(provider)s. Please allow each of them."), provider=name)
    if not token.refresh:
        raise Invalid(
            N_("%(provider)s gave a login that soon ends. Please remove the app's access there, then connect again."),
            provider=name,
        )
    return token
