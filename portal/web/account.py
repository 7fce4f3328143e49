"""One's own account: name and language, password, where one is signed in."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, render_template, request, session
from flask.typing import ResponseReturnValue

from portal.accounts import passwords, people, services, signing_in
from portal.accounts.models import Person
from portal.errors import Error, Invalid
from portal.i18n import N_, _
from portal.web import go, notice, reading, sign_in_id, viewer, writing
from portal.web.throttle import failed, limiter, per_account

pages = Blueprint("account", __name__)


@pages.get("/account")
def home() -> ResponseReturnValue:
    """Everything about oneself."""
    return _page()


@pages.post("/account")
def change() -> ResponseReturnValue:
    """Store name and language."""
    try:
        with writing() as db:
            services.rename(
                db, viewer(), name=request.form.get("name", ""), language=request.form.get("language") or None
            )
    except Error as error:
        return _page(wrong=error), error.status
    notice(_("Saved."))
    return go("account.home")


@pages.post("/account/password")
@limiter.limit(per_account, key_func=lambda: f"account:{viewer().email}", deduct_when=failed)
def change_password() -> ResponseReturnValue:
    """Store a new password after the old one; every other browser is signed out."""
    who, keep = viewer(), sign_in_id()
    with reading() as db:
        stored = db.get_one(Person, who.person_id).password_hash
    try:
        if not passwords.matches(stored, request.form.get("old", "")[: people.LONGEST]):
            raise Invalid(N_("This is not your present password."), field="old")
        hashed = passwords.hashed(people.password(request.form.get("new", ""), who.name, who.email, field="new"))
    except Error as error:
        return _page(wrong=error), error.status
    with writing() as db:
        services.change_password(db, who, hashed, keep=keep)
    notice(_("Your password is changed. Other browsers are signed out."))
    return go("account.home")


@pages.post("/account/sign-ins/<uuid:row_id>/end")
def end(row_id: UUID) -> ResponseReturnValue:
    """Sign out one of one's browsers."""
    who, present = viewer(), sign_in_id()
    with writing() as db:
        signing_in.end(db, who.person_id, row_id, address=who.address)
    if row_id == present:
        session.clear()
        return go("auth.sign_in")
    notice(_("That browser is signed out."))
    return go("account.home")


@pages.post("/account/sign-ins/end-others")
def end_others() -> ResponseReturnValue:
    """Sign out everywhere but here."""
    with writing() as db:
        signing_in.end_all(db, viewer().person_id, but=sign_in_id())
    notice(_("All other browsers are signed out."))
    return go("account.home")


def _page(wrong: Error | None = None) -> str:
    with reading() as db:
        person = db.get_one(Person, viewer().person_id)
        rows = signing_in.live(db, person.id)
    return render_template("auth/account.html", person=person, rows=rows, present=sign_in_id(), wrong=wrong)
