"""The first visit of an installation: who the firm is and who owns it. Gone as soon as there is a firm."""

from __future__ import annotations

from zoneinfo import available_timezones

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from portal.accounts import passwords, people, services, signing_in
from portal.errors import Error, NotFound
from portal.i18n import _, language
from portal.web import notice, parts, public, reading, writing
from portal.web.sessions import remember

pages = Blueprint("first_visit", __name__)
FIELDS = ("firm", "zone", "language", "name", "email")


@pages.get("/welcome")
@public
def welcome() -> ResponseReturnValue:
    """The form, as long as there is no firm."""
    _only_when_empty()
    filled = {"zone": "Europe/Berlin", "language": language()}
    return render_template("auth/welcome.html", filled=filled, wrong=None, zones=zones())


@pages.post("/welcome")
@public
def found() -> ResponseReturnValue:
    """Make the firm and its owner, and sign the owner in."""
    _only_when_empty()
    filled = {name: request.form.get(name, "") for name in FIELDS}
    address = request.remote_addr or ""
    try:
        secret = people.password(request.form.get("password", ""), filled["name"], filled["email"], filled["firm"])
        checked = {**filled, "email": people.email_address(filled["email"]), "password_hash": passwords.hashed(secret)}
        with writing() as db:
            _firm, owner = services.found_first_firm(db, **checked, address=address)
            now = signing_in.begin(db, parts().vault, owner.id, address=address, browser=request.user_agent.string)
    except NotFound:
        raise
    except Error as error:
        return render_template("auth/welcome.html", filled=filled, wrong=error, zones=zones()), error.status
    remember(now)
    notice(_("Your firm is set up. Add your first client, then install what they need from the store."))
    return redirect("/", code=303)


def zones(present: str = "") -> list[tuple[str, str]]:
    """Zones to choose from: Europe's places, those near our firms first, and whatever is set already."""
    near = ["Europe/Berlin", "Europe/Vienna", "Europe/Zurich"]
    places = sorted(name for name in available_timezones() if name.startswith("Europe/"))
    names = dict.fromkeys([*near, *places, "Atlantic/Canary", "Atlantic/Reykjavik", "UTC", *filter(None, [present])])
    return [(name, name.replace("_", " ")) for name in names]


def _only_when_empty() -> None:
    with reading() as db:
        if not services.is_empty(db):
            raise NotFound
