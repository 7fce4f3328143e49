"""Pages that are answered as they were for as long as nothing has changed; and never a moment longer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Blueprint, Flask, Response
from flask.testing import FlaskClient
from sqlmodel import col, update

from portal import clock
from portal.accounts.models import Firm
from portal.db import Database
from portal.web.kept import KeptPages, kept

MADE: list[str] = []


@pytest.fixture
def browser(db: Database) -> FlaskClient:
    """A browser with a cookie at an application that counts how often it makes its pages."""
    MADE.clear()
    app = Flask("pages")

    @app.get("/kept")
    @kept
    def page() -> str:
        MADE.append("kept")
        return f"number {len(MADE)}"

    @app.get("/plain")
    def plain() -> str:
        MADE.append("plain")
        return f"number {len(MADE)}"

    @app.get("/greeting")
    @kept
    def greeting() -> Response:
        MADE.append("greeting")
        answer = Response("hello")
        answer.set_cookie("met", "yes")
        return answer

    @app.get("/gone")
    @kept
    def gone() -> tuple[str, int]:
        MADE.append("gone")
        return "no", 404

    app.wsgi_app = KeptPages(app.wsgi_app, lambda: db)  # type: ignore[method-assign]
    browser = app.test_client()
    browser.set_cookie("who", "a")
    return browser


def write(db: Database) -> None:
    with db.transaction() as session:
        session.execute(update(Firm).values(name=col(Firm.name) + "!"))


def test_a_page_is_made_once_while_nothing_changes(browser: FlaskClient) -> None:
    first, second = browser.get("/kept"), browser.get("/kept")
    assert first.text == second.text == "number 1"
    assert second.headers == first.headers


def test_whatever_is_written_makes_it_anew(browser: FlaskClient, db: Database, firm: Firm) -> None:
    browser.get("/kept")
    write(db)
    assert browser.get("/kept").text == "number 2"


def test_another_process_is_noticed_too(browser: FlaskClient, db: Database, firm: Firm) -> None:
    browser.get("/kept")
    other = Database(db.url)
    write(other)
    other.dispose()
    assert browser.get("/kept").text == "number 2"


def test_it_grows_no_older_than_a_minute(browser: FlaskClient) -> None:
    at = datetime(2026, 3, 2, 9, 0, 10, tzinfo=UTC)
    with clock.travel(at) as travelling:
        browser.get("/kept")
        travelling.advance(timedelta(seconds=30))
        assert browser.get("/kept").text == "number 1"
        travelling.advance(timedelta(seconds=30))
        assert browser.get("/kept").text == "number 2"


@pytest.mark.parametrize(
    "other",
    [
        lambda browser: browser.set_cookie("who", "b") or browser.get("/kept"),
        lambda browser: browser.get("/kept?page=2"),
        lambda browser: browser.get("/kept", headers={"HX-Request": "true"}),
        lambda browser: browser.get("/kept", headers={"Accept-Language": "de"}),
        lambda browser: browser.get("/kept", base_url="https://other.example"),
    ],
    ids=["another browser", "another page", "a part of it", "another language", "another host"],
)
def test_nobody_gets_what_was_made_for_another(browser: FlaskClient, other: Callable[[FlaskClient], Response]) -> None:
    browser.get("/kept")
    other(browser)
    assert len(MADE) == 2


def test_a_stranger_without_a_cookie_is_never_answered_from_it(browser: FlaskClient) -> None:
    browser.get("/kept")
    browser.delete_cookie("who")
    browser.get("/kept")
    assert len(MADE) == 2


@pytest.mark.parametrize("path", ["/plain", "/greeting", "/gone"], ids=["unmarked", "sets a cookie", "no page"])
def test_other_answers_are_made_each_time(browser: FlaskClient, path: str) -> None:
    browser.get(path)
    browser.get(path)
    assert len(MADE) == 2


def test_an_answer_to_a_form_is_made_each_time(db: Database) -> None:
    pages = Blueprint("pages", __name__)

    @pages.post("/kept")
    @kept
    def posted() -> str:
        MADE.append("posted")
        return "taken"

    MADE.clear()
    app = Flask("forms")
    app.register_blueprint(pages)
    app.wsgi_app = KeptPages(app.wsgi_app, lambda: db)  # type: ignore[method-assign]
    browser = app.test_client()
    browser.set_cookie("who", "a")
    browser.post("/kept")
    browser.post("/kept")
    assert len(MADE) == 2
