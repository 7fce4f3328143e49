from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import col, select

from portal import create_app
from portal.access import Viewer
from portal.accounts import services, signing_in
from portal.accounts.models import Firm, Person, SignIn
from portal.clock import Traveller
from portal.config import Settings
from portal.db import Database
from tests import factories
from tests.factories import PASSWORD

SignedIn = Callable[[Person | Viewer], FlaskClient]


@pytest.fixture
def person(db: Database, firm: Firm) -> Person:
    """An owner who can sign in with PASSWORD."""
    with db.transaction() as session:
        made = factories.person(session, email="anna@kanzlei.example")
        factories.member(session, firm, who=made)
        return made


def token_in(page: str) -> str:
    """The CSRF token of a page's form."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def sign_in(browser: FlaskClient, email: str, password: str = PASSWORD, **more: str) -> tuple[int, str]:
    """Fill in the form; the status and where it leads."""
    token = token_in(browser.get("/sign-in").text)
    answer = browser.post("/sign-in", data={"email": email, "password": password, "csrf_token": token, **more})
    return answer.status_code, answer.location or ""


def test_the_right_password_leads_to_the_board(browser: FlaskClient, person: Person) -> None:
    assert sign_in(browser, "Anna@Kanzlei.example ") == (303, "/")
    assert browser.get("/").status_code == 200


@pytest.mark.parametrize(
    ("email", "password"), [("anna@kanzlei.example", "wrong"), ("nobody@else.example", PASSWORD), ("", "")]
)
def test_whatever_is_wrong_the_answer_is_the_same(
    browser: FlaskClient, person: Person, email: str, password: str
) -> None:
    answer = browser.post(
        "/sign-in", data={"email": email, "password": password, "csrf_token": token_in(browser.get("/sign-in").text)}
    )
    assert answer.status_code == 422
    assert "This e-mail address and password do not belong together." in answer.text
    assert browser.get("/").location == "/sign-in"


def test_who_has_not_accepted_the_invitation_cannot_sign_in(browser: FlaskClient, db: Database, person: Person) -> None:
    with db.transaction() as session:
        session.get_one(Person, person.id).password_hash = None
    assert sign_in(browser, person.email)[0] == 422


@pytest.mark.parametrize(
    ("wanted", "led"),
    [("/firm/members?x=1", "/firm/members?x=1"), ("//evil.example", "/"), ("/\\evil.example", "/"),
     ("https://evil.example", "/"), ("/\tevil", "/"), ("javascript:alert(1)", "/")],
)  # fmt: skip
def test_signing_in_leads_back_to_pages_of_ours_only(
    browser: FlaskClient, person: Person, wanted: str, led: str
) -> None:
    assert sign_in(browser, person.email, next=wanted)[1] == led


def test_a_page_behind_the_sign_in_is_found_again(browser: FlaskClient, person: Person) -> None:
    assert browser.get("/firm/members?q=1").location == "/sign-in?next=/firm/members?q%3D1"


def test_htmx_is_sent_to_the_sign_in_page_as_a_whole(browser: FlaskClient, person: Person) -> None:
    answer = browser.get("/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/sign-in")


def test_a_session_from_before_the_sign_in_is_worth_nothing(browser: FlaskClient, app: Flask, person: Person) -> None:
    """Session fixation: what somebody planted before is gone after."""
    with browser.session_transaction() as planted:
        planted["planted"] = "by somebody"
    before = token_in(browser.get("/sign-in").text)
    browser.post("/sign-in", data={"email": person.email, "password": PASSWORD, "csrf_token": before})
    with browser.session_transaction() as session:
        assert "planted" not in session
    assert browser.post("/sign-out", data={"csrf_token": before}).status_code == 400


def test_signing_out_ends_the_sign_in_even_for_a_stolen_cookie(app: Flask, signed_in: SignedIn, person: Person) -> None:
    browser, thief = signed_in(person), app.test_client()
    with browser.session_transaction() as mine, thief.session_transaction() as stolen:
        stolen.update(mine)
    assert thief.get("/").status_code == 200
    assert browser.post("/sign-out").location == "/sign-in"
    assert thief.get("/").location == "/sign-in"


def test_an_invented_cookie_is_nobody(app: Flask, db: Database, signed_in: SignedIn, person: Person) -> None:
    signed_in(person)
    with db.read() as session:
        row = session.exec(select(SignIn)).one()
    for token in ("", "x", f"{row.id}:", f"{row.id}:guess", f"{row.id}:{row.secret_digest}"):
        browser = app.test_client()
        with browser.session_transaction() as cookie:
            cookie["_user_id"] = token
        assert browser.get("/").location == "/sign-in"


def test_who_was_locked_out_is_out_at_once(db: Database, signed_in: SignedIn, person: Person) -> None:
    browser = signed_in(person)
    with db.transaction() as session:
        session.get_one(Person, person.id).active = False
    assert browser.get("/").location == "/sign-in"


def test_a_browser_left_alone_must_sign_in_again(signed_in: SignedIn, person: Person, clock: Traveller) -> None:
    used, left = signed_in(person), signed_in(person)
    for _ in range(3):
        clock.advance(signing_in.IDLE * 0.4)
        assert used.get("/").status_code == 200
    assert left.get("/").location == "/sign-in"


def test_the_cookie_is_for_us_alone(app: Flask, person: Person) -> None:
    for address, secure in (("http://localhost", False), ("https://localhost", True)):
        cookie = app.test_client().get("/sign-in", base_url=address).headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert ("Secure" in cookie) is secure


def test_guessing_is_slowed_down_per_account(app: Flask, browser: FlaskClient, person: Person) -> None:
    app.config["TRIES_PER_ACCOUNT"] = "3 per 10 minutes"
    answers = [sign_in(browser, person.email, f"guess {number}")[0] for number in range(5)]
    assert answers == [422, 422, 422, 429, 429]
    assert sign_in(browser, person.email)[0] == 429


def test_guessing_is_slowed_down_per_address(app: Flask, browser: FlaskClient, person: Person) -> None:
    app.config["TRIES_PER_ADDRESS"] = "3 per 10 minutes"
    answers = [sign_in(browser, f"nobody{number}@else.example")[0] for number in range(5)]
    assert answers == [422, 422, 422, 429, 429]


def test_signing_in_well_is_never_slowed_down(app: Flask, browser: FlaskClient, person: Person) -> None:
    app.config["TRIES_PER_ACCOUNT"] = app.config["TRIES_PER_ADDRESS"] = "2 per 10 minutes"
    for _ in range(4):
        assert sign_in(browser, person.email)[0] == 303
        browser.post("/sign-out", data={"csrf_token": token_in(browser.get("/account").text)})


def test_guessing_is_slowed_down_while_redis_is_away(settings: Settings, person: Person) -> None:
    """Each process then counts for itself."""
    app = create_app(replace(settings, redis_url=f"unix://{settings.data}/nothing.sock"))
    app.config["TRIES_PER_ACCOUNT"] = "2 per 10 minutes"
    browser = app.test_client()
    try:
        answers = [sign_in(browser, person.email, f"guess {number}")[0] for number in range(4)]
    finally:
        app.extensions["kontor"].db.dispose()
    assert answers == [422, 422, 429, 429]


def test_an_invitation_sets_the_password_once_and_signs_in(
    app: Flask, browser: FlaskClient, signed_in: SignedIn, person: Person
) -> None:
    form = {"name": "Bernd", "email": "bernd@kanzlei.example", "role": "accountant"}
    page = signed_in(person).post("/firm/members", data=form).text
    found = re.search(r"http://localhost(/invitations/[\w-]+)", page)
    assert found is not None
    token = token_in(browser.get(found[1]).text)
    weak = browser.post(found[1], data={"name": "Bernd Acker", "password": "kurz", "csrf_token": token})
    assert weak.status_code == 422
    form = {"name": "Bernd Acker", "password": "ein langer Satz", "csrf_token": token}
    assert browser.post(found[1], data=form).location == "/"
    assert "Bernd Acker" in browser.get("/account").text
    assert browser.get(found[1]).status_code == 404
    assert sign_in(app.test_client(), "bernd@kanzlei.example", "ein langer Satz")[0] == 303


def test_a_changed_password_ends_every_other_browser(app: Flask, signed_in: SignedIn, person: Person) -> None:
    mine, other = signed_in(person), signed_in(person)
    form = {"old": PASSWORD, "new": "ein ganz neuer Satz"}
    assert mine.post("/account/password", data={**form, "old": "wrong"}).status_code == 422
    assert mine.post("/account/password", data={**form, "new": "kurz"}).status_code == 422
    assert mine.post("/account/password", data=form).location == "/account"
    assert mine.get("/").status_code == 200
    assert other.get("/").location == "/sign-in"
    assert sign_in(app.test_client(), person.email, "ein ganz neuer Satz")[0] == 303


def test_one_browser_is_signed_out_from_another(db: Database, signed_in: SignedIn, person: Person) -> None:
    mine, lost = signed_in(person), signed_in(person)
    with db.read() as session:
        rows = session.exec(select(SignIn).order_by(col(SignIn.id))).all()
    assert mine.get("/account").text.count('/end"') == 2
    assert mine.post(f"/account/sign-ins/{rows[1].id}/end").location == "/account"
    assert lost.get("/").location == "/sign-in"
    assert mine.post("/account/sign-ins/end-others").location == "/account"
    assert mine.get("/").status_code == 200


@pytest.mark.parametrize(
    ("asks", "word"), [("de-AT,de;q=0.9,en;q=0.5", "Anmelden"), ("en-GB", "Sign in"), ("fr", "Sign in")]
)
def test_the_page_speaks_as_the_browser_asks(browser: FlaskClient, person: Person, asks: str, word: str) -> None:
    page = browser.get("/sign-in", headers={"Accept-Language": asks}).text
    assert f"<h1>{word}</h1>" in page


def test_a_chosen_language_wins_and_stays_with_the_person(
    app: Flask, browser: FlaskClient, signed_in: SignedIn, person: Person
) -> None:
    english = {"Accept-Language": "en"}
    token = token_in(browser.get("/sign-in").text)
    assert (
        browser.post("/language", data={"language": "de", "next": "/sign-in", "csrf_token": token}).location
        == "/sign-in"
    )
    assert "<h1>Anmelden</h1>" in browser.get("/sign-in", headers=english).text
    signed_in(person).post("/language", data={"language": "de"})
    assert "<h1>Mandanten</h1>" in signed_in(person).get("/", headers=english).text


def test_the_first_page_of_an_empty_installation_is_its_set_up(browser: FlaskClient) -> None:
    assert browser.get("/").location == "/sign-in"
    assert browser.get("/sign-in").location == "/welcome"


WELCOME = {
    "firm": "Kanzlei Sommer", "zone": "Europe/Vienna", "language": "de", "name": "Anna Sommer",
    "email": "anna@sommer.example", "password": "ein langer Satz",
}  # fmt: skip


def test_the_first_visit_sets_up_the_firm_and_signs_in(browser: FlaskClient, db: Database) -> None:
    token = token_in(browser.get("/welcome").text)
    assert browser.post("/welcome", data={**WELCOME, "csrf_token": token}).location == "/"
    assert "Anna Sommer" in browser.get("/").text
    with db.read() as session:
        firm = session.exec(select(Firm)).one()
    assert (firm.name, firm.zone) == ("Kanzlei Sommer", "Europe/Vienna")


@pytest.mark.parametrize(
    ("field", "value"),
    [("firm", ""), ("email", "anna"), ("password", "kurz"), ("password", "KanzleiSommer"), ("zone", "x")],
)
def test_the_set_up_says_what_is_wrong_and_keeps_the_rest(
    browser: FlaskClient, db: Database, field: str, value: str
) -> None:
    token = token_in(browser.get("/welcome").text)
    answer = browser.post("/welcome", data={**WELCOME, field: value, "csrf_token": token})
    assert answer.status_code == 422
    assert 'value="Anna Sommer"' in answer.text
    assert WELCOME["password"] not in answer.text
    with db.read() as session:
        assert services.is_empty(session)


def test_after_the_set_up_there_is_no_second_one(browser: FlaskClient, person: Person) -> None:
    assert browser.get("/welcome").status_code == 404
    token = token_in(browser.get("/sign-in").text)
    assert browser.post("/welcome", data={**WELCOME, "csrf_token": token}).status_code == 404
