"""Signing in and out, the language, and the one-time link of an invitation."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.accounts import invitations, passwords, people, services, signing_in
from portal.errors import Error, Invalid
from portal.i18n import LANGUAGES, _, say
from portal.web import back_to, go, go_to, notice, parts, public, reading, sign_in_id, viewer, writing
from portal.web.languages import COOKIE
from portal.web.security import YEAR
from portal.web.sessions import remember
from portal.web.throttle import account, failed, limiter, per_account, per_address

pages = Blueprint("auth", __name__)


@pages.get("/sign-in")
@public
def sign_in() -> ResponseReturnValue:
    """The sign-in page; the first visit's set-up when there is no firm yet."""
    if current_user.is_authenticated:
        return redirect(back_to("/"))
    with reading() as db:
        if services.is_empty(db):
            return redirect(url_for("first_visit.welcome"))
    return render_template("auth/sign_in.html", email="", wrong="", next=back_to("/"))


@pages.post("/sign-in")
@limiter.limit(per_address, deduct_when=failed)
@limiter.limit(per_account, key_func=account, deduct_when=failed)
@public
def enter() -> ResponseReturnValue:
    """Sign in: the same answer, after the same time, whether the address or the password is wrong."""
    email, password = request.form.get("email", ""), request.form.get("password", "")
    with reading() as db:
        person = signing_in.find(db, email)
    stored = person.password_hash if person else None
    if not passwords.matches(stored, password[: people.LONGEST]) or person is None:
        return _refused(email)
    with writing() as db:
        now = signing_in.begin(
            db, parts().vault, person.id, address=request.remote_addr or "", browser=request.user_agent.string
        )
    try:
        remember(now)
    except Invalid:
        return _refused(email)
    return redirect(back_to("/"), code=303)


def _refused(email: str) -> ResponseReturnValue:
    page = render_template("auth/sign_in.html", email=email, wrong=say(signing_in.REFUSED), next=back_to("/"))
    return page, 422


@pages.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End this browser's sign-in."""
    who, row = viewer(), sign_in_id()
    with writing() as db:
        signing_in.end(db, who.person_id, row, address=who.address)
    session.clear()
    return go("auth.sign_in")


@pages.post("/language")
@public
def language() -> ResponseReturnValue:
    """Keep the chosen language: with the person, and in this browser for the pages before the sign-in."""
    chosen = request.form.get("language", "")
    if chosen not in LANGUAGES:
        raise Invalid(field="language")
    if current_user.is_authenticated:
        with writing() as db:
            services.choose_language(db, viewer(), chosen)
    answer = make_response(go_to(back_to("/")))
    answer.set_cookie(COOKIE, chosen, max_age=YEAR, secure=request.is_secure, httponly=True, samesite="Lax")
    return answer


@pages.get("/invitations/<secret>")
@limiter.limit(per_address, deduct_when=failed)
@public
def invitation(secret: str) -> ResponseReturnValue:
    """The page behind a one-time link."""
    with reading() as db:
        person = invitations.person_of(db, parts().vault, secret)
    return render_template("auth/invitation.html", person=person, name=person.name, wrong=None)


@pages.post("/invitations/<secret>")
@limiter.limit(per_address, deduct_when=failed)
@public
def accept(secret: str) -> ResponseReturnValue:
    """Set name and password, and sign in with them."""
    with reading() as db:
        person = invitations.person_of(db, parts().vault, secret)
    name = request.form.get("name", "")
    try:
        name = people.name(name)
        password = people.password(request.form.get("password", ""), name, person.email)
    except Error as error:
        return render_template("auth/invitation.html", person=person, name=name, wrong=error), error.status
    hashed = passwords.hashed(password)
    with writing() as db:
        person = invitations.accept(db, parts().vault, secret, name=name, password_hash=hashed)
        now = signing_in.begin(
            db, parts().vault, person.id, address=request.remote_addr or "", browser=request.user_agent.string
        )
    remember(now)
    notice(_("Welcome to Kontor."))
    return redirect("/", code=303)
