"""Errors as pages in the reader's language, each with what to do next; a piece for htmx, JSON for our scripts."""

from __future__ import annotations

from urllib.parse import quote

import structlog
from flask import Flask, g, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_login import AnonymousUserMixin
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from portal.errors import Error, NotFound
from portal.i18n import LANGUAGES, N_, _, say
from portal.web import is_fragment, wants_json

log = structlog.get_logger()

# status -> (title, what to do next)
PAGES: dict[int, tuple[str, str]] = {
    400: (N_("That did not arrive complete"), N_("Go back, reload the page and send it again.")),
    404: (N_("Nothing here"), N_("Check the address, or go back to your clients.")),
    405: (N_("Not in this way"), N_("Go back and use the buttons of the page.")),
    409: (N_("Changed in the meantime"), N_("Go back, reload the page and look at what is there now.")),
    413: (N_("Too large"), N_("Send fewer or smaller files at a time.")),
    422: (N_("That cannot be taken"), N_("Go back and correct what is named here.")),
    429: (N_("Too many tries"), N_("Wait a moment, then try again.")),
    500: (
        N_("Something went wrong on our side"),
        N_("Nothing was changed. Try again; if it stays so, tell who runs Kontor at what time."),
    ),
    503: (N_("Not available right now"), N_("The database does not answer. Wait a moment, then try again.")),
}  # fmt: skip


def register(app: Flask) -> None:
    """Attach the handlers to the application."""
    app.register_error_handler(Error, of_ours)
    app.register_error_handler(CSRFError, too_old)
    app.register_error_handler(HTTPException, of_http)
    app.register_error_handler(OperationalError, of_database)
    app.register_error_handler(Exception, of_nobody)


def of_ours(error: Error) -> ResponseReturnValue:
    """What a service refused: its own sentence."""
    return answer(error.status, say(error.text, error.facts))


def too_old(_error: CSRFError) -> ResponseReturnValue:
    """A form without or with a foreign token."""
    return answer(400, _("This form is too old, or it was not made by this portal."))


def of_http(error: HTTPException) -> ResponseReturnValue:
    """What Flask refused. Redirects pass as they are."""
    status = error.code or 500
    if status < 400:
        return error.get_response()
    text = say(NotFound.default) if status == 404 else ""
    response = make_response(answer(status, text))
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    return response


def of_database(error: OperationalError) -> ResponseReturnValue:
    """The database does not answer, or not in time."""
    log.error("page.database", path=request.path, error=type(error.orig).__name__)
    return answer(503, "")


def of_nobody(error: Exception) -> ResponseReturnValue:
    """A fault of ours: logged whole, shown without any of it."""
    log.error("page.broken", path=request.path, endpoint=request.endpoint, exc_info=error)
    return answer(500, "")


def answer(status: int, text: str) -> ResponseReturnValue:
    """The error in the shape that was asked for; a bare page when what broke is needed for every page."""
    try:
        return _answer(status, text)
    except Exception as error:  # noqa: BLE001 - whatever it is, the reader gets a page
        log.warning("page.bare", path=request.path, error=type(error).__name__)
    g._login_user = AnonymousUserMixin()  # noqa: SLF001 - else Flask-Login would ask the database again
    with force_locale(request.accept_languages.best_match(LANGUAGES) or "en"):
        title, advice = _words(status)
        return render_template("errors/bare.html", status=status, title=title, text=text, advice=advice), status


def _words(status: int) -> tuple[str, str]:
    title, advice = PAGES.get(status, PAGES[500 if status >= 500 else 400])
    return _(title), _(advice)


def _answer(status: int, text: str) -> ResponseReturnValue:
    title, advice = _words(status)
    sentence = text or title
    if wants_json():
        return jsonify(state="refused", text=sentence), status
    if is_fragment():
        # what htmx swaps in is this piece; the header says it aloud wherever it lands
        piece = render_template("errors/piece.html", text=sentence)
        return piece, status, {"X-Notice": quote(sentence), "HX-Reswap": "none"}
    return render_template("errors/page.html", status=status, title=title, text=text, advice=advice), status
