"""From the cookie to the viewer: a signed session that names a SignIn row, and the guard in front of every route."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from flask import Flask, Response, current_app, redirect, request, session, url_for
from flask.sessions import SecureCookieSessionInterface
from flask_login import LoginManager, UserMixin, login_user
from sqlmodel import Session, col, select

from portal import clock
from portal.access import Viewer, viewer_of
from portal.accounts.models import Firm, SignIn
from portal.accounts.signing_in import IDLE, SignedInNow
from portal.clients.models import Client
from portal.errors import NotFound
from portal.ids import parse
from portal.web import SignInNeeded, go_to, parts, viewer

# How often a visit is written down: often enough for the list of sessions, seldom enough to cost nothing.
SEEN_EVERY = timedelta(minutes=5)
# Asked with every request, so made once.
_SIGN_IN = sa.select(SignIn.person_id, SignIn.secret_digest, SignIn.seen_at, SignIn.ended_at).where(  # type: ignore[call-overload]
    col(SignIn.id) == sa.bindparam("id")
)
_ZONE = sa.select(Firm.zone).where(col(Firm.id) == sa.bindparam("id"))  # type: ignore[call-overload]


@dataclass(frozen=True)
class SignedIn(UserMixin):  # type: ignore[misc]
    """What Flask-Login carries: the sign-in and the viewer, read once per request."""

    id: UUID
    viewer: Viewer
    zone: str
    token: str

    def get_id(self) -> str:
        """What the session cookie holds."""
        return self.token


class Cookies(SecureCookieSessionInterface):
    """The session cookie is Secure exactly when the visitor came by https, so that loopback works without."""

    def get_cookie_secure(self, app: Flask) -> bool:
        """Decided per request."""
        return request.is_secure


def register(app: Flask) -> None:
    """Attach sign-in to the application."""
    app.session_interface = Cookies()
    login = LoginManager()
    login.session_protection = None  # sign-ins are rows that end; addresses of phones change
    login.init_app(app)
    login.user_loader(load)
    app.before_request(guard)
    app.register_error_handler(SignInNeeded, ask_to_sign_in)


def load(token: str) -> SignedIn | None:
    """The signed-in person of a cookie's token; None when it is unknown, ended or idle for too long."""
    row_id, _, secret = token.partition(":")
    try:
        key = parse(row_id)
    except NotFound:
        return None
    with parts().db.read() as db:
        row = db.execute(_SIGN_IN, {"id": key}).one_or_none()
        if row is None or row.ended_at or clock.now() - row.seen_at > IDLE:
            return None
        if not hmac.compare_digest(row.secret_digest, parts().vault.digest(secret)):
            return None
        person = viewer_of(db, row.person_id, address=request.remote_addr or "")
        if person is None or (person.firm_id is None and not person.contacts):
            return None
        zone = _zone_of(db, person)
    if clock.now() - row.seen_at > SEEN_EVERY:
        _seen(key)
    return SignedIn(id=key, viewer=person, zone=zone, token=token)


def _zone_of(db: Session, person: Viewer) -> str:
    if person.firm_id is not None:
        return str(db.execute(_ZONE, {"id": person.firm_id}).scalar_one())
    firm = select(Firm.zone).join(Client, col(Client.firm_id) == col(Firm.id))
    return db.exec(firm.where(Client.id == min(person.contacts))).one()


def _seen(key: UUID) -> None:
    with parts().db.transaction() as db:
        row = db.get(SignIn, key)
        if row is not None:
            row.seen_at = clock.now()
    session.modified = True  # the cookie is renewed with it


def remember(now: SignedInNow) -> None:
    """Put a fresh sign-in into the cookie; whatever the session held before goes (session fixation)."""
    session.clear()
    session.permanent = True
    user = load(now.token)
    if user is None:
        raise SignInNeeded
    login_user(user)


def guard() -> None:
    """Nobody reaches a view without a sign-in unless the view says so itself. The API checks its bearer tokens."""
    if request.endpoint is None or request.path.startswith("/api/"):
        return
    view = current_app.view_functions[request.endpoint]
    if request.endpoint == "static" or getattr(view, "public", False):
        return
    viewer()


def ask_to_sign_in(_error: SignInNeeded) -> Response:
    """The sign-in page, which leads back to where the person wanted to go."""
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    if request.headers.get("HX-Request") == "true":
        wanted = None
    target = url_for("auth.sign_in", next=wanted if wanted != "/" else None)
    answer = go_to(target)
    return answer if answer.status_code == 204 else redirect(target, code=302)  # type: ignore[return-value]
