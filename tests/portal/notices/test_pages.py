"""Where connections are shown it is shown who was told, to those who may see such things."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlmodel import select

from portal import clock as portal_clock
from portal.accounts import tokens
from portal.accounts.models import Member, Person, Role
from portal.clients.models import ContactRole
from portal.notices import services
from tests import factories
from tests.portal.notices.conftest import World


@pytest.fixture
def owner(world: World) -> Person:
    """Of the firm; it was she who connected."""
    person = world.member("Anna", Role.OWNER, language="en")
    world.connected_by(person)
    return person


def pages(world: World) -> list[str]:
    tab = f"/clients/{world.client.id}/integrations"
    return [tab, f"{tab}/{world.instance.id}", f"{tab}/connections/{world.login.id}"]


def test_the_pages_of_a_connection_say_who_was_told_and_when(world: World, owner: Person, app: Flask) -> None:
    browser = factories.sign_in(app, owner.id)
    for page in pages(world):
        assert "by e-mail" not in browser.get(page).text
    world.dies()
    for page in pages(world):
        assert "Anna is being told by e-mail." in browser.get(page).text
    world.deliver()
    for page in pages(world):
        assert "Anna was told by e-mail on " in browser.get(page).text
    world.connected_by(owner)
    for page in pages(world):
        assert "by e-mail" not in browser.get(page).text


def test_an_end_ahead_is_shown_as_told(world: World, owner: Person, app: Flask) -> None:
    world.change(expires_at=portal_clock.now() + timedelta(days=3))
    services.look_ahead(world.parts.db)
    world.deliver()
    browser = factories.sign_in(app, owner.id)
    for page in pages(world):
        assert "Anna was told by e-mail on " in browser.get(page).text


def test_what_went_wrong_is_said_and_whether_it_is_tried_again(world: World, owner: Person, app: Flask) -> None:
    browser = factories.sign_in(app, owner.id)
    world.office.refusal = "450 4.2.1 later"
    world.dies()
    world.deliver()
    for page in pages(world):
        text = browser.get(page).text
        assert "Anna could not be told by e-mail yet." in text
        assert "(code 450)" in text
        assert "It is tried again on " in text
    world.connected_by(owner)
    world.office.refusal = "550 5.1.1 nobody"
    world.dies()
    world.deliver()
    for page in pages(world):
        text = browser.get(page).text
        assert "Anna could not be told by e-mail." in text
        assert "(code 550)" in text


def test_who_sees_no_content_and_strangers_do_not_see_who_was_told(world: World, owner: Person, app: Flask) -> None:
    manager = world.member("Mia", Role.CLIENT_MANAGER, language="en")
    stranger = world.member("Sven", Role.ACCOUNTANT, language="en")
    with world.parts.db.transaction() as session:
        other = factories.client(session, world.firm, name="Tischlerei Ahlers")
        contact = factories.contact(session, other, role=ContactRole.OWNER)
    world.dies()
    world.deliver()
    tab, *others = pages(world)
    browser = factories.sign_in(app, manager.id)
    assert browser.get(tab).status_code == 200
    assert "Anna" not in browser.get(tab).text
    for page in others:
        assert browser.get(page).status_code == 404
    for person_id in (stranger.id, contact.person_id):
        browser = factories.sign_in(app, person_id)
        for page in pages(world):
            assert browser.get(page).status_code == 404


def test_the_letters_link_leads_to_the_connection(world: World, owner: Person, app: Flask) -> None:
    world.dies()
    world.deliver()
    (address,) = [line for line in world.office.messages[0].get_content().splitlines() if line.startswith("https://")]
    page = factories.sign_in(app, owner.id).get(address.removeprefix("https://kontor.example"))
    assert page.status_code == 200
    assert 'id="reconnect"' in page.text


def test_where_no_mail_is_sent_the_page_says_so(world: World, owner: Person, app: Flask) -> None:
    from dataclasses import replace

    parts = app.extensions["kontor"]
    app.extensions["kontor"] = replace(parts, settings=replace(parts.settings, mail=None))
    world.dies()
    browser = factories.sign_in(app, owner.id)
    for page in pages(world):
        assert "Anna was not told: this installation sends no e-mail." in browser.get(page).text


def test_the_api_tells_the_same(world: World, owner: Person, app: Flask) -> None:
    world.dies()
    world.deliver()
    with world.parts.db.transaction() as session:
        member = session.exec(select(Member).where(Member.person_id == owner.id)).one()
        _row, bearer = tokens.issue(session, world.parts.vault, member.id, name="t", scopes={"integrations"}, days=1)
    where = f"/api/v1/clients/{world.client.id}/connections"
    answer = app.test_client().get(where, headers={"Authorization": f"Bearer {bearer}"})
    ((told,),) = [one["told"] for one in answer.get_json()["items"]]
    assert (told["person"], told["state"], told["text"]) == ("Anna", "told", "")
