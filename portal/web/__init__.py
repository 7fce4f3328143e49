"""What every page shares: who is looking, the parts, database sessions, notices, and what is seen signed out.

A view is thin: ``viewer()`` first, then ``with reading() as session`` or ``with writing() as session`` around one
service, then ``render_template``. Every route needs a signed-in person unless it is marked ``@public``; the guard in
``portal.web.sessions`` sees to it, so that a forgotten check shows the sign-in page and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import quote, urlsplit
from uuid import UUID

from flask import Response, current_app, flash, g, redirect, request, url_for
from flask_login import current_user
from sqlmodel import Session

from portal.access import Viewer
from portal.i18n import language, say

if TYPE_CHECKING:
    from portal.parts import Parts
    from portal.web.sessions import SignedIn

View = TypeVar("View", bound=Callable[..., Any])


class SignInNeeded(Exception):
    """Nobody is signed in here; shown as the sign-in page, which leads back."""


def public(view: View) -> View:
    """Mark a view that people may see without signing in. Put it directly above the function."""
    view.public = True  # type: ignore[attr-defined]
    return view


def parts() -> Parts:
    """The parts this application was made with."""
    return cast("Parts", current_app.extensions["kontor"])


def viewer() -> Viewer:
    """Who is looking. Raises SignInNeeded, which becomes the sign-in page."""
    return signed_in().viewer


def signed_in() -> SignedIn:
    """The sign-in behind this request: its id, the viewer, the zone. Raises SignInNeeded."""
    if not current_user.is_authenticated:
        raise SignInNeeded
    return cast("SignedIn", current_user._get_current_object())  # noqa: SLF001 - the object behind Flask-Login's proxy


def sign_in_id() -> UUID:
    """The row of the browser's sign-in; what an OAuth dance is bound to."""
    return signed_in().id


def zone() -> str:
    """The IANA zone in which times are shown: the firm's; before signing in UTC."""
    if "zone" not in g:
        g.zone = str(current_user.zone) if current_user.is_authenticated else "UTC"
    return str(g.zone)


def spoken() -> str:
    """The reader's language, found out once per request."""
    if "spoken" not in g:
        g.spoken = language()
    return str(g.spoken)


@contextmanager
def reading() -> Iterator[Session]:
    """A session that only reads."""
    with parts().db.read() as session:
        yield session


@contextmanager
def writing() -> Iterator[Session]:
    """One write transaction; committed at the end, rolled back on any error. Never call the network inside."""
    with parts().db.transaction() as session:
        yield session


def is_fragment() -> bool:
    """Whether htmx asks for a part of a page."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-History-Restore-Request") != "true"


def wants_json() -> bool:
    """Whether a script of ours asks (the upload of one file)."""
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"


def notice(text: str, /, *, tone: str = "good", undo: str | None = None, **facts: object) -> None:
    """Say something on the next page. ``text`` is a message id; ``undo`` a URL that takes it back when posted to."""
    flash({"text": say(text, facts), "undo": undo}, tone)  # type: ignore[arg-type]


def go(endpoint: str, **values: object) -> Response:
    """Send the browser on after a form was taken; htmx gets told by header, or it would swap the page in."""
    return go_to(url_for(endpoint, **cast("Any", values)))


def go_to(url: str) -> Response:
    """Send the browser to a URL of ours, or to a provider's consent page."""
    if is_fragment():
        return Response(status=204, headers={"HX-Redirect": url})
    return cast("Response", redirect(url, code=303))


def told(response: Response, text: str) -> Response:
    """The answer with a message that the page shows as a toast (for fragments)."""
    response.headers["X-Notice"] = quote(text)
    return response


def forms_may_go_to(url: str) -> None:
    """Let a form of the page now being made be answered by a redirect to another origin (a provider's consent page)."""
    target = urlsplit(url)
    origins: set[str] = g.setdefault("form_origins", set())
    origins.add(f"{target.scheme}://{target.netloc}")


def back_to(default: str) -> str:
    """Where ``next`` in the form or query leads, if that is a page of ours; else ``default``."""
    target = request.values.get("next", "")
    return target if is_ours(target) else default


def is_ours(target: str) -> bool:
    """Whether a URL is a plain path of this portal: no host, no scheme, nor what browsers take for one."""
    if not target.startswith("/") or target[1:2] in {"/", "\\"}:
        return False
    return not any(ord(char) < 32 or char == "\\" for char in target)
